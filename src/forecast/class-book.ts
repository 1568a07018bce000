/**
 * Every class that is forecast: one forecaster of minutes and one of tens of minutes each. It steps them as time passes,
 * answers what is coming, and says which models are due for a fit. Pure: time, values and models come from outside.
 */
import type { AccuracyView, AnomalyView, DriftView, HorizonName, Prediction } from '../core/forecasts';
import type { ClassInfo } from '../core/observation';
import { ClassForecast, SCALE_OF, type BegunClass } from './class-forecast';
import type { ScaleOptions } from './forecast-track';
import { FitQueue, type DueFit, type FitWhy, type ForecastScale } from './learning/fit-queue';
import { notPredicted, scaledPrediction } from './prediction';

/** How a book is kept. */
export interface BookOptions {
  readonly scales: Readonly<Record<ForecastScale, ScaleOptions>>;
  /** Classes tracked, at most; further ones are refused. */
  readonly maxClasses: number;
  /** Drifts that are remembered, over all classes. */
  readonly maxDrifts: number;
}

/** What a step over all classes came to. */
export interface StepSummary {
  readonly classes: number;
  readonly anomalies: readonly AnomalyView[];
  readonly drifts: readonly DriftView[];
}

/** See the file's head. */
export class ClassBook {
  private readonly classes = new Map<string, ClassForecast>();
  private readonly queue = new FitQueue();
  private readonly recentDrifts: DriftView[] = [];

  constructor(private readonly options: BookOptions) {}

  /** Classes tracked. */
  get size(): number {
    return this.classes.size;
  }

  /** Fits that wait. */
  get waitingFits(): number {
    return this.queue.size;
  }

  has(id: string): boolean {
    return this.classes.has(id);
  }

  ids(): IterableIterator<string> {
    return this.classes.keys();
  }

  of(id: string): ClassForecast | undefined {
    return this.classes.get(id);
  }

  /** Begins to track a class. @returns false when there is no room. */
  open(info: ClassInfo, nowMs: number, begun?: BegunClass): boolean {
    if (this.classes.has(info.id)) return true;
    if (this.classes.size >= this.options.maxClasses) return false;
    this.classes.set(info.id, new ClassForecast(info, this.options.scales, nowMs, begun));
    return true;
  }

  /** Forgets a class. */
  close(id: string): void {
    this.classes.delete(id);
    this.queue.remove(id);
  }

  /**
   * Closes a step of every class.
   * @param atMs when the step began.
   * @param valueOf what came of a class in it; NaN when that is not known.
   */
  step(scale: ForecastScale, atMs: number, valueOf: (id: string) => number): StepSummary {
    const anomalies: AnomalyView[] = [];
    const drifts: DriftView[] = [];
    for (const [id, forecast] of this.classes) {
      const { parent } = forecast.info;
      const parentValue = parent === undefined ? NaN : valueOf(parent);
      const { anomaly, drift } = forecast.step(scale, atMs, valueOf(id), parentValue);
      if (anomaly !== undefined) anomalies.push(anomaly);
      if (drift !== undefined) drifts.push(drift);
      const why = forecast.dueFit(scale);
      if (why !== undefined) this.queue.add({ id, scale, why });
    }
    this.recentDrifts.push(...drifts);
    this.recentDrifts.splice(0, this.recentDrifts.length - this.options.maxDrifts);
    return { classes: this.classes.size, anomalies, drifts };
  }

  /** Asks for fits of every class's models, or of one class's. */
  requestFits(why: FitWhy, id?: string): void {
    for (const one of id === undefined ? this.classes.keys() : [id]) {
      if (!this.classes.has(one)) continue;
      this.queue.add({ id: one, scale: 'coarse', why });
      this.queue.add({ id: one, scale: 'fine', why });
    }
  }

  /** Takes the next fit that is due. */
  nextFit(): DueFit | undefined {
    return this.queue.next();
  }

  /**
   * What is coming of a class. A class that is too young to know takes its parent's forecast, scaled to its share.
   * @returns undefined for a class that is not tracked.
   */
  predict(id: string, horizon: HorizonName, level: number, nowMs: number): Prediction | undefined {
    const forecast = this.classes.get(id);
    if (forecast === undefined) return undefined;
    const scale = SCALE_OF[horizon];
    const parent = this.parentOf(forecast);
    if (parent !== undefined && forecast.leansOnParent(scale, parent)) {
      const share = forecast.shareOfParent(scale);
      if (share !== undefined)
        return scaledPrediction(parent.predict(horizon, level, nowMs), forecast.info.id, share);
    }
    return forecast.predict(horizon, level, nowMs) ?? notPredicted(id, horizon, level, nowMs);
  }

  accuracy(id: string): readonly AccuracyView[] {
    return this.classes.get(id)?.accuracy() ?? [];
  }

  /** Anomalies that were flagged lately, newest first. */
  anomalies(id: string): readonly AnomalyView[] {
    return this.classes.get(id)?.anomalies() ?? [];
  }

  /** Drifts found lately, oldest first. */
  drifts(): readonly DriftView[] {
    return this.recentDrifts;
  }

  private parentOf(forecast: ClassForecast): ClassForecast | undefined {
    const { parent } = forecast.info;
    return parent === undefined ? undefined : this.classes.get(parent);
  }
}

/**
 * Makes the fits that are due: takes a class's history, leaves out what was anomalous, lets a challenger prove itself in
 * a fitting thread, and puts it in place where it won. The model in use serves on meanwhile.
 */
import { TidegateError } from '../../core/errors';
import type { ForecastFigures } from '../../core/forecasts';
import type { Logger } from '../../core/ports';
import type { ResolutionMs } from '../../core/series';
import type { ClassBook } from '../../forecast/class-book';
import type { ClassForecast } from '../../forecast/class-forecast';
import { contextOf, type ScaleOptions } from '../../forecast/forecast-track';
import { meanRatio } from '../../forecast/learning/challenge';
import type { DueFit, ForecastScale } from '../../forecast/learning/fit-queue';
import type { FittedModel } from '../../forecast/model/model';
import type { History } from '../../history/history';
import type { FitJob, FitOutcome } from './fit-job';
import type { Fitter } from './fit-threads';
import type { ModelShelf, ModelVersion } from './model-shelf';

/** What fits stand on. */
export interface FitParts {
  readonly book: ClassBook;
  readonly history: Pick<History, 'series'>;
  readonly shelf: ModelShelf;
  readonly fitter: Fitter;
  readonly scales: Readonly<Record<ForecastScale, ScaleOptions>>;
  readonly logger: Logger;
}

/** A model that stands where its class does. */
interface Prepared {
  readonly install: (version: number) => void;
}

/** How much history a fit takes. */
const WINDOW_STEPS: Readonly<Record<ForecastScale, number>> = { fine: 4_320, coarse: 4_032 };
/** The tail that a nightly challenger is proven on, a part of what there is at most. */
const TAIL_STEPS: Readonly<Record<ForecastScale, number>> = { fine: 720, coarse: 432 };
const TAIL_PART = 0.25;
const MAX_ORIGINS: Readonly<Record<ForecastScale, number>> = { fine: 240, coarse: 36 };

/** See the file's head. */
export class FitRunner {
  readonly counts: Record<keyof ForecastFigures['refits'], number> = {
    first: 0,
    won: 0,
    lost: 0,
    unproven: 0,
    failed: 0,
  };
  private readonly running = new Set<Promise<void>>();
  private closed = false;

  constructor(private readonly parts: FitParts) {}

  /** Begins as many of the fits that are due as there are threads for. */
  turn(nowMs: number): void {
    while (!this.closed && this.running.size < this.parts.fitter.width) {
      const due = this.parts.book.nextFit();
      if (due === undefined) return;
      const done: Promise<void> = this.fit(due, nowMs).finally(() => this.running.delete(done));
      this.running.add(done);
    }
  }

  /** Resolves when no fit is under way. */
  async idle(): Promise<void> {
    while (this.running.size > 0) await Promise.all(this.running);
  }

  /** Begins no more fits, and waits for those under way. */
  async close(): Promise<void> {
    this.closed = true;
    await this.parts.fitter.close();
    await this.idle();
  }

  private async fit(due: DueFit, nowMs: number): Promise<void> {
    const { book, fitter, logger } = this.parts;
    const forecast = book.of(due.id);
    if (forecast === undefined) return;
    try {
      const planned = this.plan(due, forecast);
      if (planned === undefined) {
        this.counts.unproven += 1;
        return;
      }
      const outcome = await fitter.fit(planned.job);
      // The class may have ended meanwhile, or begun anew at another time.
      if (!this.closed && book.of(due.id) === forecast) this.take(due, planned, outcome);
      this.counts[outcome.verdict] += 1;
      const { verdict } = outcome;
      logger.debug({ class: due.id, scale: due.scale, why: due.why, verdict }, 'a model was fitted');
    } catch (thrown) {
      this.counts.failed += 1;
      if (this.closed) return;
      const error = TidegateError.from(thrown, 'TG_FORECAST_NO_FIT');
      logger.warn({ error, class: due.id, scale: due.scale, nowMs }, 'a model was not fitted');
    }
  }

  /** What the fitting thread is given; undefined when there is too little. */
  private plan(due: DueFit, forecast: ClassForecast): { job: FitJob; untilMs: number } | undefined {
    const { scale } = due;
    const options = this.parts.scales[scale];
    const untilMs = forecast.nextAtMs(scale);
    if (untilMs === undefined) return undefined;
    const series = this.seriesOf(forecast, scale, untilMs - WINDOW_STEPS[scale] * options.stepMs, untilMs);
    const values = this.withoutAnomalies(forecast, series.values, series.startMs, options);
    const context = contextOf(options, series.startMs);
    // Whatever asks for it, a fit before the first milestone has too little to go by, and nothing to be proven against.
    const early = due.why !== 'first' && due.why !== 'grown';
    const least = early ? (options.milestones[0] ?? 0) : 0;
    if (values.length < Math.max(least, options.kind.minPoints(context))) return undefined;
    const champion = this.parts.shelf.active(due.id, scale);
    const seen =
      champion === undefined ? 0 : Math.round((champion.fittedAtMs - series.startMs) / options.stepMs);
    const tail =
      due.why === 'drift'
        ? Math.floor(options.driftSettle / 2)
        : Math.min(TAIL_STEPS[scale], Math.floor(values.length * TAIL_PART));
    const job: FitJob = {
      kind: options.kind.name,
      values,
      context,
      tailStart: values.length - tail,
      horizons: options.horizons,
      maxOrigins: MAX_ORIGINS[scale],
      // A champion that was fitted before the window began cannot be rolled to it, nor one that is ahead of it.
      ...(champion === undefined || seen < 0 || seen > values.length || !options.kinds.has(champion.kind)
        ? {}
        : { champion: { kind: champion.kind, state: champion.state, seen } }),
    };
    return { job, untilMs };
  }

  private seriesOf(forecast: ClassForecast, scale: ForecastScale, fromMs: number, toMs: number) {
    const { stepMs } = this.parts.scales[scale];
    const { id } = forecast.info;
    const series = this.parts.history.series(id, forecast.figure, stepMs as ResolutionMs, fromMs, toMs);
    const first = series.values.findIndex((value) => Number.isFinite(value));
    if (first <= 0) return first < 0 ? { startMs: series.startMs, values: new Float64Array(0) } : series;
    return { startMs: series.startMs + first * stepMs, values: series.values.slice(first) };
  }

  /** Anomalies teach nothing; changes that lasted are no longer any. */
  private withoutAnomalies(
    forecast: ClassForecast,
    values: Float64Array,
    startMs: number,
    options: ScaleOptions,
  ): Float64Array {
    const kept = values.slice();
    for (const { startMs: from, endMs } of forecast.anomalies()) {
      // One that lasts reaches to the end.
      const to = endMs ?? startMs + values.length * options.stepMs;
      if (to - from >= options.adoptAfterMs) continue;
      const first = Math.max(0, Math.floor((from - startMs) / options.stepMs));
      kept.fill(NaN, first, Math.max(first, Math.ceil((to - startMs) / options.stepMs)));
    }
    return kept;
  }

  private take(due: DueFit, planned: { job: FitJob; untilMs: number }, outcome: FitOutcome): void {
    const { state, errors } = outcome;
    if (state === undefined) return;
    const model = {
      classId: due.id,
      scale: due.scale,
      kind: planned.job.kind,
      state,
      fittedAtMs: planned.untilMs,
      why: due.why,
      points: planned.job.values.length,
      ratio: errors === undefined ? null : meanRatio(errors.challenger, errors.champion),
    };
    // Kept only once it has proven that it can be read again.
    const ready = this.prepare(model);
    if (ready !== undefined) ready.install(this.parts.shelf.put(model));
  }

  /**
   * Puts a version in place, rolled forward to now. @returns whether it could be.
   * @throws TidegateError TG_FORECAST_BAD_STATE.
   */
  use(version: ModelVersion): boolean {
    const ready = this.prepare(version);
    ready?.install(version.version);
    return ready !== undefined;
  }

  private prepare(version: Omit<ModelVersion, 'version'>): Prepared | undefined {
    const { book, scales } = this.parts;
    const forecast = book.of(version.classId);
    const options = scales[version.scale];
    const kind = options.kinds.get(version.kind);
    if (forecast === undefined || kind === undefined) return undefined;
    // A clock that was set back may have left versions that lie ahead of it.
    if (version.fittedAtMs > (forecast.nextAtMs(version.scale) ?? Infinity)) return undefined;
    const model = kind.restore(version.state);
    this.rollForward(model, forecast, version);
    return { install: (number) => forecast.install(version.scale, model, version.kind, number) };
  }

  private rollForward(
    model: FittedModel,
    forecast: ClassForecast,
    version: Omit<ModelVersion, 'version'>,
  ): void {
    const untilMs = forecast.nextAtMs(version.scale) ?? version.fittedAtMs;
    if (untilMs <= version.fittedAtMs) return;
    const { stepMs, seasons } = this.parts.scales[version.scale];
    // What is passed over of a long absence is whole seasons, so that the model keeps its place in them.
    const longestMs = (seasons.at(-1) ?? 1) * stepMs;
    const tooFarMs = untilMs - WINDOW_STEPS[version.scale] * stepMs - version.fittedAtMs;
    const fromMs = version.fittedAtMs + Math.max(0, Math.ceil(tooFarMs / longestMs)) * longestMs;
    const { id } = forecast.info;
    const { history } = this.parts;
    const missed = history.series(id, forecast.figure, stepMs as ResolutionMs, fromMs, untilMs);
    for (const value of missed.values) model.update(value);
  }
}

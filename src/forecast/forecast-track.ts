/**
 * One scale of a class: its forecaster, and what says when its model wants a fit. A track begins with a model that needs
 * nothing, and gets better ones as it grows, after a drift, nightly and when asked.
 */
import { LEVELS, type AccuracyView } from '../core/forecasts';
import type { FigureName } from '../core/observation';
import type { AnomalyEvent } from './anomaly/anomaly-detector';
import type { Drift } from './drift/drift-detector';
import type { FitWhy } from './learning/fit-queue';
import type { FittedModel, Forecast, Holiday, ModelKind, ModelState, SeriesContext } from './model/model';
import { badState, countIn, numberIn, stateIn } from './model/state';
import { TrackedForecaster } from './tracked-forecaster';

/** How a scale is forecast. */
export interface ScaleOptions {
  readonly stepMs: number;
  /** Season lengths in steps, ascending. */
  readonly seasons: readonly number[];
  /** Steps ahead whose intervals are calibrated, ascending. */
  readonly horizons: readonly number[];
  /** Needs no values to begin with. */
  readonly starter: ModelKind;
  /** What is fitted once there are values. */
  readonly kind: ModelKind;
  /** All kinds, to read saved models. */
  readonly kinds: ReadonlyMap<string, ModelKind>;
  /** Numbers of values at which a fit is worth while, ascending. */
  readonly milestones: readonly number[];
  /** Steps after a drift until a fit knows what is now usual. */
  readonly driftSettle: number;
  readonly falseAlarmsPerDay: number;
  readonly adoptAfterMs: number;
  readonly seed: number;
  readonly holidays: readonly Holiday[];
}

/** A track as it is kept: plain data. */
export type SavedTrack = ModelState;

/** Values that a track begins with, from history. */
export interface Past {
  readonly startMs: number;
  readonly values: Float64Array;
}

/** What a step came to; an anomaly is told when it begins. */
export interface TrackReport {
  readonly anomaly: AnomalyEvent | undefined;
  readonly drift: Drift | undefined;
}

/** Sums of the share of the parent halve after as many steps. */
const SHARE_HALF_LIFE_STEPS = 288;
const SHARE_KEEP = 0.5 ** (1 / SHARE_HALF_LIFE_STEPS);
/** What a figure of accuracy is where nothing was scored. */
const orNull = (value: number): number | null => (Number.isFinite(value) ? value : null);

/** See the file's head. */
export class ForecastTrack {
  private driftedAt: number | undefined;
  private fittedPoints = 0;
  private shareOwn = 0;
  private shareParent = 0;
  /** Forecasts since the last step, by their length. */
  private readonly made = new Map<number, Forecast>();

  private constructor(
    private readonly options: ScaleOptions,
    private model: FittedModel,
    private readonly tracked: TrackedForecaster,
    private points: number,
    private modelVersion: number,
  ) {}

  /** Begins a track: where it was saved, or with what history holds, or from nothing. */
  static open(options: ScaleOptions, nowMs: number, saved?: SavedTrack, past?: Past): ForecastTrack {
    if (saved !== undefined) {
      try {
        return ForecastTrack.restore(options, saved);
      } catch {
        // A state of another version is worth no more than none: the track begins anew, and is soon fitted.
      }
    }
    const startMs = past?.startMs ?? nowMs - (nowMs % options.stepMs);
    const values = past?.values ?? new Float64Array(0);
    const model = options.starter.fit(values, contextOf(options, startMs));
    const tracked = new TrackedForecaster(model, trackedOptions(options));
    // The model's calendar begins here: a step before would shift it.
    tracked.expectFrom(startMs + values.length * options.stepMs);
    return new ForecastTrack(options, model, tracked, values.length, 0);
  }

  private static restore(options: ScaleOptions, saved: SavedTrack): ForecastTrack {
    const name = saved['kind'];
    const kind = typeof name === 'string' ? options.kinds.get(name) : undefined;
    if (kind === undefined) throw badState('it names no kind of model');
    const model = kind.restore(stateIn(saved, 'model'));
    const tracked = TrackedForecaster.restore(model, trackedOptions(options), stateIn(saved, 'tracked'));
    const track = new ForecastTrack(
      options,
      model,
      tracked,
      countIn(saved, 'points'),
      countIn(saved, 'version'),
    );
    track.kindName = kind.name;
    track.fittedPoints = countIn(saved, 'fittedPoints');
    track.shareOwn = numberIn(saved, 'shareOwn');
    track.shareParent = numberIn(saved, 'shareParent');
    return track;
  }

  private kindName = '';

  /** The kind of model in use. */
  get kind(): string {
    return this.kindName === '' ? this.options.starter.name : this.kindName;
  }

  get version(): number {
    return this.modelVersion;
  }

  get warm(): boolean {
    return this.tracked.warm;
  }

  get anomalous(): boolean {
    return this.tracked.anomalous;
  }

  /** When the next step begins, Unix ms; undefined before anything was seen. */
  get nextAtMs(): number | undefined {
    return this.points === 0 ? undefined : this.tracked.expectedAtMs;
  }

  /** How many of its first seasons it has seen; Infinity when it has none. */
  get seasonsSeen(): number {
    const [season] = this.options.seasons;
    return season === undefined ? Infinity : this.points / season;
  }

  /** The part of the parent's demand that was this class's lately. */
  get share(): number | undefined {
    return this.shareParent > 0 ? Math.min(1, this.shareOwn / this.shareParent) : undefined;
  }

  /** Makes figures of a step rates a second; levels stay as they are. */
  perS(figure: FigureName): number {
    return figure === 'level' ? 1 : 1_000 / this.options.stepMs;
  }

  /** Closes a step. */
  step(atMs: number, value: number, parentValue: number): TrackReport {
    const nextAtMs = this.tracked.expectedAtMs;
    const report = this.tracked.step(atMs, value);
    if (!report.taken) return { anomaly: undefined, drift: undefined };
    this.made.clear();
    // Until a value came there is nothing to forecast from: a missing one must not pass for a first step.
    if (this.points > 0 || Number.isFinite(value)) {
      this.points += nextAtMs === undefined ? 1 : Math.max(1, (atMs - nextAtMs) / this.options.stepMs + 1);
    }
    if (Number.isFinite(value) && Number.isFinite(parentValue)) {
      this.shareOwn = this.shareOwn * SHARE_KEEP + Math.max(0, value);
      this.shareParent = this.shareParent * SHARE_KEEP + Math.max(0, parentValue);
    }
    if (report.drift !== undefined) this.driftedAt = this.points;
    return { anomaly: report.began ? report.anomaly : undefined, drift: report.drift };
  }

  /** Why the model wants a fit now; asked once a step. */
  dueFit(): FitWhy | undefined {
    const { milestones, driftSettle } = this.options;
    if (this.driftedAt !== undefined && this.points - this.driftedAt >= driftSettle) {
      this.driftedAt = undefined;
      return 'drift';
    }
    const reached = milestones.findLast((milestone) => milestone <= this.points);
    if (reached === undefined || reached <= this.fittedPoints) return undefined;
    // Said once a milestone: whether the fit is taken is decided by what it proves.
    const why = this.fittedPoints === 0 ? 'first' : 'grown';
    this.fittedPoints = this.points;
    return why;
  }

  /** Steps since the change that a drift fit is for, at most. */
  get driftSettleSteps(): number {
    return this.options.driftSettle;
  }

  /** Puts a fitted model in place; it has seen everything before the next step. */
  install(model: FittedModel, kind: string, version: number): void {
    this.model = model;
    this.kindName = kind;
    this.modelVersion = version;
    this.tracked.replaceModel(model);
    this.made.clear();
  }

  /** Forecasts the next steps with intervals at {@link LEVELS}; made once for each step, however often it is asked for. */
  predict(steps: number): Forecast {
    const before = this.made.get(steps);
    if (before !== undefined) return before;
    const forecast = this.tracked.predict(steps, LEVELS);
    this.made.set(steps, forecast);
    return forecast;
  }

  /** Accuracy over the last day at the calibrated horizon nearest to this many steps. */
  accuracy(
    steps: number,
    figure: FigureName,
  ): Omit<AccuracyView, 'classId' | 'horizon' | 'model' | 'version'> {
    const perS = this.perS(figure);
    const all = this.tracked.accuracy();
    const nearest = [...all].sort((a, b) => Math.abs(a.horizon - steps) - Math.abs(b.horizon - steps))[0];
    const day = nearest?.day;
    return {
      scored: day?.scored ?? 0,
      mae: orNull((day?.mae ?? NaN) * perS),
      maeRatio: orNull(day?.relativeMae ?? NaN),
      bias: orNull((day?.bias ?? NaN) * perS),
      coverage80: orNull(day?.coverage80 ?? NaN),
      coverage95: orNull(day?.coverage95 ?? NaN),
    };
  }

  anomalies(): readonly AnomalyEvent[] {
    return this.tracked.anomalies();
  }

  save(): SavedTrack {
    return {
      kind: this.kind,
      model: this.model.save(),
      tracked: this.tracked.save(),
      points: this.points,
      version: this.modelVersion,
      fittedPoints: this.fittedPoints,
      shareOwn: this.shareOwn,
      shareParent: this.shareParent,
    };
  }
}

/** What a scale tells models of a series that begins at an instant. */
export function contextOf(options: ScaleOptions, startMs: number): SeriesContext {
  const { stepMs, seasons, seed, holidays } = options;
  return { startMs, stepMs, seasons, seed, holidays };
}

function trackedOptions(options: ScaleOptions) {
  const { stepMs, seasons, horizons, falseAlarmsPerDay, adoptAfterMs } = options;
  return { stepMs, seasons, horizons, falseAlarmsPerDay, adoptAfterMs };
}

/**
 * A class's forecaster as it runs: any fitted model, its intervals calibrated on what it forecast before, watched for
 * anomalies and drift, its accuracy kept. What is anomalous does not teach the model: it is told the bound of its own
 * interval instead, until the change has lasted so long that it is what is now usual.
 */
import {
  AnomalyDetector,
  type AnomalyEvent,
  type AnomalyReason,
  type DetectedStep,
} from './anomaly/anomaly-detector';
import { RollingAccuracy, type Accuracy } from './accuracy/rolling-accuracy';
import { DriftDetector, type Drift, type DriftKind } from './drift/drift-detector';
import { IntervalCalibrator, type OneStepBounds } from './interval/interval-calibrator';
import { CALIBRATED_LEVELS } from './interval/horizon-calibrator';
import type { FittedModel, Forecast, ModelState } from './model/model';
import { countIn, numberIn, stateIn } from './model/state';

/** How a class is tracked. */
export interface TrackedOptions {
  readonly stepMs: number;
  /** Season lengths in steps, ascending; empty for none. */
  readonly seasons: readonly number[];
  /** Steps ahead whose intervals are calibrated, ascending, such as 1, 6 and 144. */
  readonly horizons: readonly number[];
  /** False alarms a day that are tolerated. */
  readonly falseAlarmsPerDay?: number;
  /** Alarms closer than this are one event. */
  readonly quietMs?: number;
  /** A deviation that lasts so long is what is now usual, and is learnt. */
  readonly adoptAfterMs?: number;
  /** Events remembered. */
  readonly maxEvents?: number;
}

/** What a step came to. */
export interface StepReport {
  readonly atMs: number;
  /** The one-step forecast that was made for it: its mean and 95 % bounds. */
  readonly forecast: number;
  readonly lower95: number;
  readonly upper95: number;
  /** NaN for a missing value. */
  readonly actual: number;
  /** Undefined for a missing value. */
  readonly inside80: boolean | undefined;
  readonly inside95: boolean | undefined;
  /** Whether intervals rest on enough forecasts of this class. */
  readonly warm: boolean;
  /** The event that the step belongs to. */
  readonly anomaly: AnomalyEvent | undefined;
  /** Whether that event began with it. */
  readonly began: boolean;
  readonly drift: Drift | undefined;
  /** Whether the step was taken; one that lies before the last is not. */
  readonly taken: boolean;
  /** Whether the model failed, and the last value stands in for it. */
  readonly modelFailed: boolean;
}

/** Accuracy at one horizon over the last hour and day. */
export interface HorizonAccuracy {
  readonly horizon: number;
  readonly hour: Accuracy;
  readonly day: Accuracy;
}

/** What a lasting anomaly is a change of. */
const DRIFT_OF: Readonly<Record<AnomalyReason, DriftKind>> = {
  spike: 'level',
  drop: 'level',
  flatline: 'pattern',
  'level shift': 'level',
  'missing data': 'pattern',
  'unusual variance': 'variance',
  'seasonal violation': 'pattern',
};

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;
/** Missing steps that a jump of the clock is filled with; of a longer one, what is left over whole seasons. */
const MOST_MISSING = 512;
/** Values beyond are taken as this. */
const LARGEST = 1e15;

/** See the file's head. */
export class TrackedForecaster {
  private readonly calibrator: IntervalCalibrator;
  private readonly detector: AnomalyDetector;
  private readonly drifts: DriftDetector;
  private readonly hours: readonly RollingAccuracy[];
  private readonly days: readonly RollingAccuracy[];
  private step_ = 0;
  private nextAtMs: number | undefined;
  private last = NaN;
  private maseScale = NaN;
  private failed = false;
  private ahead: OneStepBounds;
  /** How far from the forecast the model is told at most while an event lasts. */
  private eventAbove = 0;
  private eventBelow = 0;

  /**
   * @param model fitted to everything before the first step.
   * @throws TidegateError TG_FORECAST_BAD_STATE for a state that cannot be read.
   */
  constructor(
    private model: FittedModel,
    readonly options: TrackedOptions,
    state?: ModelState,
  ) {
    const { stepMs, horizons, seasons } = options;
    this.calibrator = new IntervalCalibrator(horizons, state && stateIn(state, 'calibrator'));
    this.detector = new AnomalyDetector(
      {
        stepMs,
        season: seasons[0] ?? 0,
        falseAlarmsPerDay: options.falseAlarmsPerDay ?? 0.2,
        quietMs: options.quietMs ?? HOUR_MS,
        adoptAfterMs: options.adoptAfterMs ?? 3 * HOUR_MS,
        maxEvents: options.maxEvents ?? 32,
      },
      state && stateIn(state, 'detector'),
    );
    this.drifts = new DriftDetector(state && stateIn(state, 'drifts'));
    const spans = (spanMs: number, name: string): readonly RollingAccuracy[] =>
      this.calibrator.horizons.map(
        (horizon, index) =>
          new RollingAccuracy(
            spanMs / stepMs / this.calibrator.strideOf(index),
            state && stateIn(stateIn(state, name), `h${String(horizon)}`),
          ),
      );
    this.hours = spans(HOUR_MS, 'hours');
    this.days = spans(DAY_MS, 'days');
    if (state !== undefined) this.read(state);
    this.ahead = this.lookAhead();
  }

  /** Whether one-step intervals rest on enough forecasts of this class. */
  get warm(): boolean {
    return this.calibrator.warm;
  }

  /** Whether intervals up to a horizon do. */
  warmAt(horizon: number): boolean {
    return this.calibrator.warmAt(horizon);
  }

  /** When the next step begins, Unix ms; undefined before the first. */
  get expectedAtMs(): number | undefined {
    return this.nextAtMs;
  }

  /**
   * Closes a step.
   * @param atMs when it began; steps between the last and this one were missing.
   * @param value what came in it; NaN when that is not known. Negative counts as 0.
   */
  step(atMs: number, value: number): StepReport {
    const { stepMs } = this.options;
    const expected = this.nextAtMs ?? atMs;
    const gap = Math.round((atMs - expected) / stepMs);
    if (!Number.isFinite(gap) || gap < 0) return this.report(atMs, NaN, NOT_TAKEN, undefined, false);
    const missing = this.missingOf(gap);
    for (let back = missing; back > 0; back -= 1) this.take(atMs - back * stepMs, NaN);
    return this.take(atMs, bounded(value));
  }

  /** Says when the first step begins, so that none before it is taken, and those until the next are missing. */
  expectFrom(atMs: number): void {
    this.nextAtMs ??= atMs;
  }

  /** Forecasts the steps after the last, with calibrated intervals. */
  predict(horizon: number, levels: readonly number[]): Forecast {
    const steps = Math.max(1, Math.floor(horizon));
    const own = this.calibrator.warmAt(steps) ? [] : levels;
    return this.calibrator.calibrate(this.modelForecast(steps, own), levels);
  }

  /** Puts another model, fitted to everything before the next step, in the place of this one; calibration goes on. */
  replaceModel(model: FittedModel, maseScale?: number): void {
    this.model = model;
    this.failed = false;
    if (maseScale !== undefined && maseScale > 0) this.maseScale = maseScale;
    this.drifts.reset();
    this.ahead = this.lookAhead();
  }

  /** Sets the seasonal-naive error inside the fitted values, which MASE is a multiple of. */
  setMaseScale(scale: number): void {
    this.maseScale = scale;
  }

  /** How well each horizon was forecast lately. */
  accuracy(): readonly HorizonAccuracy[] {
    return this.calibrator.horizons.map((horizon, index) => ({
      horizon,
      hour: (this.hours[index] ?? EMPTY).read(this.maseScale),
      day: (this.days[index] ?? EMPTY).read(this.maseScale),
    }));
  }

  /** Events of late, oldest first; bounded. */
  anomalies(): readonly AnomalyEvent[] {
    return this.detector.recent();
  }

  /** Whether an event lasts. */
  get anomalous(): boolean {
    return this.detector.active;
  }

  /** Everything but the model, which is saved by itself. */
  save(): ModelState {
    const named = (spans: readonly RollingAccuracy[]): ModelState =>
      Object.fromEntries(
        this.calibrator.horizons.map((horizon, index) => [`h${String(horizon)}`, spans[index]?.save()]),
      );
    return {
      calibrator: this.calibrator.save(),
      detector: this.detector.save(),
      drifts: this.drifts.save(),
      hours: named(this.hours),
      days: named(this.days),
      step: this.step_,
      eventAbove: this.eventAbove,
      eventBelow: this.eventBelow,
      ...(this.nextAtMs === undefined ? {} : { nextAtMs: this.nextAtMs }),
      ...(Number.isFinite(this.last) ? { last: this.last } : {}),
      ...(Number.isFinite(this.maseScale) ? { maseScale: this.maseScale } : {}),
    };
  }

  /** Continues what was saved. @throws TidegateError TG_FORECAST_BAD_STATE. */
  static restore(model: FittedModel, options: TrackedOptions, state: ModelState): TrackedForecaster {
    return new TrackedForecaster(model, options, state);
  }

  /** A long gap is cut to what keeps the model's place in its longest season. */
  private missingOf(gap: number): number {
    if (gap <= MOST_MISSING) return gap;
    const longest = this.options.seasons.at(-1) ?? 0;
    return longest > 0 ? gap % longest : MOST_MISSING;
  }

  private take(atMs: number, actual: number): StepReport {
    const { ahead, step_: step } = this;
    const { mean } = ahead;
    const size = this.calibrator.sizeAt(mean);
    this.score(step, actual);
    const found = this.detector.observe(atMs, { step, actual, expected: mean, size });
    const drift = this.driftAfter(atMs, found);
    const report = this.report(atMs, actual, found, drift, true);
    this.teach(this.taught(actual, found));
    if (Number.isFinite(actual)) this.last = actual;
    this.step_ = step + 1;
    this.nextAtMs = atMs + this.options.stepMs;
    this.ahead = this.lookAhead();
    return report;
  }

  /** What the model is told: within an event no more than what was usual when it began. */
  private taught(actual: number, { event, began, adopted }: DetectedStep): number {
    if (event === undefined || adopted) return actual;
    const { mean, at95 } = this.ahead;
    if (began) {
      this.eventAbove = at95.upper - mean;
      this.eventBelow = mean - at95.lower;
    }
    return Math.min(mean + this.eventAbove, Math.max(mean - this.eventBelow, 0, actual));
  }

  private driftAfter(atMs: number, { event, adopted }: DetectedStep): Drift | undefined {
    if (adopted) {
      const kind = DRIFT_OF[event?.reason ?? 'level shift'];
      return this.drifts.adopt({ atMs, kind, score: event?.score ?? 1 });
    }
    const { endedSlot, sizedError } = this.detector;
    if (event === undefined) this.drifts.observe(sizedError);
    return endedSlot === undefined ? undefined : this.drifts.endSlot(atMs, endedSlot.own);
  }

  private score(step: number, actual: number): void {
    const { calibrator, hours, days } = this;
    calibrator.see(actual);
    for (let index = 0; index < hours.length; index += 1) {
      const settled = calibrator.settle(index, step, actual);
      if (settled === undefined) continue;
      hours[index]!.add(settled);
      days[index]!.add(settled);
    }
  }

  private teach(value: number): void {
    try {
      this.model.update(value);
    } catch {
      this.failed = true;
    }
  }

  /** Forecasts as far as must be remembered, and remembers it. */
  private lookAhead(): OneStepBounds {
    const step = this.step_ - 1;
    const reach = this.calibrator.reachAfter(step);
    const own = this.calibrator.warmAt(reach) ? [] : CALIBRATED_LEVELS;
    return this.calibrator.remember(step, this.modelForecast(reach, own), this.last);
  }

  private modelForecast(steps: number, levels: readonly number[]): Forecast {
    try {
      const forecast = this.model.predict(steps, levels);
      if (forecast.mean.length >= steps && areFigures(forecast.mean)) {
        return forecast;
      }
    } catch {
      // A model that fails is stood in for, as one that forecasts nonsense is.
    }
    this.failed = true;
    const mean = new Float64Array(steps).fill(Number.isFinite(this.last) ? this.last : 0);
    return { mean, intervals: [] };
  }

  private report(
    atMs: number,
    actual: number,
    { event, began }: DetectedStep,
    drift: Drift | undefined,
    taken: boolean,
  ): StepReport {
    const { mean: forecast, at80, at95 } = this.ahead;
    const { lower: lower95, upper: upper95 } = at95;
    const known = Number.isFinite(actual);
    const inside80 = actual >= at80.lower && actual <= at80.upper;
    return {
      atMs,
      forecast,
      lower95,
      upper95,
      actual,
      inside80: known ? inside80 : undefined,
      inside95: known ? actual >= lower95 && actual <= upper95 : undefined,
      warm: this.calibrator.warm,
      anomaly: event,
      began,
      drift,
      taken,
      modelFailed: this.failed,
    };
  }

  private read(state: ModelState): void {
    this.step_ = countIn(state, 'step');
    this.eventAbove = numberIn(state, 'eventAbove');
    this.eventBelow = numberIn(state, 'eventBelow');
    if (state['nextAtMs'] !== undefined) this.nextAtMs = numberIn(state, 'nextAtMs');
    if (state['last'] !== undefined) this.last = numberIn(state, 'last');
    if (state['maseScale'] !== undefined) this.maseScale = numberIn(state, 'maseScale');
  }
}

/** What a step that is not taken comes to. */
const NOT_TAKEN: DetectedStep = { event: undefined, began: false, adopted: false };
const EMPTY = new RollingAccuracy(1);

function areFigures(means: Float64Array): boolean {
  for (let at = 0; at < means.length; at += 1) if (!(means[at]! >= 0 && means[at]! < Infinity)) return false;
  return true;
}

function bounded(value: number): number {
  return Number.isFinite(value) ? Math.min(LARGEST, Math.max(0, value)) : NaN;
}

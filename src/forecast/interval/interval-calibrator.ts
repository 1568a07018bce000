/** Calibrated intervals at every step ahead: those of a few horizons that are followed, and between them by the logarithm. */
import type { Forecast, Interval, ModelState } from '../model/model';
import { numberIn, stateIn } from '../model/state';
import { HorizonCalibrator, type Bounds, type SettledForecast } from './horizon-calibrator';

/** Per step, the largest value of late counts for a little less. */
const LARGEST_MEMORY = 0.999;
/** Beyond the longest horizon that is followed, widths grow at most with this power of the steps. */
const MOST_GROWTH = 0.5;

/** A one-step forecast with its bounds. */
export interface OneStepBounds {
  readonly mean: number;
  readonly at80: Bounds;
  readonly at95: Bounds;
}

/** See the file's head. */
export class IntervalCalibrator {
  /** The horizons followed, ascending. */
  readonly horizons: readonly number[];
  private readonly calibrators: readonly HorizonCalibrator[];
  private largest = 0;

  /**
   * @param horizons steps ahead to follow; 1 always is.
   * @throws TidegateError TG_FORECAST_BAD_STATE.
   */
  constructor(horizons: readonly number[], state?: ModelState) {
    const followed = [...new Set([1, ...horizons])].sort((a, b) => a - b);
    this.horizons = followed;
    this.calibrators = followed.map(
      (horizon) => new HorizonCalibrator(horizon, state && stateIn(state, `h${String(horizon)}`)),
    );
    if (state !== undefined) this.largest = numberIn(state, 'largest');
  }

  /** Every how manieth forecast of a horizon is scored, by the horizon's position. */
  strideOf(index: number): number {
    return this.calibrators[index]?.stride ?? 1;
  }

  /** Whether one-step intervals rest on enough errors. */
  get warm(): boolean {
    return this.calibrators[0]?.warm === true;
  }

  /** Whether intervals up to a horizon rest on enough errors. */
  warmAt(horizon: number): boolean {
    for (const one of this.calibrators) {
      if (!one.warm) return false;
      if (one.horizon >= horizon) return true;
    }
    return true;
  }

  /** Takes the value of a step, which `settle` then scores forecasts of; NaN when it is missing. */
  see(actual: number): void {
    if (actual > LARGEST_MEMORY * this.largest) this.largest = actual;
    else if (Number.isFinite(actual)) this.largest *= LARGEST_MEMORY;
  }

  /** Scores what was forecast for a step at a horizon, by its position; undefined when nothing was. */
  settle(index: number, step: number, actual: number): SettledForecast | undefined {
    return this.calibrators[index]?.settle(step, actual);
  }

  /** The usual size of one-step errors at a forecast level. */
  sizeAt(mean: number): number {
    return this.calibrators[0]?.sizeAt(mean) ?? 1;
  }

  /** The steps ahead that a forecast made after this step should reach, to be remembered; at least 1. */
  reachAfter(step: number): number {
    let reach = 1;
    for (const one of this.calibrators) if (one.wants(step)) reach = Math.max(reach, one.horizon);
    return reach;
  }

  /**
   * Remembers a model's forecast made after a step, with the intervals that belong to it at 80 % and 95 %.
   * @param last the last value that is known; NaN when none is.
   * @returns the one-step bounds.
   */
  remember(step: number, forecast: Forecast, last: number): OneStepBounds {
    const [own80, own95] = forecast.intervals;
    let told: OneStepBounds | undefined;
    for (const one of this.calibrators) {
      const mean = forecast.mean[one.horizon - 1];
      if (!one.wants(step) || mean === undefined) continue;
      const at80 = this.boundsAt(one.horizon, mean, 0.8, own80);
      const wide = this.boundsAt(one.horizon, mean, 0.95, own95);
      const at95 = { lower: Math.min(at80.lower, wide.lower), upper: Math.max(at80.upper, wide.upper) };
      one.remember(step, mean, at80, at95, last);
      told ??= { mean, at80, at95 };
    }
    const none = { lower: 0, upper: 0 };
    return told ?? { mean: 0, at80: none, at95: none };
  }

  /**
   * Puts calibrated intervals around a model's means.
   * @param forecast the model's, with its own intervals at these levels: used where nothing is calibrated yet.
   */
  calibrate(forecast: Forecast, levels: readonly number[]): Forecast {
    const steps = forecast.mean.length;
    const order = levels.map((_, index) => index).sort((a, b) => (levels[a] ?? 0) - (levels[b] ?? 0));
    const intervals = levels.map((level) => ({
      level,
      lower: new Float64Array(steps),
      upper: new Float64Array(steps),
    }));
    for (let index = 0; index < steps; index += 1) {
      const mean = forecast.mean[index] ?? 0;
      let inner: Bounds = { lower: mean, upper: mean };
      for (const position of order) {
        const interval = intervals[position];
        if (interval === undefined) continue;
        const own = this.boundsAt(index + 1, mean, interval.level, forecast.intervals[position]);
        inner = { lower: Math.min(inner.lower, own.lower), upper: Math.max(inner.upper, own.upper) };
        interval.lower[index] = inner.lower;
        interval.upper[index] = inner.upper;
      }
    }
    return { mean: forecast.mean, intervals };
  }

  save(): ModelState {
    const states = this.calibrators.map((one) => [`h${String(one.horizon)}`, one.save()] as const);
    return { largest: this.largest, ...Object.fromEntries(states) };
  }

  private boundsAt(ahead: number, mean: number, level: number, own: Interval | undefined): Bounds {
    let reaching = 0;
    while (reaching < this.horizons.length && this.horizons[reaching]! < ahead) reaching += 1;
    const after = this.calibrators[reaching];
    const before = this.calibrators[reaching - 1];
    if (after?.warm === true) {
      const far = after.bounds(mean, level, this.largest);
      if (after.horizon === ahead || before?.warm !== true) return far;
      const near = before.bounds(mean, level, this.largest);
      const part = Math.log(ahead / before.horizon) / Math.log(after.horizon / before.horizon);
      return {
        lower: near.lower + part * (far.lower - near.lower),
        upper: near.upper + part * (far.upper - near.upper),
      };
    }
    return this.grownBounds(ahead, mean, level, own);
  }

  /** Beyond what is calibrated: the longest horizon that is, grown, or the model's own where that is wider. */
  private grownBounds(ahead: number, mean: number, level: number, own: Interval | undefined): Bounds {
    const known = this.calibrators.filter((one) => one.warm);
    const cap = CAP_TIMES * Math.max(mean, this.largest);
    const told = boundsIn(own, ahead - 1, mean);
    const lower = Math.max(0, Math.min(mean, told.lower));
    const upper = Math.max(mean, Math.min(told.upper, cap));
    const last = known.at(-1);
    if (last === undefined)
      return own === undefined ? { lower: 0, upper: Math.max(cap, 1) } : { lower, upper };
    const at = last.bounds(mean, level, this.largest);
    const growth = Math.pow(ahead / last.horizon, this.growth(known, mean, level));
    return {
      lower: Math.max(0, Math.min(lower, mean - (mean - at.lower) * growth)),
      upper: Math.max(upper, Math.min(cap, mean + (at.upper - mean) * growth)),
    };
  }

  /** The power by which widths grow from one followed horizon to the next; a random walk's when only one is known. */
  private growth(known: readonly HorizonCalibrator[], mean: number, level: number): number {
    const [before, last] = known.slice(-2);
    if (before === undefined || last === undefined) return MOST_GROWTH;
    const near = before.bounds(mean, level, this.largest);
    const far = last.bounds(mean, level, this.largest);
    const ratio = Math.max(far.upper - far.lower, 1e-12) / Math.max(near.upper - near.lower, 1e-12);
    const power = Math.log(ratio) / Math.log(last.horizon / before.horizon);
    return Math.min(MOST_GROWTH, Math.max(0, power));
  }
}

/** Uncalibrated upper bounds stay below so many times the largest of what was seen lately and what is forecast. */
const CAP_TIMES = 4;

function boundsIn(interval: Interval | undefined, index: number, mean: number): Bounds {
  const lower = interval?.lower[index];
  const upper = interval?.upper[index];
  return {
    lower: lower !== undefined && Number.isFinite(lower) ? lower : mean,
    upper: upper !== undefined && Number.isFinite(upper) ? upper : mean,
  };
}

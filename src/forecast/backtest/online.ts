/**
 * One step ahead over a whole series: a model is fitted to the values before `start`, then forecasts each next value
 * before it is told it. Its error is set against the naive forecast's over the same steps.
 */
import type { Series } from '../../core/series';
import { TidegateError } from '../../core/errors';
import type { FittedModel, Forecast, ModelKind, SeriesContext } from '../model/model';
import { covers } from './covers';
import { faultOf } from './evaluation';
import { SCORED_LEVELS } from './rolling-origin';

/** Where an online evaluation looks. */
export interface OnlinePlan {
  /** The first value that is forecast; those before it are fitted to. */
  readonly start: number;
  readonly seasons: readonly number[];
  readonly seed: number;
}

/** How a model did, one step ahead. */
export interface OnlineScore {
  /** The mean absolute error, divided by that of repeating the last known value. */
  readonly relMae: number;
  readonly mae: number;
  readonly coverage80: number;
  readonly coverage95: number;
  /** Steps that had a value to score on. */
  readonly steps: number;
}

/** Something that forecasts one step and is then told it. */
export type OneStepForecaster = Pick<FittedModel, 'predict' | 'update'>;

/** What an online model is told of the series it starts from. */
export function onlineContext(series: Series, plan: OnlinePlan): SeriesContext {
  return { startMs: series.startMs, stepMs: series.stepMs, seasons: plan.seasons, seed: plan.seed };
}

/** Fits a model to what comes before the first forecast. @throws TidegateError as the model's `fit`. */
export function startOnline(kind: ModelKind, series: Series, plan: OnlinePlan): FittedModel {
  return kind.fit(series.values.slice(0, plan.start), onlineContext(series, plan));
}

/** Sums over the steps of an online evaluation. */
export class OnlineTally {
  private errors = 0;
  private naiveErrors = 0;
  private steps = 0;
  private readonly inside = SCORED_LEVELS.map(() => 0);
  private last: number;

  /** @param before the values before the first forecast. */
  constructor(before: Float64Array) {
    this.last = before.findLast((value) => Number.isFinite(value)) ?? 0;
  }

  /** Takes a one-step forecast and what came; a missing value is passed over. */
  add(forecast: Forecast, actual: number): void {
    if (!Number.isFinite(actual)) return;
    this.steps += 1;
    this.errors += Math.abs(actual - (forecast.mean[0] ?? NaN));
    this.naiveErrors += Math.abs(actual - this.last);
    this.last = actual;
    forecast.intervals.forEach((interval, level) => {
      this.inside[level] = (this.inside[level] ?? 0) + (covers(interval, 0, actual) ? 1 : 0);
    });
  }

  score(): OnlineScore {
    return {
      relMae: this.errors / this.naiveErrors,
      mae: this.errors / this.steps,
      coverage80: (this.inside[0] ?? NaN) / this.steps,
      coverage95: (this.inside[1] ?? NaN) / this.steps,
      steps: this.steps,
    };
  }
}

/**
 * Forecasts and tells the values from `from` up to, not including, `to`; the tally takes each, `seen` may look on.
 * Called again and again, so that a caller can report progress and stop between.
 * @throws TidegateError TG_FORECAST_NO_FIT for a forecast that is none.
 */
export function runOnline(
  model: OneStepForecaster,
  series: Series,
  from: number,
  to: number,
  tally: OnlineTally,
  seen?: (forecast: Forecast, at: number) => void,
): void {
  for (let at = from; at < to; at += 1) {
    const actual = series.values[at] ?? NaN;
    const forecast = model.predict(1, SCORED_LEVELS);
    const fault = faultOf(forecast, 1);
    if (fault !== undefined)
      throw new TidegateError('TG_FORECAST_NO_FIT', `the forecast of value ${at} ${fault}`);
    tally.add(forecast, actual);
    seen?.(forecast, at);
    model.update(actual);
  }
}

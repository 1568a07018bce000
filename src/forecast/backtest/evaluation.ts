/** One model at one origin: the forecast checked, scored by horizon, and kept step by step for curves over the steps. */
import type { Series } from '../../core/series';
import { TidegateError } from '../../core/errors';
import type { Forecast, ModelKind } from '../model/model';
import { forecastAt, scoreAt, SCORED_LEVELS, type BacktestPlan, type Score } from './rolling-origin';

/** How one model did at one origin. */
export interface Evaluation {
  /** One for each horizon of the plan. */
  readonly scores: readonly Score[];
  readonly forecast: Forecast;
}

/**
 * Fits, forecasts, checks and scores.
 * @throws TidegateError as the model's `fit`, or TG_FORECAST_NO_FIT for a forecast that is none.
 */
export function evaluateAt(kind: ModelKind, series: Series, plan: BacktestPlan, origin: number): Evaluation {
  const { forecast } = forecastAt(kind, series, plan, origin);
  const fault = faultOf(forecast, plan.horizons.at(-1) ?? 1);
  if (fault !== undefined) throw new TidegateError('TG_FORECAST_NO_FIT', `the forecast ${fault}`);
  return { scores: scoreAt(forecast, series, plan, origin), forecast };
}

/** What a forecast breaks of what every forecast promises; undefined for a sound one. */
export function faultOf(forecast: Forecast, horizon: number): string | undefined {
  const { mean, intervals } = forecast;
  if (mean.length < horizon) return `has ${mean.length} of ${horizon} steps`;
  if (intervals.length !== SCORED_LEVELS.length)
    return `has ${intervals.length} of ${SCORED_LEVELS.length} intervals`;
  const curves = [mean, ...intervals.flatMap(({ lower, upper }) => [lower, upper])];
  for (let step = 0; step < horizon; step += 1) {
    if (!curves.every((curve) => Number.isFinite(curve[step]))) return `is not finite at step ${step + 1}`;
    if (curves.some((curve) => (curve[step] ?? 0) < 0)) return `is negative at step ${step + 1}`;
    if (intervals.some(({ lower, upper }) => (lower[step] ?? 0) > (upper[step] ?? 0))) {
      return `has a lower bound above the upper one at step ${step + 1}`;
    }
  }
  return undefined;
}

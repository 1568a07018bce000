/**
 * Rolling-origin evaluation: at each origin a model is fitted to the values before it and nothing else, forecasts, and
 * is scored on what came. MASE is the mean absolute error over the forecast's steps, divided by the mean absolute
 * seasonal-naive error inside that origin's training values (Hyndman and Koehler, "Another look at measures of forecast
 * accuracy", 2006).
 */
import type { Series } from '../../core/series';
import type { FittedModel, Forecast, ModelKind, SeriesContext } from '../model/model';
import { covers } from './covers';

/** Where a backtest looks. */
export interface BacktestPlan {
  /** Values before an origin that a model is fitted to. */
  readonly train: number;
  /** The season of the scale, steps; with 1 the scale is that of the naive forecast. */
  readonly scaleSeason: number;
  /** All seasons a model is told of, steps. */
  readonly seasons: readonly number[];
  /** Indices of first forecast values, ascending. */
  readonly origins: readonly number[];
  /** Steps scored, ascending; a figure at h is the mean over steps 1 to h. */
  readonly horizons: readonly number[];
  readonly seed: number;
}

/** How a model did at one horizon. */
export interface Score {
  readonly mase: number;
  readonly mae: number;
  /** The part of actual values inside the 80 % interval. */
  readonly coverage80: number;
  readonly coverage95: number;
}

/** The levels that backtests score. */
export const SCORED_LEVELS = [0.8, 0.95] as const;

/** The values before an origin, and what a model is told of them. */
export function trainingAt(
  series: Series,
  plan: BacktestPlan,
  origin: number,
): { readonly values: Float64Array; readonly context: SeriesContext } {
  const first = Math.max(0, origin - plan.train);
  return {
    values: series.values.slice(first, origin),
    context: {
      startMs: series.startMs + first * series.stepMs,
      stepMs: series.stepMs,
      seasons: plan.seasons,
      seed: plan.seed,
    },
  };
}

/** Fits a model at an origin and forecasts as far as the plan asks. @throws as the model's `fit`. */
export function forecastAt(
  kind: ModelKind,
  series: Series,
  plan: BacktestPlan,
  origin: number,
): { readonly model: FittedModel; readonly forecast: Forecast } {
  const { values, context } = trainingAt(series, plan, origin);
  const model = kind.fit(values, context);
  return { model, forecast: model.predict(Math.max(...plan.horizons), SCORED_LEVELS) };
}

/** Scores a forecast at one origin, horizon by horizon; steps without an actual value are left out. */
export function scoreAt(
  forecast: Forecast,
  series: Series,
  plan: BacktestPlan,
  origin: number,
): readonly Score[] {
  const scale = seasonalScale(trainingAt(series, plan, origin).values, plan.scaleSeason);
  return plan.horizons.map((horizon) => {
    let errors = 0;
    let steps = 0;
    const inside = SCORED_LEVELS.map(() => 0);
    for (let step = 0; step < horizon; step += 1) {
      const actual = series.values[origin + step] ?? NaN;
      if (!Number.isFinite(actual)) continue;
      steps += 1;
      errors += Math.abs(actual - (forecast.mean[step] ?? NaN));
      forecast.intervals.forEach((interval, index) => {
        inside[index] = (inside[index] ?? 0) + (covers(interval, step, actual) ? 1 : 0);
      });
    }
    const mae = errors / steps;
    return {
      mase: mae / scale,
      mae,
      coverage80: (inside[0] ?? NaN) / steps,
      coverage95: (inside[1] ?? NaN) / steps,
    };
  });
}

/** The mean of scores, figure by figure, over those that are finite. */
export function meanScore(scores: readonly Score[]): Score {
  const mean = (figure: keyof Score): number => {
    const known = scores.map((score) => score[figure]).filter((value) => Number.isFinite(value));
    return known.reduce((sum, value) => sum + value, 0) / known.length;
  };
  return {
    mase: mean('mase'),
    mae: mean('mae'),
    coverage80: mean('coverage80'),
    coverage95: mean('coverage95'),
  };
}

/** The mean absolute error of repeating the value a season before; NaN when no pair of values is there. */
export function seasonalScale(values: Float64Array, season: number): number {
  let sum = 0;
  let pairs = 0;
  for (let at = season; at < values.length; at += 1) {
    const difference = Math.abs((values[at] ?? NaN) - (values[at - season] ?? NaN));
    if (!Number.isFinite(difference)) continue;
    sum += difference;
    pairs += 1;
  }
  return sum / pairs;
}

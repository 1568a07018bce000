/** Forecasts in the form that the API tells them: rates a second, step by step. */
import { HORIZON_STEPS, type HorizonName, type PredictedStep, type Prediction } from '../core/forecasts';
import type { FigureName } from '../core/observation';
import type { Forecast } from './model/model';

/** Who made a forecast, and of what. */
export interface ForecastOrigin {
  readonly classId: string;
  readonly figure: FigureName;
  readonly model: string;
  readonly version: number;
  readonly warm: boolean;
  readonly flags: readonly string[];
  /** When the first forecast step begins, Unix ms. */
  readonly firstAtMs: number;
}

/** A forecast of sums per step (or of levels) as a prediction. */
export function predictionOf(
  origin: ForecastOrigin,
  horizon: HorizonName,
  level: number,
  forecast: Forecast,
  nowMs: number,
): Prediction {
  const { stepMs } = HORIZON_STEPS[horizon];
  const { firstAtMs, ...about } = origin;
  const perS = origin.figure === 'level' ? 1 : 1_000 / stepMs;
  const interval = forecast.intervals.find((one) => one.level === level);
  const steps = Array.from(forecast.mean, (mean, index): PredictedStep => ({
    atMs: firstAtMs + index * stepMs,
    mean: mean * perS,
    lower: (interval?.lower[index] ?? mean) * perS,
    upper: (interval?.upper[index] ?? mean) * perS,
  }));
  return { ...about, horizon, level, madeAtMs: nowMs, stepMs, source: 'model', steps };
}

/**
 * A parent's forecast scaled to a child's share. What is uncertain of the parent is as uncertain of the child; that the
 * child varies by itself is added as the spread of a Poisson count, of whose width the parent's interval says nothing.
 */
export function scaledPrediction(
  parent: Prediction | undefined,
  classId: string,
  share: number,
): Prediction | undefined {
  if (parent === undefined) return undefined;
  const stepS = parent.stepMs / 1_000;
  const deviations = parent.level >= 0.9 ? 1.96 : 1.282;
  const steps = parent.steps.map(({ atMs, mean, lower, upper }): PredictedStep => {
    const own = (deviations * Math.sqrt(Math.max(0, mean * share * stepS) + 1)) / stepS;
    return {
      atMs,
      mean: mean * share,
      lower: Math.max(0, lower * share - own),
      upper: upper * share + own,
    };
  });
  return { ...parent, classId, source: 'parent', warm: false, steps };
}

/** A resource's consumption from a forecast of demand: so much a request. */
export function consumptionOf(demand: Prediction, figure: FigureName, perRequest: number): Prediction {
  const steps = demand.steps.map(({ atMs, mean, lower, upper }) => ({
    atMs,
    mean: mean * perRequest,
    lower: lower * perRequest,
    upper: upper * perRequest,
  }));
  return { ...demand, figure, steps };
}

/** What is said where nothing is known. */
export function notPredicted(
  classId: string,
  horizon: HorizonName,
  level: number,
  nowMs: number,
): Prediction {
  return {
    classId,
    figure: 'hits',
    horizon,
    level,
    madeAtMs: nowMs,
    stepMs: HORIZON_STEPS[horizon].stepMs,
    model: '',
    version: 0,
    source: 'none',
    warm: false,
    flags: ['unknown'],
    steps: [],
  };
}

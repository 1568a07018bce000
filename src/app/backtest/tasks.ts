/** The tasks of a backtest, as they cross between threads: plain data and typed arrays. */
import type { ErrorCode } from '../../core/error-catalogue';
import { TidegateError } from '../../core/errors';
import type { Series } from '../../core/series';
import type { Forecast } from '../../forecast/model/model';
import type { OnlinePlan, OnlineScore } from '../../forecast/backtest/online';
import type { BacktestPlan, Score } from '../../forecast/backtest/rolling-origin';

/** What every thread is given once. The values may be shared memory: nobody writes them. */
export interface TaskSetup {
  readonly backtest: true;
  readonly series: Series;
  /** Where tasks at origins look. */
  readonly plan?: BacktestPlan;
  /** Where online tasks look. */
  readonly online?: OnlinePlan;
  /** The model whose online forecasts are kept for charts. */
  readonly charted: string;
}

/** One model at one origin, or one step ahead over the whole series. */
export type BacktestTask =
  | { readonly kind: 'origin'; readonly model: string; readonly origin: number }
  | { readonly kind: 'online'; readonly model: string };

/** A task that came to nothing, and why. */
export interface TaskFailure {
  readonly kind: 'failed';
  readonly code: ErrorCode;
  readonly message: string;
}

/** How long a fit took. */
export interface FitTime {
  readonly fitMs: number;
  /** Whether it was this thread's first fit of the model, in which its code is compiled as well. */
  readonly cold: boolean;
}

/** What came of an origin. */
export interface OriginResult extends FitTime {
  readonly kind: 'origin';
  /** One for each horizon of the plan. */
  readonly scores: readonly Score[];
  readonly forecast: Forecast;
  readonly predictMs: number;
}

/** An anomaly that was flagged, from the step that raised it to its last. Indices into the series. */
export interface AnomalyFlag {
  readonly at: number;
  /** Undefined while it lasts. */
  readonly end: number | undefined;
  readonly peak: number;
  /** At the peak; NaN when the value was missing. */
  readonly value: number;
  readonly expected: number;
  /** How unlikely the peak is, as a part of what raises an alarm; 1 or more. */
  readonly score: number;
  readonly reason: string;
}

/** A drift that was flagged. */
export interface DriftFlag {
  /** The index of the step. */
  readonly at: number;
  /** How far the test passed its threshold; 1 or more. */
  readonly score: number;
  readonly reason: string;
}

/** One-step forecasts of every step from the plan's start, for charts. */
export interface OnlineCurves {
  readonly mean: Float64Array;
  /** One for each scored level. */
  readonly lower: readonly Float64Array[];
  readonly upper: readonly Float64Array[];
}

/** What came of an online run. */
export interface OnlineResult extends FitTime {
  readonly kind: 'online';
  readonly score: OnlineScore;
  /** Mean time to forecast a step and take its value, us. */
  readonly stepUs: number;
  readonly curves?: OnlineCurves;
  readonly anomalies: readonly AnomalyFlag[];
  readonly drifts: readonly DriftFlag[];
}

/** What came of a task. */
export type TaskResult = OriginResult | OnlineResult | TaskFailure;

/** A task's failure from whatever was thrown. */
export function failureOf(thrown: unknown): TaskFailure {
  const { code, message } = TidegateError.from(thrown);
  return { kind: 'failed', code, message };
}

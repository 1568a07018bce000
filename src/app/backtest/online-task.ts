/** One model one step ahead over a whole series; the product's own way of it is tracked as a class is. */
import type { Series } from '../../core/series';
import { OnlineTally, runOnline, startOnline, type OneStepForecaster } from '../../forecast/backtest/online';
import { SCORED_LEVELS } from '../../forecast/backtest/rolling-origin';
import type { FittedModel, Forecast } from '../../forecast/model/model';
import { TrackedForecaster } from '../../forecast/tracked-forecaster';
import { DEFAULT_MODEL } from './models';
import type { AnomalyFlag, DriftFlag, OnlineCurves, OnlineResult, TaskSetup } from './tasks';
import type { TimedKind } from './timed-kind';

/** Steps between two reports of progress. */
const REPORTED_STEPS = 500;
/** Flags of each kind that are kept. */
const FLAGS_MAX = 10_000;

/** @param progress is told the steps done. @throws TidegateError as the model does. */
export function runOnlineTask(
  { series, online: plan, charted }: TaskSetup,
  kind: TimedKind,
  name: string,
  progress: (steps: number) => void,
): OnlineResult {
  if (plan === undefined) throw new Error('an online task needs a plan');
  const fitted = startOnline(kind, series, plan);
  const tracked =
    name === DEFAULT_MODEL ? new TrackedClass(fitted, series, plan.start, plan.seasons) : undefined;
  const model: OneStepForecaster = tracked ?? fitted;
  const length = series.values.length;
  const tally = new OnlineTally(series.values.slice(0, plan.start));
  const curves = name === charted ? emptyCurves(length - plan.start) : undefined;
  const begun = performance.now();
  for (let from = plan.start; from < length; from += REPORTED_STEPS) {
    const to = Math.min(length, from + REPORTED_STEPS);
    runOnline(model, series, from, to, tally, (forecast, at) => draw(curves, forecast, at - plan.start));
    progress(to - plan.start);
  }
  const stepUs = ((performance.now() - begun) * 1e3) / Math.max(1, length - plan.start);
  return {
    kind: 'online',
    ...kind.fitTime,
    score: tally.score(),
    stepUs,
    anomalies: tracked?.anomalies() ?? [],
    drifts: tracked?.drifts ?? [],
    ...(curves === undefined ? {} : { curves }),
  };
}

/** A model as the product runs it: calibrated, watched, not taught by anomalies. */
class TrackedClass implements OneStepForecaster {
  readonly drifts: DriftFlag[] = [];
  private readonly tracker: TrackedForecaster;

  /** @param at the index of the next value. */
  constructor(
    model: FittedModel,
    private readonly series: Series,
    private at: number,
    seasons: readonly number[],
  ) {
    const { stepMs } = series;
    this.tracker = new TrackedForecaster(model, { stepMs, seasons, horizons: [1], maxEvents: FLAGS_MAX });
  }

  anomalies(): readonly AnomalyFlag[] {
    return this.tracker.anomalies().map(({ startMs, endMs, peakMs, actual, expected, score, reason }) => ({
      at: this.indexOf(startMs),
      end: endMs === undefined ? undefined : this.indexOf(endMs),
      peak: this.indexOf(peakMs),
      value: actual,
      expected,
      score,
      reason,
    }));
  }

  predict(horizon: number, levels: readonly number[]): Forecast {
    return this.tracker.predict(horizon, levels);
  }

  update(value: number): void {
    const { startMs, stepMs } = this.series;
    const { drift } = this.tracker.step(startMs + this.at * stepMs, value);
    if (drift !== undefined && this.drifts.length < FLAGS_MAX) {
      this.drifts.push({ at: this.at, score: drift.score, reason: drift.kind });
    }
    this.at += 1;
  }

  private indexOf(atMs: number): number {
    return Math.round((atMs - this.series.startMs) / this.series.stepMs);
  }
}

function emptyCurves(steps: number): OnlineCurves {
  const curve = (): Float64Array => new Float64Array(steps);
  return { mean: curve(), lower: SCORED_LEVELS.map(curve), upper: SCORED_LEVELS.map(curve) };
}

function draw(curves: OnlineCurves | undefined, forecast: Forecast, step: number): void {
  if (curves === undefined) return;
  curves.mean[step] = forecast.mean[0] ?? NaN;
  forecast.intervals.forEach((interval, level) => {
    const [low, high] = [curves.lower[level], curves.upper[level]];
    if (low !== undefined) low[step] = interval.lower[0] ?? NaN;
    if (high !== undefined) high[step] = interval.upper[0] ?? NaN;
  });
}

/** Does the tasks of a backtest, one after the other, in whichever thread it lives in, and takes the time they need. */
import { evaluateAt } from '../../forecast/backtest/evaluation';
import { OnlineTally, runOnline, startOnline } from '../../forecast/backtest/online';
import { SCORED_LEVELS } from '../../forecast/backtest/rolling-origin';
import type { Forecast, ModelKind } from '../../forecast/model/model';
import { modelNamed } from './models';
import {
  failureOf,
  type BacktestTask,
  type OnlineCurves,
  type OnlineResult,
  type OriginResult,
  type TaskResult,
  type TaskSetup,
} from './tasks';

/** Steps between two reports of progress. */
const REPORTED_STEPS = 500;

/** Does a task. Whatever goes wrong is in the result. @param progress is told the steps done of an online task. */
export type TaskRunner = (task: BacktestTask, progress: (steps: number) => void) => TaskResult;

/** A runner that remembers which models it has fitted, so that a first fit is known as one. */
export function taskRunner(setup: TaskSetup): TaskRunner {
  const fitted = new Set<string>();
  return (task, progress) => {
    try {
      const kind = new TimedKind(modelNamed(task.model), !fitted.has(task.model));
      fitted.add(task.model);
      return task.kind === 'origin'
        ? atOrigin(setup, kind, task.origin)
        : online(setup, kind, task.model, progress);
    } catch (thrown) {
      return failureOf(thrown);
    }
  };
}

/** A kind of model whose fits are timed. */
class TimedKind implements ModelKind {
  readonly name: string;
  readonly minPoints: ModelKind['minPoints'];
  readonly restore: ModelKind['restore'];
  fitMs = NaN;

  constructor(
    private readonly kind: ModelKind,
    readonly cold: boolean,
  ) {
    this.name = kind.name;
    this.minPoints = (context) => kind.minPoints(context);
    this.restore = (state) => kind.restore(state);
  }

  fit(...args: Parameters<ModelKind['fit']>): ReturnType<ModelKind['fit']> {
    const begun = performance.now();
    const model = this.kind.fit(...args);
    this.fitMs = performance.now() - begun;
    return model;
  }
}

function atOrigin({ series, plan }: TaskSetup, kind: TimedKind, origin: number): OriginResult {
  if (plan === undefined) throw new Error('a task at an origin needs a plan');
  const begun = performance.now();
  const { scores, forecast } = evaluateAt(kind, series, plan, origin);
  const { fitMs, cold } = kind;
  return { kind: 'origin', scores, forecast, fitMs, cold, predictMs: performance.now() - begun - fitMs };
}

function online(
  { series, online: plan, charted }: TaskSetup,
  kind: TimedKind,
  name: string,
  progress: (steps: number) => void,
): OnlineResult {
  if (plan === undefined) throw new Error('an online task needs a plan');
  const model = startOnline(kind, series, plan);
  const tally = new OnlineTally(series.values.slice(0, plan.start));
  const length = series.values.length;
  const curves = name === charted ? emptyCurves(length - plan.start) : undefined;
  const keep = (forecast: Forecast, at: number): void => {
    if (curves !== undefined) draw(curves, forecast, at - plan.start);
  };
  const begun = performance.now();
  for (let from = plan.start; from < length; from += REPORTED_STEPS) {
    const to = Math.min(length, from + REPORTED_STEPS);
    runOnline(model, series, from, to, tally, keep);
    progress(to - plan.start);
  }
  const stepUs = ((performance.now() - begun) * 1e3) / Math.max(1, length - plan.start);
  const { fitMs, cold } = kind;
  const drawn = curves === undefined ? {} : { curves };
  return { kind: 'online', score: tally.score(), fitMs, cold, stepUs, anomalies: [], drifts: [], ...drawn };
}

function emptyCurves(steps: number): OnlineCurves {
  const curve = (): Float64Array => new Float64Array(steps);
  return { mean: curve(), lower: SCORED_LEVELS.map(curve), upper: SCORED_LEVELS.map(curve) };
}

function draw({ mean, lower, upper }: OnlineCurves, forecast: Forecast, step: number): void {
  mean[step] = forecast.mean[0] ?? NaN;
  forecast.intervals.forEach((interval, level) => {
    const [low, high] = [lower[level], upper[level]];
    if (low !== undefined) low[step] = interval.lower[0] ?? NaN;
    if (high !== undefined) high[step] = interval.upper[0] ?? NaN;
  });
}

/** Runs the tasks of a backtest, in worker threads or here, and gathers what comes of them. */
import { join } from 'node:path';
import type { Series } from '../../core/series';
import type { OnlinePlan } from '../../forecast/backtest/online';
import type { BacktestPlan } from '../../forecast/backtest/rolling-origin';
import { ModelTally, type ModelReport } from './model-report';
import { taskRunner } from './task-runner';
import {
  failureOf,
  type BacktestTask,
  type OnlineResult,
  type TaskFailure,
  type TaskResult,
  type TaskSetup,
} from './tasks';
import { runInWorkers } from './worker-pool';

/** What is to be run. */
export interface BacktestJob {
  readonly series: Series;
  readonly models: readonly string[];
  /** Threads; with 0 all is done in this one. */
  readonly workers: number;
  readonly signal: AbortSignal;
  /** Told what is done, from 0 to 1, and the model it was of. */
  readonly onProgress: (part: number, model: string) => void;
}

/** How a model did one step ahead. */
export interface OnlineReport {
  readonly name: string;
  readonly result: OnlineResult | TaskFailure;
}

/** A fit that takes longer is given up, ms. */
const ORIGIN_TIMEOUT_MS = 300_000;
/** An online run that takes longer is given up, ms. */
const ONLINE_TIMEOUT_MS = 3_600_000;
/** Origins whose forecasts are drawn. */
const DRAWN = 4;

/** Every model at every origin of the plan. Rejects with the signal's reason when it is aborted. */
export async function runBacktest(job: BacktestJob, plan: BacktestPlan): Promise<readonly ModelReport[]> {
  const { series, models } = job;
  const drawn = new Set(spread(plan.origins, DRAWN));
  const tallies = new Map(models.map((name) => [name, new ModelTally(name, series, plan, drawn)]));
  const tasks = models.flatMap((model) =>
    plan.origins.map((origin): BacktestTask => ({ kind: 'origin', model, origin })),
  );
  let done = 0;
  await runTasks(job, { plan }, tasks, ORIGIN_TIMEOUT_MS, (task, result) => {
    if (task.kind === 'origin' && result.kind !== 'online') tallies.get(task.model)?.add(task.origin, result);
    job.onProgress((done += 1) / tasks.length, task.model);
  });
  return [...tallies.values()].map((tally) => tally.report());
}

/** Every model one step ahead over the series. Rejects with the signal's reason when it is aborted. */
export async function runOnlineBacktest(
  job: BacktestJob,
  online: OnlinePlan,
): Promise<readonly OnlineReport[]> {
  const { models, series } = job;
  const tasks = models.map((model): BacktestTask => ({ kind: 'online', model }));
  const steps = Math.max(1, series.values.length - online.start);
  const parts = new Map<string, number>();
  const tell = (model: string, part: number): void => {
    parts.set(model, part);
    job.onProgress([...parts.values()].reduce((sum, one) => sum + one, 0) / tasks.length, model);
  };
  const reports: OnlineReport[] = [];
  const onResult = (task: BacktestTask, result: TaskResult): void => {
    if (result.kind !== 'origin') reports.push({ name: task.model, result });
    tell(task.model, 1);
  };
  const onProgress = ({ model }: BacktestTask, done: number): void => tell(model, done / steps);
  await runTasks(job, { online }, tasks, ONLINE_TIMEOUT_MS, onResult, onProgress);
  return reports;
}

async function runTasks(
  { series, workers, signal }: BacktestJob,
  plans: Pick<TaskSetup, 'plan' | 'online'>,
  tasks: readonly BacktestTask[],
  taskTimeoutMs: number,
  onResult: (task: BacktestTask, result: TaskResult) => void,
  onProgress: (task: BacktestTask, steps: number) => void = () => undefined,
): Promise<void> {
  const setup: TaskSetup = {
    backtest: true,
    series: shared(series),
    charted: tasks[0]?.model ?? '',
    ...plans,
  };
  if (workers > 0) {
    const script = join(__dirname, 'backtest-worker.js');
    const lost = (_task: BacktestTask, error: unknown): TaskResult => failureOf(error);
    return runInWorkers<BacktestTask, TaskResult>({
      ...{ script, workerData: setup, workers, tasks, onResult, lost, taskTimeoutMs, signal, onProgress },
    });
  }
  const run = taskRunner(setup);
  for (const task of tasks) {
    // Signals and the progress bar get their turn between two tasks.
    await new Promise((resolve) => setImmediate(resolve));
    signal.throwIfAborted();
    onResult(
      task,
      run(task, (steps) => onProgress(task, steps)),
    );
  }
}

/** The same series in memory that threads share, so that each of them does not hold a copy. */
function shared(series: Series): Series {
  const values = new Float64Array(new SharedArrayBuffer(series.values.byteLength));
  values.set(series.values);
  return { ...series, values };
}

/** At most `count` of a list's elements, evenly over it. */
function spread<T>(list: readonly T[], count: number): readonly T[] {
  if (list.length <= count) return list;
  return Array.from(
    { length: count },
    (_, index) => list[Math.round((index * (list.length - 1)) / (count - 1))] as T,
  );
}

/** Simulates a scenario at each of its loads, told of as it goes: in threads where there is enough to do, with the same outcome. */
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import { setImmediate as breath } from 'node:timers/promises';
import type { ModelState } from '../../forecast/model/model';
import { MINUTE_MS, partMinutes, type Scenario } from '../../simulate/scenario';
import { runInWorkers } from '../backtest/worker-pool';
import type { PolicyChoice } from './policies';
import {
  loadRun,
  warming,
  type LoadOutcome,
  type SimulationResult,
  type SimulationSetup,
  type SimulationTask,
} from './simulation-tasks';
import type { SimulationThreadData } from './simulation-worker';

export type { LoadOutcome } from './simulation-tasks';

/** How to run. */
export interface SimulationJob {
  readonly scenario: Scenario;
  readonly policies: PolicyChoice;
  /** Threads at most; 0 does all in this one. Undefined: as many as there are cores, where there is enough to do. */
  readonly threads?: number | undefined;
  readonly signal: AbortSignal;
  readonly onProgress: (part: number, what: string) => void;
}

/** Warming takes about so much of a run. */
const WARM_PART = 0.2;
/** Between two looks at signals and progress, ms. */
const BREATH_MS = 100;
/** A load that takes longer is given up, ms. */
const TASK_TIMEOUT_MS = 86_400_000;
/** Ticks times services times policies that threads are worth: some seconds of work. */
const THREADS_FROM = 3e6;

/** Rejects with the signal's reason when it aborts, and with what a thread failed of. */
export async function runSimulation(job: SimulationJob): Promise<readonly LoadOutcome[]> {
  const threads = job.threads ?? (work(job) < THREADS_FROM ? 0 : availableParallelism());
  return threads < 1 ? simulateHere(job) : simulateInThreads(job, threads);
}

function work({ scenario, policies }: SimulationJob): number {
  const ticks = (partMinutes(scenario, 'test') * MINUTE_MS) / scenario.tickMs;
  const kinds = policies.names.length + (policies.model === undefined ? 0 : 1);
  return ticks * scenario.services.length * scenario.loads.length * kinds;
}

async function simulateHere(job: SimulationJob): Promise<readonly LoadOutcome[]> {
  const { scenario, policies, signal, onProgress } = job;
  let next = Date.now() + BREATH_MS;
  const rest = async (part: number, what: string): Promise<void> => {
    if (Date.now() < next) return;
    onProgress(part, what);
    await breath();
    signal.throwIfAborted();
    next = Date.now() + BREATH_MS;
  };
  const warm = warming(scenario);
  const states: ModelState[] = [];
  for (const service of scenario.services.keys()) {
    states.push(warm(service));
    await rest((WARM_PART * states.length) / scenario.services.length, 'train days');
  }
  const outcomes: LoadOutcome[] = [];
  for (const [at, { name }] of scenario.loads.entries()) {
    const run = loadRun({ scenario, policies, states }, at);
    let step = run.next();
    for (; step.done !== true; step = run.next()) {
      const done = (at + step.value) / scenario.loads.length;
      await rest(WARM_PART + (1 - WARM_PART) * done, `load ${name}`);
    }
    outcomes.push(step.value);
  }
  return outcomes;
}

async function simulateInThreads(job: SimulationJob, threads: number): Promise<readonly LoadOutcome[]> {
  const { scenario, policies, onProgress } = job;
  const states: ModelState[] = [];
  const outcomes: LoadOutcome[] = [];
  const take = (result: SimulationResult): void => {
    if (result.kind === 'warm') states.push(result.state);
    else outcomes.push(result.outcome);
  };
  const warms = scenario.services.map((_, service): SimulationTask => ({ kind: 'warm', service }));
  await doTasks(job, threads, { scenario, policies, states: [] }, warms, (result) => {
    take(result);
    onProgress((WARM_PART * states.length) / warms.length, 'train days');
  });
  const loads = scenario.loads.map((_, load): SimulationTask => ({ kind: 'load', load }));
  const parts = loads.map(() => 0);
  const tell = (load: number, part: number): void => {
    parts[load] = part;
    const mean = parts.reduce((sum, one) => sum + one, 0) / parts.length;
    onProgress(WARM_PART + (1 - WARM_PART) * mean, `load ${scenario.loads[load]?.name ?? ''}`);
  };
  await doTasks(job, threads, { scenario, policies, states }, loads, take, (task, part) => {
    if (task.kind === 'load') tell(task.load, part);
  });
  return outcomes;
}

function doTasks(
  { signal }: SimulationJob,
  workers: number,
  setup: SimulationSetup,
  tasks: readonly SimulationTask[],
  take: (result: SimulationResult) => void,
  onProgress: (task: SimulationTask, part: number) => void = () => undefined,
): Promise<void> {
  const workerData: SimulationThreadData = { simulation: true, setup };
  return runInWorkers<SimulationTask, SimulationResult>({
    script: join(__dirname, 'simulation-worker.js'),
    ...{ workerData, workers, tasks, taskTimeoutMs: TASK_TIMEOUT_MS, signal, onProgress },
    onResult: (_, result) => take(result),
    lost: (_, error) => {
      throw error;
    },
  });
}

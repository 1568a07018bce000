/** The thread that does tasks of a simulation. The setup says that this file is meant, so that importing it does nothing. */
import { parentPort, workerData } from 'node:worker_threads';
import type { WorkerMessage, WorkerOrder } from '../backtest/worker-pool';
import {
  loadRun,
  warming,
  type SimulationResult,
  type SimulationSetup,
  type SimulationTask,
} from './simulation-tasks';

/** What such a thread is given. */
export interface SimulationThreadData {
  readonly simulation: true;
  readonly setup: SimulationSetup;
}

/** A load's progress is told so often, parts of it. */
const TOLD_PART = 0.005;

const port = parentPort;
const data = workerData as SimulationThreadData | null;
if (port !== null && data?.simulation === true) {
  const send = (message: WorkerMessage<SimulationResult>): void => port.postMessage(message);
  let warm: ReturnType<typeof warming> | undefined;
  port.on('message', ({ index, task }: WorkerOrder<SimulationTask>) => {
    if (task.kind === 'warm') {
      warm ??= warming(data.setup.scenario);
      return send({ index, result: { kind: 'warm', state: warm(task.service) } });
    }
    const run = loadRun(data.setup, task.load);
    let told = 0;
    let next = run.next();
    for (; next.done !== true; next = run.next()) {
      if (next.value < told) continue;
      send({ index, progress: next.value });
      told = next.value + TOLD_PART;
    }
    send({ index, result: { kind: 'load', outcome: next.value } });
  });
}

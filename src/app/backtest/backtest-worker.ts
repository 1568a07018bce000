/** The thread that does tasks of a backtest. The setup says that this file is meant, so that importing it does nothing. */
import { parentPort, workerData } from 'node:worker_threads';
import { taskRunner } from './task-runner';
import type { BacktestTask, TaskResult, TaskSetup } from './tasks';
import type { WorkerMessage, WorkerOrder } from './worker-pool';

const port = parentPort;
const setup = workerData as TaskSetup | null;
if (port !== null && setup?.backtest === true) {
  const run = taskRunner(setup);
  const send = (message: WorkerMessage<TaskResult>): void => port.postMessage(message);
  port.on('message', ({ index, task }: WorkerOrder<BacktestTask>) => {
    const result = run(task, (progress) => send({ index, progress }));
    send({ index, result });
  });
}

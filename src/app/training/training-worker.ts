/** The thread that does tasks of a training. The data says that this file is meant, so that importing it does nothing. */
import { parentPort, workerData } from 'node:worker_threads';
import { TidegateError } from '../../core/errors';
import type { CrewAnswer, CrewOrder } from './thread-crew';
import type { TrainingPlan } from './training-plan';
import type { TrainingResult, TrainingTask } from './training-tasks';
import { trainingWork } from './training-work';

/** What such a thread is given. */
export interface TrainingThreadData {
  readonly training: true;
  readonly plan: TrainingPlan;
}

const port = parentPort;
const data = workerData as TrainingThreadData | null;
if (port !== null && data?.training === true) {
  const work = trainingWork(data.plan);
  const send = (answer: CrewAnswer<TrainingResult>): void => port.postMessage(answer);
  port.on('message', ({ index, task }: CrewOrder<TrainingTask>) => {
    try {
      send({ index, result: work(task) });
    } catch (thrown) {
      const { code, message } = TidegateError.from(thrown);
      send({ index, code, message });
    }
  });
}

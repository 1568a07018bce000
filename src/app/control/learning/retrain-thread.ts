/** Trains a pool's model from its history in a thread of its own, within a budget of CPU time. */
import { join } from 'node:path';
import { parentPort, Worker, workerData } from 'node:worker_threads';
import type { Settings } from '../../../config/settings-shape';
import type { ErrorCode } from '../../../core/error-catalogue';
import { TidegateError } from '../../../core/errors';
import { historyScenario, type PoolHistory } from '../../training/history-scenario';
import { threadCpuMs } from '../../training/thread-time';
import { trainingPlan } from '../../training/training-plan';
import { trainScenario } from '../../training/train-scenario';

/** What is to be trained. */
export interface RetrainOrder {
  readonly history: PoolHistory;
  readonly seed: number;
  readonly budgetMs: number;
  readonly maxFactor: number;
  readonly reward: Settings['pools']['learning']['reward'];
}

/** A training under way. */
export interface Retraining {
  /** The text of a model file. Rejects with a TidegateError: TG_LEARN_TOO_LITTLE_HISTORY, TG_LEARN_THREAD_LOST. */
  readonly model: Promise<string>;
  end(): void;
}

type Reply = { readonly model: string } | { readonly code: ErrorCode; readonly message: string };

const MAX_HEAP_MB = 1_024;

/** Begins a training. */
export function beginRetraining(order: RetrainOrder): Retraining {
  const worker = new Worker(join(__dirname, 'retrain-thread.js'), {
    workerData: { retraining: order },
    resourceLimits: { maxOldGenerationSizeMb: MAX_HEAP_MB },
  });
  const model = new Promise<string>((resolve, reject) => {
    const lost = (why: string): void => reject(new TidegateError('TG_LEARN_THREAD_LOST', why));
    worker.on('message', (reply: Reply) => {
      if ('model' in reply) resolve(reply.model);
      else reject(new TidegateError(reply.code, reply.message));
    });
    worker.on('error', (error) => lost(String(error)));
    worker.on('exit', (code) => lost(`it exited with ${code}`));
  });
  return { model, end: () => void worker.terminate() };
}

/** Trains here. Rejects as {@link Retraining.model} does. */
export async function retrain({ history, seed, budgetMs, maxFactor, reward }: RetrainOrder): Promise<string> {
  const plan = trainingPlan(historyScenario(history, seed), { seed, budgetMs, maxFactor, reward });
  const fromMs = threadCpuMs();
  const { model } = await trainScenario({
    plan,
    budgetMs,
    threads: 0,
    signal: new AbortController().signal,
    cpuMs: () => threadCpuMs() - fromMs,
    onProgress: () => undefined,
  });
  return model;
}

// This file is its own worker: its data says so, so that importing it elsewhere (also in another worker) does nothing.
const order = (workerData as { readonly retraining?: RetrainOrder } | null)?.retraining;
if (parentPort !== null && order !== undefined) {
  const port = parentPort;
  retrain(order).then(
    (model) => port.postMessage({ model } satisfies Reply),
    (thrown: unknown) => {
      const { code, message } = TidegateError.from(thrown);
      port.postMessage({ code, message } satisfies Reply);
    },
  );
}

/** Trains on what was seen of a pool while it runs: in a thread of its own, at the lowest priority, for as long as nobody stops it. */
import { join } from 'node:path';
import { parentPort, Worker, workerData } from 'node:worker_threads';
import type { ErrorCode } from '../../core/error-catalogue';
import { TidegateError } from '../../core/errors';
import { giveWay, NICE } from '../thread-priority';
import { historyScenario, type PoolHistory } from './history-scenario';
import type { RewardWeights } from '../../learn/allocation/reward';
import { threadCpuMs } from './thread-time';
import { trainScenario } from './train-scenario';
import { planBudgetMs, trainingPlan, type TrainingPlan } from './training-plan';

/** How to train. */
export interface HistoryTraining {
  /** 32 bits: the same history and seed come to the same model, if the budget suffices. */
  readonly seed: number;
  /** CPU time, ms. */
  readonly budgetMs: number;
  /** In place of as many updates as the budget is good for. */
  readonly updates?: number;
  /** In place of the settings' defaults: what is paid for, and how far advice may go. */
  readonly reward?: RewardWeights;
  readonly maxFactor?: number;
  /** The text of a model to tune, in place of beginning with nothing learned: within a quarter of the budget. */
  readonly from?: string | undefined;
  /** Ends it: the promise rejects with its reason. */
  readonly signal: AbortSignal;
  /** Told how far it is, 0 to 1. */
  readonly onProgress?: (part: number) => void;
}

/** What came of it. */
export interface HistoryModel {
  /** The text of a model file, for a model store. */
  readonly text: string;
  /** The mean over the loads of its weighted loss on the days held out, against the solver's: under 1 is better. */
  readonly score: number;
  /** The same of what it began as, on the same days: of the model that was tuned, or of a policy that has learned nothing. */
  readonly scoreBefore: number;
  readonly updates: number;
  readonly end: 'planned' | 'budget';
}

/**
 * See the file's head.
 * @throws TidegateError TG_LEARN_TOO_LITTLE_HISTORY, TG_LEARN_THREAD_LOST when the thread dies, or of a model to tune TG_LEARN_BAD_MODEL
 * or TG_LEARN_OTHER_MODEL.
 */
export async function trainFromHistory(
  history: PoolHistory,
  { signal, onProgress, ...wishes }: HistoryTraining,
): Promise<HistoryModel> {
  const plan = trainingPlan(historyScenario(history, wishes.seed), wishes);
  const budgetMs = planBudgetMs(wishes);
  signal.throwIfAborted();
  const data: ThreadData = { historyTraining: true, plan, budgetMs };
  return inThread(data, signal, onProgress ?? (() => undefined));
}

interface ThreadData {
  readonly historyTraining: true;
  readonly plan: TrainingPlan;
  readonly budgetMs: number;
}

type FromThread =
  | { readonly kind: 'progress'; readonly part: number }
  | { readonly kind: 'model'; readonly model: HistoryModel }
  | { readonly kind: 'failed'; readonly code: ErrorCode; readonly message: string };

/** More memory than this is not given to it, MB. */
const MAX_HEAP_MB = 1_024;

function inThread(
  data: ThreadData,
  signal: AbortSignal,
  onProgress: (part: number) => void,
): Promise<HistoryModel> {
  const worker = new Worker(join(__dirname, 'train-from-history.js'), {
    workerData: data,
    resourceLimits: { maxOldGenerationSizeMb: MAX_HEAP_MB },
  });
  let stop = (): void => undefined;
  const done = new Promise<HistoryModel>((resolve, reject) => {
    const lost = (why: string): void =>
      reject(new TidegateError('TG_LEARN_THREAD_LOST', `the thread that trains is gone: ${why}`));
    stop = () => reject(signal.reason instanceof Error ? signal.reason : new Error(String(signal.reason)));
    signal.addEventListener('abort', stop, { once: true });
    worker.once('error', (thrown) => lost(thrown.message));
    worker.once('exit', (code) => lost(`it ended with ${code}`));
    worker.on('message', (message: FromThread) => {
      if (message.kind === 'progress') onProgress(message.part);
      else if (message.kind === 'model') resolve(message.model);
      else reject(new TidegateError(message.code, message.message));
    });
  });
  return done.finally(() => {
    signal.removeEventListener('abort', stop);
    worker.removeAllListeners();
    // A thread that is being ended may still fail; nobody waits for it any more.
    worker.on('error', () => undefined);
    return worker.terminate();
  });
}

/** The thread's side: trains, and tells how far it is and what came of it. */
async function trainHere({ plan, budgetMs }: ThreadData, send: (message: FromThread) => void): Promise<void> {
  giveWay(NICE.training);
  try {
    const { outcome, model } = await trainScenario({
      ...{ plan, budgetMs, threads: 0, cpuMs: threadCpuMs },
      signal: new AbortController().signal,
      onProgress: (part) => send({ kind: 'progress', part }),
    });
    const { best, curves, end } = outcome;
    const scoreBefore = curves.heldOut[0]?.score ?? NaN;
    const updates = curves.updates.length;
    send({ kind: 'model', model: { text: model, score: best.score, scoreBefore, updates, end } });
  } catch (thrown) {
    const { code, message } = TidegateError.from(thrown);
    send({ kind: 'failed', code, message });
  }
}

// This file is its own worker: its data says so, so that importing it elsewhere (also in another worker) does nothing.
const setup = workerData as ThreadData | null;
if (parentPort !== null && setup?.historyTraining === true) {
  const port = parentPort;
  void trainHere(setup, (message) => port.postMessage(message));
}

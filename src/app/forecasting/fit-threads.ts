/**
 * Fits models in threads of their own. A thread that takes too long or dies is replaced, and its job fails; threads end
 * when nothing has been asked of them for a while.
 */
import { join } from 'node:path';
import { parentPort, Worker, workerData } from 'node:worker_threads';
import type { ErrorCode } from '../../core/error-catalogue';
import { TidegateError } from '../../core/errors';
import { MODEL_KINDS } from '../../forecast/choice/kinds';
import { giveWay, NICE } from '../thread-priority';
import { runFit, type FitJob, type FitOutcome } from './fit-job';

/** Makes fits. */
export interface Fitter {
  /** Fits that can be made at once. */
  readonly width: number;
  /** Rejects with a TidegateError. */
  fit(job: FitJob): Promise<FitOutcome>;
  close(): Promise<void>;
}

/** Makes fits in this thread: for tests, and where no thread can be had. */
export const fitterHere: Fitter = {
  width: 1,
  fit: async (job) => runFit(job, MODEL_KINDS),
  close: async () => undefined,
};

/** A model that takes longer than this to fit is given up, ms. */
const TIMEOUT_MS = 120_000;
const IDLE_MS = 60_000;
const MAX_HEAP_MB = 1_024;

type Reply = { readonly outcome: FitOutcome } | { readonly code: ErrorCode; readonly message: string };

interface Waiting {
  readonly job: FitJob;
  readonly resolve: (outcome: FitOutcome) => void;
  readonly reject: (error: TidegateError) => void;
}

interface Thread {
  readonly worker: Worker;
  busy: Waiting | undefined;
  timer: NodeJS.Timeout | undefined;
}

/** See the file's head. */
export class FitThreads implements Fitter {
  private readonly threads = new Set<Thread>();
  private readonly waiting: Waiting[] = [];
  private closed = false;

  /** @param width threads, at most. */
  constructor(readonly width: number) {}

  fit(job: FitJob): Promise<FitOutcome> {
    return new Promise((resolve, reject) => {
      if (this.closed) return reject(new TidegateError('TG_INTERNAL', 'no fit is begun while stopping'));
      this.waiting.push({ job, resolve, reject });
      this.assign();
    });
  }

  async close(): Promise<void> {
    this.closed = true;
    for (const { reject } of this.waiting.splice(0)) reject(ended());
    await Promise.all([...this.threads].map((thread) => this.drop(thread, ended())));
  }

  private assign(): void {
    while (this.waiting.length > 0 && !this.closed) {
      const free = [...this.threads].find(({ busy }) => busy === undefined) ?? this.begin();
      if (free === undefined) return;
      this.give(free);
    }
  }

  private begin(): Thread | undefined {
    if (this.threads.size >= this.width) return undefined;
    const worker = new Worker(join(__dirname, 'fit-threads.js'), {
      workerData: { modelFitting: true },
      resourceLimits: { maxOldGenerationSizeMb: MAX_HEAP_MB },
    });
    const thread: Thread = { worker, busy: undefined, timer: undefined };
    this.threads.add(thread);
    worker.on('message', (reply: Reply) => this.done(thread, reply));
    worker.on('error', (thrown) => void this.drop(thread, TidegateError.from(thrown)));
    worker.on('exit', () => void this.drop(thread, ended()));
    return thread;
  }

  private give(thread: Thread): void {
    const next = this.waiting.shift();
    if (next === undefined) return;
    clearTimeout(thread.timer);
    thread.busy = next;
    thread.timer = setTimeout(() => {
      void this.drop(thread, new TidegateError('TG_FORECAST_NO_FIT', `the fit took over ${TIMEOUT_MS} ms`));
    }, TIMEOUT_MS);
    thread.worker.postMessage(next.job);
  }

  private done(thread: Thread, reply: Reply): void {
    const { busy } = thread;
    clearTimeout(thread.timer);
    thread.busy = undefined;
    if ('outcome' in reply) busy?.resolve(reply.outcome);
    else busy?.reject(new TidegateError(reply.code, reply.message));
    thread.timer = setTimeout(() => void this.drop(thread, ended()), IDLE_MS).unref();
    this.assign();
  }

  private async drop(thread: Thread, error: TidegateError): Promise<void> {
    if (!this.threads.delete(thread)) return;
    clearTimeout(thread.timer);
    thread.busy?.reject(error);
    thread.worker.removeAllListeners();
    thread.worker.on('error', () => undefined);
    await thread.worker.terminate();
    this.assign();
  }
}

function ended(): TidegateError {
  return new TidegateError('TG_INTERNAL', 'the thread that fits models ended');
}

// This file is its own worker: its data says so, so that importing it elsewhere (also in another worker) does nothing.
if (parentPort !== null && (workerData as { modelFitting?: boolean } | null)?.modelFitting === true) {
  giveWay(NICE.fitting);
  const port = parentPort;
  port.on('message', (job: FitJob) => {
    try {
      port.postMessage({ outcome: runFit(job, MODEL_KINDS) } satisfies Reply);
    } catch (thrown) {
      const { code, message } = TidegateError.from(thrown);
      port.postMessage({ code, message } satisfies Reply);
    }
  });
}

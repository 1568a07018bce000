/**
 * Runs independent tasks in worker threads and hands their results out in the tasks' order, whatever the number of
 * threads: what is summed up from them is the same each time. A task whose thread dies or takes too long has failed; the
 * others go on in a fresh thread.
 */
import { Worker } from 'node:worker_threads';
import { TidegateError } from '../../core/errors';

/** What a worker sends. */
export type WorkerMessage<Result> =
  | { readonly index: number; readonly result: Result }
  /** Steps done of a task that takes long. */
  | { readonly index: number; readonly progress: number };

/** What a worker is sent. */
export interface WorkerOrder<Task> {
  readonly index: number;
  readonly task: Task;
}

/** What is to be run, and how. */
export interface PoolOptions<Task, Result> {
  /** The worker's file, and what every worker is given at its start. */
  readonly script: string;
  readonly workerData: unknown;
  readonly workers: number;
  readonly tasks: readonly Task[];
  /** Called once for each task, in order. */
  readonly onResult: (task: Task, result: Result) => void;
  /** What a task comes to whose thread died or took too long. */
  readonly lost: (task: Task, error: TidegateError) => Result;
  /** A task that takes longer is given up, ms. */
  readonly taskTimeoutMs: number;
  readonly signal: AbortSignal;
  /** Steps of a task that is under way. */
  readonly onProgress?: (task: Task, steps: number) => void;
}

/** More memory than this is not given to one thread, MB. */
const MAX_HEAP_MB = 2_048;
/** So many results per thread may wait for an earlier one; no further task is begun meanwhile. */
const AHEAD_PER_WORKER = 32;
/** When so many threads are lost in a row, it is not the tasks' fault. */
const LOST_MAX = 16;

/** Resolves when every task has come to a result. Rejects with the signal's reason when it is aborted first. */
export async function runInWorkers<Task, Result>(options: PoolOptions<Task, Result>): Promise<void> {
  const pool = new Pool(options);
  const stop = (): void => pool.fail(options.signal.reason);
  options.signal.addEventListener('abort', stop, { once: true });
  try {
    if (options.signal.aborted) stop();
    await pool.run();
  } finally {
    options.signal.removeEventListener('abort', stop);
    await pool.close();
  }
}

interface Slot {
  worker: Worker;
  index: number | undefined;
  timer: NodeJS.Timeout | undefined;
}

class Pool<Task, Result> {
  private readonly slots = new Set<Slot>();
  private readonly waiting = new Map<number, Result>();
  private begun = 0;
  private handedOut = 0;
  private settle: { resolve: () => void; reject: (reason: unknown) => void } | undefined;
  private readonly ended: Promise<void>;
  private over = false;
  private lostInARow = 0;

  constructor(private readonly options: PoolOptions<Task, Result>) {
    this.ended = new Promise((resolve, reject) => (this.settle = { resolve, reject }));
    // The rejection is seen by whoever awaits run(); until then it is nobody's fault.
    this.ended.catch(() => undefined);
  }

  async run(): Promise<void> {
    const { tasks, workers } = this.options;
    if (tasks.length === 0) this.settle?.resolve();
    for (let slot = 0; slot < Math.min(workers, tasks.length) && !this.over; slot += 1) this.hire();
    return this.ended;
  }

  fail(reason: unknown): void {
    this.over = true;
    this.settle?.reject(reason);
  }

  async close(): Promise<void> {
    this.over = true;
    await Promise.all([...this.slots].map((slot) => this.dismiss(slot)));
  }

  private hire(): void {
    const { script, workerData } = this.options;
    const worker = new Worker(script, {
      workerData,
      resourceLimits: { maxOldGenerationSizeMb: MAX_HEAP_MB },
    });
    const slot: Slot = { worker, index: undefined, timer: undefined };
    this.slots.add(slot);
    worker.on('message', (message: WorkerMessage<Result>) => this.heard(slot, message));
    worker.once('error', (error) => this.lost(slot, error));
    worker.once('exit', (code) => this.lost(slot, new Error(`its thread ended with ${code}`)));
    this.feed(slot);
  }

  private async dismiss(slot: Slot): Promise<void> {
    this.slots.delete(slot);
    clearTimeout(slot.timer);
    slot.worker.removeAllListeners();
    // A thread that is being ended may still fail; nobody waits for it any more.
    slot.worker.on('error', () => undefined);
    await slot.worker.terminate();
  }

  private feed(slot: Slot): void {
    const { tasks, workers, taskTimeoutMs } = this.options;
    const tooFarAhead = this.begun - this.handedOut >= AHEAD_PER_WORKER * workers;
    if (this.over || slot.index !== undefined || this.begun >= tasks.length || tooFarAhead) return;
    const index = this.begun;
    const task = tasks[index];
    if (task === undefined) return;
    this.begun += 1;
    slot.index = index;
    slot.timer = setTimeout(
      () => this.lost(slot, new Error(`it took longer than ${taskTimeoutMs / 1_000} s`)),
      taskTimeoutMs,
    );
    const order: WorkerOrder<Task> = { index, task };
    slot.worker.postMessage(order);
  }

  private heard(slot: Slot, message: WorkerMessage<Result>): void {
    if (this.over || message.index !== slot.index) return;
    if ('progress' in message) {
      const task = this.options.tasks[message.index];
      if (task !== undefined) this.options.onProgress?.(task, message.progress);
      return;
    }
    this.lostInARow = 0;
    this.finish(slot, message.result);
    for (const one of this.slots) this.feed(one);
  }

  private lost(slot: Slot, thrown: unknown): void {
    if (this.over || !this.slots.has(slot)) return;
    const { index } = slot;
    void this.dismiss(slot);
    if (index === undefined) {
      // It died before it had anything to do: another one would as well.
      return this.fail(TidegateError.from(thrown));
    }
    const task = this.options.tasks[index];
    if (task === undefined) return;
    const error = TidegateError.from(thrown);
    this.lostInARow += 1;
    if (this.lostInARow > LOST_MAX) return this.fail(error);
    try {
      this.finish(slot, this.options.lost(task, error));
    } catch (failure) {
      return this.fail(failure);
    }
    if (!this.over && this.begun < this.options.tasks.length) this.hire();
    for (const one of this.slots) this.feed(one);
  }

  private finish(slot: Slot, result: Result): void {
    clearTimeout(slot.timer);
    if (slot.index !== undefined) this.waiting.set(slot.index, result);
    slot.index = undefined;
    const { tasks, onResult } = this.options;
    try {
      for (let next = this.waiting.get(this.handedOut); next !== undefined;) {
        this.waiting.delete(this.handedOut);
        onResult(tasks[this.handedOut] as Task, next);
        this.handedOut += 1;
        next = this.waiting.get(this.handedOut);
      }
    } catch (thrown) {
      return this.fail(thrown);
    }
    if (this.handedOut === tasks.length) {
      this.over = true;
      this.settle?.resolve();
    }
  }
}

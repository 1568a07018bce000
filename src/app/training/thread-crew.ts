/**
 * Threads that stay: rounds of tasks are given out among them, and each round's results come in the tasks' order, whatever
 * the number of threads. A thread that dies, or a task that fails, ends the whole: what is learned from must not have holes.
 */
import { Worker } from 'node:worker_threads';
import type { ErrorCode } from '../../core/error-catalogue';
import { TidegateError } from '../../core/errors';

/** Does rounds of tasks. */
export interface Crew<Task, Result> {
  /** Resolves with a result for each task, in their order. @param onDone told how many are done. */
  round(tasks: readonly Task[], onDone?: (done: number) => void): Promise<readonly Result[]>;
  close(): Promise<void>;
}

/** What a thread of a crew is sent. */
export interface CrewOrder<Task> {
  readonly index: number;
  readonly task: Task;
}

/** What it answers: errors do not cross between threads as they are. */
export type CrewAnswer<Result> =
  | { readonly index: number; readonly result: Result }
  | { readonly index: number; readonly code: ErrorCode; readonly message: string };

/** More memory than this is not given to one thread, MB. */
const MAX_HEAP_MB = 2_048;

/** Does all in this thread; others get their turn between two tasks. Rejects with the signal's reason when it aborts. */
export function crewHere<Task, Result>(
  work: (task: Task) => Result,
  signal: AbortSignal,
): Crew<Task, Result> {
  return {
    async round(tasks, onDone) {
      const results: Result[] = [];
      for (const task of tasks) {
        await new Promise((resolve) => setImmediate(resolve));
        signal.throwIfAborted();
        results.push(work(task));
        onDone?.(results.length);
      }
      return results;
    },
    close: async () => undefined,
  };
}

/** Where the threads are from. */
export interface CrewOptions {
  /** The file of a thread, and what each is given at its start. */
  readonly script: string;
  readonly workerData: unknown;
  readonly threads: number;
  /** Ends rounds: they reject with its reason. */
  readonly signal: AbortSignal;
}

interface Round<Task, Result> {
  readonly tasks: readonly Task[];
  readonly results: (Result | undefined)[];
  readonly onDone: ((done: number) => void) | undefined;
  readonly resolve: (results: readonly Result[]) => void;
  readonly reject: (reason: unknown) => void;
  next: number;
  done: number;
}

/** See the file's head. One round at a time. Rejects with TG_LEARN_THREAD_LOST when a thread dies. */
export class ThreadCrew<Task, Result> implements Crew<Task, Result> {
  private readonly workers: readonly Worker[];
  private current: Round<Task, Result> | undefined;
  private failure: Error | undefined;
  private readonly stop = (): void => this.fail(this.options.signal.reason);

  constructor(private readonly options: CrewOptions) {
    const { script, workerData, threads, signal } = options;
    this.workers = Array.from({ length: threads }, () => {
      const resourceLimits = { maxOldGenerationSizeMb: MAX_HEAP_MB };
      const worker = new Worker(script, { workerData, resourceLimits });
      worker.on('message', (answer: CrewAnswer<Result>) => this.heard(worker, answer));
      worker.once('error', (thrown) => this.fail(lost(thrown.message)));
      worker.once('exit', (code) => this.fail(lost(`it ended with ${code}`)));
      return worker;
    });
    signal.addEventListener('abort', this.stop, { once: true });
    if (signal.aborted) this.stop();
  }

  round(tasks: readonly Task[], onDone?: (done: number) => void): Promise<readonly Result[]> {
    return new Promise((resolve, reject) => {
      if (this.failure !== undefined) return reject(this.failure);
      if (tasks.length === 0) return resolve([]);
      this.current = {
        ...{ tasks, results: tasks.map(() => undefined), onDone, resolve, reject },
        ...{ next: 0, done: 0 },
      };
      for (const worker of this.workers) this.give(worker);
    });
  }

  async close(): Promise<void> {
    this.options.signal.removeEventListener('abort', this.stop);
    this.fail(new TidegateError('TG_LEARN_THREAD_LOST', 'the threads were ended'));
    await Promise.all(
      this.workers.map((worker) => {
        worker.removeAllListeners();
        // A thread that is being ended may still fail; nobody waits for it any more.
        worker.on('error', () => undefined);
        return worker.terminate();
      }),
    );
  }

  private give(worker: Worker): void {
    const round = this.current;
    const task = round?.tasks[round.next];
    if (round === undefined || task === undefined) return;
    const order: CrewOrder<Task> = { index: round.next, task };
    round.next += 1;
    worker.postMessage(order);
  }

  private heard(worker: Worker, answer: CrewAnswer<Result>): void {
    const round = this.current;
    if (round === undefined) return;
    if ('code' in answer) return this.fail(new TidegateError(answer.code, answer.message));
    round.results[answer.index] = answer.result;
    round.done += 1;
    this.give(worker);
    round.onDone?.(round.done);
    if (round.done < round.tasks.length) return;
    this.current = undefined;
    round.resolve(round.results as Result[]);
  }

  private fail(reason: unknown): void {
    this.failure ??= reason instanceof Error ? reason : new Error(String(reason));
    const round = this.current;
    this.current = undefined;
    round?.reject(this.failure);
  }
}

function lost(why: string): TidegateError {
  return new TidegateError('TG_LEARN_THREAD_LOST', `a thread of the training is gone: ${why}`);
}

/**
 * Reads the YAML of limits files in a worker thread: a large file takes longer than a caller waits for a decision, and a
 * reload must not be felt. What crosses between the threads is plain data.
 */
import { join } from 'node:path';
import { parentPort, Worker, workerData } from 'node:worker_threads';
import { TidegateError } from '../core/errors';
import { errorOf, plainError, type PlainError } from '../core/plain-error';
import type { LimitsFile, LimitsFileResult, LimitsText } from '../limiter/dialect/limits-file';
import { readLimitsFile } from '../limiter/dialect/limits-reader';

/** Reads the text of limits files; a mistake is in the result, not thrown. */
export type LimitsReader = (
  texts: readonly LimitsText[],
  lenient: boolean,
) => Promise<readonly LimitsFileResult[]>;

/** More memory than this is not given to the reading thread, MB; files are bounded far below it. */
const MAX_HEAP_MB = 1_024;
/** A reading that takes longer than this is given up, ms. */
const TIMEOUT_MS = 120_000;

interface PlainResult {
  readonly file?: LimitsFile;
  readonly errors: readonly PlainError[];
  readonly warnings: readonly PlainError[];
}
interface Job {
  readonly limitsReading: true;
  readonly texts: readonly LimitsText[];
  readonly lenient: boolean;
}

/** Reads in this thread: for the start, when nobody waits yet. */
export const readHere: LimitsReader = async (texts, lenient) =>
  texts.map((text) => readLimitsFile(text, { lenient }));

/** Reads in a worker thread. Rejects with TG_INTERNAL when the thread fails or takes too long. */
export const readInWorker: LimitsReader = (texts, lenient) =>
  new Promise((resolve, reject) => {
    const job: Job = { limitsReading: true, texts, lenient };
    const worker = new Worker(join(__dirname, 'limits-reading.js'), {
      workerData: job,
      resourceLimits: { maxOldGenerationSizeMb: MAX_HEAP_MB },
    });
    const fail = (thrown: unknown): void => {
      clearTimeout(timer);
      void worker.terminate();
      reject(TidegateError.from(thrown));
    };
    const timer = setTimeout(() => fail(new Error('reading the limits took too long')), TIMEOUT_MS);
    worker.once('error', fail);
    worker.once('exit', () => fail(new Error('the thread that reads limits ended early')));
    worker.once('message', (results: readonly PlainResult[]) => {
      clearTimeout(timer);
      worker.removeAllListeners('exit');
      resolve(results.map(revive));
    });
  });

function plain(result: LimitsFileResult): PlainResult {
  return { ...result, errors: result.errors.map(plainError), warnings: result.warnings.map(plainError) };
}

function revive(result: PlainResult): LimitsFileResult {
  return { ...result, errors: result.errors.map(errorOf), warnings: result.warnings.map(errorOf) };
}

// This file is its own worker: the job says so, so that importing it elsewhere (also in another worker) does nothing.
const job = workerData as Job | null;
if (parentPort !== null && job?.limitsReading === true) {
  parentPort.postMessage(job.texts.map((text) => plain(readLimitsFile(text, { lenient: job.lenient }))));
}

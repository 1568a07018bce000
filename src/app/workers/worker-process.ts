/** A worker's process: waits for its first word, decides as long as it is told to, and ends with the primary. */
import type { FromWorker, ToWorker } from './messages';
import { TidegateError } from '../../core/errors';
import { WorkerApp } from './worker-app';

const post = (message: FromWorker): boolean => {
  if (!process.connected) return false;
  process.send?.(message, undefined, undefined, () => undefined);
  return true;
};

async function begin(message: ToWorker): Promise<void> {
  if (message.kind !== 'begin') return;
  try {
    const app = await WorkerApp.create(message, post);
    process.on('message', (next: ToWorker) => app.heard(next));
    await app.start();
  } catch (thrown) {
    const { code, message: text } = TidegateError.from(thrown);
    post({ kind: 'refused', code, message: text });
    process.disconnect();
  }
}

// The primary says when to end: a signal to the whole group must not end workers before calls are answered.
process.on('SIGTERM', () => undefined);
process.on('SIGINT', () => undefined);
process.once('message', (message: ToWorker) => void begin(message));

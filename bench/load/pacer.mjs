/**
 * A worker that wakes the main thread at a fixed interval well below a timer's millisecond, without spinning: the
 * server or Redis may share its core.
 */
import { parentPort, workerData } from 'node:worker_threads';

const { intervalMs, flag } = workerData;
const idle = new Int32Array(new SharedArrayBuffer(4));

for (;;) {
  Atomics.wait(idle, 0, 0, intervalMs);
  if (Atomics.load(flag, 0) === 1) break;
  if (Atomics.compareExchange(flag, 1, 0, 1) === 0) parentPort.postMessage(0);
}

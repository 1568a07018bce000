/** The pool of threads: results in order, threads that die or hang, stopping. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { runInWorkers } from '../../../src/app/backtest/worker-pool';

/** Answers a task with its double; tasks of words do what they say. */
const WORKER = `
const { parentPort } = require('node:worker_threads');
parentPort.on('message', ({ index, task }) => {
  if (task === 'die') process.exit(3);
  if (task === 'throw') throw new Error('it broke');
  if (task === 'hang') for (;;);
  if (task === 'report') parentPort.postMessage({ index, progress: 7 });
  const slow = typeof task === 'number' && task % 3 === 0 ? 20 : 0;
  setTimeout(() => parentPort.postMessage({ index, result: typeof task === 'number' ? task * 2 : task }), slow);
});
`;

let folder: string;
let script: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'tidegate-pool-'));
  script = join(folder, 'worker.cjs');
  writeFileSync(script, WORKER);
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

type Task = number | string;

async function results(
  tasks: readonly Task[],
  workers: number,
  { timeoutMs = 30_000, signal = new AbortController().signal } = {},
): Promise<unknown[]> {
  const found: unknown[] = [];
  await runInWorkers<Task, unknown>({
    ...{ script, workerData: undefined, workers, tasks, taskTimeoutMs: timeoutMs, signal },
    onResult: (task, result) => found.push([task, result]),
    lost: (_task, error) => error.message,
    onProgress: (task, steps) => found.push([task, `${steps} steps`]),
  });
  return found;
}

test.each([1, 2, 4])('%i threads bring every result, in the order of the tasks', async (workers) => {
  const tasks = Array.from({ length: 40 }, (_, at) => at);
  expect(await results(tasks, workers)).toEqual(tasks.map((task) => [task, task * 2]));
});

test('no task is no work', async () => {
  expect(await results([], 2)).toEqual([]);
});

test('a task whose thread dies, fails or hangs is lost; the others are done', async () => {
  const tasks = [1, 'die', 2, 'throw', 3, 'hang', 4];
  expect(await results(tasks, 2, { timeoutMs: 1_500 })).toEqual([
    [1, 2],
    ['die', 'its thread ended with 3'],
    [2, 4],
    ['throw', expect.stringContaining('it broke')],
    [3, 6],
    ['hang', 'it took longer than 1.5 s'],
    [4, 8],
  ]);
});

test('progress is passed on', async () => {
  expect(await results(['report'], 1)).toEqual([
    ['report', '7 steps'],
    ['report', 'report'],
  ]);
});

test('it stops when it is told to, with the reason, though a thread hangs', async () => {
  const stopped = new AbortController();
  const running = results(['hang', 'hang', 1], 2, { signal: stopped.signal });
  stopped.abort(new Error('enough'));
  await expect(running).rejects.toThrow('enough');
});

test('it does not begin when it has been stopped before', async () => {
  const signal = AbortSignal.abort(new Error('before'));
  await expect(results([1], 1, { signal })).rejects.toThrow('before');
});

test('threads that are lost again and again are a fault', async () => {
  await expect(results(Array<string>(40).fill('die'), 2)).rejects.toThrow('its thread ended with 3');
});

test('what cannot take a result ends it', async () => {
  const running = runInWorkers<Task, unknown>({
    ...{ script, workerData: undefined, workers: 1, tasks: [1, 'die'], taskTimeoutMs: 30_000 },
    ...{ signal: new AbortController().signal, onResult: () => undefined },
    lost: () => {
      throw new Error('nobody can do it');
    },
  });
  await expect(running).rejects.toThrow('nobody can do it');
});

/** Threads that stay: results in the tasks' order whatever their number, and an end with a code when one dies. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { crewHere, ThreadCrew } from '../../../src/app/training/thread-crew';

/** Doubles figures, the odd ones late; words say how it ends. */
const WORKER = `
const { parentPort } = require('node:worker_threads');
parentPort.on('message', ({ index, task }) => {
  if (task === 'die') process.exit(3);
  if (task === 'throw') throw new Error('it broke');
  if (task === 'refuse') return parentPort.postMessage({ index, code: 'TG_LEARN_BAD_MODEL', message: 'no' });
  if (task === 'hang') for (;;);
  setTimeout(() => parentPort.postMessage({ index, result: task * 2 }), task % 2 === 1 ? 10 : 0);
});
`;

let folder: string;
let script: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'tidegate-crew-'));
  script = join(folder, 'worker.cjs');
  writeFileSync(script, WORKER);
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

type Task = number | string;
const crew = (threads: number, signal = new AbortController().signal): ThreadCrew<Task, number> =>
  new ThreadCrew<Task, number>({ script, workerData: undefined, threads, signal });

test.each([1, 2, 5])('%i threads bring each round whole and in order, round after round', async (threads) => {
  const works = crew(threads);
  const done: number[] = [];
  try {
    const tasks = Array.from({ length: 12 }, (_, at) => at);
    for (let round = 0; round < 3; round += 1)
      expect(await works.round(tasks, (count) => done.push(count))).toEqual(tasks.map((task) => task * 2));
    expect(done).toEqual([...tasks, ...tasks, ...tasks].map((task) => task + 1));
    expect(await works.round([])).toEqual([]);
  } finally {
    await works.close();
  }
});

test.each([
  ['die', 'TG_LEARN_THREAD_LOST', /ended with 3/],
  ['throw', 'TG_LEARN_THREAD_LOST', /it broke/],
  ['refuse', 'TG_LEARN_BAD_MODEL', /no/],
])('a task to %s ends the round with %s, and all after it', async (task, code, message) => {
  const works = crew(2);
  try {
    const failed = { code, message: expect.stringMatching(message) as string };
    await expect(works.round([1, 2, task, 3])).rejects.toMatchObject(failed);
    await expect(works.round([1])).rejects.toMatchObject(failed);
  } finally {
    await works.close();
  }
});

test('a signal ends a round that hangs, with its reason', async () => {
  const stopped = new AbortController();
  const works = crew(1, stopped.signal);
  const round = expect(works.round(['hang'])).rejects.toThrow('enough');
  stopped.abort(new Error('enough'));
  await round;
  await works.close();
});

test('without threads all is done here, and a signal is heard between two tasks', async () => {
  const stopped = new AbortController();
  const works = crewHere<number, number>((task) => {
    if (task === 3) stopped.abort(new Error('enough'));
    return task * 2;
  }, stopped.signal);
  expect(await works.round([1, 2])).toEqual([2, 4]);
  await expect(works.round([3, 4])).rejects.toThrow('enough');
  await works.close();
});

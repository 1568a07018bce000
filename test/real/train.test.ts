/** `tidegate train` as users run it, and training while something else runs: threads, Ctrl-C, a thread that is ended. */
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { startChild, type Child } from '../parts/child';
import { repositoryPath } from '../parts/paths';

const DAY = 1_440;
let folder: string;
let scenario: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'tidegate-train-'));
  scenario = join(folder, 'days.yaml');
  const rows = Array.from({ length: 2.25 * DAY }, (_, minute) => {
    const rate = 100 + 60 * Math.sin(minute / 115) + 20 * Math.sin(minute / 7);
    return `${1_767_571_200 + minute * 60},${rate.toFixed(1)}`;
  });
  writeFileSync(join(folder, 'trace.csv'), `timestamp,value\n${rows.join('\n')}\n`);
  writeFileSync(
    scenario,
    `total_tps: 20
tick: 1m
loads: [0.9, 1.1]
split: {train_days: 2, test_days: 0.25}
services:
  - {name: a, priority: CRITICAL, share: 0.5, queue_limit: 30s, trace: trace.csv}
  - {name: b, priority: LOW, share: 0.5, queue_limit: 30s, trace: trace.csv, roll: 300m}
`,
  );
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const at = (name: string): string => join(folder, name);
const train = (out: string, ...flags: string[]): Child => {
  const argv = ['train', scenario, '--out', at(out), '--budget', '1h', ...flags];
  return startChild(process.execPath, [repositoryPath('dist', 'main.js'), ...argv]);
};

async function ended(child: Child): Promise<void> {
  expect([await child.exited, child.output()]).toEqual([0, expect.stringContaining('written')]);
}

test('one, two and three threads come to the same model, and so does one that Ctrl-C stopped and that goes on', async () => {
  for (const threads of ['1', '2', '3']) {
    await ended(train(`${threads}.json`, '--updates', '2', '--threads', threads));
  }
  const models = ['1', '2', '3'].map((threads) => readFileSync(at(`${threads}.json`), 'utf8'));
  expect(new Set(models).size).toBe(1);

  const stopped = train('stopped.json', '--updates', '2', '--threads', '2');
  await stopped.waitForLine('the plan', (line) => (line.includes('learns from') ? line : undefined));
  stopped.signal('SIGINT');
  expect([await stopped.exited, stopped.output()]).toEqual(['SIGINT', expect.stringContaining('--resume')]);
  expect(existsSync(at('stopped.json'))).toBe(false);
  await ended(train('stopped.json', '--threads', '2', '--resume', at('stopped.json.checkpoint')));
  expect(readFileSync(at('stopped.json'), 'utf8')).toBe(models[0]);
}, 240_000);

/** Runs a script with the built modules, and waits for its last line. */
async function script(text: string): Promise<string> {
  const path = at('script.cjs');
  writeFileSync(path, text);
  const child = startChild(process.execPath, [path]);
  const exit = await child.exited;
  return `${exit}: ${child.output().trim()}`;
}

const HISTORY = `
const { trainFromHistory } = require(${JSON.stringify(repositoryPath('dist', 'app', 'training', 'train-from-history.js'))});
const perMinute = (shift) => Float64Array.from({ length: 2 * 1440 }, (_, at) => 10 + 6 * Math.sin((at + shift) / 115));
const member = (name, priority, shift) => ({
  name, priority, nominalPerS: 10, guaranteePerS: 0, queueLimitMs: 0, perMinute: perMinute(shift),
});
const history = {
  members: [member('a', 'CRITICAL', 0), member('b', 'LOW', 300)],
  totalPerS: 20, intervalMs: 60000, tickMs: 60000, lending: true,
};
const stopped = new AbortController();
const order = { seed: 1, budgetMs: 3600000, updates: 1, signal: stopped.signal };
`;

test('a history is trained on in a thread, and the model is one', async () => {
  const out = await script(`${HISTORY}
trainFromHistory(history, order).then(
  ({ text, score, updates, end }) => console.log(JSON.parse(text).format, score > 0, updates, end),
  (error) => console.log(String(error)),
);`);
  expect(out).toBe('0: tidegate-model true 2 planned');
}, 120_000);

test('a model is tuned in a thread, scored beside the one it came from, and says which that was', async () => {
  const out = await script(`${HISTORY}
const { modelFromText } = require(${JSON.stringify(repositoryPath('dist', 'app', 'training', 'model-file.js'))});
(async () => {
  const first = await trainFromHistory(history, order);
  const tuned = await trainFromHistory(history, { ...order, seed: 2, from: first.text });
  const from = JSON.parse(tuned.text).training.data.tuned_from === modelFromText(first.text).version;
  console.log(from, tuned.scoreBefore > 0, tuned.score <= tuned.scoreBefore, tuned.updates);
})().catch((error) => console.log(String(error)));`);
  expect(out).toBe('0: true true true 2');
}, 120_000);

test('a training of a history ends at once when it is told to, and leaves no thread behind', async () => {
  const out = await script(`${HISTORY}
order.onProgress = () => stopped.abort(new Error('enough of it'));
trainFromHistory({ ...history }, { ...order, updates: 1000 }).catch((error) => console.log(error.message));`);
  expect(out).toBe('0: enough of it');
}, 120_000);

test('too short a history is refused before a thread is begun', async () => {
  const out = await script(`${HISTORY}
const short = history.members.map((one) => ({ ...one, perMinute: one.perMinute.slice(0, 2000) }));
trainFromHistory({ ...history, members: short }, order).catch((error) => console.log(error.code));`);
  expect(out).toBe('0: TG_LEARN_TOO_LITTLE_HISTORY');
});

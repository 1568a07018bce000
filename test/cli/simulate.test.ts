/** `tidegate simulate`: figures by policy and load, a report, and mistakes told where they stand. */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { run } from '../../src/cli/run';
import { smallModel, wildModel } from '../app/training/model-parts';

const folder = mkdtempSync(join(tmpdir(), 'tidegate-simulate-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** Two services whose demand peaks in turn, by the minute, over eighty minutes. */
const TRACE = Array.from({ length: 80 }, (_, minute) => {
  const rate = 100 + 80 * Math.sin(minute / 5);
  return `${1_767_571_200 + minute * 60},${rate.toFixed(1)}`;
});

function write(name: string, text: string): string {
  const path = join(folder, name);
  writeFileSync(path, text);
  return path;
}

write('trace.csv', `timestamp,value\n${TRACE.join('\n')}\n`);

const scenario = (extra = '', services = ''): string => `seed: 4
total_tps: 50
loads: [0.7, 1.10]
split: {train_days: ${40 / 1_440}, test_days: ${40 / 1_440}}
${extra}
services:
  - {name: a, priority: CRITICAL, share: 0.5, guarantee: 0.1, queue_limit: 2s, trace: trace.csv}
  - {name: b, priority: LOW, share: 0.5, queue_limit: 5s, trace: trace.csv, roll: 16m}
${services}`;

async function tidegate(...args: string[]): Promise<{ code: number; out: string; err: string }> {
  const texts = { out: '', err: '' };
  const code = await run(
    args,
    {},
    { out: (text) => void (texts.out += text), err: (text) => void (texts.err += text) },
  );
  return { code, ...texts };
}

type Figures = Record<string, Record<string, Record<string, unknown>>>;

test('writes the figures of every policy and load, keyed as the scenario writes them, and the same each time', async () => {
  const path = write('good.yaml', scenario('flash: {factor: 3, duration: 2m, every: 10m}'));
  const [json, again, page] = ['a.json', 'b.json', 'a.html'].map((name) => join(folder, name));
  const first = await tidegate('simulate', path, '--json', json!, '--html', page!);
  expect(first).toMatchObject({ code: 0, err: '' });
  expect(first.out).toContain('load 1.10');
  const figures = JSON.parse(readFileSync(json!, 'utf8')) as Figures;
  expect(Object.keys(figures)).toEqual(['static', 'reactive', 'predictive', 'oracle']);
  for (const loads of Object.values(figures)) {
    expect(Object.keys(loads)).toEqual(['0.7', '1.10']);
    for (const one of Object.values(loads)) {
      expect(Object.keys(one)).toEqual([
        'weighted_loss',
        'utilization_overloaded',
        'dropped',
        'violations',
        'queue_p99_ms',
        'fairness',
        'churn',
      ]);
      expect(one['violations']).toBe(0);
    }
  }
  const loss = (policy: string): number => figures[policy]!['1.10']!['weighted_loss'] as number;
  expect(loss('oracle')).toBeLessThan(loss('static'));
  expect(loss('predictive')).toBeLessThan(loss('static'));
  expect(readFileSync(page!, 'utf8')).toContain('Course at load 1.10');
  await tidegate('simulate', path, '--json', again!, '--quiet');
  expect(readFileSync(again!, 'utf8')).toBe(readFileSync(json!, 'utf8'));
});

test('a model adds the policy ppo, which keeps the total whatever it advises', async () => {
  const path = write('with-model.yaml', scenario());
  const model = write('model.json', JSON.stringify(wildModel(3)));
  const [json, page] = ['m.json', 'm.html'].map((name) => join(folder, name));
  const flags = ['--policies', 'predictive', '--model', model, '--json', json!, '--html', page!];
  expect(await tidegate('simulate', path, ...flags)).toMatchObject({ code: 0, err: '' });
  const figures = JSON.parse(readFileSync(json!, 'utf8')) as Figures;
  expect(Object.keys(figures)).toEqual(['predictive', 'ppo']);
  const learned = figures['ppo']!['1.10']!;
  expect(learned['violations']).toBe(0);
  expect(learned['weighted_loss']).not.toBe(figures['predictive']!['1.10']!['weighted_loss']);
  expect(readFileSync(page!, 'utf8')).toContain('ppo');
});

test.each<[string, () => string, RegExp]>([
  ['a model that is not there', () => join(folder, 'none.json'), /TG_LEARN_BAD_MODEL: .*none\.json/],
  [
    'a model that is cut off',
    () => write('cut.json', JSON.stringify(wildModel(3)).slice(0, 500)),
    /TG_LEARN_BAD_MODEL/,
  ],
  [
    'a model with a changed figure',
    () => write('changed.json', JSON.stringify({ ...wildModel(3), observationClip: 9 })),
    /TG_LEARN_BAD_MODEL.*checksum/,
  ],
  [
    'a model of something else',
    () => write('other.json', JSON.stringify(smallModel(3))),
    /TG_LEARN_OTHER_MODEL/,
  ],
  ['a scenario for a model', () => write('as-model.json', scenario()), /TG_LEARN_BAD_MODEL/],
])('refuses %s before anything is simulated', async (_, model, message) => {
  const { code, out, err } = await tidegate('simulate', write('with.yaml', scenario()), '--model', model());
  expect({ code, out }).toEqual({ code: 2, out: '' });
  expect(err).toMatch(message);
});

test.each([
  ['an unknown key', 'lendign: true', '', /:5:1.*no such key.*did you mean lending/s],
  ['a tick that parts no minute', 'tick: 7s', '', /:5:7.*part of a minute/s],
  ['an interval off the tick', 'interval: 1500ms', '', /:5:11.*multiple of the tick/s],
  ['a word for a figure', 'arrivals: sometimes', '', /:5:11.*poisson or even/s],
  ['capacity lost too late', 'capacity_loss: {fraction: .5, at: 2d, for: 1m}', '', /after the test days/],
  [
    'a service twice',
    '',
    '  - {name: a, priority: LOW, share: .1, trace: trace.csv}',
    /:9:12.*another service/s,
  ],
  [
    'an unknown priority',
    '',
    '  - {name: c, priority: TOP, share: .1, trace: trace.csv}',
    /:9:25.*CRITICAL/s,
  ],
  ['a trace that is not there', '', '  - {name: c, priority: LOW, share: .1, trace: no.csv}', /no\.csv/],
])('refuses %s, and says where it stands', async (_, extra, services, message) => {
  const path = write('bad.yaml', scenario(extra, services));
  const { code, err } = await tidegate('simulate', path);
  expect(code).toBe(2);
  expect(err).toMatch(message);
});

test.each([
  [['simulate'], /path of a scenario/],
  [['simulate', 'no.yaml'], /cannot be read/],
  [['simulate', 'a.yaml', 'b.yaml'], /one scenario/],
  [['simulate', 'a.yaml', '--policies', 'wishful'], /no policy 'wishful'/],
  [['simulate', 'a.yaml', '--policies', 'ppo'], /needs a model/],
  [['simulate', 'a.yaml', '--seed', '-1'], /seed/],
  [['simulate', 'a.yaml', '--threads', 'two'], /threads/],
])('refuses %j', async (args, message) => {
  const { code, err } = await tidegate(...args);
  expect(code).toBe(2);
  expect(err).toMatch(message);
});

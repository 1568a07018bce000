/** `tidegate train`: a model that the simulator takes, the same for a seed and after a stop, and mistakes told before anything runs. */
import { existsSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { run } from '../../src/cli/run';
import { faultsOfMarkup } from '../parts/markup-check';

const folder = mkdtempSync(join(tmpdir(), 'tidegate-train-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const DAY = 1_440;
const TRACE = Array.from({ length: 2.25 * DAY }, (_, minute) => {
  const rate = 100 + 60 * Math.sin(minute / 115) + 20 * Math.sin(minute / 7);
  return `${1_767_571_200 + minute * 60},${rate.toFixed(1)}`;
});

function write(name: string, text: string): string {
  const path = join(folder, name);
  writeFileSync(path, text);
  return path;
}

write('trace.csv', `timestamp,value\n${TRACE.join('\n')}\n`);

const scenario = (days = 2): string => `seed: 4
total_tps: 20
tick: 1m
loads: [1.1]
arrivals: even
split: {train_days: ${days}, test_days: 0.25}
services:
  - {name: a, priority: CRITICAL, share: 0.5, guarantee: 0.1, queue_limit: 30s, trace: trace.csv}
  - {name: b, priority: LOW, share: 0.5, queue_limit: 30s, trace: trace.csv, roll: 300m}
`;
const path = write('days.yaml', scenario());

async function tidegate(...args: string[]): Promise<{ code: number; out: string; err: string }> {
  const texts = { out: '', err: '' };
  const code = await run(
    args,
    {},
    { out: (text) => void (texts.out += text), err: (text) => void (texts.err += text) },
  );
  return { code, ...texts };
}

const HERE = ['--threads', '0', '--budget', '1h'];
const at = (name: string): string => join(folder, name);

describe('a training', () => {
  beforeAll(async () => {
    const flags = ['--updates', '2', '--html', at('whole.html'), '--json', at('whole-figures.json')];
    const trained = await tidegate('train', path, '--out', at('whole.json'), ...HERE, ...flags);
    expect(trained).toMatchObject({ code: 0, err: '' });
    expect(trained.out).toMatch(/all updates were made: 3 updates/);
  });

  test('writes a model with how it came to be, and a checkpoint', () => {
    const model = JSON.parse(readFileSync(at('whole.json'), 'utf8')) as Record<string, unknown>;
    expect(model).toMatchObject({
      format: 'tidegate-model',
      training: {
        seed: 4,
        settings: { updates: 2 },
        data: { services: 2, heldOutDays: 0.4, loads: ['1.1'] },
      },
    });
    expect(existsSync(at('whole.json.checkpoint'))).toBe(true);
  });

  test('writes a report with every curve, and figures of every update', () => {
    const page = readFileSync(at('whole.html'), 'utf8');
    expect(faultsOfMarkup(page)).toEqual([]);
    for (const text of ['Weighted loss at load 1.1', 'Its terms', 'denied', 'KL', 'Explained variance']) {
      expect(page).toContain(text);
    }
    const figures = JSON.parse(readFileSync(at('whole-figures.json'), 'utf8')) as {
      curves: { updates: unknown[]; held_out: { updates: number }[] };
      held_out: { solver: object; ppo: object };
    };
    expect(figures.curves.updates).toHaveLength(3);
    expect(figures.curves.held_out.map(({ updates }) => updates)).toEqual([0, 1, 2, 3]);
    expect(Object.keys(figures.held_out.solver)).toEqual(['1.1']);
    expect(Object.keys(figures.held_out.ppo)).toEqual(['1.1']);
  });

  test('makes a model that the simulator takes', async () => {
    const flags = ['--model', at('whole.json'), '--policies', 'predictive', '--json', at('simulated.json')];
    expect(await tidegate('simulate', path, ...flags)).toMatchObject({ code: 0, err: '' });
    const figures = JSON.parse(readFileSync(at('simulated.json'), 'utf8')) as Record<
      string,
      Record<string, { violations: number }>
    >;
    expect(Object.keys(figures)).toEqual(['predictive', 'ppo']);
    expect(figures['ppo']!['1.1']!.violations).toBe(0);
  });

  test('comes to the same model again, and to another with another seed', async () => {
    await tidegate('train', path, '--out', at('again.json'), ...HERE, '--updates', '2', '--quiet');
    expect(readFileSync(at('again.json'), 'utf8')).toBe(readFileSync(at('whole.json'), 'utf8'));
    const other = ['--updates', '1', '--seed', '5', '--quiet'];
    await tidegate('train', path, '--out', at('other.json'), ...HERE, ...other);
    expect(readFileSync(at('other.json'), 'utf8')).not.toBe(readFileSync(at('whole.json'), 'utf8'));
  });

  test('comes to the same model when its budget ended it, wherever that was, and it goes on with more', async () => {
    const flags = ['--threads', '0', '--budget', '1s', '--updates', '2', '--quiet'];
    await tidegate('train', path, '--out', at('resumed.json'), ...flags);
    const more = ['--resume', at('resumed.json.checkpoint'), '--quiet'];
    const resumed = await tidegate('train', path, '--out', at('resumed.json'), ...HERE, ...more);
    expect(resumed).toMatchObject({ code: 0, err: '' });
    expect(readFileSync(at('resumed.json'), 'utf8')).toBe(readFileSync(at('whole.json'), 'utf8'));
  });

  test('a budget ends it early, with the best until then', async () => {
    const flags = ['--threads', '0', '--budget', '1s', '--updates', '5000'];
    const short = await tidegate('train', path, '--out', at('short.json'), ...flags);
    expect(short).toMatchObject({ code: 0, err: '' });
    expect(short.out).toContain('the budget was spent');
    expect(statSync(at('short.json')).size).toBeGreaterThan(0);
  });
});

const damaged = (): string => {
  const text = readFileSync(at('whole.json.checkpoint'), 'utf8');
  return write('damaged.checkpoint', text.slice(0, text.length / 2));
};

test.each<[string, () => string[], RegExp]>([
  ['no scenario', () => ['--out', at('x.json')], /path of a scenario/],
  ['two scenarios', () => [path, path, '--out', at('x.json')], /one scenario/],
  ['no --out', () => [path], /--out/],
  ['a budget that is none', () => [path, '--out', at('x.json'), '--budget', 'soon'], /--budget/],
  ['a budget of nothing', () => [path, '--out', at('x.json'), '--budget', '0'], /--budget/],
  ['a folder that is not there', () => [path, '--out', at('no/x.json')], /TG_OUTPUT_UNWRITABLE/],
  ['a model in place of the scenario', () => [path, '--out', path], /the file that is read/],
  [
    'a report in place of the model',
    () => [path, '--out', at('x.json'), '--html', at('x.json')],
    /another output/,
  ],
  [
    'too few days',
    () => [write('short.yaml', scenario(1.5)), '--out', at('x.json')],
    /TG_LEARN_TOO_LITTLE_HISTORY.*1\.5 days.*2 at least/,
  ],
  [
    'no checkpoint',
    () => [path, '--out', at('x.json'), '--resume', at('none')],
    /TG_LEARN_BAD_CHECKPOINT.*none/,
  ],
  [
    'a damaged checkpoint',
    () => [path, '--out', at('x.json'), '--resume', damaged()],
    /TG_LEARN_BAD_CHECKPOINT/,
  ],
  [
    "another seed's checkpoint",
    () => [path, '--out', at('x.json'), '--seed', '9', '--resume', at('whole.json.checkpoint')],
    /TG_LEARN_BAD_CHECKPOINT.*another scenario or seed/,
  ],
])('refuses %s before anything is learned', async (_, args, message) => {
  const { code, err } = await tidegate('train', ...args(), '--threads', '0', '--updates', '1');
  expect(code).toBe(2);
  expect(err).toMatch(message);
  expect(existsSync(at('x.json'))).toBe(false);
});

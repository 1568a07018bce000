/** `tidegate backtest` on a small file, in this thread: what it prints, what it writes, what it refuses. */
import {
  existsSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { run } from '../../src/cli/run';
import { seededRandom } from '../../src/forecast/numeric/random';
import { faultsOfMarkup, outsideReferences } from '../parts/markup-check';

let folder: string;
let series: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'tidegate-backtest-'));
  series = join(folder, `a <b>"x" & 'y'.csv`);
  writeFileSync(series, traffic(6 * 48));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** Half-hours with a day's wave and noise, and a burst near the end. */
function traffic(steps: number): string {
  const random = seededRandom(3);
  const lines = Array.from({ length: steps }, (_, at) => {
    const wave = 100 + 60 * Math.sin((2 * Math.PI * at) / 48);
    const value = Math.max(0, Math.round(wave + 8 * random.normal() + (at === steps - 60 ? 900 : 0)));
    return `${new Date(Date.UTC(2026, 0, 5) + at * 1_800_000).toISOString()},${value}`;
  });
  return ['timestamp,value', ...lines].join('\n');
}

async function backtest(...argv: string[]): Promise<{ code: number; out: string; err: string }> {
  let out = '';
  let err = '';
  const streams = { out: (text: string) => (out += text), err: (text: string) => (err += text) };
  const code = await run(['backtest', ...argv, '--workers', '0'], {}, streams);
  return { code, out, err };
}

const FIGURES = {
  mase: expect.any(Number) as number,
  mae: expect.any(Number) as number,
  coverage80: expect.any(Number) as number,
  coverage95: expect.any(Number) as number,
  fit_ms: expect.any(Number) as number,
};
const read = (path: string): unknown => JSON.parse(readFileSync(path, 'utf8'));

describe('at rolling origins', () => {
  it('prints a table for each horizon, and writes JSON and a page', async () => {
    const json = join(folder, 'out.json');
    const html = join(folder, 'out.html');
    const models = ['--models', 'naive,seasonal-naive', '--no-default'];
    const { code, out, err } = await backtest(series, ...models, '--json', json, '--html', html);
    expect([code, err]).toEqual([0, '']);
    expect(out).toContain('288 steps of 30 min, 2026-01-05 00:00 to 2026-01-10 23:30 UTC');
    expect(out).toContain('seasons 48');
    for (const horizon of ['1 step (30 min)', '2 steps (1 h)', '48 steps (1 d)'])
      expect(out).toContain(horizon);
    expect(out).toMatch(/best model: seasonal-naive/);
    const each = { '1': FIGURES, '2': FIGURES, '48': FIGURES };
    expect(read(json)).toMatchObject({
      models: { naive: each, 'seasonal-naive': each },
      default: {},
      origins: { naive: 24, 'seasonal-naive': 24 },
      failures: {},
    });
    const page = readFileSync(html, 'utf8');
    expect(faultsOfMarkup(page)).toEqual([]);
    expect(outsideReferences(page)).toEqual([]);
    expect(page).toContain('Backtest of a &lt;b&gt;&quot;x&quot; &amp; &#39;y&#39;.csv');
    expect(page).not.toContain('<b>"x"');
    expect(page).not.toMatch(/NaN|Infinity|undefined/);
    expect(readdirSync(folder).filter((name) => name.endsWith('.part'))).toEqual([]);
  });

  it('has the default in a place of its own', async () => {
    const json = join(folder, 'default.json');
    const few = ['--origins', '144:20:2', '--horizons', '1,3', '--models', 'naive'];
    const { code, out } = await backtest(series, ...few, '--json', json, '--quiet');
    expect(code).toBe(0);
    expect(out).not.toContain('written');
    const written = read(json) as { models: object; default: object };
    expect(Object.keys(written.models)).toEqual(['naive']);
    expect(written.default).toEqual({ '1': FIGURES, '3': FIGURES });
  });

  it('tells of a model that could not be fitted, at how many origins, and goes on', async () => {
    const short = join(folder, 'short.csv');
    writeFileSync(short, traffic(12));
    const json = join(folder, 'short.json');
    const { code, err } = await backtest(
      short,
      '--train',
      '5',
      '--models',
      'naive,arima',
      '--no-default',
      '--json',
      json,
    );
    expect(code).toBe(0);
    expect(err).toMatch(/warning: arima: left out at (\d+) of \1 origins: TG_FORECAST_TOO_SHORT/);
    const written = read(json) as { models: Record<string, object>; origins: Record<string, number> };
    expect(written.models['arima']).toEqual({});
    expect(written.origins['arima']).toBe(0);
    expect(written.models['naive']).toMatchObject({ '1': FIGURES });
  });

  it('has null where there is no figure', async () => {
    const zeros = join(folder, 'zeros.csv');
    writeFileSync(
      zeros,
      ['timestamp,value', ...Array.from({ length: 60 }, (_, at) => `${at * 60},0`)].join('\n'),
    );
    const json = join(folder, 'zeros.json');
    const html = join(folder, 'zeros.html');
    const { code } = await backtest(
      zeros,
      '--models',
      'naive',
      '--no-default',
      '--json',
      json,
      '--html',
      html,
    );
    expect(code).toBe(0);
    expect(read(json)).toMatchObject({ models: { naive: { '1': { mase: null, mae: 0 } } } });
    expect(readFileSync(html, 'utf8')).not.toMatch(/NaN|Infinity/);
  });
});

describe('one step ahead', () => {
  it('scores each model against naive, and tells anomalies by their time', async () => {
    const json = join(folder, 'online.json');
    const html = join(folder, 'online.html');
    const { code, out, err } = await backtest(series, '--online', '--json', json, '--html', html);
    expect([code, err]).toEqual([0, '']);
    expect(out).toContain('fitted to the first 96 steps');
    const row = { rel_mae: FIGURES.mase, coverage80: FIGURES.mase, coverage95: FIGURES.mase, steps: 192 };
    const written = read(json) as { online: Record<string, object>; anomalies: { timestamp: string }[] };
    expect(written).toMatchObject({ online: { naive: { ...row, rel_mae: 1 }, default: row }, default: row });
    expect(written.anomalies.map(({ timestamp }) => timestamp)).toContain('2026-01-09T18:00:00.000Z');
    const page = readFileSync(html, 'utf8');
    expect(faultsOfMarkup(page)).toEqual([]);
    expect(outsideReferences(page)).toEqual([]);
    expect(page).not.toMatch(/NaN|Infinity|undefined/);
  });
});

describe('what is refused', () => {
  it.each([
    ['no file', [], 'TG_USAGE: backtest needs the path'],
    ['two files', ['a.csv', 'b.csv'], 'TG_USAGE: backtest takes one file'],
    ['a file that is not there', ['absent.csv'], 'TG_SERIES_BAD_FILE: absent.csv: cannot be read'],
    [
      'a model that there is none of',
      ['SERIES', '--models', 'niave'],
      "no model 'niave'; did you mean 'naive'?",
    ],
    ['no model at all', ['SERIES', '--models', ','], 'TG_USAGE: --models takes'],
    ['origins of another form', ['SERIES', '--origins', '1:2'], 'TG_USAGE: --origins takes FIRST:STEP:COUNT'],
    [
      'origins beyond the end',
      ['SERIES', '--origins', '280:10:9'],
      'TG_BACKTEST_BAD_PLAN: the last origin, 360',
    ],
    ['a train that is no number', ['SERIES', '--train', 'all'], 'TG_USAGE: --train takes a whole number'],
    ['a season of one', ['SERIES', '--season', '1'], 'TG_USAGE: --season takes a whole number from 2'],
    ['origins online', ['SERIES', '--online', '--origins', '1:1:1'], 'TG_USAGE: --online forecasts one step'],
    ['an unknown flag', ['SERIES', '--fast'], 'TG_USAGE'],
    ['settings', ['SERIES', '--data.port=1'], 'TG_USAGE: backtest takes no settings'],
    [
      'an output nowhere',
      ['SERIES', '--json', '/nonexistent/out.json'],
      'TG_OUTPUT_UNWRITABLE: /nonexistent/out.json',
    ],
    ['an output over the file that is read', ['SERIES', '--json', 'SERIES'], 'is the file that is read'],
    ['two outputs in one file', ['SERIES', '--json', 'ONE', '--html', 'ONE'], 'is another output'],
  ])('%s', async (_what, argv, message) => {
    const named = new Map([
      ['SERIES', series],
      ['ONE', join(folder, 'one')],
    ]);
    const { code, out, err } = await backtest(...argv.map((one) => named.get(one) ?? one));
    expect([code, out]).toEqual([2, '']);
    expect(err).toContain(message);
    expect(readFileSync(series, 'utf8')).toMatch(/^timestamp,value/);
  });

  it('sees through links that an output is the file that is read', async () => {
    const link = join(folder, 'link.json');
    symlinkSync(series, link);
    const { code, err } = await backtest(series, '--json', link);
    expect([code, err]).toEqual([2, expect.stringContaining('is the file that is read')]);
  });

  it('a bad file leaves an earlier report as it was', async () => {
    const bad = join(folder, 'bad.csv');
    writeFileSync(bad, 'timestamp,value\n1,2\n2,-3\n');
    const json = join(folder, 'kept.json');
    writeFileSync(json, 'kept');
    const { code, err } = await backtest(bad, '--json', json);
    expect(code).toBe(2);
    expect(err).toContain(`TG_SERIES_BAD_FILE: ${bad}:3: the value '-3' is negative`);
    expect(readFileSync(json, 'utf8')).toBe('kept');
    expect(existsSync(join(folder, 'nothing.html'))).toBe(false);
  });
});

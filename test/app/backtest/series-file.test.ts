/** Files of series, good and bad: what is read, what is told, what is refused. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Refusal } from '../../../src/app/refusal';
import { readSeriesFile } from '../../../src/app/backtest/series-file';
import { RowReader } from '../../../src/app/backtest/series-rows';
import { readTimestamp } from '../../../src/app/backtest/timestamp';
import { TidegateError } from '../../../src/core/errors';

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'tidegate-series-'));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

let files = 0;
function file(text: string): string {
  const path = join(folder, `${(files += 1)}.csv`);
  writeFileSync(path, text);
  return path;
}

const T0 = Date.UTC(2026, 0, 5);
const rows = (...cells: readonly (readonly [minute: number, value: string | number])[]): string =>
  ['timestamp,value', ...cells.map(([minute, value]) => `${T0 / 1_000 + minute * 60},${value}`)].join('\n');

describe('a timestamp', () => {
  it.each([
    ['1396310400', Date.UTC(2014, 3, 1)],
    ['1396310400.5', Date.UTC(2014, 3, 1) + 500],
    ['1396310400000', Date.UTC(2014, 3, 1)],
    ['1396310400000000', Date.UTC(2014, 3, 1)],
    ['1396310400000000000', Date.UTC(2014, 3, 1)],
    ['1.3963104e9', Date.UTC(2014, 3, 1)],
    ['0', 0],
    ['2014-04-01', Date.UTC(2014, 3, 1)],
    ['2014-04-01 01:02', Date.UTC(2014, 3, 1, 1, 2)],
    ['2014-04-01 01:02:03', Date.UTC(2014, 3, 1, 1, 2, 3)],
    ['2014-04-01T01:02:03.25Z', Date.UTC(2014, 3, 1, 1, 2, 3) + 250],
    ['2014-04-01T01:02:03+02:00', Date.UTC(2014, 2, 31, 23, 2, 3)],
    ['2014-04-01T01:02:03-0530', Date.UTC(2014, 3, 1, 6, 32, 3)],
    ['2014-04-01 01:02:03 UTC', Date.UTC(2014, 3, 1, 1, 2, 3)],
    ['2016-02-29', Date.UTC(2016, 1, 29)],
    ['2015-02-29', NaN],
    ['2014-13-01', NaN],
    ['2014-04-01 24:00:00', NaN],
    ['01/04/2014', NaN],
    ['yesterday', NaN],
    ['', NaN],
    ['1e300', NaN],
  ])('%s', (text, expected) => {
    expect(readTimestamp(text)).toBe(expected);
  });
});

describe('a good file', () => {
  it.each([
    ['plain', rows([0, 1], [1, 2], [2, 3])],
    ['with CRLF and an empty last line', `${rows([0, 1], [1, 2], [2, 3]).replaceAll('\n', '\r\n')}\r\n`],
    ['with a byte-order mark', `\ufeff${rows([0, 1], [1, 2], [2, 3])}`],
    ['without a header', rows([0, 1], [1, 2], [2, 3]).split('\n').slice(1).join('\n')],
    [
      'with other names, quotes and more columns',
      '"host","Time","Requests"\na,2026-01-05 00:00,"1"\na,2026-01-05 00:01,2.0\na,2026-01-05 00:02,3e0\n',
    ],
  ])('%s', async (_what, text) => {
    const { series, warnings, offsetMs } = await readSeriesFile(file(text));
    expect(series).toEqual({ startMs: T0, stepMs: 60_000, values: Float64Array.of(1, 2, 3) });
    expect(warnings).toEqual([]);
    expect(offsetMs).toBe(0);
  });

  it.each([
    [
      'out of order',
      rows([0, 1], [2, 3], [1, 2], [3, 4]),
      [1, 2, 3, 4],
      '1 row out of order: put into order',
    ],
    [
      'with doubles',
      rows([0, 1], [1, 9], [1, 2], [2, 3]),
      [1, 2, 3],
      '1 row of a time that had one already: the last counts',
    ],
    ['with steps missing', rows([0, 1], [1, 2], [4, 5]), [1, 2, NaN, NaN, 5], '2 steps without a row: gaps'],
    [
      'with values missing',
      rows([0, 1], [1, 'NaN'], [2, ''], [3, 4]),
      [1, NaN, NaN, 4],
      '2 rows without a value: gaps',
    ],
  ])('%s is mended, and told', async (_what, text, values, warning) => {
    const { series, warnings } = await readSeriesFile(file(text));
    expect([...series.values]).toEqual(values);
    expect(warnings).toEqual([warning]);
  });

  it('keeps its times where its steps do not begin at round ones', async () => {
    const { series, offsetMs } = await readSeriesFile(file(rows([0.25, 1], [1.25, 2], [2.25, 3])));
    expect([series.startMs, offsetMs]).toEqual([T0, 15_000]);
  });

  it('bears some jitter', async () => {
    const text = rows(
      ...Array.from({ length: 200 }, (_, at) => [at + (at === 0 || at === 50 ? 0.05 : 0), at] as const),
    );
    const { series, offsetMs } = await readSeriesFile(file(text));
    expect([...series.values]).toEqual(Array.from({ length: 200 }, (_, at) => at));
    expect([series.startMs, offsetMs]).toEqual([T0, 0]);
  });
});

describe('a bad file', () => {
  it.each([
    ['empty', '', ['the file holds no rows']],
    ['with a header only', 'timestamp,value\n', ['the file holds no rows']],
    ['of one row', rows([0, 1]), ['the file holds rows of 1 times']],
    [
      'of another kind',
      '{"a": 1}\n{"b": 2}\n',
      [':1: the columns are \'{"a": 1}\', not timestamp and value'],
    ],
    ['with other columns', 'when,how much\n1,2\n', [":1: the columns are 'when', 'how much'"]],
    ['with a negative value', rows([0, 1], [1, -2], [2, 3]), [":3: the value '-2' is negative"]],
    ['with words for values', rows([0, 'x'], [1, 2], [2, 'y']), [":2: the value 'x'", ":4: the value 'y'"]],
    ['with an infinite value', rows([0, 'Infinity'], [1, 2]), [':2: ']],
    ['with an absurd value', rows([0, '1e30'], [1, 2]), [":2: the value '1e30' is larger than"]],
    ['with a bad time', 'timestamp,value\n2014-02-30,1\n', [":2: the timestamp '2014-02-30'"]],
    ['with a short row', 'timestamp,value\n1396310400\n', [':2: the row has 1 of the columns only']],
    ['unevenly spaced', rows([0, 1], [1, 2], [2, 3], [3.5, 4], [4.4, 5]), [':5: ', 'not evenly spaced']],
    ['with a time far off', `${rows([0, 1], [1, 2])}\n9999999999,3`, [':4: ', 'begins at line 3']],
    [
      'with a time some years off',
      rows(...Array.from({ length: 200 }, (_, at) => [at === 0 ? -2e6 : at, at] as const)),
      [':3: ', '200 rows fill less than 1 %', 'begins at line 2'],
    ],
    ['without any value', rows([0, 'NaN'], [1, ''], [2, 'null']), ['none of the 3 rows has a value']],
    ['of one endless line', 'x'.repeat(10_000), ['longer than 4096']],
  ])('%s is refused, by line', async (_what, text, messages) => {
    const path = file(text);
    const errors = await readSeriesFile(path).then(
      () => [],
      (thrown: unknown) => (thrown instanceof Refusal ? thrown.errors : [TidegateError.from(thrown)]),
    );
    expect(errors.map(({ code }) => code)).toEqual(errors.map(() => 'TG_SERIES_BAD_FILE'));
    const told = errors.map((error) => error.toString()).join('\n');
    for (const message of [path, ...messages]) expect(told).toContain(message);
  });

  it('is not read to its end when nothing in it is right', async () => {
    const text = rows(...Array.from({ length: 5_000 }, (_, at) => [at, 'x'] as const));
    await expect(readSeriesFile(file(text))).rejects.toMatchObject({ errors: { length: 20 } });
  });

  it('that is not there, or a folder, is named', async () => {
    await expect(readSeriesFile(join(folder, 'absent.csv'))).rejects.toMatchObject({
      code: 'TG_SERIES_BAD_FILE',
    });
    await expect(readSeriesFile(folder)).rejects.toMatchObject({ code: 'TG_SERIES_BAD_FILE' });
  });

  it('of too many rows is refused', () => {
    const reader = new RowReader('big.csv', 2);
    ['1,1', '2,2', '3,3', '4,4'].forEach((line, at) => reader.take(line, at + 1));
    expect(reader.mistakes.map(({ message }) => message)).toEqual(['there are more than 2 rows']);
  });
});

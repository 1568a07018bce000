/** The series of classes at all levels: sums agree exactly whatever comes late, twice, or never, and clocks may jump. */
import fc from 'fast-check';
import { COUNTS, type ClassInfo, type ObservationBatch } from '../../src/core/observation';
import { RESOLUTIONS_MS, type ResolutionMs } from '../../src/core/series';
import { levels } from '../../src/series/levels';
import { SeriesStore } from '../../src/series/series-store';

const BEGIN_MS = 1_699_999_200_000;
const rule = (id: string): ClassInfo => ({ id, kind: 'rule' });
const store = (classesMax = 100) => new SeriesStore({ levels: levels(), classesMax, lateMs: 30_000 });

let sequence = 0;
function batch(
  atMs: number,
  rows: Record<string, readonly number[]>,
  more: Partial<ObservationBatch> = {},
): ObservationBatch {
  const ids = Object.keys(rows);
  sequence += 1;
  return {
    source: 'one',
    sequence,
    atMs,
    stepMs: 1_000,
    added: ids.map(rule),
    classes: ids,
    counts: Float64Array.from(ids.flatMap((id) => COUNTS.map((_, index) => rows[id]?.[index] ?? 0))),
    ...more,
  };
}
const read = (from: SeriesStore, id: string, stepMs: ResolutionMs, count: number, at = BEGIN_MS) => [
  ...from.read(id, 'arrivals', stepMs, at, at + count * stepMs).values,
];
const total = (values: readonly number[]): number =>
  values.reduce((sum, value) => sum + (Number.isNaN(value) ? 0 : value), 0);

describe('what is taken', () => {
  test('is the same sum at every level, under late, doubled, missing and reordered batches', () => {
    const events = fc.array(
      fc.record({
        second: fc.nat(3_000),
        late: fc.nat(30),
        doubled: fc.boolean(),
        counts: fc.array(fc.nat(1_000), { minLength: 5, maxLength: 5 }),
        source: fc.constantFrom('one', 'two'),
      }),
      { maxLength: 120 },
    );
    fc.assert(
      fc.property(events, (given) => {
        const series = store();
        const bySecond = new Map<number, number>();
        const order = [...given].sort((a, b) => a.second + a.late - b.second - b.late);
        let expected = 0;
        for (const { second, late, doubled, counts, source } of order) {
          const nowMs = BEGIN_MS + (second + late) * 1_000;
          const one = batch(BEGIN_MS + second * 1_000, { a: counts }, { source });
          expect(series.take(one, nowMs)).toBe(true);
          if (doubled) expect(series.take(one, nowMs)).toBe(false);
          series.seal(nowMs);
          bySecond.set(second, (bySecond.get(second) ?? 0) + (counts[0] ?? 0));
          expected += counts[0] ?? 0;
        }
        for (const stepMs of RESOLUTIONS_MS) {
          const values = read(series, 'a', stepMs, Math.ceil(3_600_000 / stepMs));
          expect(total(values)).toBe(expected);
        }
        const seconds = Array.from({ length: 3_600 }, (_, second) => bySecond.get(second) ?? NaN);
        expect(read(series, 'a', 1_000, 3_600)).toEqual(seconds);
      }),
      { numRuns: 40 },
    );
  });

  test('tells a zero from a step that nobody saw, and from a time before the class or after its end', () => {
    const series = store();
    series.take(batch(BEGIN_MS, { a: [1] }), BEGIN_MS);
    series.take(batch(BEGIN_MS + 1_000, {}), BEGIN_MS + 1_000);
    series.take(batch(BEGIN_MS + 3_000, { b: [4] }), BEGIN_MS + 3_000);
    series.take(batch(BEGIN_MS + 4_000, {}, { ended: ['a'] }), BEGIN_MS + 4_000);
    series.take(batch(BEGIN_MS + 5_000, { b: [5] }), BEGIN_MS + 5_000);
    const expected = { a: [1, 0, NaN, 0, 0, NaN], b: [NaN, NaN, NaN, 4, 0, 5] };
    const check = (): void => {
      expect(read(series, 'a', 1_000, 6)).toEqual(expected.a);
      expect(read(series, 'b', 1_000, 6)).toEqual(expected.b);
    };
    check();
    expect(
      expected.a.map((_, step) => series.value('a', 'arrivals', 1_000, BEGIN_MS + step * 1_000)),
    ).toEqual(expected.a);
    while (series.seal(BEGIN_MS + 4 * 3_600_000) > 0);
    check();
    expect(
      expected.b.map((_, step) => series.value('b', 'arrivals', 1_000, BEGIN_MS + step * 1_000)),
    ).toEqual(expected.b);
    expect(series.value('a', 'cpu', 1_000, BEGIN_MS)).toBeNaN();
    expect(series.value('nobody', 'arrivals', 1_000, BEGIN_MS)).toBeNaN();
  });

  test('adds up over sources', () => {
    const series = store();
    series.take(batch(BEGIN_MS, { a: [1, 1, 0, 0, 1] }, { source: 'x', sequence: 1 }), BEGIN_MS);
    series.take(batch(BEGIN_MS, { a: [2, 1, 1, 0, 2] }, { source: 'y', sequence: 1 }), BEGIN_MS);
    expect(COUNTS.map((count) => series.value('a', count, 60_000, BEGIN_MS))).toEqual([3, 2, 1, 0, 3]);
  });

  test('is not taken twice, and a source that begins again is not taken for a doubled one', () => {
    const series = store();
    const first = batch(BEGIN_MS, { a: [1] }, { sequence: 7 });
    expect(series.take(first, BEGIN_MS)).toBe(true);
    expect(series.take(first, BEGIN_MS)).toBe(false);
    expect(series.take(batch(BEGIN_MS, { a: [1] }, { sequence: 6 }), BEGIN_MS)).toBe(true);
    expect(series.take(batch(BEGIN_MS + 2_000, { a: [1] }, { sequence: 1 }), BEGIN_MS + 2_000)).toBe(true);
    expect(series.take(batch(BEGIN_MS + 2_000, { a: [1] }, { sequence: 1 }), BEGIN_MS + 2_000)).toBe(false);
    expect(series.totals).toMatchObject({ batches: 3, doubled: 2 });
  });

  test.each([
    ['negative', -1, NaN, { refused: 1 }],
    ['not a number', NaN, NaN, { refused: 1 }],
    ['endless', Infinity, 1e12, { bounded: 1 }],
    ['absurd', 1e300, 1e12, { bounded: 1 }],
  ])('%s counts are refused or bounded, and counted', (_name, given, expected, totals) => {
    const series = store();
    series.take(batch(BEGIN_MS, { a: [given, 1], b: [1, 1] }), BEGIN_MS);
    const got = series.value('a', 'arrivals', 1_000, BEGIN_MS);
    if (Number.isNaN(expected)) expect(got).toBe(0);
    else expect(got).toBe(expected);
    expect(series.value('b', 'arrivals', 1_000, BEGIN_MS)).toBe(1);
    expect(series.totals).toMatchObject(totals);
  });

  test.each([
    [-31_000, 'late'],
    [31_000, 'early'],
    [NaN, 'refused'],
    [Infinity, 'refused'],
  ])('from %p ms beside the clock is refused as %s', (offset, kind) => {
    const series = store();
    expect(series.take(batch(BEGIN_MS + offset, { a: [1] }), BEGIN_MS)).toBe(false);
    expect(series.totals).toMatchObject({ [kind]: 1, batches: 0 });
  });
});

describe('signals', () => {
  const info: ClassInfo = { id: 'signal:s/i/cpu', kind: 'signal', service: 's' };

  test('are means of their samples at every level, and missing where there is none', () => {
    const series = store();
    const put = (at: number, value: number) =>
      series.put({ classId: info.id, atMs: BEGIN_MS + at, value }, info, BEGIN_MS + at);
    expect(put(0, 0.5)).toBe(true);
    expect(put(0, 0.5)).toBe(false);
    expect(put(5_000, -1)).toBe(true);
    expect(put(20_000, 2)).toBe(true);
    expect(put(21_000, NaN)).toBe(false);
    const level = (stepMs: ResolutionMs, count: number) => [
      ...series.read(info.id, 'level', stepMs, BEGIN_MS, BEGIN_MS + count * stepMs).values,
    ];
    expect(level(10_000, 4)).toEqual([-0.25, NaN, 2, NaN]);
    expect(level(60_000, 1)).toEqual([0.5]);
    expect(series.value(info.id, 'level', 10_000, BEGIN_MS)).toBe(-0.25);
    expect(series.totals).toMatchObject({ doubled: 1, refused: 1 });
  });
});

describe('clocks that jump', () => {
  const run = (jumps: readonly number[]): SeriesStore => {
    const series = store();
    let nowMs = BEGIN_MS;
    for (const jump of jumps) {
      nowMs += jump;
      series.take(batch(nowMs, { a: [1] }), nowMs);
      series.seal(nowMs);
    }
    return series;
  };

  test('a year ahead and back, and through all of time, is bounded work', () => {
    const year = 365 * 86_400_000;
    const begun = performance.now();
    const series = run([0, 1_000, 1_000, year, 1_000, -year, 1_000, 40 * year, -45 * year, 1_000]);
    expect(performance.now() - begun).toBeLessThan(2_000);
    expect(series.totals).toMatchObject({ batches: 10, rewinds: 2 });
  });

  test('backward: what lay ahead is forgotten, what lay behind stays, and counting goes on', () => {
    const series = run([0, 1_000, 500_000, 1_000, -500_000, 1_000]);
    expect(read(series, 'a', 1_000, 5)).toEqual([1, 1, 1, 1, NaN]);
    expect(read(series, 'a', 1_000, 3, BEGIN_MS + 501_000)).toEqual([NaN, NaN, NaN]);
    expect(series.removals().gone).toEqual([{ fromMs: BEGIN_MS + 2_000 }]);
  });

  test('a little backward only adds', () => {
    const series = run([0, 1_000, 1_000, -2_000, 1_000]);
    expect(read(series, 'a', 1_000, 3)).toEqual([2, 2, 1]);
    expect(series.totals.rewinds).toBe(0);
  });
});

describe('bounds', () => {
  test('a class beyond them is counted with the others, until one has been idle for ten minutes', () => {
    const series = store(2);
    series.take(batch(BEGIN_MS, { a: [1], b: [1], c: [5] }), BEGIN_MS);
    expect(series.value('c', 'arrivals', 1_000, BEGIN_MS)).toBeNaN();
    expect(series.value('other', 'arrivals', 1_000, BEGIN_MS)).toBe(5);
    const later = BEGIN_MS + 700_000;
    series.take(batch(later - 10_000, { b: [1] }), later - 10_000);
    series.take(batch(later, { c: [5], d: [7] }), later);
    expect(series.removals().evicted).toEqual(['a']);
    expect(series.value('c', 'arrivals', 1_000, later)).toBe(5);
    expect(series.value('other', 'arrivals', 1_000, later)).toBe(7);
    // A new class shows nothing of the one whose place it took.
    expect(total(read(series, 'c', 600_000, 2))).toBe(5);
    expect(series.totals).toMatchObject({ overflowed: 2, evicted: 1 });
  });

  test('memory is given back as levels are dropped', () => {
    const series = store();
    let nowMs = BEGIN_MS;
    for (let second = 0; second < 1_200; second += 1, nowMs += 1_000) {
      series.take(batch(nowMs, { a: [second] }), nowMs);
      series.seal(nowMs);
    }
    const before = series.bytes();
    series.drop(1_000, nowMs - 600_000, true);
    expect(read(series, 'a', 1_000, 10)).not.toContain(NaN);
    for (const write of [...series.changes()]) series.written(write);
    series.drop(1_000, nowMs - 600_000, true);
    expect(read(series, 'a', 1_000, 10).every(Number.isNaN)).toBe(true);
    expect(read(series, 'a', 1_000, 10, BEGIN_MS + 700_000)).toEqual([
      700, 701, 702, 703, 704, 705, 706, 707, 708, 709,
    ]);
    expect(series.bytes()).toBeLessThan(before);
  });
});

test('the past is filled where nothing was seen, at the level given and the coarser ones', () => {
  const series = store();
  const nowMs = BEGIN_MS + 3_600_000;
  series.take(batch(nowMs - 1_000, { a: [9] }), nowMs);
  const rows = Array.from({ length: 60 }, (_, step) => ({
    atMs: BEGIN_MS + step * 60_000,
    row: [2, 2, 0, 0, 2],
  }));
  expect(series.fill(rule('a'), 60_000, rows, nowMs)).toBe(59);
  const minutes = read(series, 'a', 60_000, 60);
  expect(minutes.slice(0, 59)).toEqual(new Array(59).fill(2));
  expect(minutes[59]).toBe(9);
  expect(read(series, 'a', 600_000, 6)).toEqual([20, 20, 20, 20, 20, 9]);
  expect(read(series, 'a', 1_000, 5).every(Number.isNaN)).toBe(true);
});

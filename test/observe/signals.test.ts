import fc from 'fast-check';
import { TidegateError } from '../../src/core/errors';
import type { Logger } from '../../src/core/ports';
import { SignalSeries, type MeasuredValue, type SignalBatch } from '../../src/observe/signal-series';
import { Signals, type SignalQuery, type SignalSource } from '../../src/observe/signals';

const START_MS = 1_800_000_000_000;
const QUERY: SignalQuery = {
  name: 'cpu',
  service: 'shop',
  query: 'cpu_use',
  instanceLabel: 'instance',
  intervalMs: 10_000,
  unit: 'parts',
  maxSeries: 3,
};

const value = (instance: string, atMs: number, of = 1): MeasuredValue => ({
  labels: { instance },
  atMs,
  value: of,
});
const ids = (batch: SignalBatch): string[] => batch.samples.map(({ classId }) => classId);

describe('the series of a signal', () => {
  test('are one an instance, named once', () => {
    const series = new SignalSeries(QUERY);
    const first = series.take([value('b:1', START_MS, 2), value('a:1', START_MS, 1)], START_MS);
    expect(first.added).toEqual([
      { id: 'signal:shop/a:1/cpu', kind: 'signal', parent: 'service:shop', service: 'shop' },
      { id: 'signal:shop/b:1/cpu', kind: 'signal', parent: 'service:shop', service: 'shop' },
    ]);
    expect(first.samples).toEqual([
      { classId: 'signal:shop/a:1/cpu', atMs: START_MS, value: 1 },
      { classId: 'signal:shop/b:1/cpu', atMs: START_MS, value: 2 },
    ]);
    expect(series.take([value('a:1', START_MS + 1)], START_MS + 1).added).toEqual([]);
  });

  test.each([
    ['without the label', {}, 'signal:shop/all/cpu'],
    ['with a name of any characters', { instance: 'a/b\nc' }, 'signal:shop/a_b_c/cpu'],
    ['with a name of any length', { instance: 'x'.repeat(500) }, `signal:shop/${'x'.repeat(128)}/cpu`],
  ])('are named, %s', (_what, labels, id) => {
    const batch = new SignalSeries(QUERY).take([{ labels, atMs: START_MS, value: 1 }], START_MS);
    expect(ids(batch)).toEqual([id]);
  });

  test.each([
    ['late', START_MS - 1, 'late'],
    ['twice', START_MS, 'doubled'],
    ['before its time', START_MS + 100_000, 'early'],
  ] as const)('leave out a value that comes %s', (_what, atMs, fault) => {
    const series = new SignalSeries(QUERY);
    series.take([value('a', START_MS)], START_MS);
    expect(series.take([value('a', atMs)], START_MS + 1).samples).toEqual([]);
    expect(series.leftOut).toEqual({ late: 0, doubled: 0, early: 0, beyond: 0, [fault]: 1 });
  });

  test('leave out a value too old to matter, and the second of one instance', () => {
    const series = new SignalSeries(QUERY);
    expect(series.take([value('a', START_MS - 400_000)], START_MS).samples).toEqual([]);
    expect(series.take([value('a', START_MS, 1), value('a', START_MS, 2)], START_MS).samples).toHaveLength(1);
    expect(series.leftOut).toMatchObject({ late: 1, doubled: 1 });
  });

  test('are bounded, and those that are there stay', () => {
    const series = new SignalSeries({ ...QUERY, maxSeries: 2 });
    series.take([value('m', START_MS), value('n', START_MS)], START_MS);
    const batch = series.take(
      ['a', 'm', 'n', 'z'].map((name) => value(name, START_MS + 1)),
      START_MS + 1,
    );
    expect(ids(batch)).toEqual(['signal:shop/m/cpu', 'signal:shop/n/cpu']);
    expect(series.leftOut.beyond).toBe(2);
  });

  test('end when they have no value for long, and make room', () => {
    const series = new SignalSeries({ ...QUERY, maxSeries: 1 });
    series.take([value('a', START_MS)], START_MS);
    expect(series.endStale(START_MS + 300_000)).toEqual([]);
    const batch = series.take([value('b', START_MS + 300_001)], START_MS + 300_001);
    expect(batch.ended).toEqual(['signal:shop/a/cpu']);
    expect(ids(batch)).toEqual(['signal:shop/b/cpu']);
  });

  test('go on after the clock was set back by far', () => {
    const series = new SignalSeries(QUERY);
    series.take([value('a', START_MS)], START_MS);
    const backMs = START_MS - 3_600_000;
    expect(ids(series.take([value('a', backMs)], backMs))).toEqual(['signal:shop/a/cpu']);
  });

  test('give times that only rise, within the bound, whatever comes', () => {
    const answer = fc.array(fc.tuple(fc.integer({ min: 0, max: 6 }), fc.integer({ min: -500, max: 500 })), {
      maxLength: 12,
    });
    fc.assert(
      fc.property(fc.array(answer, { maxLength: 20 }), (answers) => {
        const series = new SignalSeries(QUERY);
        const lastMs = new Map<string, number>();
        answers.forEach((values, step) => {
          const nowMs = START_MS + step * 10_000;
          const batch = series.take(
            values.map(([name, offsetS]) => value(`i${name}`, nowMs + offsetS * 1_000)),
            nowMs,
          );
          for (const id of batch.ended) lastMs.delete(id);
          for (const { classId, atMs } of batch.samples) {
            expect(atMs).toBeGreaterThan(lastMs.get(classId) ?? 0);
            lastMs.set(classId, atMs);
          }
          expect(series.size).toBeLessThanOrEqual(3);
          expect(new Set(lastMs.keys()).size).toBe(series.size);
        });
      }),
    );
  });
});

describe('pulling', () => {
  beforeEach(() => void jest.useFakeTimers({ now: START_MS }));
  afterEach(() => void jest.useRealTimers());

  function pulling(source: SignalSource, query: Partial<SignalQuery> = {}) {
    const batches: SignalBatch[] = [];
    const logged: string[] = [];
    const log = (_fields: object, message: string): void => void logged.push(message);
    const logger: Logger = { debug: log, info: log, warn: log, error: log };
    const clock = { nowUs: () => Date.now() * 1_000, monotonicMs: () => Date.now() };
    const signals = new Signals([{ ...QUERY, ...query }], {
      source,
      clock,
      take: (batch) => void batches.push(batch),
      logger,
      random: () => 0,
    });
    signals.start();
    return { signals, batches, logged, state: () => signals.states()[0] };
  }

  test('asks at once and then at each interval', async () => {
    let asked = 0;
    const { batches, state, signals } = pulling({
      query: (promql) => {
        expect(promql).toBe('cpu_use');
        asked += 1;
        return Promise.resolve([value('a', Date.now(), asked)]);
      },
    });
    expect(state()).toMatchObject({ state: 'waiting' });
    await jest.advanceTimersByTimeAsync(35_000);
    expect(asked).toBe(4);
    expect(batches.flatMap(({ samples }) => samples.map((one) => one.value))).toEqual([1, 2, 3, 4]);
    expect(state()).toMatchObject({
      state: 'ok',
      series: 1,
      samples: 4,
      failures: 0,
      answeredAtMs: START_MS + 30_000,
    });
    signals.stop();
    await jest.advanceTimersByTimeAsync(100_000);
    expect(asked).toBe(4);
  });

  test('has one query under way at a time, however slow the answer', async () => {
    let underWay = 0;
    let most = 0;
    const { signals } = pulling({
      query: async () => {
        most = Math.max(most, (underWay += 1));
        await new Promise((resolve) => setTimeout(resolve, 25_000));
        underWay -= 1;
        return [];
      },
    });
    await jest.advanceTimersByTimeAsync(200_000);
    expect(most).toBe(1);
    signals.stop();
  });

  test('waits longer from failure to failure, says so once, and goes on when it is answered', async () => {
    const askedS: number[] = [];
    let down = true;
    const { signals, state, logged, batches } = pulling({
      query: () => {
        askedS.push((Date.now() - START_MS) / 1_000);
        return down
          ? Promise.reject(new TidegateError('TG_SOURCE_UNAVAILABLE', 'down'))
          : Promise.resolve([value('a', Date.now())]);
      },
    });
    await jest.advanceTimersByTimeAsync(200_000);
    expect(askedS).toEqual([0, 20, 60, 120, 180]);
    expect(state()).toMatchObject({
      state: 'failing',
      failures: 5,
      error: { code: 'TG_SOURCE_UNAVAILABLE', message: 'down' },
    });
    expect(logged).toEqual(['a signal cannot be read']);
    expect(batches).toEqual([]);
    down = false;
    await jest.advanceTimersByTimeAsync(60_000);
    expect(state()).toMatchObject({ state: 'ok', failures: 5, error: undefined });
    expect(askedS.slice(5)).toEqual([240, 250, 260]);
    signals.stop();
  });

  test.each([
    ['something else', () => Promise.reject(new Error('boom')), 'TG_SOURCE_REPLY'],
    ['nonsense', () => Promise.resolve(null as unknown as MeasuredValue[]), 'TG_SOURCE_REPLY'],
  ] as const)('has a code for %s that comes back', async (_what, query, code) => {
    const { signals, state } = pulling({ query });
    await jest.advanceTimersByTimeAsync(1);
    expect(state()).toMatchObject({ state: 'failing', error: { code } });
    signals.stop();
  });

  test('ends series while nothing answers, and tells empty answers', async () => {
    let answer: () => Promise<MeasuredValue[]> = () => Promise.resolve([value('a', Date.now())]);
    const { signals, batches, state } = pulling({ query: () => answer() });
    await jest.advanceTimersByTimeAsync(1);
    answer = () => Promise.reject(new TidegateError('TG_SOURCE_TIMEOUT', 'slow'));
    await jest.advanceTimersByTimeAsync(400_000);
    expect(batches.flatMap(({ ended }) => ended)).toEqual(['signal:shop/a/cpu']);
    answer = () => Promise.resolve([]);
    await jest.advanceTimersByTimeAsync(60_000);
    expect(state()).toMatchObject({ state: 'empty', series: 0 });
    signals.stop();
  });
});

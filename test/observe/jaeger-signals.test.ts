/** Traces as signals: right figures, one query at a time, and a dead Jaeger told once and asked again. */
import fc from 'fast-check';
import { TidegateError } from '../../src/core/errors';
import type { Logger } from '../../src/core/ports';
import { JaegerSignals, type JaegerSpan, type SpanSource } from '../../src/observe/jaeger-signals';
import type { SignalBatch } from '../../src/observe/signal-series';

const START_MS = 1_800_000_000_000;
type Query = Parameters<SpanSource['serverSpans']>[0];

beforeEach(() => void jest.useFakeTimers({ now: START_MS }));
afterEach(() => void jest.useRealTimers());

function asking(serverSpans: (query: Query) => Promise<readonly JaegerSpan[]>, services = ['shop']) {
  const batches: SignalBatch[] = [];
  const logged: string[] = [];
  const log = (_fields: object, message: string): void => void logged.push(message);
  const logger: Logger = { debug: log, info: log, warn: log, error: log };
  const signals = new JaegerSignals(
    { services, intervalMs: 10_000, lookbackMs: 60_000, maxTraces: 50 },
    {
      source: { serverSpans },
      clock: { nowUs: () => Date.now() * 1_000, monotonicMs: () => Date.now() },
      take: (batch) => void batches.push(batch),
      logger,
      random: () => 0,
    },
  );
  signals.start();
  const samples = (): [string, number][] =>
    batches.flatMap((batch) => batch.samples.map(({ classId, value }): [string, number] => [classId, value]));
  return { signals, batches, logged, samples };
}
const spans = (...durationsMs: readonly number[]): JaegerSpan[] =>
  durationsMs.map((durationMs) => ({ durationMs, failed: durationMs >= 100 }));

test('percentiles and errors of each service are signals of it', async () => {
  const asked: Query[] = [];
  const { signals, batches, samples } = asking((query) => {
    asked.push(query);
    return Promise.resolve(spans(30, 10, 100, 20));
  });
  await jest.advanceTimersByTimeAsync(1);
  expect(asked).toEqual([{ service: 'shop', fromMs: START_MS - 60_000, toMs: START_MS, maxTraces: 50 }]);
  expect(samples()).toEqual([
    ['signal:shop/jaeger/latency_p50_ms', 20],
    ['signal:shop/jaeger/latency_p99_ms', 100],
    ['signal:shop/jaeger/error_share', 0.25],
  ]);
  expect(batches[0]?.added).toContainEqual({
    id: 'signal:shop/jaeger/error_share',
    kind: 'signal',
    parent: 'service:shop',
    service: 'shop',
  });
  await jest.advanceTimersByTimeAsync(10_000);
  expect([asked.length, samples().length]).toEqual([2, 6]);
  signals.stop();
  await jest.advanceTimersByTimeAsync(100_000);
  expect(asked).toHaveLength(2);
});

test('percentiles are those of the spans, whatever they are', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(fc.nat(10_000), { minLength: 1, maxLength: 200 }), async (durationsMs) => {
      const { signals, samples } = asking(() => Promise.resolve(spans(...durationsMs)));
      await jest.advanceTimersByTimeAsync(1);
      signals.stop();
      const sorted = [...durationsMs].sort((a, b) => a - b);
      const [p50 = NaN, p99 = NaN, errors] = samples().map(([, value]) => value);
      for (const [part, value] of [
        [0.5, p50],
        [0.99, p99],
      ] as const) {
        expect(sorted.filter((one) => one <= value).length).toBeGreaterThanOrEqual(part * sorted.length);
        expect(sorted.filter((one) => one < value).length).toBeLessThan(part * sorted.length);
      }
      expect(errors).toBe(sorted.filter((one) => one >= 100).length / sorted.length);
    }),
    { numRuns: 50 },
  );
});

test('without spans nothing is said, and what was said ends', async () => {
  let found = spans(1);
  const { signals, batches, samples } = asking(() => Promise.resolve(found));
  await jest.advanceTimersByTimeAsync(1);
  found = [];
  await jest.advanceTimersByTimeAsync(400_000);
  expect(samples()).toHaveLength(3);
  expect(batches.flatMap(({ ended }) => ended)).toHaveLength(3);
  signals.stop();
});

test('services are asked for one after the other, each once', async () => {
  let underWay = 0;
  let most = 0;
  const asked: string[] = [];
  const { signals } = asking(
    async ({ service }) => {
      asked.push(service);
      most = Math.max(most, (underWay += 1));
      await new Promise((resolve) => setTimeout(resolve, 100));
      underWay -= 1;
      return [];
    },
    ['a', 'b', 'c', 'a'],
  );
  await jest.advanceTimersByTimeAsync(5_000);
  expect([most, asked]).toEqual([1, ['a', 'b', 'c']]);
  signals.stop();
});

test('a dead Jaeger is told once, asked less often, and found again', async () => {
  let down = true;
  let asked = 0;
  const { signals, logged, samples } = asking(() => {
    asked += 1;
    return down
      ? Promise.reject(new TidegateError('TG_SOURCE_UNAVAILABLE', 'down'))
      : Promise.resolve(spans(5));
  }, ['a', 'b']);
  await jest.advanceTimersByTimeAsync(200_000);
  expect(logged).toEqual(['a signal cannot be read']);
  expect(asked).toBeLessThanOrEqual(10);
  expect(samples()).toEqual([]);
  down = false;
  await jest.advanceTimersByTimeAsync(61_000);
  expect(new Set(samples().map(([id]) => id)).size).toBe(6);
  expect(logged).toEqual(['a signal cannot be read', 'the signal answers again']);
  signals.stop();
});

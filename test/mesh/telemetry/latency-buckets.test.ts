/** Percentiles of buckets are within their error of those of the values. */
import fc from 'fast-check';
import { BUCKETS, bucketOf, NO_BUCKET, percentileMs } from '../../../src/mesh/telemetry/latency-buckets';

const MAX_ERROR = 0.05;
/** Microseconds to two hours, evenly over the magnitudes. */
const latencyMs = fc.double({ min: Math.log(0.011), max: Math.log(6e6), noNaN: true }).map(Math.exp);

test('a percentile is off by at most 5 % of itself', () => {
  fc.assert(
    fc.property(
      fc.array(latencyMs, { minLength: 1, maxLength: 300 }),
      fc.double({ min: 0, max: 1, noNaN: true }),
      (values, part) => {
        const counts = new Uint32Array(BUCKETS);
        for (const value of values) counts[bucketOf(value)]! += 1;
        const exact = values.sort((a, b) => a - b)[Math.max(1, Math.ceil(part * values.length)) - 1]!;
        expect(Math.abs(percentileMs(counts, values.length, part) - exact) / exact).toBeLessThanOrEqual(
          MAX_ERROR,
        );
      },
    ),
  );
});

test.each([
  [0, 0],
  [1e12, BUCKETS - 1],
  [Infinity, BUCKETS - 1],
  [NaN, NO_BUCKET],
])('%d ms is in bucket %d', (ms, bucket) => {
  expect(bucketOf(ms)).toBe(bucket);
});

test('nothing has no percentile', () => {
  expect(percentileMs(new Uint32Array(BUCKETS), 0, 0.5)).toBeNaN();
});

import fc from 'fast-check';
import { depletionS, lastingRate } from '../../src/balance/capacity/bucket-outlook';

const level = (tokens: number, capacity: number, refillPerS: number) => ({
  known: true,
  tokens,
  capacity,
  refillPerS,
});
const flat = (perS: number, points = 33) => new Float64Array(points).fill(perS);

test.each<[string, number, number, number, number, Float64Array, number]>([
  ['a level demand', 100, 200, 50, 1, flat(60), 10],
  ['a part of it', 100, 200, 50, 0.5, flat(120), 10],
  ['a demand it can stand', 100, 200, 50, 1, flat(50), NaN],
  ['a demand it can stand for as long as is looked', 1_000, 1_000, 50, 1, flat(60), NaN],
  ['an empty bucket', 0, 200, 50, 1, flat(60), 0],
  ['a demand that climbs', 50, 100, 50, 1, Float64Array.from({ length: 33 }, (_, s) => 50 + 10 * s), 3.16],
  ['a bucket that fills first, to its capacity', 0, 20, 50, 1, Float64Array.of(0, 0, 100, 100), 2.4],
])('%s runs a bucket dry when it does', (_, tokens, capacity, refillPerS, share, path, seconds) => {
  const dry = depletionS(level(tokens, capacity, refillPerS), share, path, 1);
  if (Number.isNaN(seconds)) expect(dry).toBeNaN();
  else expect(Math.abs(dry - seconds)).toBeLessThan(0.03);
});

test('what a bucket lasts with is what just does not run it dry', () => {
  fc.assert(
    fc.property(
      fc.integer({ min: 0, max: 10_000 }),
      fc.integer({ min: 0, max: 1_000 }),
      (tokens, refillPerS) => {
        const bucket = level(tokens, tokens + 1e6, refillPerS);
        const rate = lastingRate(bucket, 32);
        expect(depletionS(bucket, 1, flat(rate * 0.999), 1)).toBeNaN();
        if (tokens > 1) expect(depletionS(bucket, 1, flat(rate * 1.001 + 0.01), 1)).toBeLessThanOrEqual(32);
      },
    ),
  );
});

import fc from 'fast-check';
import { bucketParams, rateUtPerS } from '../../src/bucket/params';
import { evaluateTokenBucket, newTokenBucket } from '../../src/bucket/token-bucket';
import type { BucketParams } from '../../src/core/buckets';

const T = 1_700_006_400_000_000;

interface Step {
  readonly elapsedUs: number;
  readonly hits: number;
  readonly resize: { readonly capacity: number; readonly rate: number } | undefined;
}

function tb(capacity: number, rate: number, version: number): BucketParams {
  return bucketParams({
    algorithm: 'token_bucket',
    limit: Math.max(1, capacity),
    windowUs: 1_000_000,
    capacity,
    rateUtPerS: rate,
    version,
  });
}

const capacityArb = fc.oneof(fc.integer({ min: 0, max: 20 }), fc.integer({ min: 0, max: 4_294_967_295 }));
const rateArb = fc.oneof(
  fc.integer({ min: 0, max: 50_000_000 }),
  fc.double({ min: 0, max: 100, noNaN: true }),
  fc.constantFrom(0, rateUtPerS(1, 86_400_000_000), rateUtPerS(4_294_967_295, 1_000)),
);

function stepsOf(minElapsedUs: number): fc.Arbitrary<Step[]> {
  return fc.array(
    fc.record({
      elapsedUs: fc.oneof(
        fc.integer({ min: minElapsedUs, max: 5_000_000 }),
        fc.integer({ min: minElapsedUs * 1_000, max: 90_000_000_000 }),
      ),
      hits: fc.oneof(fc.integer({ min: -3, max: 9 }), fc.integer({ min: -1e6, max: 4_294_967_295 })),
      resize: fc.option(fc.record({ capacity: capacityArb, rate: rateArb }), { nil: undefined, freq: 4 }),
    }),
    { minLength: 1, maxLength: 60 },
  );
}

/** Runs the steps and gives, after each, what was admitted and what may have been at most. */
function follow(
  capacity: number,
  rate: number,
  steps: readonly Step[],
): {
  admitted: number;
  most: number;
  tokensUt: number;
  capacity: number;
  rateTokens: number;
}[] {
  let params = tb(capacity, rate, 0);
  let nowUs = T;
  const state = newTokenBucket(params, nowUs);
  let [admitted, refunds, rateTokens, raises] = [0, 0, 0, 0];
  return steps.map((step, i) => {
    nowUs += step.elapsedUs;
    rateTokens += (Math.max(0, step.elapsedUs) * params.rateUtPerS) / 1e12;
    if (step.resize !== undefined) {
      raises += Math.max(0, step.resize.capacity - params.capacity);
      params = tb(step.resize.capacity, step.resize.rate, i + 1);
    }
    const outcome = evaluateTokenBucket(state, params, step.hits, nowUs, 'allowed');
    if (step.hits < 0) refunds -= step.hits;
    else if (outcome.allowed) admitted += step.hits;
    return {
      admitted,
      most: capacity + rateTokens + refunds + raises,
      tokensUt: state.tokensUt,
      capacity: params.capacity,
      rateTokens,
    };
  });
}

describe('a token bucket', () => {
  it.each([
    { clock: 'goes forward', minElapsedUs: 0 },
    { clock: 'steps back at times', minElapsedUs: -2_000_000 },
  ])('never admits more than it had, gained and was given, while the clock $clock', ({ minElapsedUs }) => {
    fc.assert(
      fc.property(capacityArb, rateArb, stepsOf(minElapsedUs), (capacity, rate, steps) => {
        for (const { admitted, most, tokensUt, capacity: bound } of follow(capacity, rate, steps)) {
          expect(admitted).toBeLessThanOrEqual(most * (1 + 1e-12) + 1e-6);
          expect(tokensUt).toBeGreaterThanOrEqual(0);
          expect(tokensUt).toBeLessThanOrEqual(bound * 1e6);
          expect(Number.isInteger(tokensUt)).toBe(true);
        }
      }),
      { numRuns: 150 },
    );
  });

  it('keeps the bound over any interval, from what it holds at its start', () => {
    const slow = rateUtPerS(7, 3_000_000);
    fc.assert(
      fc.property(stepsOf(0), fc.nat({ max: 59 }), (steps, from) => {
        const seen = follow(
          20,
          slow,
          steps.map((step) => ({ ...step, resize: undefined, hits: Math.abs(step.hits) })),
        );
        const start = seen[Math.min(from, seen.length - 1)];
        const end = seen.at(-1);
        if (start === undefined || end === undefined) throw new Error('there is at least one step');
        const gained = end.rateTokens - start.rateTokens;
        expect(end.admitted - start.admitted).toBeLessThanOrEqual(20 + gained + 1e-6);
      }),
    );
  });

  it.each([
    { what: '1 a day', limit: 1, windowUs: 86_400_000_000 },
    { what: '1 a year', limit: 1, windowUs: 31_536_000_000_000 },
    { what: '7 in 3 seconds', limit: 7, windowUs: 3_000_000 },
    { what: '333,333 a minute', limit: 333_333, windowUs: 60_000_000 },
    { what: '1,000,003 a second', limit: 1_000_003, windowUs: 1_000_000 },
  ])('gives what it was asked to, less at most 1e-5: $what', ({ limit, windowUs }) => {
    const params = bucketParams({ algorithm: 'token_bucket', limit, windowUs, capacity: limit + 1_000 });
    fc.assert(
      fc.property(
        fc.array(fc.double({ min: 0.0001, max: 0.5, noNaN: true }), { minLength: 200, maxLength: 400 }),
        (parts) => {
          let nowUs = T;
          const state = newTokenBucket(params, nowUs);
          evaluateTokenBucket(state, params, params.capacity, nowUs, 'allowed');
          let admitted = 0;
          for (const part of parts) {
            nowUs += Math.ceil((part * windowUs) / limit) * (1 + (admitted % 3));
            while (evaluateTokenBucket(state, params, 1, nowUs, 'allowed').allowed) admitted += 1;
          }
          const due = (limit * (nowUs - T)) / windowUs;
          expect(admitted).toBeLessThanOrEqual(due + 1e-6);
          expect(admitted).toBeGreaterThanOrEqual(Math.floor(due * (1 - 1e-5) - 1e-6));
        },
      ),
      { numRuns: 30 },
    );
  });

  it('is not influenced by looks and plain denials', () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 1, max: 900_000 }), { maxLength: 50 }), (pauses) => {
        const params = tb(5, 1_234_567, 0);
        const [asked, left] = [newTokenBucket(params, T), newTokenBucket(params, T)];
        for (const state of [asked, left]) evaluateTokenBucket(state, params, 5, T, 'allowed');
        let nowUs = T;
        for (const pause of pauses) {
          nowUs += pause;
          evaluateTokenBucket(asked, params, 0, nowUs, 'allowed');
          evaluateTokenBucket(asked, params, 6, nowUs, 'allowed');
        }
        expect(evaluateTokenBucket(asked, params, 1, nowUs, 'allowed')).toEqual(
          evaluateTokenBucket(left, params, 1, nowUs, 'allowed'),
        );
      }),
    );
  });

  it('loses nothing slow to a resize on every step', () => {
    const windowUs = 31_536_000_000_000;
    const rate = rateUtPerS(1, windowUs);
    let nowUs = T;
    const state = newTokenBucket(tb(1, rate, 0), nowUs);
    evaluateTokenBucket(state, tb(1, rate, 0), 1, nowUs, 'allowed');
    for (let version = 1; version <= 50_000; version += 1) {
      nowUs += 1_000_000;
      evaluateTokenBucket(state, tb(1, version % 2 === 0 ? rate : rate / 2, version), 0, nowUs, 'allowed');
    }
    const dueUt = 25_000 * rate + 25_000 * (rate / 2);
    expect(state.tokensUt).toBeGreaterThanOrEqual(Math.floor(dueUt * (1 - 1e-5)) - 1);
    expect(state.tokensUt).toBeLessThanOrEqual(dueUt + 1);
  });
});

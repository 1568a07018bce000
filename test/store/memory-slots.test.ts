/** Calls that are kept and asked again: the store remembers where their buckets are, and buckets in use are not made anew. */
import fc from 'fast-check';
import { bucketParams } from '../../src/bucket/params';
import type { BucketCall } from '../../src/core/buckets';
import { MemoryStore } from '../../src/store/memory/memory-store';
import { call, daily, request } from './contract-form';
import { SimulatedClock } from './simulated-clock';

const ALGORITHMS = ['token_bucket', 'fixed_window', 'sliding_window'] as const;
const PER_SECOND = bucketParams({ algorithm: 'token_bucket', limit: 10, windowUs: 1_000_000 });

const kept = (each: BucketCall): BucketCall => ({ ...each, slot: -1 });

/** Few keys, in a store with room for fewer, so that slots change hands all the time. */
const KEYS = 12;
const MAX_BUCKETS = 6;
const PARAMS = ALGORITHMS.flatMap((algorithm) =>
  [1, 60].map((seconds) => bucketParams({ algorithm, limit: 4, windowUs: seconds * 1_000_000 })),
);

describe('calls that are kept', () => {
  it('find their buckets again, and none of another key, algorithm or window', () => {
    const step = fc.record({
      picks: fc.array(fc.nat(KEYS * PARAMS.length - 1), { minLength: 1, maxLength: 3 }),
      advanceUs: fc.constantFrom(0, 0, 1_000, 300_000, 20_000_000, 90_000_000),
    });
    fc.assert(
      fc.property(fc.array(step, { minLength: 1, maxLength: 80 }), (steps) => {
        const clock = new SimulatedClock();
        const options = { clock, maxBuckets: MAX_BUCKETS, maxSlidingBuckets: MAX_BUCKETS };
        const [remembering, looking] = [new MemoryStore(options), new MemoryStore(options)];
        const calls = PARAMS.flatMap((params) =>
          Array.from({ length: KEYS }, (_, index) => call(`key ${index}`, params, 1)),
        );
        const keptCalls = calls.map(kept);
        for (const { picks, advanceUs } of steps) {
          clock.advance(advanceUs);
          const found = remembering.decide(request(picks.map((pick) => keptCalls[pick]!)));
          expect(found).toEqual(looking.decide(request(picks.map((pick) => calls[pick]!))));
        }
        expect(remembering.stats()).toEqual(looking.stats());
      }),
      { numRuns: 300 },
    );
  });

  it('may guess any slot', () => {
    const store = new MemoryStore({ clock: new SimulatedClock(), maxBuckets: 8 });
    const params = daily('token_bucket', 3);
    for (const key of ['a', 'b']) store.decide(request([call(key, params, 1)]));
    for (const slot of [0, 1, 2, 7, 8, 1e9, -1, -2, 0.5, Number.NaN]) {
      const looked = { ...call('b', params, 0), slot };
      expect(store.decide(request([looked]))).toMatchObject([{ remaining: 2 }]);
      expect(looked.slot).toBe(1);
    }
  });
});

describe('a bucket that is full again', () => {
  const askedAgain = (afterUs: number, others: number): number => {
    const clock = new SimulatedClock();
    const store = new MemoryStore({ clock, maxBuckets: 80 });
    const asked = kept(call('asked', PER_SECOND, 1));
    const crowd = daily('token_bucket', 10);
    for (let index = 0; index < others; index += 1) store.decide(request([call(`o${index}`, crowd, 1)]));
    store.decide(request([asked]));
    clock.advance(afterUs);
    for (let turn = 0; turn < 80; turn += 1) store.decide(request([call('look', PER_SECOND, 0)]));
    return store.stats().forgotten;
  };

  it.each([
    { case: 'stays for a while', afterUs: 5_000_000, others: 0, forgotten: 0 },
    { case: 'goes when nobody asks for it', afterUs: 11_000_000, others: 0, forgotten: 1 },
    { case: 'goes at once where there is not much room', afterUs: 5_000_000, others: 10, forgotten: 1 },
  ])('$case', ({ afterUs, others, forgotten }) => {
    expect(askedAgain(afterUs, others)).toBe(forgotten);
  });
});

import { bucketParams } from '../../src/bucket/params';
import { LeasedStore } from '../../src/store/leased/leased-store';
import { MemoryStore } from '../../src/store/memory/memory-store';
import { call, request } from './contract-form';
import { SimulatedClock } from './simulated-clock';

const input = { algorithm: 'token_bucket', limit: 1_000_000, windowUs: 3_600_000_000 } as const;

/** A leased store that counts what it decides by itself. */
function leased() {
  const clock = new SimulatedClock();
  const shared = new MemoryStore({ clock });
  let local = 0;
  const nothing = (): void => undefined;
  const store = new LeasedStore({
    shared,
    source: shared,
    terms: { epsilon: 0.1, ttlMs: 10_000, idleMs: 2_000 },
    clock,
    holder: 1,
    tickMs: 0,
    observer: {
      granted: nothing,
      returned: nothing,
      lost: nothing,
      overshoot: nothing,
      local: (calls) => {
        local += calls;
      },
    },
  });
  /** Decisions that were made locally of `count`, one a millisecond. */
  const localOf = (version: number, count: number): number => {
    const params = bucketParams({ ...input, version });
    const before = local;
    for (let i = 0; i < count; i += 1) {
      clock.advance(1_000);
      void store.decide(request([{ ...call('k', params, 1), leased: true }]));
    }
    return local - before;
  };
  return { clock, store, localOf };
}

test('a lease stays with newer parameters while anybody asks by them, then goes to who asks', () => {
  const { clock, store, localOf } = leased();
  const version = clock.nowUs() / 1_000;
  expect(localOf(version, 200)).toBeGreaterThan(150);
  expect(localOf(0, 200)).toBe(0);
  expect(localOf(version, 10)).toBe(10);
  expect(localOf(0, 999)).toBe(0);
  expect(localOf(0, 200)).toBeGreaterThan(150);
  expect(store.stats().buckets).toBe(1);
});

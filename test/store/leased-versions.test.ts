import { bucketParams } from '../../src/bucket/params';
import { LeasedStore } from '../../src/store/leased/leased-store';
import { MemoryStore } from '../../src/store/memory/memory-store';
import { call, request } from './contract-form';
import { SimulatedClock } from './simulated-clock';

const input = { algorithm: 'token_bucket' as const, limit: 1_000_000, windowUs: 3_600_000_000 };
const CONFIGURED = 900_000;

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
  const localOf = (version: number, count: number, limit = input.limit): number => {
    const params = bucketParams({ ...input, version, limit });
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
  expect(localOf(0, 200, CONFIGURED)).toBe(0);
  expect(localOf(version, 10)).toBe(10);
  expect(localOf(0, 999, CONFIGURED)).toBe(0);
  expect(localOf(0, 200, CONFIGURED)).toBeGreaterThan(150);
  expect(store.stats().buckets).toBe(1);
});

test('a lease stays where only the version is another: a publication that changes nothing costs no decision', () => {
  const { clock, store, localOf } = leased();
  const version = clock.nowUs() / 1_000;
  expect(localOf(version, 200)).toBeGreaterThan(150);
  for (let at = 1; at <= 20; at += 1) expect(localOf(version + at, 5)).toBe(5);
  expect(localOf(version, 5)).toBe(5);
  expect(store.stats().buckets).toBe(1);
});

import { bucketParams } from '../../src/bucket/params';
import { TidegateError } from '../../src/core/errors';
import { MemoryStore, type MemoryStoreOptions } from '../../src/store/memory/memory-store';
import { describeStoreContract, type StoreHarness } from './contract';
import { ask, askOne, call, daily, DAY_US, request } from './contract-form';
import { SimulatedClock } from './simulated-clock';

function memoryHarness(): StoreHarness {
  const clock = new SimulatedClock();
  let store = new MemoryStore({ clock });
  return {
    get store() {
      return store;
    },
    advance: (us) => clock.advance(us),
    nowUs: async () => clock.nowUs(),
    reset: async () => {
      store = new MemoryStore({ clock });
    },
    close: () => store.close(),
  };
}

describeStoreContract('the memory store', memoryHarness);

function small(options: Partial<MemoryStoreOptions> = {}): { clock: SimulatedClock; store: MemoryStore } {
  const clock = new SimulatedClock();
  return { clock, store: new MemoryStore({ clock, maxBuckets: 100, maxSlidingBuckets: 50, ...options }) };
}

describe('the memory store within its bounds', () => {
  it('decides at once, without a promise', () => {
    const { store } = small();
    expect(Array.isArray(store.decide(request([call('k', daily('token_bucket', 1), 1)])))).toBe(true);
  });

  it('keeps nothing for peeks, plain denials and refunds of unused buckets', async () => {
    const { store } = small();
    for (const algorithm of ['token_bucket', 'fixed_window', 'sliding_window'] as const) {
      for (const hits of [0, 9, -1]) await askOne(store, call('k', daily(algorithm, 3), hits));
    }
    expect(store.stats()).toEqual({ buckets: 0, forgotten: 0, evictedEarly: 0 });
  });

  it.each(['token_bucket', 'fixed_window', 'sliding_window'] as const)(
    'forgets every idle %s within a few requests each, and none in use',
    async (algorithm) => {
      const { clock, store } = small();
      for (let i = 0; i < 40; i += 1) await askOne(store, call(`k${i}`, daily(algorithm, 4), 1));
      for (let i = 0; i < 40; i += 1) await askOne(store, call('other', daily(algorithm, 1000), 1));
      expect(store.stats()).toEqual({ buckets: 41, forgotten: 0, evictedEarly: 0 });
      clock.advance(DAY_US + DAY_US / 16);
      for (let i = 0; i < 40; i += 1) await askOne(store, call('other', daily(algorithm, 1000), 0));
      expect(store.stats()).toEqual({ buckets: 0, forgotten: 41, evictedEarly: 0 });
    },
  );

  it.each([
    { algorithm: 'token_bucket', max: 100 },
    { algorithm: 'fixed_window', max: 100 },
    { algorithm: 'sliding_window', max: 50 },
  ] as const)(
    'never holds more than its bound of %s, and counts what it evicts',
    async ({ algorithm, max }) => {
      const { store } = small();
      for (let i = 0; i < 500; i += 1) await askOne(store, call(`k${i}`, daily(algorithm, 4), 1));
      expect(store.stats()).toEqual({ buckets: max, forgotten: 0, evictedEarly: 500 - max });
    },
  );

  it('evicts a flood of new keys rather than the buckets that are nearly used up', async () => {
    const { store } = small();
    const used = Array.from({ length: 10 }, (_, i) => call(`used ${i}`, daily('token_bucket', 10), 10));
    for (const each of used) await askOne(store, each);
    for (let i = 0; i < 2_000; i += 1) await askOne(store, call(`flood ${i}`, daily('token_bucket', 10), 1));
    for (const each of used)
      expect(await askOne(store, { ...each, hits: 1 })).toMatchObject({ allowed: false });
  });

  it('prefers to forget what is idle over evicting', async () => {
    const { clock, store } = small();
    const perSecond = bucketParams({ algorithm: 'token_bucket', limit: 1, windowUs: 1_000_000 });
    for (let i = 0; i < 2_000; i += 1) {
      await askOne(store, call(`k${i}`, perSecond, 1));
      clock.advance(50_000);
    }
    expect(store.stats().evictedEarly).toBe(0);
    expect(store.stats().buckets).toBeLessThanOrEqual(100);
  });

  it('bounds the length of all keys, and refuses one that is over the bound by itself', async () => {
    const { store } = small({ maxKeyChars: 1_000 });
    const params = daily('token_bucket', 4);
    for (let i = 0; i < 50; i += 1) await askOne(store, call(`${'x'.repeat(96)}${1_000 + i}`, params, 1));
    expect(store.stats()).toEqual({ buckets: 10, forgotten: 0, evictedEarly: 40 });
    await askOne(store, call('y'.repeat(1_000), params, 1));
    expect(store.stats().buckets).toBe(1);
    const [result] = store.decide(request([call('z'.repeat(1_001), params, 1)]));
    expect(result).toBeInstanceOf(TidegateError);
    expect(result).toMatchObject({ code: 'TG_REQUEST_TOO_LARGE' });
    expect(store.stats().buckets).toBe(1);
  });

  it('answers a request with more buckets than it may hold, all from their own figures', async () => {
    const { store } = small();
    const calls = Array.from({ length: 1_000 }, (_, i) => call(`k${i % 500}`, daily('fixed_window', 2), 1));
    const outcomes = await ask(store, calls);
    expect(outcomes.map((outcome) => outcome.usedBefore)).toEqual(calls.map((_, i) => (i < 500 ? 0 : 1)));
    expect(store.stats().buckets).toBe(100);
  });

  it('reuses the slots of forgotten buckets without mixing up their figures', async () => {
    const { clock, store } = small();
    for (let round = 0; round < 20; round += 1) {
      const keys = Array.from({ length: 50 }, (_, i) => `round ${round} key ${i}`);
      for (const key of keys) {
        for (const algorithm of ['token_bucket', 'sliding_window'] as const) {
          expect(await askOne(store, call(key, daily(algorithm, 2), 1))).toMatchObject({
            usedBefore: 0,
            remaining: 1,
          });
        }
      }
      clock.advance(2 * DAY_US);
      for (let i = 0; i < 50; i += 1) await askOne(store, call('', daily('token_bucket', 1), 0));
    }
    expect(store.stats()).toEqual({ buckets: 0, forgotten: 2_000, evictedEarly: 0 });
  });

  it('says that it is closed', async () => {
    const { store } = small();
    await askOne(store, call('k', daily('token_bucket', 1), 1));
    await store.close();
    expect(store.ready()).toBe(false);
    expect(store.stats().buckets).toBe(0);
    const [result] = store.decide(request([call('k', daily('token_bucket', 1), 1)]));
    expect(result).toMatchObject({ code: 'TG_STORE_UNAVAILABLE' });
  });
});

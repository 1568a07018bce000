import { LeasedStore } from '../../src/store/leased/leased-store';
import type { BucketCall, BucketParams } from '../../src/core/buckets';
import { RedisStore } from '../../src/store/redis/redis-store';
import { LeaseCounts } from '../../src/telemetry/lease-counts';
import { oneDescriptor, RlsClient } from '../app/rls-client';
import { writeLimits } from '../parts/limits-file';
import { used, yearly } from '../parts/redis-asking';
import { RedisCluster } from '../parts/redis-cluster';
import { eventually, RedisServer } from '../parts/redis-server';
import { startTidegate, type TidegateProcess } from '../parts/tidegate-process';
import { call, request } from '../store/contract-form';

const TERMS = { epsilon: 0.05, ttlMs: 400, idleMs: 200 };
const clock = { monotonicMs: () => performance.now() };
const START_MS = performance.now();

interface Holder {
  readonly store: LeasedStore;
  readonly redis: RedisStore;
  readonly counts: LeaseCounts;
}

const holders: Holder[] = [];

/** A sidecar's store; closed after the test. */
async function open(
  options: ConstructorParameters<typeof RedisStore>[0],
  terms = TERMS,
  tickMs?: number,
): Promise<Holder> {
  const redis = new RedisStore(options);
  await eventually('the store is ready', () => redis.ready());
  const counts = new LeaseCounts();
  const holder = Math.floor((performance.now() - START_MS) * 1_000) + holders.length + 1;
  const store = new LeasedStore({
    shared: redis,
    source: redis,
    terms,
    clock,
    holder,
    observer: counts,
    ...(tickMs === undefined ? {} : { tickMs }),
  });
  const opened = { store, redis, counts };
  holders.push(opened);
  return opened;
}

const leased = (key: string, params: BucketParams, hits = 1): BucketCall =>
  call(key, params, hits, { leased: true });

/** Asks `count` times, a few at once, with turns of the event loop between. @returns how many were admitted. */
async function press(store: LeasedStore, one: BucketCall, count: number): Promise<number> {
  let admitted = 0;
  for (let done = 0; done < count; done += 8) {
    const answers = await Promise.all(Array.from({ length: 8 }, async () => store.decide(request([one]))));
    for (const [result] of answers) {
      if (result === undefined || !('allowed' in result)) throw new Error(JSON.stringify(result));
      if (result.allowed) admitted += 1;
    }
    await new Promise(setImmediate);
  }
  return admitted;
}

afterEach(async () => {
  await Promise.all(holders.splice(0).map(({ store }) => store.close()));
});

describe('leased stores over one Redis', () => {
  let server: RedisServer;
  const options = () => ({ kind: 'redis' as const, urls: [server.address] });

  beforeAll(async () => {
    server = await RedisServer.start();
  });
  afterAll(() => server.stop());
  afterEach(() => server.admin.flushall());

  it.each(['token_bucket', 'fixed_window'] as const)(
    'never admit more than the limit together, and all of it once leases are back: %s',
    async (algorithm) => {
      const params = yearly(algorithm, 6_000);
      const [a, b] = [await open(options()), await open(options())];
      const admitted = await Promise.all([a, b].map(({ store }) => press(store, leased('k', params), 4_000)));
      expect(admitted[0]).toBeGreaterThan(1_000);
      expect(admitted[1]).toBeGreaterThan(1_000);
      const together = (admitted[0] ?? 0) + (admitted[1] ?? 0);
      expect(together).toBeLessThanOrEqual(6_000);
      expect(together).toBeGreaterThanOrEqual(5_700);
      await Promise.all([a.store.close(), b.store.close()]);
      const c = await open(options());
      expect(together + (await press(c.store, leased('k', params), 600))).toBe(6_000);
    },
  );

  it('ask Redis for few of the decisions of a hot bucket', async () => {
    const { store, counts } = await open(options());
    const params = yearly('token_bucket', 1_000_000);
    await press(store, leased('k', params), 2_000);
    const runs = async (): Promise<number> =>
      Number(/cmdstat_evalsha:calls=(\d+)/.exec(await server.admin.info('commandstats'))?.[1] ?? 0);
    const [runsBefore, localBefore] = [await runs(), counts.localDecisions];
    await press(store, leased('k', params), 40_000);
    expect(((await runs()) - runsBefore) / 40_000).toBeLessThan(1 / 50);
    expect(counts.localDecisions - localBefore).toBeGreaterThan(39_000);
  });

  it('keep no more ahead than the allowance, and give it back within the idle time', async () => {
    const { store, redis } = await open(options());
    const params = yearly('token_bucket', 2_000);
    const admitted = await press(store, leased('k', params), 400);
    expect(store.stats().outstanding).toBeLessThanOrEqual(100);
    expect(admitted).toBe(400);
    const fromMs = performance.now();
    await eventually('the lease is back', () => store.stats().outstanding === 0);
    expect(performance.now() - fromMs).toBeLessThan(500);
    await eventually('Redis has it', async () => (await used(redis, call('k', params, 0))) === 400);
  });

  it('lose what a killed holder held, once', async () => {
    // A holder that is killed is one that never looks again: no tick, no close.
    // Its lease lives long enough to be looked at on a busy machine.
    const terms = { ...TERMS, ttlMs: 2_000 };
    const dead = await open(options(), terms, 0);
    const params = yearly('token_bucket', 4_000);
    const admitted = await press(dead.store, leased('k', params), 800);
    // An ask that is still under way would be granted after its tokens were counted here.
    await eventually('no ask is under way', async () => {
      const taken = await used(dead.redis, call('k', params, 0));
      return taken === admitted + dead.store.stats().outstanding;
    });
    const held = dead.store.stats().outstanding;
    expect(held).toBeGreaterThan(0);
    holders.splice(holders.indexOf(dead), 1);
    dead.redis.close().catch(() => undefined);

    const { store, counts, redis } = await open(options());
    expect(await used(redis, call('k', params, 0))).toBe(admitted + held);
    await new Promise((resolve) => setTimeout(resolve, terms.ttlMs + 50));
    const after = await press(store, leased('k', params), 800);
    expect(counts.lostTokens).toBe(0);
    await store.close();
    const last = await open(options());
    expect(await used(last.redis, call('k', params, 0))).toBe(admitted + held + after);
  });

  it('measure what a failover that loses the last grants lets through in excess', async () => {
    const params = yearly('token_bucket', 10_000);
    const { store, counts } = await open(options(), { ...TERMS, ttlMs: 60_000 });
    const before = await press(store, leased('k', params), 800);
    const keys = (await server.admin.keys('*')).sort();
    expect(keys).toEqual(['{k}:tb', '{k}:tb:l']);
    // What a replica knows that was promoted before the latest writes reached it.
    const stale = await Promise.all(keys.map((key) => server.admin.getBuffer(key)));
    const during = await press(store, leased('k', params), 2_400);
    await Promise.all(keys.map((key, i) => server.admin.set(key, stale[i] ?? '', 'KEEPTTL')));
    const after = await press(store, leased('k', params), 12_000);
    await store.close();
    const excess = before + during + after - 10_000;
    expect(excess).toBeGreaterThan(0);
    // Every grant since the replica's state is given twice; the metric tells at least what was held when it was seen.
    expect(excess).toBeLessThanOrEqual(during + 500);
    expect(counts.overshootTokens).toBeGreaterThan(0);
    expect(counts.overshootTokens).toBeLessThanOrEqual(500);
  });

  it('go on with what they hold while Redis is away', async () => {
    const { store } = await open(options(), { ...TERMS, ttlMs: 5_000 });
    const params = yearly('token_bucket', 20_000);
    await press(store, leased('k', params), 2_000);
    const held = store.stats().outstanding;
    expect(held).toBeGreaterThan(20);
    server.signal('SIGSTOP');
    try {
      for (let i = 0; i < 20; i += 1) {
        expect(store.decide(request([leased('k', params)]))).toMatchObject([{ allowed: true }]);
      }
    } finally {
      server.signal('SIGCONT');
    }
  });
});

describe('leased stores over a Redis Cluster', () => {
  let cluster: RedisCluster;

  beforeAll(async () => {
    cluster = await RedisCluster.start();
  });
  afterAll(() => cluster.stop());

  it.each([0, 12])('share every limit of many keys, with %d hash tags', async (slotTags) => {
    const options = { kind: 'cluster' as const, urls: cluster.addresses, slotTags };
    const [a, b] = [await open(options), await open(options)];
    const params = yearly('fixed_window', 1_000);
    const keys = Array.from({ length: 12 }, (_, i) => `tags ${slotTags} key ${i}`);
    const sums = await Promise.all(
      keys.map(async (key) => {
        const parts = await Promise.all([a, b].map(({ store }) => press(store, leased(key, params), 640)));
        return parts.reduce((sum, each) => sum + each, 0);
      }),
    );
    for (const sum of sums) {
      expect(sum).toBeLessThanOrEqual(1_000);
      expect(sum).toBeGreaterThanOrEqual(900);
    }
    expect(a.counts.localDecisions + b.counts.localDecisions).toBeGreaterThan(3_000);
  });
});

describe('Tidegate with leases, as users run it', () => {
  it('shares a limit among processes, and gives leases back on SIGTERM', async () => {
    const server = await RedisServer.start();
    const limits = await writeLimits(
      'domain: shop\ndescriptors:\n  - key: k\n    rate_limit: {unit: year, requests_per_unit: 3000, algorithm: fixed_window}\n',
    );
    const processes: TidegateProcess[] = [];
    try {
      for (let i = 0; i < 2; i += 1) {
        processes.push(
          await startTidegate({
            limits: limits.path,
            env: {
              TIDEGATE_STORE_KIND: 'redis',
              TIDEGATE_STORE_URLS: server.address,
              TIDEGATE_CONSISTENCY: 'leased',
              TIDEGATE_STORE_DEADLINE: '2s',
              TIDEGATE_STORE_LEASE_IDLE: '10s',
              TIDEGATE_STORE_LEASE_TTL: '20s',
            },
          }),
        );
      }
      const asked = oneDescriptor('shop', { k: '' });
      const sums = await Promise.all(
        processes.map(async ({ data }) => {
          const client = new RlsClient(data);
          let ok = 0;
          for (let i = 0; i < 600; i += 20) {
            const answers = await Promise.all(Array.from({ length: 20 }, () => client.decide(asked)));
            ok += answers.filter(({ overallCode }) => overallCode === 1).length;
          }
          client.close();
          return ok;
        }),
      );
      expect(sums).toEqual([600, 600]);
      const scraped = await Promise.all(
        processes.map(async ({ admin }) => (await fetch(`http://${admin}/metrics`)).text()),
      );
      for (const text of scraped) {
        expect(Number(/^tidegate_lease_local_decisions_total (\d+)/m.exec(text)?.[1])).toBeGreaterThan(100);
        expect(Number(/^tidegate_lease_outstanding_tokens (\d+)/m.exec(text)?.[1])).toBeGreaterThan(0);
      }
      await Promise.all(processes.map((each) => each.stop()));
      // Beside it stand the lease's ledger and what the group of sidecars keeps.
      const [key] = (await server.admin.keys('tg:*')).filter((each) => /:fw\d+$/.test(each));
      const stored = await server.admin.getBuffer(key ?? '');
      // The count is the second double of a fixed window's state.
      expect(stored?.readDoubleLE(8)).toBe(1_200);
    } finally {
      await Promise.all(processes.map((each) => each.stop()));
      await limits.remove();
      await server.stop();
    }
  });
});

/**
 * Redis is gone, or does not answer any more: every rule's `on_error` answers in its stead, in time, and Redis takes
 * over again by itself. Envoy refuses what gets no decision with 503, so that 200 and 429 can only be Tidegate's.
 */
import { startEnvoy, type RunningEnvoy } from '../parts/envoy';
import { askTier, countStatuses, edgeConfig, NO_DECISION, statusesInTurn } from '../parts/envoy-gateway';
import { demoLimits, tierRule, writeLimits, type LimitsFile } from '../parts/limits-file';
import { RedisCluster } from '../parts/redis-cluster';
import { startTidegate, type TidegateProcess } from '../parts/tidegate-process';
import { until } from '../parts/until';
import { startUpstream, type Upstream } from '../parts/upstream';

const LOCAL_LIMIT = 4;
const LIMITS = demoLimits(
  tierRule('allow', '{unit: day, requests_per_unit: 100000, on_error: allow}'),
  tierRule('deny', '{unit: day, requests_per_unit: 100000, on_error: deny}'),
  tierRule('error', '{unit: day, requests_per_unit: 100000, on_error: error}'),
  tierRule('local-stalled', `{unit: day, requests_per_unit: ${LOCAL_LIMIT}, on_error: local}`),
  tierRule('local-killed', `{unit: day, requests_per_unit: ${LOCAL_LIMIT}, on_error: local}`),
  tierRule('after-stalled', '{unit: day, requests_per_unit: 30, on_error: error}'),
  tierRule('after-killed', '{unit: day, requests_per_unit: 30, on_error: error}'),
);

let cluster: RedisCluster;
let limits: LimitsFile;
let upstream: Upstream;
let envoys: readonly [RunningEnvoy, RunningEnvoy];
const stops: (() => Promise<void>)[] = [];

function toStop<T extends { stop(): Promise<void> }>(part: T): T {
  stops.push(() => part.stop());
  return part;
}

async function startPair(): Promise<RunningEnvoy> {
  const tidegate: TidegateProcess = toStop(
    await startTidegate({
      limits: limits.path,
      env: {
        TIDEGATE_STORE_KIND: 'cluster',
        TIDEGATE_STORE_URLS: cluster.addresses.join(','),
        TIDEGATE_CONSISTENCY: 'exact',
        TIDEGATE_STORE_DEADLINE: '500ms',
      },
    }),
  );
  const options = { upstream: upstream.address, tidegates: [tidegate.data] };
  return toStop(await startEnvoy(edgeConfig(options)));
}

beforeAll(async () => {
  cluster = toStop(await RedisCluster.start());
  limits = await writeLimits(LIMITS);
  upstream = toStop(await startUpstream());
  envoys = [await startPair(), await startPair()];
});

afterAll(async () => {
  // Nothing stalled can be told to stop.
  for (const node of cluster?.nodes ?? []) node.signal('SIGCONT');
  for (const stop of stops.reverse()) await stop();
  await limits?.remove();
});

interface Outage {
  readonly name: string;
  begin(): Promise<void>;
  end(): Promise<void>;
}

const OUTAGES: readonly Outage[] = [
  {
    name: 'stalled',
    begin: async () => cluster.nodes.forEach((node) => node.signal('SIGSTOP')),
    end: async () => cluster.nodes.forEach((node) => node.signal('SIGCONT')),
  },
  {
    name: 'killed',
    begin: async () => {
      await Promise.all(cluster.nodes.map((node) => node.kill()));
    },
    end: async () => {
      await Promise.all(cluster.nodes.map((node) => node.restart()));
    },
  },
];

describe.each(OUTAGES)('Redis $name', (outage) => {
  beforeAll(async () => {
    for (const tier of ['allow', 'deny', 'error']) {
      for (const envoy of envoys) expect([tier, (await askTier(envoy, tier)).status]).toEqual([tier, 200]);
    }
    await outage.begin();
  });

  test.each([
    ['allow', 200],
    ['deny', 429],
    ['error', NO_DECISION],
  ])('on_error: %s answers %i, also to many at once', async (tier, status) => {
    for (const envoy of envoys) expect((await askTier(envoy, tier)).status).toBe(status);
    const many = Array.from({ length: 30 }, () => askTier(envoys[0], tier));
    expect(countStatuses(await Promise.all(many))).toEqual({ [status]: 30 });
  });

  test('on_error: local counts in each Tidegate', async () => {
    const passed = Array<number>(LOCAL_LIMIT).fill(200);
    for (const envoy of envoys) {
      const statuses = await statusesInTurn(LOCAL_LIMIT + 2, () => askTier(envoy, `local-${outage.name}`));
      expect(statuses).toEqual([...passed, 429, 429]);
    }
  });

  test('when Redis returns, both share limits through it again without being told', async () => {
    await outage.end();
    for (const envoy of envoys) {
      await until('Redis decides again', async () => (await askTier(envoy, 'error')).status === 200, 45_000);
    }
    await cluster.whole();
    const tier = `after-${outage.name}`;
    let passed = 0;
    for (const envoy of envoys) {
      // Its bucket may be on a node whose connection comes back later than the others'.
      await until(
        'Redis decides this one, too',
        async () => {
          const { status } = await askTier(envoy, tier);
          if (status === 200) passed += 1;
          return status === 200;
        },
        45_000,
      );
    }
    const many = Array.from({ length: 50 }, (_, index) => askTier(envoys[index % 2 === 0 ? 0 : 1], tier));
    expect(countStatuses(await Promise.all(many))).toEqual({ 200: 30 - passed, 429: 20 + passed });
  });
});

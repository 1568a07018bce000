/** A pool over a real Redis Cluster, behind a real Envoy: more for those that matter, never over the total, and a leader that dies. */
import type { ControlAsks } from '../../src/core/control-desk';
import { startEnvoy, type RunningEnvoy } from '../parts/envoy';
import { askTier, countStatuses, edgeConfig, type Answer } from '../parts/envoy-gateway';
import { demoLimits, writeLimits, type LimitsFile } from '../parts/limits-file';
import { RedisCluster } from '../parts/redis-cluster';
import { startTidegate, type TidegateProcess } from '../parts/tidegate-process';
import { until } from '../parts/until';
import { startUpstream, type Upstream } from '../parts/upstream';

const TOTAL_PER_S = 40;
const LOAD_MS = 10_000;
const rule = (tier: string, priority: string): string => `
  - key: tier
    value: ${tier}
    descriptors:
      - key: remote_address
        value: 127.0.0.1
        rate_limit: {unit: second, requests_per_unit: 20, priority: ${priority}}`;

let cluster: RedisCluster;
let limits: LimitsFile;
let upstream: Upstream;

beforeAll(async () => {
  [cluster, limits, upstream] = await Promise.all([
    RedisCluster.start(),
    writeLimits(demoLimits(rule('gold', 'CRITICAL'), rule('bronze', 'LOW'))),
    startUpstream(),
  ]);
}, 60_000);
afterAll(async () => {
  await Promise.all([cluster?.stop(), limits?.remove(), upstream?.stop()]);
});

function start(mode: string, prefix: string): Promise<TidegateProcess> {
  return startTidegate({
    limits: limits.path,
    env: {
      TIDEGATE_STORE_KIND: 'cluster',
      TIDEGATE_STORE_URLS: cluster.addresses.join(','),
      TIDEGATE_STORE_KEY_PREFIX: prefix,
      TIDEGATE_STORE_DEADLINE: '2s',
      TIDEGATE_POOLS_TICK: '200ms',
      TIDEGATE_POOLS_INTERVAL: '1s',
      TIDEGATE_POOLS_LEADER_LIFE: '1s',
      TIDEGATE_POOLS_SIZING_COOLDOWN: '0s',
      TIDEGATE_POOLS_LIST: JSON.stringify([{ name: 'edge', mode, total_per_s: TOTAL_PER_S }]),
      TIDEGATE_POOLS_MEMBERS: JSON.stringify([{ pool: 'edge', match: 'demo.*' }]),
    },
  });
}

async function poolOf({ admin }: TidegateProcess) {
  const response = await fetch(`http://${admin}/api/v1/pools`);
  const { pools } = (await response.json()) as ControlAsks['pools']['answer'];
  const [pool] = pools;
  if (pool === undefined) throw new Error('no pool');
  return pool;
}

async function ratesOf({ admin }: TidegateProcess): Promise<ReadonlyMap<string, number>> {
  const response = await fetch(`http://${admin}/api/v1/buckets`);
  const { buckets } = (await response.json()) as ControlAsks['buckets']['answer'];
  return new Map(buckets.map(({ id, ratePerS }) => [id, ratePerS]));
}

/** Some 33 calls a second of gold and 10 of bronze, until told to stop. */
function load(envoy: RunningEnvoy) {
  const startedMs = performance.now();
  const answers = { gold: [] as Answer[], bronze: [] as Answer[] };
  const pending: Promise<unknown>[] = [];
  const every = (tier: 'gold' | 'bronze', ms: number) =>
    setInterval(() => pending.push(askTier(envoy, tier).then((answer) => answers[tier].push(answer))), ms);
  const timers = [every('gold', 30), every('bronze', 100)];
  return async () => {
    for (const timer of timers) clearInterval(timer);
    await Promise.all(pending);
    return {
      gold: countStatuses(answers.gold),
      bronze: countStatuses(answers.bronze),
      seconds: (performance.now() - startedMs) / 1_000,
    };
  };
}

async function admittedIn(mode: string): Promise<{ gold: number; all: number; seconds: number }> {
  const tidegate = await start(mode, `${mode}:`);
  const envoy = await startEnvoy(edgeConfig({ upstream: upstream.address, tidegates: [tidegate.data] }));
  try {
    await until('a leader', async () => mode === 'off' || (await poolOf(tidegate)).leader);
    const startedMs = performance.now();
    const stop = load(envoy);
    await until('the load', () => performance.now() - startedMs > LOAD_MS, LOAD_MS + 5_000);
    const { gold, bronze, seconds } = await stop();
    expect(Object.keys({ ...gold, ...bronze }).filter((status) => !['200', '429'].includes(status))).toEqual(
      [],
    );
    return { gold: gold[200] ?? 0, all: (gold[200] ?? 0) + (bronze[200] ?? 0), seconds };
  } finally {
    await envoy.stop();
    await tidegate.stop();
  }
}

test('an active pool admits more of what is critical than the configured limits do, within the total', async () => {
  const fixed = await admittedIn('off');
  const active = await admittedIn('active');
  expect(fixed.gold).toBeLessThanOrEqual(20 * fixed.seconds + 20);
  expect(active.gold / active.seconds).toBeGreaterThan(1.15 * (fixed.gold / fixed.seconds));
  // The buckets were full when it began, and none is larger than four times what its limit says.
  expect(active.all).toBeLessThanOrEqual(TOTAL_PER_S * active.seconds + 2 * 4 * 20);
}, 90_000);

test('when the leader is killed under load another leads, and neither answers nor limits change by that', async () => {
  const first = await start('active', 'fail:');
  const second = await start('active', 'fail:');
  let envoy: RunningEnvoy | undefined;
  try {
    const leads = async (one: TidegateProcess): Promise<boolean> => (await poolOf(one)).leader;
    await until('one leader', async () => (await leads(first)) !== (await leads(second)));
    const [leader, other] = (await leads(first)) ? [first, second] : [second, first];
    envoy = await startEnvoy(edgeConfig({ upstream: upstream.address, tidegates: [other.data] }));
    const stop = load(envoy);
    const gold = 'demo.tier_gold.remote_address_127.0.0.1';
    await until('a larger limit', async () => ((await ratesOf(other)).get(gold) ?? 0) > 24, 30_000);
    const before = await poolOf(other);
    expect(before).toMatchObject({ leader: false, mode: 'active', stale: false });
    leader.child.signal('SIGKILL');
    const after = await until(
      'another leader',
      async () => {
        const pool = await poolOf(other);
        // Meanwhile what was published holds.
        expect((await ratesOf(other)).get(gold)).toBeGreaterThan(24);
        return pool.leader && pool;
      },
      10_000,
    );
    expect(after.epoch).toBeGreaterThan(before.epoch);
    await until('its table', async () => (await poolOf(other)).version > after.version, 20_000);
    expect((await ratesOf(other)).get(gold)).toBeGreaterThan(24);
    const { gold: golden, bronze } = await stop();
    expect(Object.keys({ ...golden, ...bronze }).sort()).toEqual(
      ['200', '429'].filter((s) => s in golden || s in bronze),
    );
  } finally {
    await envoy?.stop();
    await Promise.all([first.stop(), second.stop()]);
  }
}, 90_000);

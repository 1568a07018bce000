/**
 * Real Envoy before a small upstream, asking Tidegate before a real Redis Cluster of six.
 * Limits are per day: no run lasts long enough for one to refill, or for an assertion to depend on when it ran.
 */
import { startEnvoy, type RunningEnvoy } from '../parts/envoy';
import {
  ask,
  askTier,
  countStatuses,
  edgeConfig,
  sidecarConfig,
  statusesInTurn,
} from '../parts/envoy-gateway';
import { demoLimits, tierRule, writeLimits, type LimitsFile } from '../parts/limits-file';
import { RedisCluster } from '../parts/redis-cluster';
import { startTidegate, type TidegateProcess } from '../parts/tidegate-process';
import { until } from '../parts/until';
import { startUpstream, type Upstream } from '../parts/upstream';

const OTHER_RULES = `
  - key: service
    value: app
    rate_limit: {unit: day, requests_per_unit: 5}
  - key: path
    value: /login
    descriptors:
      - key: remote_address
        rate_limit: {unit: day, requests_per_unit: 2}`;
const rules = (reloaded: string): string =>
  demoLimits(
    tierRule('small', '{unit: day, requests_per_unit: 3, name: small}'),
    tierRule('shared', '{unit: day, requests_per_unit: 40}'),
    tierRule('window', '{unit: year, requests_per_unit: 25, algorithm: fixed_window}'),
    tierRule('sliding', '{unit: day, requests_per_unit: 25, algorithm: sliding_window}'),
    tierRule('both', '{unit: day, requests_per_unit: 5}'),
    tierRule('plenty', '{unit: day, requests_per_unit: 1000000}'),
    tierRule('reloaded', reloaded),
    OTHER_RULES,
  );
const RELOADED = '{unit: day, requests_per_unit: 100}';

let cluster: RedisCluster;
let limits: LimitsFile;
let upstream: Upstream;
let tidegates: readonly [TidegateProcess, TidegateProcess];
/** Each Envoy asks the Tidegate at its side. */
let envoys: readonly [RunningEnvoy, RunningEnvoy];
const stops: (() => Promise<void>)[] = [];

function toStop<T extends { stop(): Promise<void> }>(part: T): T {
  stops.push(() => part.stop());
  return part;
}

async function startOnCluster(env: Readonly<Record<string, string>> = {}): Promise<TidegateProcess> {
  return toStop(
    await startTidegate({
      limits: limits.path,
      env: {
        TIDEGATE_STORE_KIND: 'cluster',
        TIDEGATE_STORE_URLS: cluster.addresses.join(','),
        TIDEGATE_CONSISTENCY: 'exact',
        // A busy machine must not turn into an outage of Redis.
        TIDEGATE_STORE_DEADLINE: '5s',
        TIDEGATE_ON_ERROR: 'error',
        ...env,
      },
    }),
  );
}

async function edgeBefore(...served: readonly TidegateProcess[]): Promise<RunningEnvoy> {
  const options = { upstream: upstream.address, tidegates: served.map((tidegate) => tidegate.data) };
  return toStop(await startEnvoy(edgeConfig(options)));
}

beforeAll(async () => {
  cluster = toStop(await RedisCluster.start());
  limits = await writeLimits(rules(RELOADED));
  upstream = toStop(await startUpstream());
  tidegates = [await startOnCluster(), await startOnCluster()];
  envoys = [await edgeBefore(tidegates[0]), await edgeBefore(tidegates[1])];
});

afterAll(async () => {
  for (const stop of stops.reverse()) await stop();
  await limits?.remove();
});

test('under the limit requests pass, over it they get 429, with the figures in the headers', async () => {
  const seenBefore = upstream.seen;
  for (const remaining of [2, 1, 0]) {
    const { status, headers } = await askTier(envoys[0], 'small');
    expect(status).toBe(200);
    expect(headers.get('x-ratelimit-limit')).toBe('3, 3;w=86400;name="small"');
    expect(headers.get('x-ratelimit-remaining')).toBe(String(remaining));
    expect(headers.get('retry-after')).toBeNull();
  }
  const { status, headers } = await askTier(envoys[0], 'small');
  expect(status).toBe(429);
  expect(headers.get('x-ratelimit-limit')).toBe('3, 3;w=86400;name="small"');
  expect(headers.get('x-ratelimit-remaining')).toBe('0');
  expect(headers.get('x-envoy-ratelimited')).toBe('true');
  // One token comes back in a third of a day; the slack is for how long the test took to get here.
  const thirdOfDayS = 28_800;
  for (const name of ['retry-after', 'x-ratelimit-reset']) {
    const seconds = Number(headers.get(name));
    expect(seconds).toBeGreaterThan(thirdOfDayS - 600);
    expect(seconds).toBeLessThanOrEqual(name === 'retry-after' ? thirdOfDayS : 3 * thirdOfDayS);
  }
  expect(upstream.seen - seenBefore).toBe(3);
});

test.each([
  ['a token bucket', 'shared', 40],
  ['a fixed window', 'window', 25],
  ['a sliding window', 'sliding', 25],
])('two Envoys with two Tidegates share %s exactly', async (_what, tier, limit) => {
  const seenBefore = upstream.seen;
  const concurrent = Array.from({ length: limit + 40 }, (_, index) =>
    askTier(envoys[index % 2 === 0 ? 0 : 1], tier),
  );
  expect(countStatuses(await Promise.all(concurrent))).toEqual({ 200: limit, 429: 40 });
  expect(upstream.seen - seenBefore).toBe(limit);
});

test('a request that one limit denies is not charged to the others, whatever slots they live in', async () => {
  const login = await statusesInTurn(4, () => askTier(envoys[0], 'both', '/login'));
  expect(login).toEqual([200, 200, 429, 429]);
  const other = await statusesInTurn(4, () => askTier(envoys[1], 'both'));
  expect(other).toEqual([200, 200, 200, 429]);
});

test('what no rule matches passes without figures', async () => {
  const { status, headers } = await askTier(envoys[0], 'unheard-of');
  expect(status).toBe(200);
  expect(headers.get('x-ratelimit-limit')).toBeNull();
});

test('the sidecar config limits its service, and never its probes', async () => {
  const options = { upstream: upstream.address, tidegates: [tidegates[0].data] };
  const sidecar = toStop(await startEnvoy(sidecarConfig(options)));
  const url = sidecar.url('inbound');
  expect(await statusesInTurn(6, () => ask(`${url}/`))).toEqual([200, 200, 200, 200, 200, 429]);
  const probe = await ask(`${url}/healthz`);
  expect(probe.status).toBe(200);
  expect(probe.headers.get('x-ratelimit-limit')).toBeNull();
});

describe('reload', () => {
  const limitSeen = async (envoy: RunningEnvoy): Promise<string | null> =>
    (await askTier(envoy, 'reloaded')).headers.get('x-ratelimit-limit');

  const refusals = (tidegate: TidegateProcess): number =>
    tidegate.logs().filter((line) => JSON.stringify(line).includes('TG_LIMITS_')).length;

  test('an edit takes effect in both, a bad edit changes nothing and is reported, and mending it works', async () => {
    for (const envoy of envoys) expect(await limitSeen(envoy)).toBe('100, 100;w=86400');

    await limits.replace(rules('{unit: hour, requests_per_unit: 77}'));
    for (const envoy of envoys) {
      await until('the edit takes effect', async () => (await limitSeen(envoy)) === '77, 77;w=3600');
    }

    const refusedBefore = tidegates.map(refusals);
    await limits.replace(rules('{unit: fortnight, requests_per_unit: 1}'));
    for (const [index, tidegate] of tidegates.entries()) {
      await until('the bad edit is reported', () => refusals(tidegate) > (refusedBefore[index] ?? 0));
    }
    for (const envoy of envoys) expect(await limitSeen(envoy)).toBe('77, 77;w=3600');

    await limits.replace(rules('{unit: day, requests_per_unit: 0}'));
    for (const envoy of envoys) {
      await until(
        'the mended file takes effect',
        async () => (await askTier(envoy, 'reloaded')).status === 429,
      );
    }
    await limits.replace(rules(RELOADED));
    for (const envoy of envoys) {
      await until('the first limits are back', async () => (await limitSeen(envoy)) === '100, 100;w=86400');
    }
  });
});

describe('a Tidegate that is told to stop', () => {
  /** Sends one request after the other in a few lanes until told to end; returns every answer. */
  function trafficThrough(envoy: RunningEnvoy): { end(): Promise<Readonly<Record<number, number>>> } {
    sending = true;
    const lane = async () => {
      const answers = [];
      while (sending) answers.push(await askTier(envoy, 'plenty'));
      return answers;
    };
    const lanes = Promise.all([lane(), lane(), lane(), lane()]);
    // A lane that fails is reported by end(), and not before.
    lanes.catch(() => undefined);
    return {
      end: async () => {
        sending = false;
        return countStatuses((await lanes).flat());
      },
    };
  }

  let sending = false;
  afterEach(() => {
    sending = false;
  });

  test('loses no request where another one serves: Envoy turns away before it closes', async () => {
    const leaving = await startOnCluster({ TIDEGATE_SHUTDOWN_DELAY: '3s' });
    const envoy = await edgeBefore(leaving, tidegates[0]);
    const traffic = trafficThrough(envoy);
    await until('both answer', async () => (await envoy.stat('cluster.tidegate.membership_healthy')) === 2);
    leaving.child.signal('SIGTERM');
    expect(await leaving.child.exited).toBe(0);
    const counts = await traffic.end();
    expect(Object.keys(counts)).toEqual(['200']);
    expect(await statusesInTurn(20, () => askTier(envoy, 'plenty'))).toEqual(Array(20).fill(200));
    expect(await envoy.stat('cluster.tidegate.membership_healthy')).toBe(1);
  });

  test('leaves to the failure mode what it no longer answers, where it was the only one', async () => {
    const leaving = await startOnCluster();
    const options = { upstream: upstream.address, tidegates: [leaving.data], failureModeDeny: false };
    const envoy = toStop(await startEnvoy(edgeConfig(options)));
    const traffic = trafficThrough(envoy);
    await until('it answers', async () => (await envoy.stat('cluster.upstream.ratelimit.ok')) > 0);
    leaving.child.signal('SIGTERM');
    expect(await leaving.child.exited).toBe(0);
    await until(
      'the failure mode answers',
      async () => (await envoy.stat('cluster.upstream.ratelimit.error')) > 0,
    );
    expect(Object.keys(await traffic.end())).toEqual(['200']);
    expect(await envoy.stat('cluster.upstream.ratelimit.failure_mode_allowed')).toBeGreaterThan(0);
  });
});

/** Three Tidegates that share a Redis, or a Cluster, as one group: as users run them. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { oneDescriptor, RlsClient } from '../app/rls-client';
import { type LimitsFile, writeLimits } from '../parts/limits-file';
import { RedisCluster } from '../parts/redis-cluster';
import { RedisServer } from '../parts/redis-server';
import { startTidegate, type TidegateProcess } from '../parts/tidegate-process';
import { until } from '../parts/until';

const LIMITS = `domain: shop
descriptors:
  - key: path
    rate_limit: { unit: second, requests_per_unit: 1000000 }
`;
const CALL = oneDescriptor('shop', { path: '/' });
const LIFE_MS = 2_000;
/** A batch waits for its second to end, for the other processes' batches, and to be read. */
const PATIENCE_MS = 20_000;

interface Status {
  readonly leader: boolean;
  readonly tracked: number;
  readonly group: {
    readonly leader: boolean;
    readonly epoch: number;
    readonly leaderSource: string | null;
    readonly silentMs: number;
    readonly members: readonly { readonly source: string }[];
    readonly counts: { readonly doubled: number; readonly missing: number };
  };
}

let limits: LimitsFile;
let folder: string;
const running: TidegateProcess[] = [];
const clients = new Map<TidegateProcess, RlsClient>();

beforeEach(async () => {
  limits = await writeLimits(LIMITS);
  folder = await mkdtemp(join(tmpdir(), 'tidegate-group-'));
});
afterEach(async () => {
  for (const client of clients.values()) client.close();
  clients.clear();
  await Promise.all(running.splice(0).map((one) => one.stop()));
  await limits.remove();
  await rm(folder, { recursive: true, force: true });
});

async function member(env: Readonly<Record<string, string>>): Promise<TidegateProcess> {
  const started = await startTidegate({
    limits: limits.path,
    env: { TIDEGATE_OBSERVE_GROUP_LEADER_LIFE: `${LIFE_MS}ms`, TIDEGATE_STORE_DEADLINE: '2s', ...env },
  });
  running.push(started);
  clients.set(started, new RlsClient(started.data));
  return started;
}

async function press(one: TidegateProcess, calls: number): Promise<void> {
  const client = clients.get(one);
  for (let done = 0; done < calls; done += 1) await client?.decide(CALL);
}

async function get<T>(one: TidegateProcess, path: string): Promise<T> {
  const reply = await fetch(`http://${one.admin}/api/v1/${path}`);
  return (await reply.json()) as T;
}

const status = (one: TidegateProcess): Promise<Status> => get(one, 'forecasting');

/** Arrivals of the rule over all that this process keeps. */
async function arrivals(one: TidegateProcess): Promise<number> {
  const path = 'series?class=shop.path&figure=arrivals&resolution=1s&from=';
  const { values = [] } = await get<{ values?: readonly (number | null)[] }>(
    one,
    `${path}${encodeURIComponent(new Date(Date.now() - 600_000).toISOString())}`,
  );
  return values.reduce<number>((sum, value) => sum + (value ?? 0), 0);
}

async function untilAllCount(members: readonly TidegateProcess[], wanted: number): Promise<void> {
  await until(
    `all members count ${wanted}`,
    async () => {
      const counts = await Promise.all(members.map(arrivals));
      if (counts.some((count) => count > wanted)) throw new Error(`counted twice: ${counts.join(', ')}`);
      return counts.every((count) => count === wanted);
    },
    PATIENCE_MS,
  );
}

async function leaderOf(members: readonly TidegateProcess[]): Promise<TidegateProcess> {
  let leader: TidegateProcess | undefined;
  await until(
    'exactly one leads',
    async () => {
      const all = await Promise.all(members.map(status));
      const leaders = members.filter((_, index) => all[index]?.leader === true);
      leader = leaders[0];
      return leaders.length === 1;
    },
    PATIENCE_MS,
  );
  return leader as TidegateProcess;
}

function behaviour(where: () => Readonly<Record<string, string>>): void {
  test('the counts of all are merged once on each; when the leader is killed another forecasts', async () => {
    const members = [
      await member({ ...where(), TIDEGATE_HISTORY_PATH: join(folder, 'a.db') }),
      await member({ ...where(), TIDEGATE_WORKERS: '2' }),
      await member(where()),
    ];
    const leader = await leaderOf(members);
    await until('all know all', async () => (await status(leader)).group.members.length === 3, PATIENCE_MS);
    await Promise.all(members.map((one) => press(one, 50)));
    await untilAllCount(members, 150);

    const { epoch } = (await status(leader)).group;
    leader.child.signal('SIGKILL');
    const killedMs = Date.now();
    const rest = members.filter((one) => one !== leader);
    const next = await leaderOf(rest);
    expect(Date.now() - killedMs).toBeLessThan(LIFE_MS + 3_000);
    await Promise.all(rest.map((one) => press(one, 30)));
    await untilAllCount(rest, 210);
    await until('it has opened the classes', async () => (await status(next)).tracked >= 2, PATIENCE_MS);
    expect((await status(next)).group.epoch).toBeGreaterThan(epoch);
    const predicted = await get<{ source?: string; classId?: string }>(next, 'predictions?class=shop.path');
    expect(predicted).toMatchObject({ classId: 'shop.path' });

    // The minute's end brings forecasts of its own, and a board for the other.
    const other = rest.find((one) => one !== next) as TidegateProcess;
    await until(
      'both tell the forecast',
      async () => {
        const path = 'predictions?class=shop.path&horizon=1m';
        const told = await Promise.all(
          [next, other].map((one) => get<{ source: string; steps: readonly unknown[] }>(one, path)),
        );
        return told[0]?.source === 'model' && told[1]?.source === 'leader' && told[1].steps.length === 1;
      },
      100_000,
    );
    const refused = await fetch(`http://${other.admin}/api/v1/models?class=shop.path`);
    expect(refused.status).toBe(503);
    expect(await refused.json()).toMatchObject({ code: 'TG_FORECAST_FOLLOWER' });
    for (const one of rest)
      expect((await status(one)).group.counts).toMatchObject({ doubled: 0, missing: 0 });
  }, 180_000);
}

describe('over Redis', () => {
  let redis: RedisServer;
  const where = () => ({ TIDEGATE_STORE_KIND: 'redis', TIDEGATE_STORE_URLS: redis.address });
  beforeAll(async () => (redis = await RedisServer.start()));
  afterAll(() => redis.stop());

  behaviour(where);

  test('while Redis is down own counts go on; when it is back, they are merged, none twice', async () => {
    const env = { ...where(), TIDEGATE_OBSERVE_GROUP_NAME: 'outage', TIDEGATE_ON_ERROR: 'allow' };
    const members = [await member(env), await member(env)];
    const [first, second] = members as [TidegateProcess, TidegateProcess];
    await leaderOf(members);
    await Promise.all(members.map((one) => press(one, 20)));
    await untilAllCount(members, 40);
    await redis.kill();
    await until('it is noticed', async () => (await status(first)).group.silentMs > 3_000, PATIENCE_MS);
    await press(first, 10);
    await press(second, 5);
    await untilAllCount([first], 50);
    await untilAllCount([second], 45);
    await redis.restart();
    await leaderOf(members);
    await untilAllCount(members, 55);
    await press(second, 5);
    await untilAllCount(members, 60);
  }, 120_000);
});

describe('over a Cluster', () => {
  let cluster: RedisCluster;
  beforeAll(async () => (cluster = await RedisCluster.start()), 60_000);
  afterAll(() => cluster.stop());

  behaviour(() => ({
    TIDEGATE_STORE_KIND: 'cluster',
    TIDEGATE_STORE_URLS: cluster.addresses.join(','),
  }));
});

/** Pools over a real Redis and a real Cluster: one leads, all have its table, nobody is led by one that was stalled. */
import { PoolConnections } from '../../src/store/redis/pool-connections';
import { RedisPool } from '../../src/store/redis/redis-pool';
import { RedisCluster } from '../parts/redis-cluster';
import {
  closeLinks,
  following,
  lastPrefix,
  leading,
  LIFE_MS,
  linksAt,
  NEVER_MS,
  subscribed,
  type Where,
} from '../parts/redis-pools';
import { RedisServer } from '../parts/redis-server';
import { until } from '../parts/until';
import { describePool, modeOrder, override, proposal } from '../store/pool-contract';

afterEach(closeLinks);

/** A monotonic clock that can be stopped, as a process's that is stopped, seen from within. */
class Stoppable {
  private stoppedMs: number | undefined;
  readonly nowMs = (): number => this.stoppedMs ?? performance.now();
  stop(): void {
    this.stoppedMs = performance.now();
  }
}

/** Ends a link's renewals without a word; its connections stay. */
function stall(link: RedisPool): void {
  const parts = link as unknown as { timer: NodeJS.Timeout; look: () => Promise<void> };
  clearTimeout(parts.timer);
  parts.look = () => Promise.resolve();
}

/** As if the process had been killed: it renews no more, and its connections are gone. */
async function cutOff(link: RedisPool): Promise<void> {
  stall(link);
  const parts = link as unknown as {
    last: Promise<void>;
    connections: { close: () => void };
  };
  await parts.last;
  parts.connections.close();
}

async function connected(server: RedisServer): Promise<number> {
  const text = String(await server.admin.call('client', 'list'));
  return text.split('\n').filter((line) => line.includes('addr=')).length;
}

function behaviour(where: () => Where): void {
  describe('one link', () => {
    describePool(() => linksAt(where())('a'));
  });

  test('of three links exactly one leads', async () => {
    const make = linksAt(where());
    const links = ['a', 'b', 'c'].map((source) => make(source));
    for (const link of links) link.start();
    await until('all know the leader', () => links.every((link) => link.role().epoch > 0));
    expect(links.filter((link) => link.role().leader)).toHaveLength(1);
    expect(new Set(links.map((link) => link.role().epoch)).size).toBe(1);
  });

  test('a table is pushed to who follows, without a poll', async () => {
    const make = linksAt(where());
    const slow = { leaderLifeMs: NEVER_MS, pollMs: NEVER_MS };
    const first = await leading(make('a', slow));
    const second = make('b', slow);
    const heard = await following(second);
    await subscribed(second);
    const fromMs = performance.now();
    const table = await first.publish(proposal('pushed'));
    await until('it has come', () => heard.length > 0);
    expect(performance.now() - fromMs).toBeLessThan(5_000);
    expect(heard).toEqual([table]);
    await second.putOverride(override('m'));
    await until('the order has come', () => first.orders().overrides.length === 1);
  });

  test('a table is found by who hears of nothing', async () => {
    const make = linksAt(where());
    const first = await leading(make('a', { leaderLifeMs: NEVER_MS, pollMs: 50 }));
    const second = make('b', { pollMs: 50, listens: false });
    const heard = await following(second);
    const table = await first.publish(proposal('polled'));
    await second.putMode(modeOrder('active'));
    await until('it has come', () => heard.length > 0);
    expect(heard).toEqual([table]);
    await until('the order has come', () => first.orders().mode?.mode === 'active');
  });

  test('when the leader leaves, another leads at once, with a higher epoch', async () => {
    const make = linksAt(where());
    const long = { leaderLifeMs: NEVER_MS, pollMs: NEVER_MS };
    const first = await leading(make('a', long));
    const { epoch } = first.role();
    const second = make('b', long);
    await following(second);
    await subscribed(second);
    await first.close();
    await until('the second leads', () => second.role().leader);
    expect(second.role().epoch).toBeGreaterThan(epoch);
  });

  test('when the leader dies, another takes over, and changes nothing by that', async () => {
    const make = linksAt(where());
    const clock = new Stoppable();
    const first = await leading(make('a', { monotonicMs: clock.nowMs }));
    const table = await first.publish(proposal('before'));
    const second = make('b');
    const heard = await following(second);
    clock.stop();
    await cutOff(first);
    const fromMs = performance.now();
    await until('the second leads', () => second.role().leader);
    expect(performance.now() - fromMs).toBeLessThan(3 * LIFE_MS);
    expect(second.role().epoch).toBeGreaterThan(table?.epoch ?? Infinity);
    expect(second.table()).toEqual(table);
    expect(heard).toEqual([table]);
    const after = await second.publish(proposal('after'));
    expect(after).toMatchObject({ epoch: second.role().epoch, sequence: 1 });
    expect(after?.version).toBeGreaterThan(table?.version ?? Infinity);
  });

  test('a leader that was stalled, and believes in itself still, changes nothing', async () => {
    const make = linksAt(where());
    const clock = new Stoppable();
    const first = await leading(make('a', { monotonicMs: clock.nowMs }));
    const table = await first.publish(proposal('before'));
    clock.stop();
    stall(first);
    const second = make('b');
    second.start();
    await until('the second leads', () => second.role().leader);
    expect(first.role().leader).toBe(true);
    expect(await first.publish(proposal('stale'))).toBeUndefined();
    expect(first.role().leader).toBe(false);
    expect(first.counts().fenced).toBe(1);
    expect(second.table()).toEqual(table);
    expect(await second.publish(proposal('new'))).toBeDefined();
  });

  test('pools are led apart, and fall to who leads fewer', async () => {
    const make = linksAt(where());
    const busy = make('a', { led: () => 5 });
    const idle = make('b', { led: () => 0 });
    busy.start();
    idle.start();
    await until('one leads', () => busy.role().leader || idle.role().leader);
    expect(idle.role().leader).toBe(true);
    await leading(make('a', { pool: 'q' }));
    expect(idle.role().leader).toBe(true);
  });
}

describe('over one Redis', () => {
  let server: RedisServer;
  beforeAll(async () => (server = await RedisServer.start()));
  afterAll(() => server.stop());
  const where = (): Where => ({ kind: 'redis', urls: [server.address] });

  behaviour(where);

  test('a subscription that breaks is made again', async () => {
    const make = linksAt(where());
    const slow = { leaderLifeMs: NEVER_MS, pollMs: NEVER_MS };
    const first = await leading(make('a', slow));
    const second = make('b', slow);
    const heard = await following(second);
    await subscribed(second);
    await server.admin.call('client', 'kill', 'type', 'pubsub');
    const table = await first.publish(proposal('after the break'));
    await until('it has come', () => heard.length > 0);
    expect(heard).toEqual([table]);
  });

  test('a hundred pools of a process share one connection and one subscription', async () => {
    const options = { ...where(), keyPrefix: 'hundred:' };
    await until('the last test is over', async () => (await connected(server)) === 1);
    const process = (source: string) => {
      const connections = new PoolConnections(options);
      const links = Array.from({ length: 100 }, (_, at) => {
        const link = new RedisPool({
          ...{ ...options, pool: `p${at}`, source, connections },
          ...{ leaderLifeMs: NEVER_MS, pollMs: NEVER_MS },
        });
        link.start();
        return link;
      });
      return { connections, links };
    };
    const a = process('a');
    await until('it leads all', () => a.links.every((link) => link.role().leader));
    const b = process('b');
    await until('the other knows', () => b.links.every((link) => link.role().epoch > 0));
    const heard: string[] = [];
    for (const link of b.links) link.onTable(({ pool }) => heard.push(pool));
    expect(await connected(server)).toBe(1 + 4);
    await server.admin.call('client', 'kill', 'type', 'pubsub');
    await Promise.all(a.links.map((link) => link.publish(proposal('one'))));
    await until('all have come', () => heard.length === 100);
    expect(new Set(heard).size).toBe(100);
    await Promise.all([...a.links, ...b.links].map((link) => link.close()));
    a.connections.close();
    b.connections.close();
    await until('all connections are gone', async () => (await connected(server)) === 1);
  });

  test('while Redis is away nobody leads; when it has lost all, epochs and versions rise all the same', async () => {
    const link = await leading(linksAt(where())('a'));
    const before = await link.publish(proposal('before'));
    await server.kill();
    await until('it believes no more', () => !link.role().leader);
    expect(await link.publish(proposal('away'))).toBeUndefined();
    await expect(link.putOverride(override('m'))).rejects.toMatchObject({
      code: expect.stringMatching(/^TG_STORE_/) as string,
    });
    expect(link.table()).toEqual(before);
    await server.restart();
    await until('it leads again', () => link.role().leader);
    const after = await link.publish(proposal('after'));
    expect(after?.epoch).toBeGreaterThan(before?.epoch ?? Infinity);
    expect(after?.version).toBeGreaterThan(before?.version ?? Infinity);
  });

  test('an order counts its time by the clock of Redis, wherever it was given', async () => {
    const make = linksAt(where());
    const [first, second] = [make('a'), make('b')];
    await Promise.all([following(first), following(second)]);
    const fast = override('m', { setAtMs: Date.now() + 3_600_000, untilMs: Date.now() + 3_660_000 });
    await first.putOverride(fast);
    await until('the other has it', () => second.orders().overrides.length === 1);
    const slow = override('m', { setAtMs: 0, untilMs: 60_000 });
    await first.putOverride(slow);
    await until('the other has it', () => second.orders().overrides[0]?.untilMs === 60_000);
    await expect(first.putOverride(override('m', { untilMs: 0 }))).rejects.toMatchObject({
      code: 'TG_CONTROL_BAD_OVERRIDE',
    });
    await expect(first.putOverride(override('m', { reason: 'x'.repeat(20_000) }))).rejects.toMatchObject({
      code: 'TG_CONTROL_BAD_OVERRIDE',
    });
    expect(second.orders().overrides).toEqual([slow]);
  });

  test('who comes when the time of a table is long over is not told of it, but knows it', async () => {
    const make = linksAt(where());
    const first = await leading(make('a'));
    const table = await first.publish(proposal('short', { lifeMs: 10, decayMs: 10 }));
    const publishedMs = performance.now();
    await until('it is over', () => performance.now() - publishedMs > 50);
    const second = make('b');
    const heard = await following(second);
    expect(second.table()).toEqual(table);
    expect(heard).toEqual([]);
  });

  test.each(['nonsense', '[]', '{"mode":"active"}', '{"buckets":[1]}'])(
    'a table that reads %s is passed over and counted, and the next one is taken',
    async (text) => {
      const make = linksAt(where());
      const first = await leading(make('a', { listens: false }));
      await first.publish(proposal('one'));
      const second = make('b', { pollMs: 20 });
      const heard = await following(second);
      await server.admin.call('hset', `${lastPrefix()}{pool:p}/table`, 's', '9', 't', text);
      await until('it is counted', () => second.counts().unreadable === 1);
      const table = await first.publish(proposal('ten'));
      await until('the next has come', () => heard.length === 2);
      expect(heard[1]).toEqual(table);
      expect(table?.sequence).toBe(10);
    },
  );

  test('buckets that are none are left out of a table', async () => {
    const make = linksAt(where());
    const first = await leading(make('a'));
    const { buckets } = proposal('');
    const broken = [...buckets, { ...buckets[0], ratePerS: NaN }, null] as typeof buckets;
    await first.publish(proposal('one', { buckets: broken }));
    const heard = await following(make('b'));
    await until('it has come', () => heard.length > 0);
    expect(heard[0]?.buckets).toEqual(buckets);
  });
});

describe('over a Cluster', () => {
  let cluster: RedisCluster;
  beforeAll(async () => (cluster = await RedisCluster.start()), 60_000);
  afterAll(() => cluster.stop());
  behaviour(() => ({ kind: 'cluster', urls: cluster.addresses }));
});

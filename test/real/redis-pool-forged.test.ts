/** Pools over a Redis that somebody else writes to as well. */
import type { PoolTable } from '../../src/core/control';
import { MAX_TABLE_BYTES } from '../../src/core/pool-link';
import {
  closeLinks,
  following,
  lastPrefix,
  leading,
  linksAt,
  NEVER_MS,
  subscribed,
  type Where,
} from '../parts/redis-pools';
import { RedisServer } from '../parts/redis-server';
import { until } from '../parts/until';
import { modeOrder, proposal } from '../store/pool-contract';

afterEach(closeLinks);

async function evalshas(server: RedisServer): Promise<number> {
  const text = String(await server.admin.call('info', 'commandstats'));
  return Number(/cmdstat_evalsha:calls=(\d+)/.exec(text)?.[1] ?? 0);
}

describe('what another writer of Redis has forged', () => {
  let server: RedisServer;
  beforeAll(async () => (server = await RedisServer.start()));
  afterAll(() => server.stop());
  const where = (): Where => ({ kind: 'redis', urls: [server.address] });
  const at = (name: string): string => `${lastPrefix()}{pool:p}/${name}`;
  const far = (text: string): string => (text === 'far' ? String(Date.now() + 86_400_000) : text);

  test.each([
    ['table', 'e', '9007199254740991'],
    ['table', 'e', '1e300'],
    ['table', 'e', 'nan'],
    ['table', 'e', 'far'],
    ['table', 's', '9007199254740991'],
    ['table', 's', '-inf'],
    ['table', 'v', '9007199254740991'],
    ['table', 'v', 'far'],
    ['table', 'at', 'x'],
  ])('in the %s, %s as %s, keeps nobody out', async (name, field, value) => {
    const make = linksAt(where());
    const first = await leading(make('a', { listens: false }));
    const second = make('b', { pollMs: 20 });
    await following(second);
    await first.publish(proposal('one'));
    await server.admin.call('hset', at(name), field, far(value));
    let table: PoolTable | undefined;
    await until('it publishes', async () => {
      table ??= await first.publish(proposal('two'));
      return table !== undefined;
    });
    await until('the other has it', () => second.table()?.state === 'two');
    expect(second.table()).toEqual(table);
    const { version = Infinity } = table ?? {};
    expect(version).toBeLessThan(Date.now() + 2 * 86_400_000);
  });

  test.each(['9007199254740991', 'inf', 'nan', '-1', 'far'])(
    'as an epoch of %s lets somebody lead all the same',
    async (value) => {
      const make = linksAt(where());
      const first = await leading(make('a', { listens: false }));
      await server.admin.call('set', at('epoch'), far(value));
      await first.close();
      const second = await leading(make('b', { pollMs: 20 }));
      expect(await second.publish(proposal('two'))).toBeDefined();
    },
  );

  test('as a table or orders that are too large is not even read', async () => {
    const make = linksAt(where());
    const first = await leading(make('a', { listens: false }));
    await first.putMode(modeOrder('shadow'));
    await first.publish(proposal('one'));
    const second = make('b', { pollMs: 20 });
    await following(second);
    const bomb = JSON.stringify({ ...proposal('bomb'), state: 'x'.repeat(MAX_TABLE_BYTES) });
    await server.admin.call('hset', at('table'), 's', '9', 't', bomb);
    await server.admin.call('hset', at('orders'), '#', '77', 'o:a', `0 ${'['.repeat(100_000)}`);
    await until('the orders are counted', () => second.counts().unreadable > 0);
    expect(second.orders()).toMatchObject({ overrides: [], mode: { mode: 'shadow' } });
    expect(second.table()?.state).toBe('one');
    const fields = Array.from({ length: 3_000 }, (_, i) => [`o:${i}`, '0 {}']).flat();
    await server.admin.call('hset', at('orders'), '#', '78', ...fields);
    await until('they are dropped', () => second.orders().mode === undefined);
    await first.publish(proposal('three'));
    await until('the next has come', () => second.table()?.state === 'three');
  });

  test('as a flood of notices is followed by a bounded number of looks', async () => {
    const make = linksAt(where());
    const slow = { leaderLifeMs: NEVER_MS, pollMs: NEVER_MS };
    const link = await leading(make('a', slow));
    await subscribed(link);
    const before = await evalshas(server);
    const untilMs = performance.now() + 500;
    let notices = 0;
    while (performance.now() < untilMs) {
      await server.admin.call('publish', at('notices'), `table ${(notices += 1)} 1`);
    }
    expect(notices).toBeGreaterThan(100);
    expect((await evalshas(server)) - before).toBeLessThan(60);
  });
});

/** Groups over a real Redis and a real Cluster: one leads, nothing is counted twice or lost, who was stalled is fenced. */
import { RedisGroup, type RedisGroupOptions } from '../../src/store/redis/redis-group';
import { hashSlot } from '../../src/store/redis/hash-slot';
import { RedisCluster } from '../parts/redis-cluster';
import { RedisServer } from '../parts/redis-server';
import { until } from '../parts/until';
import { describeGroup, readUntil, seen, upTo } from '../store/group-contract';

const LIFE_MS = 600;

let groups = 0;
const open: RedisGroup[] = [];

function groupsAt(where: Pick<RedisGroupOptions, 'kind' | 'urls'>) {
  groups += 1;
  const name = `group ${groups}`;
  return (source: string, part: Partial<RedisGroupOptions> = {}): RedisGroup => {
    const group = new RedisGroup({
      ...where,
      group: name,
      source,
      leaderLifeMs: LIFE_MS,
      keyPrefix: 'tg:',
      ...part,
    });
    open.push(group);
    return group;
  };
}

afterEach(async () => {
  await Promise.all(open.splice(0).map((group) => group.close()));
});

/** A monotonic clock that can be stopped, as a process's that is stopped, seen from within. */
class Stoppable {
  private stoppedMs: number | undefined;
  readonly nowMs = (): number => this.stoppedMs ?? performance.now();
  stop(): void {
    this.stoppedMs = performance.now();
  }
}

const leaders = (members: readonly RedisGroup[]): RedisGroup[] =>
  members.filter((member) => member.role().leader);

function behaviour(where: () => Pick<RedisGroupOptions, 'kind' | 'urls'>): void {
  describe('one member', () => {
    describeGroup(() => groupsAt(where())('a'));
  });

  test('of three members exactly one leads, and all know each other', async () => {
    const make = groupsAt(where());
    const members = ['a', 'b', 'c'].map((source) => make(source));
    for (const member of members) member.start();
    await until('all know all', () => members.every((member) => member.members().length === 3));
    expect(leaders(members)).toHaveLength(1);
    const epochs = members.map((member) => member.role().epoch);
    expect(new Set(epochs).size).toBe(1);
    expect(members[0]?.members().map(({ source }) => source)).toEqual(['a', 'b', 'c']);
  });

  test('when the leader leaves, another leads at once, with a higher epoch', async () => {
    const make = groupsAt(where());
    const [first, second] = [make('a', { leaderLifeMs: 5_000 }), make('b', { leaderLifeMs: 5_000 })];
    first.start();
    await until('the first leads', () => first.role().leader);
    const { epoch } = first.role();
    second.start();
    await until('the second is there', () => first.members().length === 2);
    const fromMs = performance.now();
    await first.close();
    await until('the second leads', () => second.role().leader);
    expect(performance.now() - fromMs).toBeLessThan(4_000);
    expect(second.role().epoch).toBeGreaterThan(epoch);
  });

  test('when the leader dies, another takes over within its life, and counts what it left unread, once', async () => {
    const make = groupsAt(where());
    const dead = new Stoppable();
    const [first, second, third] = [
      make('a', { monotonicMs: dead.nowMs }),
      make('b'),
      make('c', { stands: false }),
    ];
    first.start();
    await until('the first leads', () => first.role().leader);
    second.start();
    third.start();
    const found = new Map<string, number[]>();
    for (const sequence of upTo(10)) {
      third.publish(seen('c', sequence));
      first.publish(seen('a', sequence));
    }
    await readUntil(first, new Map(), { a: 10, c: 10 });
    for (const sequence of [11, 12]) third.publish(seen('c', sequence));
    // It neither renews nor says that it goes, as if it had been killed.
    dead.stop();
    await cutOff(first);
    const fromMs = performance.now();
    await until('the second leads', () => second.role().leader);
    expect(performance.now() - fromMs).toBeLessThan(3 * LIFE_MS);
    for (const sequence of [13, 14]) third.publish(seen('c', sequence));
    await readUntil(second, found, { a: 10, c: 14 });
    expect(found.get('c')).toEqual(upTo(14));
    expect(found.get('a')).toEqual(upTo(10));
    expect(second.counts()).toMatchObject({ doubled: 0, missing: 0, unreadable: 0 });
    await until('the third knows', () => third.role().epoch === second.role().epoch);
    expect(third.role().leader).toBe(false);
  });

  test('a leader that was stalled, and believes in itself still, changes nothing', async () => {
    const make = groupsAt(where());
    const clock = new Stoppable();
    const [first, second] = [make('a', { monotonicMs: clock.nowMs }), make('b')];
    first.start();
    await until('the first leads', () => first.role().leader);
    expect(await first.show(Uint8Array.of(1))).toBe(true);
    clock.stop();
    stall(first);
    second.start();
    await until('the second leads', () => second.role().leader);
    expect(first.role().leader).toBe(true);
    expect(await first.show(Uint8Array.of(2))).toBe(false);
    expect(first.counts().fenced).toBe(1);
    expect(first.role().leader).toBe(false);
    expect((await second.board())?.bytes).toEqual(Buffer.of(1));
    expect(await second.show(Uint8Array.of(3))).toBe(true);
    expect((await first.board())?.bytes).toEqual(Buffer.of(3));
  });

  test('members that read all along have everything when they come to lead', async () => {
    const make = groupsAt(where());
    const members = ['a', 'b', 'c'].map((source) => make(source));
    for (const member of members) member.start();
    const found = members.map(() => new Map<string, number[]>());
    for (const sequence of upTo(40)) {
      members.forEach((member, at) => member.publish(seen('abc'[at] ?? '', sequence)));
      if (sequence % 10 === 0)
        for (const [at, member] of members.entries())
          await readUntil(member, found[at] ?? new Map<string, number[]>(), {
            a: sequence,
            b: sequence,
            c: sequence,
          });
    }
    for (const each of found)
      for (const source of ['a', 'b', 'c']) expect(each.get(source)).toEqual(upTo(40));
  });
}

/** Ends a member's renewals without a word; its connections stay. */
function stall(group: RedisGroup): void {
  const parts = group as unknown as { timer: NodeJS.Timeout; beginTick: () => void };
  clearTimeout(parts.timer);
  parts.beginTick = () => undefined;
}

/** As if the process had been killed: it renews no more, and its connections are gone. */
async function cutOff(group: RedisGroup): Promise<void> {
  stall(group);
  const parts = group as unknown as { ticking: Promise<void>; router: { close: () => void } };
  await parts.ticking;
  parts.router.close();
}

describe('over one Redis', () => {
  let server: RedisServer;
  beforeAll(async () => (server = await RedisServer.start()));
  afterAll(() => server.stop());
  const where = (): Pick<RedisGroupOptions, 'kind' | 'urls'> => ({ kind: 'redis', urls: [server.address] });

  behaviour(where);

  test('a batch whose reply was lost is sent again and read once', async () => {
    const make = groupsAt(where());
    const group = make('a');
    group.start();
    await until('it leads', () => group.role().leader);
    group.publish(seen('a', 1));
    const found = new Map<string, number[]>();
    await readUntil(group, found, { a: 1 });
    // Redis takes what it is sent once it goes on, but the reply comes too late.
    server.signal('SIGSTOP');
    group.publish(seen('a', 2));
    await until('a failure', () => group.counts().failures > 0);
    server.signal('SIGCONT');
    group.publish(seen('a', 3));
    await readUntil(group, found, { a: 3 });
    expect(found.get('a')).toEqual([1, 2, 3]);
    expect(group.counts()).toMatchObject({ missing: 0, dropped: 0 });
  });

  test('while Redis is away nobody leads, batches wait, and afterwards all is well', async () => {
    const make = groupsAt(where());
    const group = make('a');
    group.start();
    await until('it leads', () => group.role().leader);
    const { epoch } = group.role();
    await server.kill();
    await until('it believes no more', () => !group.role().leader);
    for (const sequence of upTo(130)) group.publish(seen('a', sequence));
    expect(await group.collect()).toEqual([]);
    expect(await group.show(Uint8Array.of(1))).toBe(false);
    await server.restart();
    await until('it leads again', () => group.role().leader);
    // Redis lost everything, and epochs rise all the same.
    expect(group.role().epoch).toBeGreaterThan(epoch);
    expect(group.counts().dropped).toBe(10);
    const found: number[] = [];
    await until('all that waited has come', async () => {
      found.push(...(await group.collect()).map(({ sequence }) => sequence));
      return found.at(-1) === 130;
    });
    // What the dropped ones named is not known before the next batch that names all classes.
    expect(found.length).toBeGreaterThanOrEqual(130 - 10 - 30);
    expect(found).toEqual(upTo(130).slice(-found.length));
  });

  test('the log keeps within its bytes and its time', async () => {
    const make = groupsAt(where());
    const small = make('a', { maxLogBytes: 4_000, keepMs: 400 });
    small.start();
    for (const sequence of upTo(100))
      small.publish({
        ...seen('a', sequence),
        classes: [],
        counts: new Float64Array(),
        source: 'a'.repeat(100),
      });
    await until('all is sent', async () => Number(await server.admin.call('xlen', logOf('a'))) > 0);
    const sizeOf = async (): Promise<number> => Number(await server.admin.call('xlen', logOf('a')));
    await until('it is small', async () => (await sizeOf()) <= 40);
    expect(await sizeOf()).toBeGreaterThan(10);
    const wroteMs = performance.now();
    await until('what is there is old', () => performance.now() > wroteMs + 450);
    small.publish(seen('a', 1_000));
    await until('only the new is there', async () => (await sizeOf()) === 1);
    await small.close();
    await until('the keys go too', async () => Number(await server.admin.call('exists', logOf('a'))) === 0);
  });

  test('what is no batch is passed over and counted', async () => {
    const make = groupsAt(where());
    const group = make('a');
    group.start();
    await until('it leads', () => group.role().leader);
    await server.admin.call('xadd', logOf('a'), '*', 'b', 'nonsense');
    await server.admin.call('xadd', logOf('a'), '*', 'other', '');
    group.publish(seen('a', 1));
    await readUntil(group, new Map(), { a: 1 });
    expect(group.counts().unreadable).toBe(2);
  });

  /** The log of the group made last. */
  function logOf(_source: string): string {
    return `tg:{group:group ${groups}}/log`;
  }
});

describe('over a Redis Cluster', () => {
  let cluster: RedisCluster;
  beforeAll(async () => (cluster = await RedisCluster.start()), 60_000);
  afterAll(() => cluster.stop());

  behaviour(() => ({ kind: 'cluster', urls: cluster.addresses }));

  test('a failover loses no leader for good, and what members send afterwards is read', async () => {
    const make = groupsAt({ kind: 'cluster', urls: cluster.addresses });
    const [first, second] = [make('a'), make('b')];
    first.start();
    second.start();
    const both = [first, second];
    await until('one leads', () => leaders(both).length === 1);
    const found = new Map<string, number[]>();
    for (const sequence of upTo(3)) first.publish(seen('a', sequence));
    await readUntil(second, found, { a: 3 });
    const epoch = Math.max(...both.map((member) => member.role().epoch));
    const master = await cluster.masterOf(hashSlot(`tg:{group:group ${groups}}/lock`));
    await master.kill();
    await until('nobody leads for a while', () => leaders(both).length === 0, 30_000);
    for (const sequence of [4, 5, 6]) first.publish(seen('a', sequence));
    await until('one leads again', () => leaders(both).length === 1, 30_000);
    expect(Math.max(...both.map((member) => member.role().epoch))).toBeGreaterThanOrEqual(epoch);
    await readUntil(second, found, { a: 6 });
    expect(found.get('a')).toEqual(upTo(6));
  }, 90_000);
});

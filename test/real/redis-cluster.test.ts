import { hashSlot } from '../../src/store/redis/hash-slot';
import { BreakerBoard } from '../../src/store/guarded/breaker-board';
import type { RedisStoreOptions } from '../../src/store/redis/options';
import { RedisStore } from '../../src/store/redis/redis-store';
import { decide, take, used, verdicts } from '../parts/redis-asking';
import { RedisCluster } from '../parts/redis-cluster';
import { eventually, type RedisServer } from '../parts/redis-server';

let cluster: RedisCluster;
const stores: RedisStore[] = [];

async function openReady(options: Partial<RedisStoreOptions> = {}): Promise<RedisStore> {
  const store = new RedisStore({ kind: 'cluster', urls: cluster.addresses, ...options });
  stores.push(store);
  await eventually('the store decides', async () => (await verdicts(store, [take('probe', 0)]))[0] === 'ok');
  return store;
}

const KEYS = Array.from({ length: 60 }, (_, i) => `key ${i}`);
const slotOf = (key: string): number => hashSlot(`{${key}}`);

/** The keys whose slots a node serves. */
async function keysOf(node: RedisServer): Promise<string[]> {
  const owners = await Promise.all(KEYS.map((key) => cluster.masterOf(slotOf(key), node)));
  return KEYS.filter((_, i) => owners[i] === node);
}

/** Starts to move a key's slot to another master. */
async function startMove(
  key: string,
): Promise<{ slot: number; from: RedisServer; to: RedisServer; end: () => Promise<void> }> {
  const slot = slotOf(key);
  const from = await cluster.masterOf(slot);
  const to = (await cluster.masters()).find((node) => node !== from);
  if (to === undefined) throw new Error('there is no other master');
  const [fromId, toId] = await Promise.all(
    [from, to].map(async (node) => (await node.admin.call('cluster', 'myid')) as string),
  );
  await to.admin.call('cluster', 'setslot', slot, 'importing', fromId ?? '');
  await from.admin.call('cluster', 'setslot', slot, 'migrating', toId ?? '');
  const end = async (): Promise<void> => {
    for (const node of [to, from]) await node.admin.call('cluster', 'setslot', slot, 'node', toId ?? '');
  };
  return { slot, from, to, end };
}

async function moveKey(from: RedisServer, to: RedisServer, key: string): Promise<void> {
  await from.admin.call('migrate', to.host, to.port, key, 0, 1_000);
}

beforeAll(async () => {
  // So that the loss of some slots does not close the others.
  cluster = await RedisCluster.start({ settings: [['cluster-require-full-coverage', 'no']] });
});
afterEach(async () => {
  for (const node of cluster.nodes) node.signal('SIGCONT');
  await Promise.all(stores.splice(0).map((store) => store.close()));
});
afterAll(() => cluster.stop());

describe('a Redis Cluster store', () => {
  it('spreads buckets over all masters, and keeps those of a group on one', async () => {
    const store = await openReady();
    await Promise.all(KEYS.map((key) => verdicts(store, [take(key)])));
    await verdicts(
      store,
      KEYS.map((key) => take(key, 1, 1_000, 'fixed_window', 'one domain')),
    );
    const masters = await cluster.masters();
    const held = await Promise.all(masters.map((node) => node.admin.keys('{key*')));
    expect(held.map((keys) => keys.length > 0)).toEqual([true, true, true]);
    const together = await Promise.all(masters.map((node) => node.admin.keys('{one domain}*')));
    expect(together.map((keys) => keys.length).sort((a, b) => a - b)).toEqual([0, 0, KEYS.length]);
  });

  it('agrees with Redis on the slot of any key', async () => {
    const { admin } = cluster.nodes[0] ?? (await cluster.masterOf(0));
    for (const key of ['', 'a', '{}', '{}a', '{a}b', 'a{b}c{d}', 'a{b', '}{a}', 'é{漢字}', '🙂', '{{a}}']) {
      expect([key, hashSlot(key)]).toEqual([key, await admin.call('cluster', 'keyslot', key)]);
    }
  });

  it('shares one limit exactly between stores, over several slots as well', async () => {
    const pair = [await openReady(), await openReady()];
    const request = [take('wide', 1, 1_000), take('narrow', 1, 50)];
    const answers = await Promise.all(
      Array.from({ length: 200 }, (_, i) => verdicts(pair[i % 2] as RedisStore, request)),
    );
    expect(answers.filter((verdict) => verdict.every((each) => each === 'ok'))).toHaveLength(50);
    await eventually(
      'what was denied is given back',
      async () => (await used(pair[0] as RedisStore, take('wide'))) === 50,
    );
  });

  it('follows a slot that moves: ASK on the way, MOVED when it is there', async () => {
    const store = await openReady();
    const call = take('moving');
    await decide(store, [call]);
    const { from, to, end } = await startMove('moving');
    expect(await verdicts(store, [call])).toEqual(['ok']);
    await moveKey(from, to, '{moving}:fw31536000000000');
    expect(await verdicts(store, [call])).toEqual(['ok']);
    await end();
    expect(await verdicts(store, [call, call])).toEqual(['ok', 'ok']);
    expect(await used(store, call)).toBe(5);
  });

  it('waits while the keys of one script are on two nodes, and lets others of the slot pass', async () => {
    const store = await openReady();
    const calls = ['x', 'y'].map((key) => take(key, 1, 1_000, 'fixed_window', 'split'));
    await decide(store, calls);
    const { from, to, end } = await startMove('split');
    await moveKey(from, to, '{split}/x:fw31536000000000');
    const both = verdicts(store, calls);
    const alone = await Promise.all(calls.map((call) => verdicts(store, [call])));
    expect(alone).toEqual([['ok'], ['ok']]);
    await moveKey(from, to, '{split}/y:fw31536000000000');
    expect(await both).toEqual(['ok', 'ok']);
    await end();
    expect([await used(store, take('x', 0, 1_000, 'fixed_window', 'split'))]).toEqual([3]);
  });

  it('loads its script on every node again after SCRIPT FLUSH', async () => {
    const store = await openReady();
    for (const node of await cluster.masters()) await node.admin.script('FLUSH');
    const answers = await Promise.all(KEYS.map((key) => verdicts(store, [take(`flush ${key}`)])));
    expect(answers.flat().every((verdict) => verdict === 'ok')).toBe(true);
    expect(await used(store, take('flush key 7'))).toBe(1);
  });

  it('undoes what the other slots gave when one answers too late', async () => {
    const store = await openReady();
    const [hanging, healthy] = await cluster.masters();
    if (hanging === undefined || healthy === undefined) throw new Error('no masters');
    const [slow] = await keysOf(hanging);
    const [quick] = await keysOf(healthy);
    const calls = [slow, quick].map((key) => take(`${key ?? ''}`, 1, 1_000, 'token_bucket'));
    hanging.signal('SIGSTOP');
    expect(await verdicts(store, calls, { deadlineMs: 20 })).toEqual(['TG_STORE_TIMEOUT', 'ok']);
    hanging.signal('SIGCONT');
    for (const call of calls) {
      await eventually('nothing is taken', async () => (await used(store, call)) === 0);
    }
  });

  it('has a breaker for each node: one that hangs leaves the others alone', async () => {
    const guard = new BreakerBoard({ breaker: { consecutiveFailures: 5, backoffMs: 2_000 } });
    const store = await openReady({ guard });
    const [hanging, ...healthy] = await cluster.masters();
    if (hanging === undefined) throw new Error('no masters');
    const [slow] = await keysOf(hanging);
    const quick = (await Promise.all(healthy.map(keysOf))).flat();
    hanging.signal('SIGSTOP');
    for (let i = 0; i < 5; i += 1) await verdicts(store, [take(slow ?? '')], { deadlineMs: 5 });
    expect(await verdicts(store, [take(slow ?? '')])).toEqual(['TG_STORE_BREAKER_OPEN']);
    const answers = await Promise.all(quick.map((key) => verdicts(store, [take(key)])));
    expect(answers.flat().every((verdict) => verdict === 'ok')).toBe(true);
    hanging.signal('SIGCONT');
  });

  // Last: it changes who is master.
  it('survives the loss of a master: the others go on, its slots come back with its replica', async () => {
    await cluster.whole();
    const store = await openReady();
    const [lost, ...rest] = await cluster.masters();
    const [observer] = rest;
    if (lost === undefined || observer === undefined) throw new Error('no masters');
    const orphans = await keysOf(lost);
    const others = (await Promise.all(rest.map(keysOf))).flat();
    const before = take(orphans[0] ?? '', 1, 1_000, 'sliding_window');
    await decide(store, [before]);
    await eventually('the replica has it', async () => {
      return (await lost.admin.call('wait', 1, 100)) === 1;
    });
    await lost.kill();
    let failures = 0;
    await eventually('its slots are served again', async () => {
      const healthy = await Promise.all(others.map((key) => verdicts(store, [take(key)])));
      if (!healthy.flat().every((verdict) => verdict === 'ok')) failures += 1;
      const answers = await Promise.all(
        orphans.map((key) => verdicts(store, [take(key)], { deadlineMs: 50 })),
      );
      return answers.flat().every((verdict) => verdict === 'ok');
    });
    expect(failures).toBe(0);
    expect(await used(store, before)).toBe(1);
    await lost.restart();
    await cluster.whole();
  });
});

/** Operations on buckets over a real Redis and a real Cluster: nothing is made by any failure, and a repetition mends it. */
import { hashSlot } from '../../src/store/redis/hash-slot';
import { makeRouter } from '../../src/store/redis/make-router';
import { type RedisStoreOptions, resolveRedisOptions } from '../../src/store/redis/options';
import { RedisOperator } from '../../src/store/redis/redis-operator';
import { type BucketPlaces, RedisTransfer } from '../../src/store/redis/redis-transfer';
import { RedisStore } from '../../src/store/redis/redis-store';
import type { RedisRouter } from '../../src/store/redis/router';
import { loadAccountScript } from '../../src/store/redis/scripts';
import { SlotCommands } from '../../src/store/redis/slot-commands';
import { storageKey } from '../../src/store/redis/storage-key';
import { TidegateError } from '../../src/core/errors';
import type { TokenTransfer, TransferResult } from '../../src/core/pool-link';
import { RedisCluster } from '../parts/redis-cluster';
import { RedisServer } from '../parts/redis-server';
import { until } from '../parts/until';
import {
  bucket,
  describeOperator,
  moved,
  type OperatorHarness,
  take,
  tokensOf,
  unique,
} from '../store/operator-contract';

let server: RedisServer;
let cluster: RedisCluster;

beforeAll(async () => {
  [server, cluster] = await Promise.all([RedisServer.start(), RedisCluster.start()]);
}, 60_000);

afterAll(async () => {
  await Promise.all([server.stop(), cluster.stop()]);
});

interface RedisHarness extends OperatorHarness {
  readonly operator: RedisOperator;
  readonly options: RedisStoreOptions;
}

/** Opens a store and an operator for a suite, and closes them after it. */
function during(optionsOf: () => RedisStoreOptions): () => RedisHarness {
  let nowUs = 1_700_006_400_000_000;
  let opened: RedisHarness | undefined;
  beforeAll(async () => {
    const options = { ...optionsOf(), keyPrefix: 'tg:', timeUs: () => nowUs, expiryJitterS: 3_600 };
    const store = new RedisStore(options);
    const operator = new RedisOperator(options);
    opened = { store, operator, options, advance: (us) => (nowUs += us) };
    await until('both are up', async () => {
      const [level] = await operator.levels([bucket('any')]);
      return store.ready() && !(level instanceof TidegateError);
    });
  });
  afterAll(async () => {
    opened?.operator.close();
    await opened?.store.close();
  });
  return () => {
    if (opened === undefined) throw new Error('not opened yet');
    return opened;
  };
}

describe('a single server', () => {
  describeOperator(
    'a single Redis',
    during(() => ({ kind: 'redis', urls: [server.address] })),
  );
});

describe('a cluster whose buckets share hash tags', () => {
  describeOperator(
    'shared hash tags',
    during(() => ({ kind: 'cluster', urls: cluster.addresses, slotTags: 2 })),
  );
});

/** The step of a transfer that fails, and how. */
interface Fault {
  readonly step: 'debit' | 'credit' | 'refund';
  /** Whether Redis made the step, and only its answer was lost. */
  readonly made: boolean;
}

describe('a cluster', () => {
  const harness = during(() => ({ kind: 'cluster', urls: cluster.addresses }));
  describeOperator('a Redis Cluster', harness);

  let router: RedisRouter;
  beforeAll(async () => {
    router = makeRouter(resolveRedisOptions(harness().options));
    await until('it is up', () => router.nodeFor({ slot: 0 })?.ready === true && router.ready());
  });
  afterAll(() => router.close());

  /** Makes a transfer as a process does that ends at a fault. */
  async function ending(transfer: TokenTransfer, fault: Fault): Promise<TransferResult | undefined> {
    const { options } = harness();
    class Faulty extends SlotCommands {
      override async run(...asked: Parameters<SlotCommands['run']>): Promise<unknown> {
        if (asked[2][2] !== fault.step) return super.run(...asked);
        if (fault.made) await super.run(...asked);
        throw new TidegateError('TG_STORE_REPLY', 'the process ends');
      }
    }
    const places: BucketPlaces = {
      keyOf: (ref) => storageKey(options.keyPrefix ?? '', ref),
      slotOf: hashSlot,
      commandsOf: (slot) => new Faulty(router, slot, 2_000),
      clockArgs: () => [String(options.timeUs?.() ?? 0), '3600000'],
      wait: undefined,
    };
    return new RedisTransfer(places, loadAccountScript('transfer'), transfer).run().catch(() => undefined);
  }

  test.each<Fault & { readonly after: number[]; readonly told: TransferResult | undefined }>([
    { step: 'debit', made: false, after: [10, 4], told: undefined },
    { step: 'debit', made: true, after: [2, 4], told: undefined },
    { step: 'credit', made: false, after: [2, 4], told: undefined },
    { step: 'credit', made: true, after: [2, 10], told: undefined },
    { step: 'refund', made: false, after: [2, 10], told: { moved: 6, lost: 2 } },
    { step: 'refund', made: true, after: [4, 10], told: { moved: 6, lost: 2 } },
  ])('a process that ends at its $step, made: $made, makes no token', async ({ after, told, ...fault }) => {
    const name = unique();
    const refs = [bucket(`${name} lender`), bucket(`${name} borrower`)] as const;
    const [from, to] = refs;
    expect(hashSlot(storageKey('tg:', from))).not.toBe(hashSlot(storageKey('tg:', to)));
    await take(harness(), to, 6);
    const transfer = { id: 'loan', from, to, tokens: 8, keep: 0 };
    expect(await ending(transfer, fault)).toEqual(told);
    expect(await tokensOf(harness(), refs)).toEqual(after);
    for (let i = 0; i < 2; i += 1) expect(await moved(harness(), transfer)).toEqual({ moved: 6, lost: 0 });
    expect(await tokensOf(harness(), refs)).toEqual([4, 10]);
  });

  test('connections that break again and again make and, once repeated, lose no token', async () => {
    const name = unique();
    const refs = Array.from({ length: 6 }, (_, i) => bucket(`${name} ${i}`, { capacity: 100 }));
    for (const ref of refs.slice(0, 3)) await take(harness(), ref, 60);
    const transfers = Array.from({ length: 300 }, (_, i): TokenTransfer => {
      const [from, to] = [refs[i % 6], refs[(i * 7 + 1 + (i % 5)) % 6]];
      if (from === undefined || to === undefined) throw new Error('no such bucket');
      return {
        id: `loan ${i}`,
        from,
        to: to === from ? (refs[(i + 1) % 6] ?? to) : to,
        tokens: i % 40,
        keep: i % 7,
      };
    });
    let breaking = true;
    let broken = 0;
    const masters = await cluster.masters();
    const breaker = (async () => {
      while (breaking) {
        for (const node of masters)
          broken += Number(await node.admin.call('client', 'kill', 'type', 'normal', 'skipme', 'yes'));
        await new Promise((resolve) => setTimeout(resolve, 15));
      }
    })();
    const results = new Map<string, TransferResult>();
    for (let at = 0; at < transfers.length; at += 20) {
      await Promise.all(
        transfers.slice(at, at + 20).map(async (transfer) => {
          const result = await harness().operator.transfer(transfer);
          if (!(result instanceof TidegateError)) results.set(transfer.id, result);
        }),
      );
    }
    breaking = false;
    await breaker;
    expect(broken).toBeGreaterThan(0);
    await until('it is up again', async () => {
      const levels = await harness().operator.levels(refs);
      return levels.every((level) => !(level instanceof TidegateError));
    });
    const total = async (): Promise<number> =>
      (await tokensOf(harness(), refs)).reduce((all, tokens) => all + tokens, 0);
    expect(await total()).toBeLessThanOrEqual(420);
    for (const transfer of transfers) {
      const again = await moved(harness(), transfer);
      const before = results.get(transfer.id);
      if (before !== undefined) expect(again.moved).toBe(before.moved);
      results.set(transfer.id, again);
    }
    const lost = [...results.values()].reduce((all, result) => all + result.lost, 0);
    expect(await total()).toBe(420 - lost);
    expect([...results.values()].some((result) => result.moved > 0)).toBe(true);
  });

  test('a key that holds something else is no bucket, and what was taken for it goes back', async () => {
    const name = unique();
    const refs = [bucket(`${name} lender`), bucket(`${name} other`)] as const;
    const [from, to] = refs;
    const key = storageKey('tg:', to);
    const master = await cluster.masterOf(hashSlot(key));
    await master.admin.set(key, 'text');
    const result = await harness().operator.transfer({ id: 't', from, to, tokens: 3, keep: 0 });
    expect(result).toMatchObject({ code: 'TG_STORE_REPLY' });
    expect(await harness().operator.levels(refs)).toEqual([
      { tokens: 10, capacity: 10 },
      expect.objectContaining({ code: 'TG_STORE_REPLY' }),
    ]);
  });
});

test('an operator of a Redis that is away answers errors, and closes at once', async () => {
  const operator = new RedisOperator({ kind: 'redis', urls: ['127.0.0.1:1'], timeoutMs: 50 });
  const [a, b] = [bucket('a'), bucket('b')];
  expect(await operator.levels([a, b])).toMatchObject([
    { code: 'TG_STORE_UNAVAILABLE' },
    { code: 'TG_STORE_UNAVAILABLE' },
  ]);
  expect(await operator.transfer({ id: 't', from: a, to: b, tokens: 1, keep: 0 })).toMatchObject({
    code: 'TG_STORE_UNAVAILABLE',
  });
  expect(operator.ready()).toBe(false);
  operator.close();
});

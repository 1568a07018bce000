/** A Redis store on simulated time, for the store contract. */
import { RedisStore } from '../../src/store/redis/redis-store';
import type { RedisStoreOptions } from '../../src/store/redis/options';
import { eventually, type RedisServer } from './redis-server';

/** What the contract needs of a store (its `StoreHarness`). */
export interface RedisStoreHarness {
  readonly store: RedisStore;
  advance(us: number): void;
  nowUs(): Promise<number>;
  reset(): Promise<void>;
  close(): Promise<void>;
}

/** 2023-11-15, us. */
const START_US = 1_700_006_400_000_000;

/**
 * @param servers those whose keys `reset` removes; replicas are left alone.
 * @param stop ends the servers.
 */
export async function redisStoreHarness(
  options: RedisStoreOptions,
  servers: () => Promise<readonly RedisServer[]> | readonly RedisServer[],
  stop: () => Promise<void>,
): Promise<RedisStoreHarness> {
  let nowUs = START_US;
  const store = new RedisStore({ ...options, timeUs: () => nowUs, expiryJitterS: 3_600 });
  await eventually('the store is ready', () => store.ready());
  const targets = await servers();
  return {
    store,
    advance: (us) => {
      nowUs += us;
    },
    nowUs: () => Promise.resolve(nowUs),
    reset: async () => {
      await Promise.all(targets.map((server) => server.admin.flushall()));
    },
    close: async () => {
      await store.close();
      await stop();
    },
  };
}

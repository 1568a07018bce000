/** Links to pools over a real Redis, for tests: each test has keys of its own. */
import type { PoolTable } from '../../src/core/control';
import { RedisPool, type RedisPoolOptions } from '../../src/store/redis/redis-pool';
import { until } from './until';

/** A leader's life, ms. */
export const LIFE_MS = 600;
/** Longer than any test. */
export const NEVER_MS = 600_000;

/** A Redis that links stand on. */
export type Where = Pick<RedisPoolOptions, 'kind' | 'urls'>;

let prefixes = 0;
/** Before the keys of the links that were made last. */
export const lastPrefix = (): string => `tg${prefixes}:`;

const open: RedisPool[] = [];

/** Makes links that share pools with each other, and with no other test. */
export function linksAt(where: Where) {
  prefixes += 1;
  const keyPrefix = `tg${prefixes}:`;
  return (source: string, part: Partial<RedisPoolOptions> = {}): RedisPool => {
    const link = new RedisPool({ ...where, pool: 'p', source, leaderLifeMs: LIFE_MS, keyPrefix, ...part });
    open.push(link);
    return link;
  };
}

/** Closes all that were made. */
export async function closeLinks(): Promise<void> {
  await Promise.all(open.splice(0).map((link) => link.close()));
}

/** Starts a link, and waits until it leads. */
export async function leading(link: RedisPool): Promise<RedisPool> {
  link.start();
  await until('it leads', () => link.role().leader);
  return link;
}

/** Starts a link that follows, and waits until it has looked once. */
export async function following(link: RedisPool): Promise<PoolTable[]> {
  const heard: PoolTable[] = [];
  link.onTable((table) => heard.push(table));
  link.start();
  await until('it knows the leader', () => link.role().epoch > 0);
  return heard;
}

/** Waits until a link's subscription stands. */
export async function subscribed(link: RedisPool): Promise<void> {
  const { connections } = link as unknown as { connections: { notices: { client?: { mode: string } } } };
  await until('it listens', () => connections.notices.client?.mode === 'subscriber');
}

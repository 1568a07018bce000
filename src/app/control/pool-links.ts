/** A process's links to its pools, from the settings. */
import type { Settings } from '../../config/settings-shape';
import type { Logger } from '../../core/ports';
import type { BucketOperator, PoolLink, PoolOrders } from '../../core/pool-link';
import { MemoryPool } from '../../store/memory/memory-pool';
import { RedisOperator } from '../../store/redis/redis-operator';
import { PoolConnections } from '../../store/redis/pool-connections';
import { RedisPool } from '../../store/redis/redis-pool';
import { redisOptions } from '../redis-options';

/** What links are made with. */
export interface LinkParts {
  readonly settings: Settings;
  /** Names this process among others. */
  readonly source: string;
  readonly logger: Logger;
  readonly nowMs: () => number;
  /** Pools that this process leads already: it stands back a little for others. */
  readonly led: () => number;
  /** Where a process alone keeps orders over restarts. */
  readonly orders: {
    load(pool: string): PoolOrders;
    keep(pool: string, orders: PoolOrders): void;
  };
}

/** The links of a process's pools: one whose store is in memory is alone; over Redis they share their connections. */
export class PoolLinks {
  private connections: PoolConnections | undefined;

  constructor(private readonly parts: LinkParts) {}

  /** The link of a pool. @throws TidegateError for settings that cannot be. */
  linkOf(pool: string): PoolLink {
    const { settings, source, logger, nowMs, led, orders } = this.parts;
    if (settings.store.kind === 'memory')
      return new MemoryPool({
        pool,
        nowMs,
        load: () => orders.load(pool),
        keep: (kept) => orders.keep(pool, kept),
      });
    const redis = redisOptions(settings, logger);
    this.connections ??= new PoolConnections(redis);
    const { connections } = this;
    const { leaderLifeMs } = settings.pools;
    return new RedisPool({ ...redis, pool, source, leaderLifeMs, led, connections });
  }

  /** Ends the connections, once all links are closed. */
  close(): void {
    this.connections?.close();
  }
}

/** Operations on buckets from another thread than decides: over connections of their own, or by asking that thread. */
export function createOperator(
  settings: Settings,
  logger: Logger,
  serving: BucketOperator,
): BucketOperator & { close?(): Promise<void> | void } {
  if (settings.store.kind === 'memory') return serving;
  return new RedisOperator(redisOptions(settings, logger));
}

/** The stores by the settings: the one that decides, and the local one that answers when that one cannot. */
import { randomInt } from 'node:crypto';
import type { Settings } from '../config/settings-shape';
import type { StoreView } from '../admin/deps';
import { LeaseCounts } from '../telemetry/lease-counts';
import type { MetricSources } from '../telemetry/state-metrics';
import type { Metrics, StoreOutcome } from '../telemetry/metrics';
import type { BucketStore } from '../core/buckets';
import type { Clock } from '../core/clock';
import type { TidegateError } from '../core/errors';
import type { LeaseSource } from '../core/leases';
import type { Logger } from '../core/ports';
import { BorrowingStore, type BorrowingStoreOptions } from '../store/borrowing/borrowing-store';
import { BreakerBoard } from '../store/guarded/breaker-board';
import type { BreakerState } from '../store/guarded/breaker';
import { GuardedStore } from '../store/guarded/guarded-store';
import { LeasedStore } from '../store/leased/leased-store';
import type { BucketOperator } from '../core/pool-link';
import { MemoryOperator } from '../store/memory/memory-operator';
import { MemoryStore } from '../store/memory/memory-store';
import { QueuedStore } from '../store/queued/queued-store';
import { RedisOperator } from '../store/redis/redis-operator';
import { RedisStore } from '../store/redis/redis-store';
import type { LinkStore } from '../store/worker-link/link-store';
import { redisOptions } from './redis-options';

/** Nodes whose breaker's state is kept for the API; a cluster has fewer. */
const MAX_STATES = 1_000;

/** Holders of leases are told apart by a random number below this. */
const MAX_HOLDER = 2 ** 48 - 1;

/** Borrowing at once between buckets, where there are pools. */
export type Lending = Pick<BorrowingStoreOptions, 'lendersOf' | 'borrowed'>;

/** The stores of a process. */
export interface Stores {
  /** Decides. */
  readonly store: BucketStore;
  /** Answers for rules whose failure mode is `local`; the same as `store` where that is in memory. */
  readonly local: MemoryStore;
  /** Operates on the buckets in memory. */
  readonly operator: BucketOperator;
  /** For the metrics. */
  readonly sources: Pick<MetricSources, 'memoryStore' | 'breakerState' | 'leases' | 'queueDepth'>;
  /** For the API. */
  view(): StoreView;
  /** Lets nobody begin to wait for tokens any more: the process stops. */
  drain(): void;
  close(): Promise<void>;
}

/**
 * Builds the stores; a Redis store connects in the background. @throws TidegateError for settings that cannot be.
 * @param lending absent where there are no pools.
 * @param link in a worker: the way to the buckets of the memory store, which the primary holds.
 */
export function createStores(
  settings: Settings,
  clock: Clock,
  logger: Logger,
  metrics: Metrics,
  link?: LinkStore,
  lending?: Lending,
): Stores {
  const { kind } = settings.store;
  const local = new MemoryStore({ clock, maxBuckets: settings.store.memory.maxBuckets });
  const operator = new MemoryOperator(local);
  const lent = (inner: BucketStore, from: BorrowingStoreOptions['operator']): BucketStore =>
    lending === undefined ? inner : new BorrowingStore({ inner, operator: from, clock, ...lending });
  const queued = (inner: BucketStore): QueuedStore =>
    new QueuedStore({ inner, clock, maxTotal: settings.queue.maxTotal, observer: metrics });
  const memoryStore = () => local.stats();
  const onDecided = (latencyMs: number, errors: readonly TidegateError[]): void =>
    metrics.storeFinished(outcomeOf(errors), latencyMs);
  const counts = new LeaseCounts();
  const leasedFrom = (shared: BucketStore, source: LeaseSource): LeasedStore => {
    const { epsilon, ttlMs, idleMs } = settings.store.lease;
    const terms = { epsilon, ttlMs, idleMs };
    return new LeasedStore({
      shared,
      source,
      terms,
      clock,
      holder: randomInt(1, MAX_HOLDER),
      observer: counts,
    });
  };
  if (kind === 'memory' && link !== undefined) {
    const leased = leasedFrom(lent(new GuardedStore(link, { onDecided }), link), link);
    const store = queued(leased);
    return {
      store,
      local,
      operator,
      sources: {
        memoryStore,
        leases: { counts, stats: () => leased.stats() },
        queueDepth: () => store.depth,
      },
      view: () => ({ kind, ready: store.ready(), details: {} }),
      drain: () => store.drain(),
      close: () => store.close(),
    };
  }
  if (kind === 'memory') {
    const view = (): StoreView => ({ kind, ready: local.ready(), details: { ...local.stats() } });
    const store = queued(lent(local, operator));
    return {
      store,
      local,
      operator,
      sources: { memoryStore, queueDepth: () => store.depth },
      view,
      drain: () => store.drain(),
      close: () => store.close(),
    };
  }
  const states = new Map<string, BreakerState>();
  const breaker = new BreakerBoard({
    breaker: {
      consecutiveFailures: settings.store.breaker.failures,
      backoffMs: settings.store.breaker.openForMs,
      backoffMaxMs: Math.max(settings.store.breaker.openForMs, 2_000),
    },
    onStateChange: (node, state, before) => {
      if (state === 'closed') states.delete(node);
      else if (states.size < MAX_STATES) states.set(node, state);
      logger[state === 'open' ? 'warn' : 'info']({ node, state, before }, 'circuit breaker');
    },
  });
  const redis = new RedisStore({ ...redisOptions(settings, logger), guard: breaker, onDecided });
  const own = lending === undefined ? undefined : new RedisOperator(redisOptions(settings, logger));
  const leased = leasedFrom(own === undefined ? redis : lent(redis, own), redis);
  const store = queued(leased);
  return {
    store,
    local,
    operator,
    sources: {
      memoryStore,
      breakerState: () => worstOf(states),
      leases: { counts, stats: () => leased.stats() },
      queueDepth: () => store.depth,
    },
    view: () => ({
      kind,
      ready: store.ready(),
      details: { breaker: worstOf(states), ...Object.fromEntries(states) },
    }),
    drain: () => store.drain(),
    close: async () => {
      await store.close();
      own?.close();
      await local.close();
    },
  };
}

/** The state of the node that is worst off; nodes that are well are not listed. */
function worstOf(states: ReadonlyMap<string, BreakerState>): BreakerState {
  const all = [...states.values()];
  return all.includes('open') ? 'open' : all.includes('half_open') ? 'half_open' : 'closed';
}

function outcomeOf(errors: readonly TidegateError[]): StoreOutcome {
  if (errors.length === 0) return 'ok';
  return errors.some((error) => error.code === 'TG_STORE_TIMEOUT') ? 'timeout' : 'error';
}

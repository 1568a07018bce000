/** Metrics that are read from other parts when they are scraped: the store, the limits, the connections. */
import type { Registry } from 'prom-client';
import type { LeaseCounts } from './lease-counts';
import { registerFigure, registerSampled } from './sampled-metric';

/** The circuit breaker's states. */
export const BREAKER_STATES = ['closed', 'half_open', 'open'] as const;
/** One of {@link BREAKER_STATES}. */
export type BreakerState = (typeof BREAKER_STATES)[number];

/** The processes that decide. */
export interface WorkerFigures {
  /** Those that serve now. */
  readonly serving: number;
  /** How often one ended that should not have. */
  readonly restarts: number;
  /** Of each, by its number: the CPU time since it started. */
  readonly cpuS: readonly (readonly [worker: string, seconds: number])[];
}

/** Where the figures come from; what is absent yields no metric. Each is called at a scrape and must be quick. */
export interface MetricSources {
  readonly breakerState?: () => BreakerState;
  /** Late replies whose tokens were given back, since the start. */
  readonly lateRefunds?: () => number;
  readonly memoryStore?: () => {
    /** Buckets held now. */
    readonly buckets: number;
    /** Buckets forgotten because nothing was lost by it, since the start. */
    readonly forgotten: number;
    /** Buckets dropped with state in them because the bound was reached, since the start. */
    readonly evictedEarly: number;
  };
  /** What became of leased tokens, and those held now. */
  readonly leases?: {
    readonly counts: LeaseCounts;
    readonly stats: () => { readonly outstanding: number; readonly buckets: number };
  };
  readonly limits?: () => {
    readonly version: number;
    readonly rules: number;
    readonly loadedAtMs: number;
    /** The code of the last load's error; absent when it succeeded. */
    readonly lastErrorCode?: string;
  };
  readonly openConnections?: () => number;
  /** The processes that decide, where there are several. */
  readonly workers?: () => WorkerFigures;
  /** Calls that wait for tokens now. */
  readonly queueDepth?: () => number;
}

/** Registers what the sources offer. */
export function registerSources(registry: Registry, sources: MetricSources): void {
  const { breakerState, lateRefunds, openConnections, queueDepth } = sources;
  if (breakerState !== undefined) {
    registerSampled(registry, {
      name: 'tidegate_store_breaker_state',
      help: 'The state of the circuit breaker before the store: 1 for the current one.',
      type: 'gauge',
      sample: () => {
        const current = breakerState();
        return BREAKER_STATES.map((state) => ({ labels: { state }, value: state === current ? 1 : 0 }));
      },
    });
  }
  if (lateRefunds !== undefined) {
    registerFigure(
      registry,
      'counter',
      'tidegate_store_late_refunds_total',
      'Replies of the store that came after the deadline and whose tokens were given back.',
      lateRefunds,
    );
  }
  if (openConnections !== undefined) {
    registerFigure(
      registry,
      'gauge',
      'tidegate_open_connections',
      'Connections open on the data port.',
      openConnections,
    );
  }
  registerWorkers(registry, sources.workers);
  if (queueDepth !== undefined) {
    registerFigure(registry, 'gauge', 'tidegate_queue_depth', 'Calls that wait for tokens now.', queueDepth);
  }
  registerMemoryStore(registry, sources.memoryStore);
  registerLeases(registry, sources.leases);
  registerLimits(registry, sources.limits);
}

function registerWorkers(registry: Registry, read: MetricSources['workers']): void {
  if (read === undefined) return;
  registerFigure(registry, 'gauge', 'tidegate_workers', 'Worker processes that serve.', () => read().serving);
  registerFigure(
    registry,
    'counter',
    'tidegate_worker_restarts_total',
    'Worker processes that ended by themselves and were started again.',
    () => read().restarts,
  );
  registerSampled(registry, {
    name: 'tidegate_worker_cpu_seconds_total',
    help: 'CPU time of each worker process since it started.',
    type: 'counter',
    sample: () => read().cpuS.map(([worker, value]) => ({ labels: { worker }, value })),
  });
}

function registerLeases(registry: Registry, leases: MetricSources['leases']): void {
  if (leases === undefined) return;
  const { counts, stats } = leases;
  const counter = (name: string, help: string, read: () => number): void =>
    registerFigure(registry, 'counter', `tidegate_lease_${name}`, help, read);
  const gauge = (name: string, help: string, read: () => number): void =>
    registerFigure(registry, 'gauge', `tidegate_lease_${name}`, help, read);
  counter(
    'granted_tokens_total',
    'Tokens taken from shared buckets ahead of use.',
    () => counts.grantedTokens,
  );
  counter('returned_tokens_total', 'Leased tokens given back unspent.', () => counts.returnedTokens);
  counter(
    'lost_tokens_total',
    'Leased tokens that nobody could spend any more: their lease ran out, or its holder was gone.',
    () => counts.lostTokens,
  );
  counter(
    'overshoot_tokens_total',
    'Leased tokens that the store gave out twice, because it had lost its state.',
    () => counts.overshootTokens,
  );
  counter('local_decisions_total', 'Buckets decided without asking the store.', () => counts.localDecisions);
  gauge('outstanding_tokens', 'Leased tokens held now and not spent.', () => stats().outstanding);
  gauge('watched_buckets', 'Buckets whose demand is watched.', () => stats().buckets);
}

function registerMemoryStore(registry: Registry, read: MetricSources['memoryStore']): void {
  if (read === undefined) return;
  const figure = (type: 'counter' | 'gauge', name: string, help: string, value: () => number): void =>
    registerFigure(registry, type, `tidegate_memory_store_${name}`, help, value);
  figure('gauge', 'buckets', 'Buckets held in memory.', () => read().buckets);
  figure(
    'counter',
    'forgotten_total',
    'Idle buckets forgotten without losing anything.',
    () => read().forgotten,
  );
  figure(
    'counter',
    'evicted_early_total',
    'Buckets dropped while still in use, because the bound on their number was reached.',
    () => read().evictedEarly,
  );
}

function registerLimits(registry: Registry, read: MetricSources['limits']): void {
  if (read === undefined) return;
  const gauge = (name: string, help: string, value: () => number): void =>
    registerFigure(registry, 'gauge', `tidegate_limits_${name}`, help, value);
  gauge('version', 'The version of the limits in use.', () => read().version);
  gauge('rules', 'Rules in use.', () => read().rules);
  gauge('loaded_timestamp_seconds', 'When the limits in use were loaded.', () => read().loadedAtMs / 1_000);
  gauge('last_load_successful', '1 when the last load of the limits succeeded, else 0.', () =>
    read().lastErrorCode === undefined ? 1 : 0,
  );
  registerSampled(registry, {
    name: 'tidegate_limits_last_error',
    help: 'The code of the error that rejected the last load; no series when it succeeded.',
    type: 'gauge',
    sample: () => {
      const code = read().lastErrorCode;
      return code === undefined ? [] : [{ labels: { code }, value: 1 }];
    },
  });
}

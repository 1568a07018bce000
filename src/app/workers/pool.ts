/** Workers as the composition root sees them: a data port, a place for limits, and sources of figures. */
import { availableParallelism } from 'node:os';
import type { Settings } from '../../config/settings-shape';
import type { Logger, Server } from '../../core/ports';
import type { LimitsFileResult } from '../../limiter/dialect/limits-file';
import { LeaseCounts } from '../../telemetry/lease-counts';
import type { Metrics } from '../../telemetry/metrics';
import type { MetricSources } from '../../telemetry/state-metrics';
import type { PackedTable } from '../control/packed-table';
import type { Forecasting } from '../forecasting/forecasting';
import type { Stores } from '../stores';
import { WorkerPool } from './worker-pool';

/** Several workers instead of a data port of this process. */
export interface Pool {
  /** The data port: listening starts the workers, closing ends them. */
  readonly server: Server;
  /** Workers that serve. */
  readonly serving: number;
  /** What the stores of all processes show. */
  readonly sources: MetricSources;
  /** Has all workers use limits that were checked; resolves when they do. */
  publish(generation: number, files: readonly LimitsFileResult[]): Promise<void>;
  /** Brings this process's figures up to date. */
  gather(): Promise<void>;
  /** Has all workers use a pool's table. */
  publishTable(table: PackedTable): void;
  /** Has all workers name their classes again: what they told may be lost. */
  nameClasses(): void;
  /** Lets the data port's health say that it is going. */
  turnAway(): void;
}

/** The workers that the settings ask for; undefined where this process decides itself. */
export function poolFor(
  settings: Settings,
  stores: Stores,
  metrics: Metrics,
  logger: Logger,
  told: Pick<Forecasting, 'observe' | 'borrowed'>,
): Pool | undefined {
  const count = settings.workers === 0 ? availableParallelism() : settings.workers;
  if (count <= 1) return undefined;
  const leases = stores.sources.leases?.counts ?? new LeaseCounts();
  const workers = new WorkerPool({
    settings,
    count,
    buckets: settings.store.kind === 'memory' ? stores.local : undefined,
    logger,
    observed: (batch) => told.observe(batch),
    borrowed: (loans) => told.borrowed(loans),
    counted: (share) => {
      metrics.addShare(share.metrics);
      leases.add(share.leases);
    },
  });
  return {
    server: {
      listen: async () => ({ address: await workers.start(), port: 0 }),
      close: (graceMs) => workers.stop(graceMs),
    },
    get serving() {
      return workers.serving;
    },
    sources: sourcesOf(stores, workers, leases),
    publish: (generation, files) =>
      workers.publish({
        generation,
        files: files.flatMap(({ file }) => (file === undefined ? [] : [file])),
      }),
    gather: () => workers.gather(),
    publishTable: (table) => workers.publishTable(table),
    nameClasses: () => workers.nameClasses(),
    turnAway: () => workers.turnAway(),
  };
}

function sourcesOf(stores: Stores, workers: WorkerPool, leases: LeaseCounts): MetricSources {
  const { sources } = stores;
  const sum = (pick: (gauges: WorkerPool['gauges'][number][1]) => number): number =>
    workers.gauges.reduce((total, [, gauges]) => total + pick(gauges), 0);
  return {
    ...sources,
    queueDepth: () => (sources.queueDepth?.() ?? 0) + sum((gauges) => gauges.queueDepth),
    leases: {
      counts: leases,
      stats: () => {
        const own = sources.leases?.stats();
        return {
          outstanding: (own?.outstanding ?? 0) + sum((gauges) => gauges.leasedTokens),
          buckets: (own?.buckets ?? 0) + sum((gauges) => gauges.leasedBuckets),
        };
      },
    },
    workers: () => ({
      serving: workers.serving,
      restarts: workers.restarts,
      cpuS: workers.gauges.map(([worker, gauges]) => [worker, gauges.cpuS] as const),
    }),
  };
}

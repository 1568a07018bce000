/**
 * What the primary and its workers say to each other, but for what is asked of the buckets of the memory store, which has
 * a socket of its own. Plain data: every message is cloned.
 */
import type { ObservationBatch } from '../../core/observation';
import type { Settings } from '../../config/settings-shape';
import type { LimitsFile } from '../../limiter/dialect/limits-file';
import type { AtOnceSum } from '../control/at-once';
import type { PackedTable } from '../control/packed-table';
import type { MetricsShare } from '../../telemetry/metrics-share';

/** Where a worker finds the socket to the primary's buckets among what it was started with. */
export const LINK_FD = 4;

/** Limits that were read and checked: what a worker compiles into its table. */
export interface PublishedLimits {
  readonly generation: number;
  readonly files: readonly LimitsFile[];
}

/** The first word to a worker. */
export interface Begin {
  readonly kind: 'begin';
  /** Its number: 1 for the first; one that is started anew keeps it. */
  readonly worker: number;
  readonly settings: Settings;
  /** The data port, once it is known. */
  readonly port: number;
  readonly limits: PublishedLimits | undefined;
}

/** From the primary. */
export type ToWorker =
  | Begin
  | { readonly kind: 'limits'; readonly limits: PublishedLimits }
  /** What a pool's leader published. */
  | { readonly kind: 'table'; readonly table: PackedTable }
  /** Send what was counted, with this number. */
  | { readonly kind: 'share'; readonly id: number }
  /** Name every class again when it is counted next: what was told may be lost. */
  | { readonly kind: 'name-classes' }
  /** Turn away: health says NOT_SERVING. */
  | { readonly kind: 'unhealthy' }
  | { readonly kind: 'stop'; readonly graceMs: number };

/** How a worker is, beside what it counted. */
export interface WorkerGauges {
  readonly queueDepth: number;
  readonly leasedTokens: number;
  readonly leasedBuckets: number;
  /** CPU time since it started, s. */
  readonly cpuS: number;
}

/** What a worker counted since it told last. */
export interface WorkerShare {
  readonly kind: 'share';
  /** The number of the question; 0 when nobody asked. */
  readonly id: number;
  readonly metrics: MetricsShare;
  readonly leases: readonly number[];
  readonly gauges: WorkerGauges;
}

/** From a worker. */
export type FromWorker =
  | WorkerShare
  /** What came of each class in a step. */
  | { readonly kind: 'observed'; readonly batch: ObservationBatch }
  /** What was borrowed at once. */
  | { readonly kind: 'borrowed'; readonly loans: readonly AtOnceSum[] }
  | { readonly kind: 'ready'; readonly address: string; readonly port: number }
  | { readonly kind: 'refused'; readonly code: string; readonly message: string }
  | { readonly kind: 'limits'; readonly generation: number };

/** The words of reject or queue: what a rule says about waiting, what a request claims, and who is told. */

/** What a rule says about calls that its bucket has no tokens for. */
export interface QueuePolicy {
  /** How long a call may wait, ms. */
  readonly maxWaitMs: number;
  /** Calls that may wait for one bucket. */
  readonly maxDepth: number;
}

/** A request's place among those that wait. */
export interface QueueClaim {
  /** 0 is served first, {@link LAST_RANK} last. */
  readonly rank: number;
  /** Its part among requests of one rank that wait for one bucket. */
  readonly weight: number;
  /** Requests of one flow are served in their order; flows share by weight. */
  readonly flow: string;
  /** When its caller gives up, ms from now; Infinity when it never does. */
  readonly timeoutMs: number;
  /** Told once, when it begins to wait. */
  waits(): void;
}

/** The least important rank. */
export const LAST_RANK = 3;

/**
 * How a request that was to wait ended: `served` with tokens, `expired` without; `late`: none could come in time;
 * `full`: too many waited; `displaced` by a more important one; `cancelled` by its caller; `failed`: the store did.
 */
export const QUEUE_ENDS = ['served', 'expired', 'late', 'full', 'displaced', 'cancelled', 'failed'] as const;
/** One of {@link QUEUE_ENDS}. */
export type QueueEnd = (typeof QUEUE_ENDS)[number];

/** Told of those that wait. Every method is cheap and never throws. */
export interface QueueObserver {
  /** A request that was to wait has ended, after so long. */
  ended(end: QueueEnd, waitedMs: number): void;
}

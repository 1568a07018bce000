/**
 * A denial that may be repeated without asking: the shared bucket did not have what a call wanted, and has it no sooner than its
 * refill is due. Where more is asked for than refills it is repeated a little longer: what gathers meanwhile is taken by one
 * command instead of one each, and whoever asks elsewhere finds some.
 */
import type { BucketOutcome, BucketParams } from '../core/buckets';
import type { LeaseDemand } from './lease-demand';

/** A denial is repeated for at most this long, since somebody may give tokens back; ms. */
export const MAX_DENIAL_MS = 100;

/** So many tokens are let gather at most, and for at most so long, ms. */
const GATHERED_TOKENS = 16;
const GATHERED_MS = 10;
/** With fewer calls in that time there is nothing to save. */
const GATHERED_CALLS = 4;
/** Micro-tokens a second in a token a millisecond. */
const UT_PER_S = 1e9;

/** How long an empty bucket is worth being left alone by the demand here; ms, 0 for not at all. */
export function gatheringMs(params: BucketParams, demand: LeaseDemand): number {
  // Nothing gathers where nothing refills.
  if (params.algorithm === 'fixed_window' || params.rateUtPerS === 0) return 0;
  const refillPerMs = params.rateUtPerS / UT_PER_S;
  const gatheredMs = GATHERED_TOKENS / Math.min(demand.hitsPerMs(), refillPerMs);
  // What refills a full bucket is lost.
  const waitMs = Math.min(GATHERED_MS, gatheredMs, params.capacity / 2 / refillPerMs);
  return demand.callsPerMs() * waitMs < GATHERED_CALLS ? 0 : waitMs;
}

/** See the file's head. */
export class LeaseDenial {
  /** It is repeated until then, ms. */
  readonly untilMs: number;

  /**
   * @param outcome what the bucket answered to `hits`, asked at `fromMs`.
   * @param gatherMs what {@link gatheringMs} says.
   */
  constructor(
    private readonly outcome: BucketOutcome,
    private readonly hits: number,
    private readonly fromMs: number,
    readonly gatherMs: number,
  ) {
    const waitMs = Math.max(outcome.retryAfterUs / 1_000, gatherMs);
    this.untilMs = fromMs + Math.min(MAX_DENIAL_MS, waitMs);
  }

  /** The denial of `hits` at a later time; undefined when they would have to be asked for. */
  at(nowMs: number, hits: number, capacity: number): BucketOutcome | undefined {
    if (hits < this.hits || nowMs >= this.untilMs) return undefined;
    const { outcome } = this;
    const passedUs = (nowMs - this.fromMs) * 1_000;
    const gathersUs = this.gatherMs * 1_000 - passedUs;
    return {
      ...outcome,
      usedAfter: outcome.usedBefore + hits,
      resetUs: Math.max(0, outcome.resetUs - passedUs),
      retryAfterUs: hits > capacity ? Infinity : Math.max(0, gathersUs, outcome.retryAfterUs - passedUs),
    };
  }
}

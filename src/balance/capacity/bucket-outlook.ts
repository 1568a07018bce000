/** What a token bucket can give from now on. Tokens, and tokens a second. */
import type { TargetSeen } from '../../core/traffic';

/** A bucket as it is; `known` is false where nothing bounds the target. */
export interface BucketLevel {
  known: boolean;
  /** What can be taken now: in the bucket, and in leases. */
  tokens: number;
  capacity: number;
  refillPerS: number;
}

/** Reads the bucket of a target into `level`. Unknown tokens or refill are no bound; what cannot be is cut to what can. */
export function readBucket(seen: TargetSeen | undefined, level: BucketLevel): void {
  const tokens = seen?.tokens ?? NaN;
  const refillPerS = seen?.refillPerS ?? NaN;
  level.known = Number.isFinite(tokens) && Number.isFinite(refillPerS) && refillPerS >= 0;
  if (!level.known || seen === undefined) return;
  const leased = seen.leased > 0 && seen.leased < Infinity ? seen.leased : 0;
  const most = seen.capacity >= 0 && seen.capacity < Infinity ? seen.capacity : Infinity;
  level.refillPerS = refillPerS;
  level.tokens = Math.min(most, Math.max(0, tokens) + leased);
  level.capacity = Math.max(level.tokens, most === Infinity ? 0 : most);
}

/** The greatest constant rate with which it does not run dry within `aheadS`. */
export function lastingRate(level: BucketLevel, aheadS: number): number {
  return level.refillPerS + level.tokens / aheadS;
}

/**
 * When it would run dry under `share` of the demand of `path`, whose points are `stepS` apart, straight between them.
 * @returns seconds from now, NaN when not within the path. Between two points the demand is taken as its mean there.
 */
export function depletionS(level: BucketLevel, share: number, path: Float64Array, stepS: number): number {
  let tokens = level.tokens;
  for (let i = 1; i < path.length; i += 1) {
    const netPerS = (share * ((path[i - 1] ?? 0) + (path[i] ?? 0))) / 2 - level.refillPerS;
    if (netPerS > 0 && tokens <= netPerS * stepS) return (i - 1) * stepS + tokens / netPerS;
    tokens = Math.min(level.capacity, tokens - netPerS * stepS);
  }
  return NaN;
}

/**
 * The token bucket: `capacity` tokens at most, refilled continuously. It never invents a token, under resizes and clock
 * steps included, and each write loses less than one micro-token. A look or a plain denial changes nothing, so what
 * the bucket is asked has no influence on what it gives.
 */
import type { BucketOutcome, BucketParams } from '../core/buckets';
import { US_PER_S } from '../core/clock';
import { type Charging, isCharged } from './charging';
import { microTokens, UT_PER_TOKEN } from './fixed-point';
import { paramsInForce, sameParams } from './params';

/** A token bucket's state: mutable, so that a store can use one object as a register over its arrays. */
export interface TokenBucketState {
  /** Micro-tokens at `lastUs`, a whole number. */
  tokensUt: number;
  /** The time up to which the refill has been counted, us. */
  lastUs: number;
  /** The newest parameters seen. */
  params: BucketParams;
}

/** A bucket that nobody used yet: full. */
export function newTokenBucket(params: BucketParams, nowUs: number): TokenBucketState {
  return { tokensUt: microTokens(params.capacity), lastUs: nowUs, params };
}

/** Micro-tokens in the bucket at `nowUs`, by the parameters it holds. A clock that stepped back refills nothing. */
export function tokensAtUt(state: TokenBucketState, nowUs: number): number {
  const { capacity, rateUtPerS } = state.params;
  const elapsedUs = Math.max(0, nowUs - state.lastUs);
  return Math.min(microTokens(capacity), state.tokensUt + Math.floor((elapsedUs * rateUtPerS) / US_PER_S));
}

/**
 * Evaluates one call and advances `state` in place by what it writes: grants, refunds, charged denials, changed
 * parameters and a clock that stepped back (else an empty bucket would stay empty until the clock caught up).
 *
 * A change of parameters first refills by the old ones, then cuts down to the new capacity; a larger one is not filled.
 * What was refilled beyond a whole ut is carried as time at the rate now in force: carried as time at the old rate it
 * would turn into tokens when the rate rises.
 * @param hits whole tokens: positive takes, 0 looks (always allowed), negative gives back (always allowed).
 */
export function evaluateTokenBucket(
  state: TokenBucketState,
  offered: BucketParams,
  hits: number,
  nowUs: number,
  charging: Charging,
): BucketOutcome {
  const held = state.params;
  const params = paramsInForce(held, offered, nowUs);
  const capacityUt = microTokens(params.capacity);
  const rate = params.rateUtPerS;
  const ceilingUt = Math.min(microTokens(held.capacity), capacityUt);

  const elapsedUs = Math.max(0, nowUs - state.lastUs);
  const refillUt = (elapsedUs * held.rateUtPerS) / US_PER_S;
  const wholeUt = Math.floor(refillUt);
  const beforeUt = Math.min(ceilingUt, state.tokensUt + wholeUt);

  const hitsUt = microTokens(hits);
  const allowed = hits <= 0 || beforeUt >= hitsUt;
  const charged = isCharged(charging, allowed);
  let afterUt = beforeUt;
  if (charged) afterUt = Math.max(0, Math.min(capacityUt, beforeUt - hitsUt));

  if ((charged && hits !== 0) || nowUs < state.lastUs || !sameParams(held, params)) {
    const full = beforeUt === ceilingUt || afterUt === capacityUt || rate === 0;
    state.tokensUt = afterUt;
    state.lastUs = full ? nowUs : nowUs - Math.floor(((refillUt - wholeUt) * US_PER_S) / rate);
  }
  state.params = params;

  const usedBefore = (capacityUt - beforeUt) / UT_PER_TOKEN;
  const usedAfter =
    hits > 0 && (charged || !allowed) ? usedBefore + hits : (capacityUt - afterUt) / UT_PER_TOKEN;
  return {
    allowed,
    usedBefore,
    usedAfter,
    remaining: allowed ? Math.floor(afterUt / UT_PER_TOKEN) : 0,
    resetUs: refillTimeUs(capacityUt - afterUt, rate),
    retryAfterUs: allowed ? 0 : hitsUt > capacityUt ? Infinity : refillTimeUs(hitsUt - afterUt, rate),
  };
}

/** How long the refill takes to bring `missingUt`, us, rounded up; Infinity when there is no refill. */
function refillTimeUs(missingUt: number, rate: number): number {
  if (missingUt <= 0) return 0;
  return rate === 0 ? Infinity : Math.ceil((missingUt * US_PER_S) / rate);
}

/**
 * The fixed window: counts from one multiple of the window's length (UTC) to the next, as the reference does. At most
 * `limit` in a window while denials are not charged; up to twice the limit around a window's edge.
 */
import type { BucketOutcome, BucketParams } from '../core/buckets';
import { type Charging, isCharged } from './charging';
import { MAX_COUNT } from './fixed-point';
import { paramsInForce } from './params';

/** A fixed window's state: mutable, so that a store can use one object as a register over its arrays. */
export interface FixedWindowState {
  /** When the counted window began, us. */
  startUs: number;
  /** Hits counted in it, a whole number up to 2^52. */
  count: number;
  /** The newest parameters seen. */
  params: BucketParams;
}

/** A window that nobody used yet. */
export function newFixedWindow(params: BucketParams, nowUs: number): FixedWindowState {
  return { startUs: windowStartUs(params.windowUs, nowUs), count: 0, params };
}

/** When the UTC-aligned window around `nowUs` began, us. */
export function windowStartUs(windowUs: number, nowUs: number): number {
  return Math.floor(nowUs / windowUs) * windowUs;
}

/**
 * When the window that `nowUs` is counted in began. A clock that stepped back by less than a window stays in the window
 * it was in, so that the step hands out no second limit; after a longer step it starts anew, so that nothing freezes.
 */
export function countedWindowStartUs(state: FixedWindowState, nowUs: number): number {
  const startUs = windowStartUs(state.params.windowUs, nowUs);
  return state.startUs > startUs && state.startUs - nowUs < state.params.windowUs ? state.startUs : startUs;
}

/** Hits counted in the window around `nowUs`. */
export function countAt(state: FixedWindowState, nowUs: number): number {
  return countedWindowStartUs(state, nowUs) === state.startUs ? state.count : 0;
}

/**
 * Evaluates one call and advances `state` in place by what it writes. A changed limit counts at once; the count stays.
 * @param hits whole tokens: positive takes, 0 looks, negative gives back to the current window.
 */
export function evaluateFixedWindow(
  state: FixedWindowState,
  offered: BucketParams,
  hits: number,
  nowUs: number,
  charging: Charging,
): BucketOutcome {
  const params = paramsInForce(state.params, offered, nowUs);
  const { limit, windowUs } = params;
  const startUs = countedWindowStartUs(state, nowUs);
  const before = startUs === state.startUs ? state.count : 0;

  const allowed = hits < 0 || before + hits <= limit;
  const charged = isCharged(charging, allowed);
  const after = charged ? Math.max(0, Math.min(MAX_COUNT, before + hits)) : before;
  if (charged && hits !== 0) {
    state.startUs = startUs;
    state.count = after;
  }
  state.params = params;

  const resetUs = Math.min(windowUs, startUs + windowUs - nowUs);
  return {
    allowed,
    usedBefore: before,
    usedAfter: allowed ? after : before + hits,
    remaining: allowed ? Math.max(0, limit - after) : 0,
    resetUs,
    retryAfterUs: allowed ? 0 : hits > limit ? Infinity : resetUs,
  };
}

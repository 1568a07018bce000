/**
 * The sliding window: 32 sub-windows and the current one, so never more than `limit` in any interval of the window's
 * length while denials are not charged. The price: a hit counts for up to 1/32 of a window longer than it should.
 *
 * The counts lie in a ring of 33, each at its sub-window's index modulo 33; all others are 0.
 *
 *      newest-32            newest
 *     |    |    | ...  |    |    |
 *     oldest that can count      the sub-window last written to
 */
import type { BucketOutcome, BucketParams } from '../core/buckets';
import { type Charging, isCharged } from './charging';
import { MAX_COUNT } from './fixed-point';
import { paramsInForce } from './params';

/** Sub-windows in a window. A power of two, so that their length is exact in a double. */
export const SUB_WINDOWS = 32;
/** Counts that a sliding window keeps: the current sub-window's and those of the 32 before it. */
export const RING_LENGTH = SUB_WINDOWS + 1;

/** A sliding window's state: mutable, so that a store can use one object as a register over its arrays. */
export interface SlidingWindowState {
  /** The index (time over sub-window's length) of the newest sub-window that is not empty; -1 when all are. */
  newest: number;
  /** The sum of all counts, up to 2^52. */
  total: number;
  /** Holds the ring in {@link RING_LENGTH} elements from `at`. */
  ring: Float64Array;
  at: number;
  /** The newest parameters seen. */
  params: BucketParams;
}

/** A window that nobody used yet. */
export function newSlidingWindow(params: BucketParams): SlidingWindowState {
  return { newest: -1, total: 0, ring: new Float64Array(RING_LENGTH), at: 0, params };
}

/** The sub-windows that count and are not empty, oldest first, as [index, count]. */
export function slidingWindowEntries(state: SlidingWindowState): [index: number, count: number][] {
  const entries: [number, number][] = [];
  for (let index = Math.max(0, state.newest - SUB_WINDOWS); index <= state.newest; index += 1) {
    const count = countOf(state, index);
    if (count > 0) entries.push([index, count]);
  }
  return entries;
}

/** Hits that count at `nowUs`. */
export function slidingTotalAt(state: SlidingWindowState, nowUs: number): number {
  const { windowUs } = state.params;
  const windows = Math.floor(nowUs / windowUs);
  const index = windows * SUB_WINDOWS + subWindowAt(nowUs - windows * windowUs, windowUs);
  return liveTotal(state, currentIndex(state, index));
}

/**
 * Evaluates one call and advances `state` in place by what it writes. A changed limit counts at once; the counts stay.
 * After a clock that stepped back by up to a window it goes on in the newest sub-window; after a longer step, anew.
 * @param hits whole tokens: positive takes, 0 looks, negative gives back, from the newest sub-window backwards.
 */
export function evaluateSlidingWindow(
  state: SlidingWindowState,
  offered: BucketParams,
  hits: number,
  nowUs: number,
  charging: Charging,
): BucketOutcome {
  const params = paramsInForce(state.params, offered, nowUs);
  const limit = params.limit;
  const { windowUs } = params;
  const subUs = windowUs / SUB_WINDOWS;
  // By whole windows and the rest, none of which is rounded: time over a sub-window's length would be, by quarters of a us.
  const windows = Math.floor(nowUs / windowUs);
  const restUs = nowUs - windows * windowUs;
  const first = windows * SUB_WINDOWS;
  const clockIndex = first + subWindowAt(restUs, windowUs);
  const index = currentIndex(state, clockIndex);
  const isBehind = index > clockIndex;
  const origin = isBehind ? index : first;
  const fromUs = isBehind ? 0 : restUs;
  const before = liveTotal(state, index);

  const allowed = hits < 0 || before + hits <= limit;
  const charged = isCharged(charging, allowed);
  if (charged && hits !== 0) {
    dropOlderThan(state, index - SUB_WINDOWS, index);
    if (hits > 0) add(state, index, hits);
    else giveBack(state, -hits);
  }
  state.params = params;

  const after = liveTotal(state, index);
  return {
    allowed,
    usedBefore: before,
    usedAfter: allowed ? after : before + hits,
    remaining: allowed ? Math.max(0, limit - after) : 0,
    resetUs: after === 0 ? 0 : leavesInUs(state.newest - origin, subUs, fromUs),
    retryAfterUs: allowed
      ? 0
      : hits > limit
        ? Infinity
        : leavesInUs(roomAfter(state, index, after + hits - limit) - origin, subUs, fromUs),
  };
}

/** The index to go by: the clock's, or the newest one when the clock stepped back by no more than a window. */
function currentIndex(state: SlidingWindowState, clockIndex: number): number {
  return state.newest > clockIndex && state.newest - clockIndex <= SUB_WINDOWS ? state.newest : clockIndex;
}

function countOf(state: SlidingWindowState, index: number): number {
  return state.ring[state.at + (index % RING_LENGTH)] ?? 0;
}

/** The sum of the counts from index-32 to index; 0 when all counts are of a future that the clock stepped back from. */
function liveTotal(state: SlidingWindowState, index: number): number {
  const { newest, total } = state;
  if (newest > index || index - newest > SUB_WINDOWS) return 0;
  let live = total;
  for (let old = newest - SUB_WINDOWS; old < index - SUB_WINDOWS; old += 1) {
    if (old >= 0) live -= countOf(state, old);
  }
  return live;
}

/** Empties what does not count at `index` any more. */
function dropOlderThan(state: SlidingWindowState, oldest: number, index: number): void {
  const { newest, ring, at } = state;
  if (newest > index || newest < oldest) {
    ring.fill(0, at, at + RING_LENGTH);
    state.newest = -1;
    state.total = 0;
    return;
  }
  for (let old = Math.max(0, newest - SUB_WINDOWS); old < oldest; old += 1) {
    state.total -= countOf(state, old);
    ring[at + (old % RING_LENGTH)] = 0;
  }
}

function add(state: SlidingWindowState, index: number, hits: number): void {
  const added = Math.min(hits, MAX_COUNT - state.total);
  if (added === 0) return;
  state.ring[state.at + (index % RING_LENGTH)] = countOf(state, index) + added;
  state.total += added;
  state.newest = index;
}

function giveBack(state: SlidingWindowState, hits: number): void {
  let left = Math.min(hits, state.total);
  state.total -= left;
  while (left > 0) {
    const given = Math.min(left, countOf(state, state.newest));
    state.ring[state.at + (state.newest % RING_LENGTH)] = countOf(state, state.newest) - given;
    left -= given;
    if (left > 0) state.newest -= 1;
  }
  if (state.total === 0) state.newest = -1;
  else while (countOf(state, state.newest) === 0) state.newest -= 1;
}

/** Which sub-window of its window a time lies in, 0 to 31: exact for every window that may be. */
function subWindowAt(restUs: number, windowUs: number): number {
  return Math.floor((restUs * SUB_WINDOWS) / windowUs);
}

/** Until a sub-window counts no more, whole us; both it and the time are counted from the same place. Exact up to two years. */
function leavesInUs(index: number, subUs: number, fromUs: number): number {
  return Math.ceil((index + RING_LENGTH) * subUs - fromUs);
}

/** The last of the oldest sub-windows that together hold at least `hits`. */
function roomAfter(state: SlidingWindowState, index: number, hits: number): number {
  let left = hits;
  let old = Math.max(0, index - SUB_WINDOWS);
  while (old < state.newest) {
    left -= countOf(state, old);
    if (left <= 0) break;
    old += 1;
  }
  return old;
}

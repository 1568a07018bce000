/**
 * Keeps a table within its bounds. A hand goes round the slots, a few for each request, and forgets buckets that are as
 * good as new; while the table has much room only some time after their last use, since a bucket that is asked again and again
 * would otherwise be forgotten and made anew all the while. When the table is full and the hand finds none, the bucket of a small sample that is least in use goes:
 * flooding the table with new keys then mostly pushes out the flood's own. Such a loss is counted.
 */
import { countAt } from '../../bucket/fixed-window';
import { microTokens } from '../../bucket/fixed-point';
import { RING_LENGTH, SUB_WINDOWS, slidingTotalAt } from '../../bucket/sliding-window';
import { tokensAtUt } from '../../bucket/token-bucket';
import type { BucketParams } from '../../core/buckets';
import { STATE_LENGTH, type BucketTable } from './bucket-table';

const SWEPT_FOR_ROOM = 8;
const SAMPLE = 8;
/** How long an idle bucket stays while there is room, us. */
const LINGER_US = 10_000_000;
/** The part of the bound up to which there is much room. */
const ROOMY_SHARE = 1 / 8;

/** Forgets and evicts the buckets of one table. */
export class Reclaimer {
  private hand = 0;
  private readonly roomyBuckets: number;
  /** Buckets forgotten without a loss. */
  forgotten = 0;
  /** Buckets evicted while in use. */
  evictedEarly = 0;

  constructor(
    private readonly table: BucketTable,
    private readonly maxKeyChars: number,
  ) {
    this.roomyBuckets = table.maxBuckets * ROOMY_SHARE;
  }

  /** Looks at the next `slots` slots and forgets what is idle. */
  sweep(slots: number, nowUs: number): void {
    this.sweepIdle(slots, nowUs, this.table.count <= this.roomyBuckets ? LINGER_US : 0);
  }

  private sweepIdle(slots: number, nowUs: number, lingerUs: number): void {
    for (let i = Math.min(slots, this.table.slots); i > 0; i -= 1) {
      const slot = this.advance();
      const params = this.table.paramsOf(slot);
      if (params !== undefined && isIdle(this.table, slot, params, nowUs, lingerUs)) {
        this.table.remove(slot);
        this.forgotten += 1;
      }
    }
  }

  /** Makes room for a bucket with a key of `keyChars`, which must fit the bound by itself. */
  makeRoom(keyChars: number, nowUs: number): void {
    if (this.hasRoom(keyChars)) return;
    this.sweepIdle(SWEPT_FOR_ROOM, nowUs, 0);
    while (this.table.count > 0 && !this.hasRoom(keyChars)) this.evictOne(nowUs);
  }

  private hasRoom(keyChars: number): boolean {
    return this.table.count < this.table.maxBuckets && this.table.keyChars + keyChars <= this.maxKeyChars;
  }

  /** The sample is spread over the table, so that buckets made one after the other do not make up all of it. */
  private evictOne(nowUs: number): void {
    const { table } = this;
    const first = this.nextLive();
    let chosen = first;
    let least = Infinity;
    for (let i = 0; i < SAMPLE; i += 1) {
      const slot = (first + Math.floor((i * table.slots) / SAMPLE)) % table.slots;
      const params = table.paramsOf(slot);
      const share = params === undefined ? Infinity : usedShare(table, slot, params, nowUs);
      if (share < least) [chosen, least] = [slot, share];
    }
    table.remove(chosen);
    this.evictedEarly += 1;
  }

  private nextLive(): number {
    let slot = this.advance();
    while (this.table.paramsOf(slot) === undefined) slot = this.advance();
    return slot;
  }

  private advance(): number {
    this.hand = this.hand + 1 < this.table.slots ? this.hand + 1 : 0;
    return this.hand;
  }
}

/**
 * Whether forgetting the bucket loses nothing: it is full again, or its window is over.
 * @param lingerUs how long ago it was full last, or its window ended, at least.
 */
function isIdle(
  table: BucketTable,
  slot: number,
  params: BucketParams,
  nowUs: number,
  lingerUs: number,
): boolean {
  const first = table.state[slot * STATE_LENGTH] ?? 0;
  const second = table.state[slot * STATE_LENGTH + 1] ?? 0;
  switch (params.algorithm) {
    case 'token_bucket':
      if (nowUs - second < lingerUs && nowUs >= second) return false;
      return usedShare(table, slot, params, nowUs - lingerUs) === 0;
    case 'fixed_window':
      return second === 0 || nowUs - lingerUs >= first + params.windowUs;
    case 'sliding_window':
      return (
        second === 0 || Math.floor((nowUs - lingerUs) / (params.windowUs / SUB_WINDOWS)) > first + SUB_WINDOWS
      );
  }
}

/** How much of its limit or capacity is in use, what forgetting the bucket would give away: 0 is nothing. */
function usedShare(table: BucketTable, slot: number, params: BucketParams, nowUs: number): number {
  const first = table.state[slot * STATE_LENGTH] ?? 0;
  const second = table.state[slot * STATE_LENGTH + 1] ?? 0;
  switch (params.algorithm) {
    case 'token_bucket': {
      const capacityUt = microTokens(params.capacity);
      const tokensUt = tokensAtUt({ tokensUt: first, lastUs: second, params }, nowUs);
      return capacityUt === 0 ? 0 : (capacityUt - tokensUt) / capacityUt;
    }
    case 'fixed_window':
      return params.limit === 0
        ? 0
        : countAt({ startUs: first, count: second, params }, nowUs) / params.limit;
    case 'sliding_window': {
      const ring = table.rings;
      const state = { newest: first, total: second, ring, at: slot * RING_LENGTH, params };
      return params.limit === 0 ? 0 : slidingTotalAt(state, nowUs) / params.limit;
    }
  }
}

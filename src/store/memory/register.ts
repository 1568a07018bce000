/**
 * One bucket taken out of its table for the length of a request. Evaluations work on the register; the table keeps the
 * state from before the request until the register is stored, so going back is loading again.
 */
import {
  countedWindowStartUs,
  evaluateFixedWindow,
  type FixedWindowState,
  newFixedWindow,
} from '../../bucket/fixed-window';
import {
  evaluateSlidingWindow,
  newSlidingWindow,
  RING_LENGTH,
  type SlidingWindowState,
} from '../../bucket/sliding-window';
import { evaluateTokenBucket, newTokenBucket, type TokenBucketState } from '../../bucket/token-bucket';
import type { Charging } from '../../bucket/charging';
import { microTokens } from '../../bucket/fixed-point';
import type { BucketOutcome, BucketParams } from '../../core/buckets';
import { STATE_LENGTH, type BucketTable } from './bucket-table';

const UNUSED: BucketParams = {
  algorithm: 'token_bucket',
  limit: 0,
  windowUs: 1_000,
  capacity: 0,
  rateUtPerS: 0,
  version: 0,
};

/** A reusable register for a bucket of any algorithm. */
export class Register {
  private readonly token: TokenBucketState = newTokenBucket(UNUSED, 0);
  private readonly fixed: FixedWindowState = newFixedWindow(UNUSED, 0);
  private readonly sliding: SlidingWindowState = newSlidingWindow(UNUSED);
  /** The parameters it was loaded with: those that the bucket held, or those offered to an unused one. */
  params = UNUSED;
  /** The slot it was loaded from; -1 when the bucket is not in the table. */
  slot = -1;
  key = '';
  /** The key may be kept as it is; see `BucketTable.insert`. */
  keyIsFlat = false;

  /** Takes in a bucket: from its slot, or unused as the parameters say when it has none. */
  load(table: BucketTable, slot: number, params: BucketParams, key: string, nowUs: number): void {
    this.slot = slot;
    this.key = key;
    const held = (slot === -1 ? undefined : table.paramsOf(slot)) ?? params;
    this.params = held;
    const first = slot === -1 ? undefined : table.state[slot * STATE_LENGTH];
    const second = slot === -1 ? undefined : table.state[slot * STATE_LENGTH + 1];
    switch (held.algorithm) {
      case 'token_bucket':
        this.token.params = held;
        this.token.tokensUt = first ?? microTokens(held.capacity);
        this.token.lastUs = second ?? nowUs;
        return;
      case 'fixed_window':
        this.fixed.params = held;
        this.fixed.startUs = first ?? 0;
        this.fixed.count = second ?? 0;
        return;
      case 'sliding_window':
        this.sliding.params = held;
        this.sliding.newest = first ?? -1;
        this.sliding.total = second ?? 0;
        for (let i = 0; i < RING_LENGTH; i += 1) {
          this.sliding.ring[i] = slot === -1 ? 0 : (table.rings[slot * RING_LENGTH + i] ?? 0);
        }
    }
  }

  /** Whether this register holds the bucket of these parameters and key. */
  holds(params: BucketParams, key: string): boolean {
    return (
      this.key === key &&
      this.params.algorithm === params.algorithm &&
      (params.algorithm === 'token_bucket' || this.params.windowUs === params.windowUs)
    );
  }

  /** Evaluates one call on the register. */
  evaluate(params: BucketParams, hits: number, nowUs: number, charging: Charging): BucketOutcome {
    switch (this.params.algorithm) {
      case 'token_bucket':
        return evaluateTokenBucket(this.token, params, hits, nowUs, charging);
      case 'fixed_window':
        return evaluateFixedWindow(this.fixed, params, hits, nowUs, charging);
      case 'sliding_window':
        return evaluateSlidingWindow(this.sliding, params, hits, nowUs, charging);
    }
  }

  /** When the fixed window in force began, us; 0 for a token bucket. */
  windowAt(nowUs: number): number {
    return this.params.algorithm === 'fixed_window' ? countedWindowStartUs(this.fixed, nowUs) : 0;
  }

  /** Tokens at most, by the parameters in force. */
  capacity(): number {
    return this.params.algorithm === 'fixed_window' ? this.fixed.params.limit : this.token.params.capacity;
  }

  /** Whether there is nothing to remember: the bucket is as a new one would be. */
  isUnused(): boolean {
    switch (this.params.algorithm) {
      case 'token_bucket':
        return this.token.tokensUt === microTokens(this.token.params.capacity);
      case 'fixed_window':
        return this.fixed.count === 0;
      case 'sliding_window':
        return this.sliding.total === 0;
    }
  }

  /** Writes the register to a slot of the table. */
  store(table: BucketTable, slot: number): void {
    switch (this.params.algorithm) {
      case 'token_bucket':
        write(table, slot, this.token.tokensUt, this.token.lastUs, this.token.params);
        return;
      case 'fixed_window':
        write(table, slot, this.fixed.startUs, this.fixed.count, this.fixed.params);
        return;
      case 'sliding_window':
        write(table, slot, this.sliding.newest, this.sliding.total, this.sliding.params);
        table.rings.set(this.sliding.ring, slot * RING_LENGTH);
    }
  }
}

function write(table: BucketTable, slot: number, first: number, second: number, params: BucketParams): void {
  table.state[slot * STATE_LENGTH] = first;
  table.state[slot * STATE_LENGTH + 1] = second;
  if (table.paramsOf(slot) !== params) table.setParams(slot, params);
}

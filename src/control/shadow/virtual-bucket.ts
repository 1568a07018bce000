/** A token bucket that nobody is answered from: it is asked what would have been. */
import type { BucketParams } from '../../core/buckets';
import { MAX_UINT32 } from '../../core/rls';
import { bucketParams } from '../../bucket/params';
import { UT_PER_TOKEN } from '../../bucket/fixed-point';
import {
  evaluateTokenBucket,
  newTokenBucket,
  tokensAtUt,
  type TokenBucketState,
} from '../../bucket/token-bucket';

/** A bucket's size: tokens a second, whole tokens. */
export interface VirtualSize {
  readonly ratePerS: number;
  readonly capacity: number;
}

const MAX_RATE_PER_S = 1e9;
/** Into how many parts a span is cut at most. */
const MAX_PARTS = 32;

/** Times are us on a clock that never steps back. */
export class VirtualBucket {
  readonly #state: TokenBucketState;
  #size: VirtualSize;

  /** Full. */
  constructor(size: VirtualSize, nowUs: number) {
    this.#size = size;
    this.#state = newTokenBucket(paramsOf(size), nowUs);
  }

  /** Sizes it anew: tokens beyond a smaller capacity are gone, a larger one is not filled. NaN leaves it as it is. */
  resize(size: VirtualSize, nowUs: number): void {
    if (size.ratePerS === this.#size.ratePerS && size.capacity === this.#size.capacity) return;
    if (!Number.isFinite(size.ratePerS) || !Number.isFinite(size.capacity)) return;
    this.#size = size;
    evaluateTokenBucket(this.#state, paramsOf(size), 0, nowUs, 'allowed');
  }

  /**
   * Calls of one token that come evenly over a span. What is there is taken at the start of each part of the span, the rest
   * at its end, from the refill; parts are so short that a refill does not overflow while calls wait for it.
   * @returns how many were admitted.
   */
  serve(calls: number, fromUs: number, toUs: number): number {
    const parts = this.#parts(calls, toUs - fromUs);
    let admitted = 0;
    let come = 0;
    for (let part = 1; part <= parts; part += 1) {
      const until = Math.floor((calls * part) / parts);
      const startUs = Math.floor(fromUs + ((toUs - fromUs) * (part - 1)) / parts);
      const endUs = Math.floor(fromUs + ((toUs - fromUs) * part) / parts);
      const wanted = until - come;
      const first = this.take(wanted, startUs);
      admitted += first + (first < wanted ? this.take(wanted - first, endUs) : 0);
      come = until;
    }
    return admitted;
  }

  /** So many that what is refilled in one fits beside the part of a token that was there; few calls have one each. */
  #parts(calls: number, spanUs: number): number {
    const { capacity, rateUtPerS } = this.#state.params;
    const refill = (rateUtPerS * spanUs) / (UT_PER_TOKEN * UT_PER_TOKEN);
    const parts = Math.ceil(refill / Math.max(1, capacity - 1));
    if (parts <= 1) return 1;
    return calls <= MAX_PARTS ? Math.max(1, calls) : Math.min(MAX_PARTS, parts);
  }

  /** Takes up to so many whole tokens. @returns how many. */
  take(tokens: number, nowUs: number): number {
    const there = Math.floor(tokensAtUt(this.#state, nowUs) / UT_PER_TOKEN);
    const taken = Math.min(there, tokens);
    if (taken <= 0) return 0;
    return evaluateTokenBucket(this.#state, this.#state.params, taken, nowUs, 'allowed').allowed ? taken : 0;
  }

  /** Puts whole tokens in, as far as there is room. */
  give(tokens: number, nowUs: number): void {
    evaluateTokenBucket(this.#state, this.#state.params, -tokens, nowUs, 'allowed');
  }
}

function paramsOf({ ratePerS, capacity }: VirtualSize): BucketParams {
  const tokens = Math.floor(within(capacity, MAX_UINT32));
  return bucketParams({
    algorithm: 'token_bucket',
    limit: 1,
    windowUs: UT_PER_TOKEN,
    capacity: tokens,
    rateUtPerS: Math.floor(within(ratePerS, MAX_RATE_PER_S) * UT_PER_TOKEN),
  });
}

function within(figure: number, most: number): number {
  return figure > 0 ? Math.min(most, figure) : 0;
}

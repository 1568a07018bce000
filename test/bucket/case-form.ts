/** The form of a numeric case of the bucket maths, and a short way to write one. */
import type { BucketOutcome, BucketParams } from '../../src/core/buckets';

/** The state that a step leaves, in the figures that every implementation can show. */
export type CaseState =
  | { readonly tokensUt: number; readonly lastUs: number }
  | { readonly startUs: number; readonly count: number }
  | { readonly entries: readonly (readonly [index: number, count: number])[] };

/** One call and what must come of it. */
export interface CaseStep {
  readonly why?: string;
  readonly nowUs: number;
  readonly params: BucketParams;
  readonly hits: number;
  /** `none`: a denial writes nothing; `all`: it is charged. */
  readonly chargeDenied: 'none' | 'all';
  readonly outcome: BucketOutcome;
  /** The state after the step; absent where nothing has been written yet. */
  readonly state?: CaseState;
}

/** A sequence of calls on one bucket that starts unused. */
export interface BucketCase {
  readonly name: string;
  readonly steps: readonly CaseStep[];
}

/** A UTC midnight, us: the cases' start. */
export const T = 1_700_006_400_000_000;
/** One millisecond, us. */
export const MS = 1_000;
/** One second, us. */
export const S = 1_000_000;
/** One hour, us. */
export const HOUR = 3_600 * S;
/** One day, us. */
export const DAY = 24 * HOUR;
/** 365 days, us. */
export const YEAR = 365 * DAY;
/** The largest limit. */
export const MAX = 4_294_967_295;
/** Where a count stops growing, 2^52. */
export const MAX_COUNT = 4_503_599_627_370_496;

/** Parameters of a token bucket. */
export function tb(capacity: number, rateUtPerS: number, version = 0): BucketParams {
  return { algorithm: 'token_bucket', limit: capacity, windowUs: S, capacity, rateUtPerS, version };
}
/** Parameters of a fixed window. */
export function fw(limit: number, windowUs: number, version = 0): BucketParams {
  return { algorithm: 'fixed_window', limit, windowUs, capacity: limit, rateUtPerS: 0, version };
}
/** Parameters of a sliding window. */
export function sw(limit: number, windowUs: number, version = 0): BucketParams {
  return { algorithm: 'sliding_window', limit, windowUs, capacity: limit, rateUtPerS: 0, version };
}

/** usedBefore, usedAfter, remaining, resetUs; then retryAfterUs for a denied call. */
type Figures = readonly [number, number, number, number, number?];

function step(
  chargeDenied: 'none' | 'all',
  nowUs: number,
  params: BucketParams,
  hits: number,
  [usedBefore, usedAfter, remaining, resetUs, retryAfterUs]: Figures,
  state?: CaseState,
  why?: string,
): CaseStep {
  const allowed = retryAfterUs === undefined;
  const outcome = { allowed, usedBefore, usedAfter, remaining, resetUs, retryAfterUs: retryAfterUs ?? 0 };
  return {
    nowUs,
    params,
    hits,
    chargeDenied,
    outcome,
    ...(state === undefined ? {} : { state }),
    ...(why === undefined ? {} : { why }),
  };
}

/** A step without a charge for denials. */
export const plain = step.bind(undefined, 'none');
/** A step with a charge for denials. */
export const charged = step.bind(undefined, 'all');
/** The state of a token bucket. */
export const tokens = (tokensUt: number, lastUs: number): CaseState => ({ tokensUt, lastUs });
/** The state of a fixed window. */
export const count = (n: number, startUs: number): CaseState => ({ count: n, startUs });
/** The state of a sliding window, oldest sub-window first. */
export const ring = (...entries: [number, number][]): CaseState => ({ entries });

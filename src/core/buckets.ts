/**
 * The port between the limiter, which decides what to ask, and the stores, which decide atomically.
 * Everything here is plain data; a store may answer at once (memory) or later (Redis).
 */
import type { Later } from './later';
import type { TidegateError } from './errors';
import type { QueueClaim, QueuePolicy } from './queueing';

/** How a bucket counts. */
export const ALGORITHMS = ['token_bucket', 'fixed_window', 'sliding_window'] as const;
/** One of {@link ALGORITHMS}. */
export type Algorithm = (typeof ALGORITHMS)[number];

/**
 * What a denied request is charged: `none` nothing at all; `over` only the buckets that denied it (the reference's
 * STOP_CACHE_KEY_INCREMENT_WHEN_OVERLIMIT); `all` every bucket (the reference's default).
 */
export const CHARGE_DENIED = ['none', 'over', 'all'] as const;
/** One of {@link CHARGE_DENIED}. */
export type ChargeDenied = (typeof CHARGE_DENIED)[number];

/** What a rule answers when its bucket cannot be asked; `error` leaves it to Envoy's failure_mode_deny. */
export const FAILURE_MODES = ['allow', 'deny', 'local', 'error'] as const;
/** One of {@link FAILURE_MODES}. */
export type FailureMode = (typeof FAILURE_MODES)[number];

/**
 * A bucket's part in the verdict: a `hard` bucket denies alone, `quota` buckets deny only all together,
 * a `shadow` bucket never denies.
 */
export type Role = 'hard' | 'quota' | 'shadow';

/** The parameters of a bucket. Immutable; one object per rule and table version, so that identity is equality. */
export interface BucketParams {
  readonly algorithm: Algorithm;
  /** Tokens a window, 0 to 2^32-1. */
  readonly limit: number;
  /** The window's length, at least 1,000 us. */
  readonly windowUs: number;
  /** token_bucket: the burst, tokens, 0 to 2^32-1. The window algorithms ignore it. */
  readonly capacity: number;
  /** token_bucket: refill, micro-tokens a second; whole from one token a second up. The window algorithms ignore it. */
  readonly rateUtPerS: number;
  /**
   * A bucket ignores parameters older than those it has seen; equal versions (files on disk are all version 0) replace
   * each other. Control's versions are the store's time, Unix ms, or a little later, hence 2^40 and up: once one is over
   * two minutes old, any parameters replace it, so that a bucket goes back to its file's limits when control ends.
   */
  readonly version: number;
}

/** What a store found out about a call's bucket, so that it need not again; of no meaning to any other. */
export interface CallNote {
  /** Who wrote it. */
  readonly owner: object;
}

/** One bucket's part of a request. Its last three fields are hints that stores keep with it, and all about it that changes. */
export interface BucketCall {
  /** The bucket's identity, unambiguous, without the store's prefix. */
  readonly key: string;
  /** Buckets with equal groups share a Redis Cluster slot: the key itself, or the domain when colocated. */
  readonly group: string;
  readonly params: BucketParams;
  /** Whole tokens: positive takes, 0 peeks, negative gives back. */
  readonly hits: number;
  readonly role: Role;
  /** The verdict to assume for this bucket, when settling the others, if it cannot be asked. */
  readonly assumeOnFailure: boolean;
  /** Whether tokens may be taken from the bucket ahead of use, where the store leases; exact when absent. */
  readonly leased?: boolean;
  /** How calls may wait for the bucket; they may not when absent. */
  readonly queue?: QueuePolicy;
  /**
   * In calls that are kept and asked again, whose key is a string of its own: where a store in memory found the bucket last,
   * -1 before it did. A guess, which the store checks each time, and sets.
   */
  slot?: number;
  /** What a store found out about the bucket. */
  note?: CallNote | undefined;
  /** Where a holder of leases noted the bucket's. */
  lease?: CallNote | undefined;
}

/** One request: its buckets are settled together. */
export interface BucketRequest {
  readonly calls: readonly BucketCall[];
  readonly chargeDenied: ChargeDenied;
  /** True when something outside `calls` already satisfies the request's quota (unmatched, under global quota mode). */
  readonly quotaSatisfied: boolean;
  /** How long the store may take, ms. */
  readonly deadlineMs: number;
  /** Its place among those that wait, if it may have to; present when one of `calls` may queue. */
  readonly queue?: QueueClaim;
}

/** What a bucket answered. */
export interface BucketOutcome {
  /** Whether this bucket alone lets the call pass. */
  readonly allowed: boolean;
  /** Tokens in use before and after the call was counted; for statistics. A denied call counts its hits in `usedAfter`. */
  readonly usedBefore: number;
  readonly usedAfter: number;
  /** Whole tokens left, 0 when denied. */
  readonly remaining: number;
  /** Until the window ends, or the bucket is full again; us. */
  readonly resetUs: number;
  /** 0 when allowed, else how long until the same call could pass, us; Infinity when it never can. */
  readonly retryAfterUs: number;
}

/** A bucket's answer, or why there is none. */
export type BucketResult = BucketOutcome | TidegateError;

/** A place where buckets live. */
export interface BucketStore {
  /**
   * Decides a request atomically per slot. Never rejects and never throws for a store's failure: a bucket that cannot
   * be asked yields a {@link TidegateError} in its place.
   * @returns one result a call, in order; at once where the store can.
   */
  decide(request: BucketRequest): readonly BucketResult[] | Later<readonly BucketResult[]>;
  /** Whether the store can be asked now; health and start-up read it. */
  ready(): boolean;
  /** Gives back what it holds and closes connections. */
  close(): Promise<void>;
}

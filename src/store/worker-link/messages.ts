/**
 * What a worker and the process that holds the buckets say to each other: plain data, short, since each message is
 * cloned. All that a worker asks in one turn of its event loop is one message, and so is the answer.
 */
import type { BucketOutcome, BucketParams, ChargeDenied, Role } from '../../core/buckets';
import { CATALOGUE, type ErrorCode } from '../../core/error-catalogue';
import { TidegateError } from '../../core/errors';
import type { LeaseAsk, LeaseReply } from '../../core/leases';
import type { TransferResult } from '../../core/pool-link';

/** Parameters by a number that the worker gave them. */
export type LinkParams = readonly [id: number, params: BucketParams];

/** One bucket's part of a request. */
export type LinkCall = readonly [
  key: string,
  params: number,
  hits: number,
  role: Role,
  assumeOnFailure: boolean,
];

/** A request; id 0 wants no answer. */
export type LinkRequest = readonly [
  id: number,
  chargeDenied: ChargeDenied,
  quotaSatisfied: boolean,
  calls: readonly LinkCall[],
];

/** A lease's ask, its parameters apart. */
export type LinkLease = readonly [id: number, params: number, ask: Omit<LeaseAsk, 'params'>];

/** Tokens to be moved between two buckets, the lender's first; nothing is asked twice, so there is no id to know it by. */
export type LinkTransfer = readonly [
  id: number,
  fromParams: number,
  toParams: number,
  from: string,
  to: string,
  tokens: number,
  keep: number,
];

/** Anything that is asked. */
export type LinkQuestion = LinkRequest | LinkLease | LinkTransfer;

/** What a worker asks. */
export interface LinkAsk {
  readonly kind: 'ask';
  /** Forget all parameters known so far. */
  readonly anew: boolean;
  readonly params: readonly LinkParams[];
  /** In the order that they came in. */
  readonly asks: readonly LinkQuestion[];
}

/** An error in a message. */
export interface LinkError {
  readonly code: string;
  readonly message: string;
}

/**
 * A bucket's outcome as figures, which are cloned much faster than an object: remaining (less 1, negated, when denied),
 * used before and after, reset and retry-after in us.
 */
export type LinkOutcome = readonly [
  remaining: number,
  usedBefore: number,
  usedAfter: number,
  resetUs: number,
  retryAfterUs: number,
];

/** One answer: to a request, to a lease's ask, or to a transfer. */
export type LinkAnswer = readonly [
  id: number,
  results: readonly (LinkOutcome | LinkError)[] | LeaseReply | TransferResult | LinkError,
];

/** An outcome as figures. */
export function toLinkOutcome(outcome: BucketOutcome): LinkOutcome {
  const { allowed, remaining, usedBefore, usedAfter, resetUs, retryAfterUs } = outcome;
  return [allowed ? remaining : -1 - remaining, usedBefore, usedAfter, resetUs, retryAfterUs];
}

/** An outcome from figures. */
export function fromLinkOutcome(figures: LinkOutcome): BucketOutcome {
  const [left, usedBefore, usedAfter, resetUs, retryAfterUs] = figures;
  const allowed = left >= 0;
  return { allowed, usedBefore, usedAfter, remaining: allowed ? left : -1 - left, resetUs, retryAfterUs };
}

/** What the worker is answered. */
export interface LinkReply {
  readonly kind: 'answer';
  readonly answers: readonly LinkAnswer[];
}

/** Whether an ask is for a lease. */
export function isLease(ask: LinkQuestion): ask is LinkLease {
  return ask.length === 3;
}

/** Whether an ask is for tokens to be moved. */
export function isTransfer(ask: LinkQuestion): ask is LinkTransfer {
  return ask.length === 7;
}

/** An error as a message carries it. */
export function toLinkError(error: TidegateError): LinkError {
  return { code: error.code, message: error.message };
}

/** An error from a message; one of an unknown code is internal. */
export function fromLinkError(error: LinkError): TidegateError {
  const code = Object.hasOwn(CATALOGUE, error.code) ? (error.code as ErrorCode) : 'TG_INTERNAL';
  return new TidegateError(code, error.message);
}

/** Whether what came is an error. */
export function isLinkError(value: object): value is LinkError {
  return 'code' in value;
}

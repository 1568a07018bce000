/**
 * The settlement of one request over several buckets: the verdict, and who is charged. The memory store, the Redis store
 * and (in Lua) its script follow it; each call is judged before, in order, against what earlier calls of the request took.
 */
import type { BucketCall, BucketRequest, BucketResult, ChargeDenied, Role } from '../core/buckets';
import { TidegateError } from '../core/errors';
import type { Charging } from './charging';

/** What the settlement reads of a call. */
export interface SettledCall {
  readonly role: Role;
  readonly hits: number;
}

/** What becomes of a request. */
export interface Settlement {
  /** Whether the buckets let the request pass. */
  readonly passes: boolean;
  /** Whether each call is charged (or, for negative hits, given back), in order. */
  readonly charged: readonly boolean[];
}

/**
 * How a call is judged before the verdict is known: later calls see what it would take. Without a charge for denials
 * only grants take; with one a denied call is charged whatever becomes of the others.
 */
export function judgingOf(chargeDenied: ChargeDenied): Charging {
  return chargeDenied === 'none' ? 'allowed' : 'always';
}

/** A request passes when every hard bucket allows it and, if there are quota buckets, the quota is satisfied or one allows. */
export function requestPasses(
  calls: readonly SettledCall[],
  allowed: readonly boolean[],
  quotaSatisfied: boolean,
): boolean {
  let quotaCalls = 0;
  let quotaAllowed = 0;
  for (let i = 0; i < calls.length; i += 1) {
    const role = calls[i]?.role;
    if (role === 'hard' && allowed[i] !== true) return false;
    if (role !== 'quota') continue;
    quotaCalls += 1;
    if (allowed[i] === true) quotaAllowed += 1;
  }
  return quotaCalls === 0 || quotaSatisfied || quotaAllowed > 0;
}

/**
 * Settles a request. A passing one charges the calls that were allowed, a denied one none of them; `over` charges only
 * the denied calls when there are any, of whatever role; `all` charges all. Refunds are always given.
 * @param allowed each call's own verdict, in order.
 */
export function settle(
  calls: readonly SettledCall[],
  allowed: readonly boolean[],
  chargeDenied: ChargeDenied,
  quotaSatisfied: boolean,
): Settlement {
  const passes = requestPasses(calls, allowed, quotaSatisfied);
  const anyDenied = allowed.includes(false);
  const charged = calls.map((call, i) => {
    if (call.hits < 0 || chargeDenied === 'all') return true;
    if (chargeDenied === 'over') return !anyDenied || allowed[i] === false;
    return passes && allowed[i] === true;
  });
  return { passes, charged };
}

/** Each call's verdict for the settlement; a bucket that could not be asked counts as its call assumes. */
export function verdictsOf(calls: readonly BucketCall[], results: readonly BucketResult[]): boolean[] {
  return calls.map((call, i) => {
    const result = results[i];
    return result === undefined || result instanceof TidegateError ? call.assumeOnFailure : result.allowed;
  });
}

/** Settles a request by its results; see {@link settle}. */
export function settleResults(request: BucketRequest, results: readonly BucketResult[]): Settlement {
  const verdicts = verdictsOf(request.calls, results);
  return settle(request.calls, verdicts, request.chargeDenied, request.quotaSatisfied);
}

/**
 * Why a call cannot be asked at all, if so. Every store checks it first, so that a figure that is not a whole number
 * never reaches a bucket.
 */
export function callFault(call: BucketCall): TidegateError | undefined {
  if (Number.isInteger(call.hits)) return undefined;
  return new TidegateError('TG_INTERNAL', `hits must be a whole number, not ${call.hits}`);
}

/** What a request's results mean for waiting, and denials without asking for tokens. */
import { Later } from '../../core/later';
import { settleResults } from '../../bucket/settlement';
import { US_PER_S } from '../../core/clock';
import { microTokens } from '../../bucket/fixed-point';
import type { BucketCall, BucketOutcome, BucketRequest, BucketResult, BucketStore } from '../../core/buckets';
import { TidegateError } from '../../core/errors';

/** A lease elsewhere may come back early, so a bucket with leases is tried this often at least, ms. */
const LEASED_POLL_MS = 100;

/** What a denied request waits for. */
export interface Shortage {
  readonly call: BucketCall;
  /** Until the bucket is worth another try, ms. */
  readonly afterMs: number;
  /** Whether its tokens may come sooner than they are due. */
  readonly mayComeEarly: boolean;
}

/** Whether a request passes. */
export function passes(request: BucketRequest, results: readonly BucketResult[]): boolean {
  return settleResults(request, results).passes;
}

/**
 * What a denied request may wait for: of the buckets that deny it the one that takes longest, if calls may queue for all of
 * them. Undefined when it cannot pass by waiting.
 */
export function shortageOf(request: BucketRequest, results: readonly BucketResult[]): Shortage | undefined {
  let longest: Shortage | undefined;
  for (let place = 0; place < request.calls.length; place += 1) {
    const [call, result] = [request.calls[place], results[place]];
    if (call === undefined || result === undefined || result instanceof TidegateError) return undefined;
    if (result.allowed || call.role === 'shadow') continue;
    if (call.queue === undefined || call.hits <= 0 || result.retryAfterUs === Infinity) return undefined;
    const dueMs = result.retryAfterUs / 1_000;
    const afterMs = call.leased === true ? Math.min(dueMs, LEASED_POLL_MS) : dueMs;
    if (longest === undefined || afterMs > longest.afterMs)
      longest = { call, afterMs, mayComeEarly: call.leased === true };
  }
  return longest;
}

/** The denial of a request that was tried as `asked`; where denials are charged, the store settles it once more. */
export function denialOf(
  store: BucketStore,
  request: BucketRequest,
  asked: BucketRequest,
  results: readonly BucketResult[],
): readonly BucketResult[] | Later<readonly BucketResult[]> {
  return request === asked || results.some((result) => result instanceof TidegateError)
    ? results
    : store.decide(request);
}

/** The denial of a request whose turn never came: it must not take what others wait for at `key`. */
export function denialWithoutTurn(
  store: BucketStore,
  request: BucketRequest,
  key: string,
): readonly BucketResult[] | Later<readonly BucketResult[]> {
  if (request.chargeDenied !== 'none') return store.decide(request);
  const looked = store.decide(lookOf(request));
  if (!(looked instanceof Later)) return deniedBy(looked, request.calls, key);
  return looked.map((results): readonly BucketResult[] => deniedBy(results, request.calls, key));
}

/** Gives back what a request took that nobody waits for any more. */
export function refundOf(asked: BucketRequest, results: readonly BucketResult[]): BucketRequest {
  const calls = asked.calls.flatMap((call, place) => {
    const result = results[place];
    const taken = result !== undefined && !(result instanceof TidegateError) && result.allowed;
    return taken && call.hits > 0 ? [{ ...call, hits: -call.hits }] : [];
  });
  return { ...asked, calls };
}

/** A request that only looks. */
function lookOf(request: BucketRequest): BucketRequest {
  return { ...request, chargeDenied: 'none', calls: request.calls.map((call) => ({ ...call, hits: 0 })) };
}

/** By what a look showed: the line's bucket denies, and every other that has too little. */
function deniedBy(
  looked: readonly BucketResult[],
  calls: readonly BucketCall[],
  lineKey: string,
): BucketResult[] {
  return looked.map((result, place) => {
    const call = calls[place];
    if (call === undefined || result instanceof TidegateError) return result;
    const isShort = call.key === lineKey || result.remaining < call.hits;
    return isShort && call.hits > 0 ? denial(result, call) : result;
  });
}

function denial(looked: BucketOutcome, call: BucketCall): BucketOutcome {
  const { algorithm, rateUtPerS, capacity } = call.params;
  const lacking = Math.max(1, call.hits - looked.remaining);
  let retryAfterUs = looked.resetUs;
  if (algorithm === 'token_bucket')
    retryAfterUs =
      rateUtPerS > 0 && call.hits <= capacity
        ? Math.ceil((microTokens(lacking) * US_PER_S) / rateUtPerS)
        : Infinity;
  return {
    allowed: false,
    usedBefore: looked.usedBefore,
    usedAfter: looked.usedBefore + call.hits,
    remaining: 0,
    resetUs: looked.resetUs,
    retryAfterUs,
  };
}

/** What a denied request would have to borrow, for which buckets. */
import { settleResults } from '../../bucket/settlement';
import type { BucketCall, BucketRequest, BucketResult } from '../../core/buckets';
import { TidegateError } from '../../core/errors';

/** Tokens that a call lacks. */
export interface Lack {
  readonly call: BucketCall;
  /** Whole tokens, at least one. */
  readonly tokens: number;
}

/**
 * What has to be borrowed so that a request passes: all of it. Empty when it passes already, and when borrowing does not
 * help, since something denies that nobody lends to, or that could not be asked.
 */
export function lacksOf(
  request: BucketRequest,
  results: readonly BucketResult[],
  mayBorrow: (call: BucketCall) => boolean,
): readonly Lack[] {
  if (allAllowed(results) || settleResults(request, results).passes) return [];
  const lacks: Lack[] = [];
  let quota: Lack | undefined;
  let quotaDenies = false;
  for (const [place, call] of request.calls.entries()) {
    const result = results[place];
    if (call.role === 'shadow' || result === undefined || isAllowed(result)) continue;
    if (result instanceof TidegateError && call.assumeOnFailure) continue;
    const lack = mayBorrow(call) ? lackOf(call, result) : undefined;
    if (call.role === 'quota') {
      quotaDenies = true;
      quota ??= lack;
    } else {
      if (lack === undefined) return [];
      lacks.push(lack);
    }
  }
  // Quota buckets deny only all together: one that passes will do.
  if (quotaDenies && !request.quotaSatisfied && !hasQuota(request, results)) {
    if (quota === undefined) return [];
    lacks.push(quota);
  }
  return lacks;
}

function hasQuota(request: BucketRequest, results: readonly BucketResult[]): boolean {
  return request.calls.some((call, place) => {
    const result = results[place];
    if (call.role !== 'quota' || result === undefined) return false;
    return result instanceof TidegateError ? call.assumeOnFailure : result.allowed;
  });
}

function lackOf(call: BucketCall, result: BucketResult): Lack | undefined {
  const { params, hits } = call;
  if (result instanceof TidegateError || params.algorithm !== 'token_bucket') return undefined;
  if (hits <= 0 || hits > params.capacity) return undefined;
  const present = Math.floor(params.capacity - result.usedBefore);
  return { call, tokens: Math.min(hits, Math.max(1, hits - Math.max(0, present))) };
}

/** Whether nothing was denied, and nothing failed: mostly so. */
export function allAllowed(results: readonly BucketResult[]): boolean {
  for (let place = 0; place < results.length; place += 1) {
    const result = results[place];
    if (result === undefined || !isAllowed(result)) return false;
  }
  return true;
}

function isAllowed(result: BucketResult): boolean {
  return !(result instanceof TidegateError) && result.allowed;
}

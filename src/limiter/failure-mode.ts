/** What a rule answers when its bucket cannot be asked. */
import type { BucketOutcome, BucketRequest, BucketStore } from '../core/buckets';
import { TidegateError } from '../core/errors';
import type { LimitedItem } from './plan';

/**
 * @param local the store of this process, for `local`: the same limit, counted here alone.
 * @returns the outcome to answer with.
 * @throws the error itself when the mode is `error`, so that Envoy's failure_mode_deny decides.
 */
export function outcomeOnFailure(
  item: LimitedItem,
  error: TidegateError,
  asked: BucketRequest,
  local: BucketStore,
): BucketOutcome {
  switch (item.onError) {
    case 'error':
      throw error;
    case 'allow':
      return assumed(item, true);
    case 'deny':
      return assumed(item, false);
    case 'local': {
      const results = local.decide({ ...asked, calls: [item.call] });
      const result = results instanceof Promise ? undefined : results[0];
      return result === undefined || result instanceof TidegateError ? assumed(item, true) : result;
    }
  }
}

/** An outcome without a bucket: nothing is known of what is left, and a denied call may come again in a second. */
function assumed(item: LimitedItem, allowed: boolean): BucketOutcome {
  const { params, hits } = item.call;
  return {
    allowed,
    usedBefore: allowed ? 0 : params.limit,
    usedAfter: allowed ? 0 : params.limit + Math.max(0, hits),
    remaining: allowed ? params.limit : 0,
    resetUs: 1_000_000,
    retryAfterUs: allowed ? 0 : 1_000_000,
  };
}

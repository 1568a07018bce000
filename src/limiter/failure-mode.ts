/**
 * What rules answer when their buckets cannot be asked. The store settled the request with what it assumed of them; where
 * the rule's own answer makes the verdict another, what was taken goes back.
 */
import { Later } from '../core/later';
import type { BucketCall, BucketOutcome, BucketRequest, BucketResult, BucketStore } from '../core/buckets';
import { TidegateError } from '../core/errors';
import type { DecisionTelemetry } from '../core/ports';
import { requestPasses, settleResults } from '../bucket/settlement';
import type { LimitedItem } from './plan';

/** Who is asked and told when buckets fail. */
export interface FailureParts {
  readonly store: BucketStore;
  /** The store of this process, for `local`: the same limit, counted here alone; answers at once. */
  readonly local: BucketStore;
  readonly telemetry: DecisionTelemetry;
}

/**
 * @param results what the store answered to `asked`, in order.
 * @returns an outcome for every item.
 * @throws the bucket's error when a failed rule's mode is `error`, so that Envoy's failure_mode_deny decides; nothing
 * stays charged then, unless denied requests are charged.
 */
export function outcomesOf(
  items: readonly LimitedItem[],
  asked: BucketRequest,
  results: readonly BucketResult[],
  parts: FailureParts,
): readonly BucketOutcome[] {
  if (isWhole(items, results)) return results;
  const faults = items.map((_item, index) => faultOf(results[index]));
  const answered = items.map((_item, index) => faults[index] ?? (results[index] as BucketOutcome));
  const settled = settleResults(asked, answered);
  const keepsCharges = asked.chargeDenied !== 'none';
  const taken = asked.calls.filter(
    (call, index) => settled.charged[index] === true && faults[index] === undefined && call.hits > 0,
  );
  items.forEach((item, index) => {
    const fault = faults[index];
    if (fault !== undefined) parts.telemetry.failureModeUsed(item.onError, fault);
  });
  const fatal = faults.find((fault, index) => fault !== undefined && items[index]?.onError === 'error');
  if (fatal !== undefined) {
    if (!keepsCharges) giveBack(parts.store, asked, taken);
    throw fatal;
  }

  const outcomes = items.map((item, index) =>
    faults[index] === undefined
      ? (results[index] as BucketOutcome)
      : outcomeOnFailure(item, asked, parts.local),
  );
  const verdicts = outcomes.map((outcome) => outcome.allowed);
  if (keepsCharges || requestPasses(asked.calls, verdicts, asked.quotaSatisfied)) return outcomes;
  const takenHere = asked.calls.filter(
    (call, index) =>
      faults[index] !== undefined &&
      items[index]?.onError === 'local' &&
      verdicts[index] === true &&
      call.hits > 0,
  );
  giveBack(parts.local, asked, takenHere);
  giveBack(parts.store, asked, taken);
  return outcomes.map((outcome, index) => {
    const call = asked.calls[index];
    const returned = call !== undefined && (taken.includes(call) || takenHere.includes(call));
    return returned ? withoutTake(outcome, call.hits) : outcome;
  });
}

/** Whether every bucket answered, as they mostly do. */
function isWhole(
  items: readonly LimitedItem[],
  results: readonly BucketResult[],
): results is readonly BucketOutcome[] {
  for (let index = 0; index < items.length; index += 1) {
    const result = results[index];
    if (result === undefined || result instanceof TidegateError) return false;
  }
  return true;
}

function faultOf(result: BucketResult | undefined): TidegateError | undefined {
  if (result === undefined)
    return new TidegateError('TG_STORE_REPLY', 'the store gave fewer answers than it was asked');
  return result instanceof TidegateError ? result : undefined;
}

function giveBack(store: BucketStore, asked: BucketRequest, taken: readonly BucketCall[]): void {
  if (taken.length === 0) return;
  // Nobody waits for it, and a store never rejects: a refund that fails is lost, on the safe side.
  void store.decide({ ...asked, calls: taken.map((call) => ({ ...call, hits: -call.hits })) });
}

function withoutTake(outcome: BucketOutcome, hits: number): BucketOutcome {
  return { ...outcome, usedAfter: outcome.usedBefore, remaining: outcome.remaining + hits };
}

function outcomeOnFailure(item: LimitedItem, asked: BucketRequest, local: BucketStore): BucketOutcome {
  if (item.onError !== 'local') return assumed(item, item.onError === 'allow');
  const results = local.decide({ ...asked, calls: [item.call] });
  const result = results instanceof Later ? undefined : results[0];
  return result === undefined || result instanceof TidegateError ? assumed(item, true) : result;
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

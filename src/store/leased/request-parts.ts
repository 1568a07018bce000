/** The calls of a request as a leased store sees them: what can be answered here, and what that settles. */
import type { Lease } from '../../bucket/lease';
import { sameFigures } from '../../bucket/params';
import type { BucketCall, BucketOutcome, BucketRequest } from '../../core/buckets';

/** How one call of a request is answered: here, by an outcome; or, when that is undefined, by the shared store. */
export interface Part {
  readonly call: BucketCall;
  readonly lease: Lease | undefined;
  readonly epoch: number;
  readonly outcome: BucketOutcome | undefined;
}

/** In requests of more calls than this nobody looks whether one bucket is asked twice. */
const MAX_COMPARED = 32;

/** Whether a lease can cover a call: its rule wants it, it is no refund, and its algorithm's tokens can be lent. */
export function isLeasable(call: BucketCall): boolean {
  return (
    call.leased === true &&
    call.hits >= 0 &&
    Number.isInteger(call.hits) &&
    call.params.algorithm !== 'sliding_window'
  );
}

/** Whether a call is about the bucket of a lease, by the same figures, whatever their versions are. */
export function isSameBucket(lease: Lease, call: BucketCall): boolean {
  const { params } = lease;
  return (
    lease.group === call.group &&
    params.algorithm === call.params.algorithm &&
    (params.algorithm === 'token_bucket' || params.windowUs === call.params.windowUs) &&
    sameFigures(params, call.params)
  );
}

/** Whether a call's outcome tells what its bucket is like afterwards: no other call of the request bears on it, nor a charge. */
export function tellsState(request: BucketRequest, place: number): boolean {
  const { calls, chargeDenied } = request;
  if (chargeDenied !== 'none' || calls.length > MAX_COMPARED) return false;
  return calls.every((other, i) => i === place || other.key !== calls[place]?.key);
}

/** The denial that is known here; one that is charged only the shared store can settle. */
export function denialHere(
  request: BucketRequest,
  lease: Lease,
  call: BucketCall,
  nowMs: number,
): BucketOutcome | undefined {
  return request.chargeDenied === 'none' ? lease.denial(call.hits, nowMs) : undefined;
}

/** Whether a quota call is allowed by what is held here. */
export function isQuotaAllowed(part: Part): boolean {
  return part.call.role === 'quota' && part.outcome?.allowed === true;
}

/** Whether a request does not pass, whatever the parts say that are not answered yet. */
export function isDeniedHere(request: BucketRequest, parts: readonly Part[]): boolean {
  const isDenied = (part: Part): boolean => part.outcome?.allowed === false;
  if (parts.some((part) => part.call.role === 'hard' && isDenied(part))) return true;
  const quota = parts.filter((part) => part.call.role === 'quota');
  return quota.length > 0 && !request.quotaSatisfied && quota.every(isDenied);
}

/** Ends what was set aside for a part, if anything was. */
export function end(part: Part, spent: boolean): void {
  if (part.outcome?.allowed === true) part.lease?.settle(part.call.hits, part.epoch, spent);
}

/** Reads what the script answered: nine little-endian doubles a call, whose order the script's head gives. */
import type { BucketOutcome, BucketResult } from '../../core/buckets';
import { TidegateError } from '../../core/errors';
import type { LeaseReply } from '../../core/leases';

/** Of one call. */
export const REPLY_BYTES = 72;

/** The first figure: 0 is denied, or for a lease overtaken. */
const ALLOWED = 1;
/** The key holds something else, or the hits are no whole number. */
const NOT_ASKED = 2;

/** What a call took, so that it can be undone. */
export interface Take {
  /** Micro-tokens of a token bucket, hits of a window; 0 when it took nothing. */
  readonly taken: number;
  /** The window that it took it from; 0 for a token bucket. */
  readonly window: number;
  /** `resetUs` as it would be had the call not taken anything. */
  readonly resetWithoutUs: number;
}

/** What a bucket answered, or that it is none. */
export function readOutcome(reply: Buffer, at: number): BucketResult {
  const status = reply.readDoubleLE(at);
  if (status === NOT_ASKED) return noBucket();
  const outcome: BucketOutcome = {
    allowed: status === ALLOWED,
    usedBefore: reply.readDoubleLE(at + 8),
    usedAfter: reply.readDoubleLE(at + 16),
    remaining: reply.readDoubleLE(at + 24),
    resetUs: reply.readDoubleLE(at + 32),
    retryAfterUs: reply.readDoubleLE(at + 40),
  };
  return outcome;
}

/** What a call took. */
export function readTake(reply: Buffer, at: number): Take {
  return {
    taken: reply.readDoubleLE(at + 48),
    window: reply.readDoubleLE(at + 56),
    resetWithoutUs: reply.readDoubleLE(at + 64),
  };
}

/** The figures by what they mean for a lease. */
export function readLease(reply: Buffer, at: number): LeaseReply | TidegateError {
  const status = reply.readDoubleLE(at);
  if (status === NOT_ASKED) return noBucket();
  return {
    settled: status === ALLOWED,
    granted: reply.readDoubleLE(at + 8),
    accepted: reply.readDoubleLE(at + 16),
    remaining: reply.readDoubleLE(at + 24),
    resetUs: reply.readDoubleLE(at + 32),
    outstanding: reply.readDoubleLE(at + 40),
    forgotten: reply.readDoubleLE(at + 48),
    window: reply.readDoubleLE(at + 56),
    missing: reply.readDoubleLE(at + 64),
  };
}

function noBucket(): TidegateError {
  return new TidegateError('TG_STORE_REPLY', 'a key of Tidegate holds something that is not a bucket', {
    remedy: 'use a key prefix, or a database, that nothing else uses',
  });
}

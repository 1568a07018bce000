/**
 * The shared side of leases: what each holder of a bucket's tokens may still have, and the rules by which chunks are
 * given. Pure; the memory store runs it, lease.lua does the same operation by operation.
 *
 * What is on record for a holder is never less than what it has: it reports what it holds, can only spend it from then
 * on, and stops using it before its record expires. So tokens come back at most once: no more is taken back than is
 * on record, and a record that expired takes nothing back.
 */
import type { BucketOutcome } from '../core/buckets';
import type { LeaseAsk, LeaseReply } from '../core/leases';

/** Holders of one bucket; further ones get no lease. */
export const MAX_HOLDERS = 128;

/** A holder's record. */
export interface LeaseRecord {
  readonly holder: number;
  seq: number;
  outstanding: number;
  expiresUs: number;
}

/** All records of a bucket. */
export interface LeaseLedger {
  /** The window they are of; 0 for a token bucket. */
  window: number;
  records: LeaseRecord[];
}

/** The bucket that leases are taken from. */
export interface LeasedBucket {
  /** Evaluates hits: 0 looks, positive takes when there is enough, negative gives back. */
  evaluate(hits: number): BucketOutcome;
  /** The window in force; 0 for a token bucket. */
  window(): number;
  /** Tokens that it holds at most, by the parameters in force. */
  capacity(): number;
}

/** A bucket that nobody leased from. */
export function newLedger(): LeaseLedger {
  return { window: 0, records: [] };
}

/** Tokens that all leases on a bucket may reach together; below one the bucket gives none. */
export function leaseAllowance(epsilon: number, capacity: number): number {
  return Math.floor(epsilon * capacity);
}

/** Settles one ask and advances `ledger` in place. */
export function settleLease(
  ledger: LeaseLedger,
  bucket: LeasedBucket,
  ask: LeaseAsk,
  nowUs: number,
): LeaseReply {
  const forgotten = forget(ledger, nowUs);
  let outcome = bucket.evaluate(0);
  const window = bucket.window();
  if (ledger.window !== window) {
    ledger.window = window;
    for (const record of ledger.records) record.outstanding = 0;
  }

  const own = ledger.records.find((record) => record.holder === ask.holder);
  const recorded = own?.outstanding ?? 0;
  let others = -recorded;
  for (const record of ledger.records) others += record.outstanding;
  if (own !== undefined && ask.seq <= own.seq) {
    const { remaining, resetUs } = outcome;
    const outstanding = others + recorded;
    const nothing = { granted: 0, accepted: 0, missing: 0 };
    return { settled: false, ...nothing, outstanding, remaining, resetUs, window, forgotten };
  }

  const current = ask.window === window;
  const held = current ? ask.held : 0;
  const missing = current && (own === undefined || own.seq < ask.confirmed) ? ask.recorded : 0;
  const accepted = current ? Math.min(ask.back, Math.max(0, recorded - held)) : 0;
  if (accepted > 0) outcome = bucket.evaluate(-accepted);

  const holders = ledger.records.length + (own === undefined ? 1 : 0);
  let granted = 0;
  if (holders <= MAX_HOLDERS) {
    const allowance = leaseAllowance(ask.epsilon, bucket.capacity());
    granted = chunk(ask.want, allowance, held, others, holders, outcome.remaining);
    if (granted > 0) outcome = bucket.evaluate(granted);
    enter(ledger, own, ask, held + granted, nowUs);
  }
  return {
    settled: true,
    granted,
    accepted,
    outstanding: others + held + granted,
    remaining: outcome.remaining,
    resetUs: outcome.resetUs,
    window,
    forgotten,
    missing,
  };
}

/**
 * How large a chunk may be: within the allowance and the holder's fair part of it, and at most the holder's part of
 * what is left, so that chunks shrink to one token as the bucket empties.
 */
function chunk(
  want: number,
  allowance: number,
  held: number,
  others: number,
  holders: number,
  remaining: number,
): number {
  const room = Math.min(allowance - others, Math.max(1, Math.floor(allowance / holders))) - held;
  const part = Math.max(1, Math.floor(remaining / holders));
  return Math.max(0, Math.min(want, room, part, remaining));
}

/** Drops expired records; the tokens on them are lost. */
function forget(ledger: LeaseLedger, nowUs: number): number {
  let forgotten = 0;
  for (const record of ledger.records) if (record.expiresUs <= nowUs) forgotten += record.outstanding;
  ledger.records = ledger.records.filter((record) => record.expiresUs > nowUs);
  return forgotten;
}

/** Writes down what a holder has now, be it nothing: the record keeps asks that were overtaken from counting. */
function enter(
  ledger: LeaseLedger,
  own: LeaseRecord | undefined,
  ask: LeaseAsk,
  outstanding: number,
  nowUs: number,
): void {
  const record = own ?? { holder: ask.holder, seq: 0, outstanding: 0, expiresUs: 0 };
  record.seq = ask.seq;
  record.outstanding = outstanding;
  record.expiresUs = nowUs + ask.keepUs;
  if (own === undefined) ledger.records.push(record);
}

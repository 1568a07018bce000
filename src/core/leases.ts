/**
 * The port between a holder of leases (tokens taken from a shared bucket before they are spent) and where the bucket is.
 * One exchange does all: it says what is still held, gives back, takes a chunk, and by that renews the lease.
 */
import type { BucketParams } from './buckets';
import type { TidegateError } from './errors';

/** What a holder says and asks about one bucket. All tokens are whole. */
export interface LeaseAsk {
  readonly key: string;
  readonly group: string;
  readonly params: BucketParams;
  /** The holder's identity: a whole number that no other holder has, under 2^53. */
  readonly holder: number;
  /** Grows with every ask of a holder; a source refuses one that it has overtaken. */
  readonly seq: number;
  /** The window that `held` and `back` are of; 0 for a token bucket. */
  readonly window: number;
  /** Tokens of the lease that are not spent and stay. */
  readonly held: number;
  /** Tokens of the lease that are not spent and go back. */
  readonly back: number;
  /** The sequence of the last ask that was answered, and what must be on record since: a source that knows an earlier one lost its state. */
  readonly confirmed: number;
  readonly recorded: number;
  /** Tokens wanted on top of those held; fewer, or none, may come. */
  readonly want: number;
  /** How long the source remembers the lease, us. */
  readonly keepUs: number;
  /** The share of the bucket's capacity that all leases together may reach, 0 to 1. */
  readonly epsilon: number;
}

/** A source's answer. */
export interface LeaseReply {
  /** False when a later ask of the holder came first, and nothing was done. */
  readonly settled: boolean;
  /** Tokens taken for the holder. */
  readonly granted: number;
  /** Tokens taken back. */
  readonly accepted: number;
  /** Tokens on record for all holders, this one included. */
  readonly outstanding: number;
  /** Whole tokens that the bucket has left. */
  readonly remaining: number;
  /** Until the bucket is full, or its window ends; us. */
  readonly resetUs: number;
  /** The window that `granted` is of; 0 for a token bucket. */
  readonly window: number;
  /** Tokens of holders that were not heard of for too long: lost. */
  readonly forgotten: number;
  /** Tokens on record at the last answer that the source knew nothing of: it lost its state, and gave them, or more, twice. */
  readonly missing: number;
}

/** Told the end of an ask, once. */
export type LeaseDone = (outcome: LeaseReply | TidegateError) => void;

/** Where leases come from. */
export interface LeaseSource {
  /** Exchanges; `done` is called at once or later. After an error it is not known whether the ask was settled. */
  lease(ask: LeaseAsk, done: LeaseDone): void;
  /** Asks about buckets of one number share a command when they come together; all do where this is absent. */
  commandOf?(bucket: Pick<LeaseAsk, 'key' | 'group' | 'params'>): number;
}

/** Told what happens to leased tokens. Every method is cheap and never throws. */
export interface LeaseObserver {
  /** Tokens taken ahead of use. */
  granted(tokens: number): void;
  /** Tokens given back unspent. */
  returned(tokens: number): void;
  /** Tokens that nobody can spend any more: they ran out with their lease, or their holder is gone. */
  lost(tokens: number): void;
  /** Tokens that were given twice, because the source lost its state. */
  overshoot(tokens: number): void;
  /** A decision was made from what is held or known here. */
  local(calls: number): void;
}

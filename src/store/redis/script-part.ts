/** What is sent to be settled by one run of the script: a request's calls in one slot, an undo, or an exchange of a lease. */
import type { BucketCall, BucketParams, ChargeDenied } from '../../core/buckets';
import type { TidegateError } from '../../core/errors';
import type { LeaseAsk } from '../../core/leases';
import type { Take } from './script-reply';
import type { StoragePlace } from './storage-place';

/** What a run of the script is asked, as its parts add it. */
export interface ScriptQuestions {
  /** Begins a request of that many calls. */
  request(callCount: number, chargeDenied: ChargeDenied, quotaSatisfied: boolean): void;
  /** The next call of the request. */
  call(place: StoragePlace, call: BucketCall): void;
  /** A request that undoes a take. */
  undo(place: StoragePlace, params: BucketParams, take: Take): void;
  /** An exchange of a lease. */
  lease(place: StoragePlace, ask: LeaseAsk): void;
}

/** A part of a run. */
export interface ScriptPart {
  readonly slot: number;
  /** How many calls {@link ask} adds to a run. */
  readonly callCount: number;
  /** Whether the breaker and the bounds of calls in flight apply; not for an undo, whose take was in flight before. */
  readonly bounded: boolean;
  /** How often it was sent. */
  attempts: number;
  /** Whether the wait for it has been counted as its node's failure. */
  readonly blamed: boolean;
  /** Whether somebody still waits for it; one that nobody waits for is not sent. */
  wanted(): boolean;
  /** Told just before it is written to a node. */
  sent(node: string): void;
  /** Adds what it asks. */
  ask(questions: ScriptQuestions): void;
  /** Its end, once: the reply, in which its figures begin at byte `at`; see script-reply.ts. The bytes are only read before this returns. */
  answered(reply: Buffer, at: number): void;
  /** Or why there is none. */
  failed(error: TidegateError): void;
}

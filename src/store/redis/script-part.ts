/** What is sent to be settled by one run of the script: a request's calls in one slot, an undo, or an exchange of a lease. */
import type { TidegateError } from '../../core/errors';
import type { ScriptRun } from './script-run';

/** See the file's head. */
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
  /** Adds what it asks to a run. */
  ask(run: ScriptRun): void;
  /** Its end, once: the reply, in which its figures begin at byte `at`; see script-reply.ts. The bytes are only read before this returns. */
  answered(reply: Buffer, at: number): void;
  /** Or why there is none. */
  failed(error: TidegateError): void;
}

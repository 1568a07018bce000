/** An exchange about a lease, on its way with the parts of requests. */
import type { TidegateError } from '../../core/errors';
import type { LeaseAsk, LeaseDone } from '../../core/leases';
import type { ScriptPart, ScriptQuestions } from './script-part';
import { readLease } from './script-reply';
import type { StoragePlace } from './storage-place';

/** A part that exchanges a lease; no request waits for it. */
export class LeasePart implements ScriptPart {
  readonly callCount = 1;
  /** What goes back was in flight before; only what is asked for counts as a call more. */
  readonly bounded: boolean;
  attempts = 0;
  readonly blamed = false;

  constructor(
    private readonly place: StoragePlace,
    private readonly exchange: LeaseAsk,
    private readonly done: LeaseDone,
  ) {
    this.bounded = exchange.want > 0;
  }

  get slot(): number {
    return this.place.slot;
  }

  /** Always: the holder has set aside what it gives back, and asks for nothing else until it knows. */
  wanted(): boolean {
    return true;
  }

  sent(): void {
    // The lease's life is counted from before this.
  }

  ask(questions: ScriptQuestions): void {
    questions.lease(this.place, this.exchange);
  }

  answered(reply: Buffer, at: number): void {
    this.done(readLease(reply, at));
  }

  failed(error: TidegateError): void {
    this.done(error);
  }
}

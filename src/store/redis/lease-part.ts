/** An exchange about a lease, on its way with the parts of requests. */
import { TidegateError } from '../../core/errors';
import type { LeaseAsk, LeaseDone, LeaseReply } from '../../core/leases';
import type { ScriptCall, ScriptPart, ScriptReply } from './script-run';

/** A part that exchanges a lease; no request waits for it. */
export class LeasePart implements ScriptPart {
  readonly chargeDenied = 'none';
  readonly quotaSatisfied = false;
  /** What goes back was in flight before; only what is asked for counts as a call more. */
  readonly bounded: boolean;
  readonly calls: readonly ScriptCall[];
  attempts = 0;
  readonly blamed = false;

  constructor(
    readonly slot: number,
    key: string,
    ask: LeaseAsk,
    private readonly done: LeaseDone,
  ) {
    this.bounded = ask.want > 0;
    this.calls = [{ key, params: ask.params, hits: 0, role: 'hard', assumeOnFailure: false, lease: ask }];
  }

  /** Always: the holder has set aside what it gives back, and asks for nothing else until it knows. */
  wanted(): boolean {
    return true;
  }

  sent(): void {
    // The lease's life is counted from before this.
  }

  settled(outcome: readonly ScriptReply[] | TidegateError): void {
    this.done(outcome instanceof TidegateError ? outcome : leaseReplyOf(outcome[0]));
  }
}

/** The nine figures of a reply by what they mean for a lease; decide.lua names their order. */
export function leaseReplyOf(reply: ScriptReply | undefined): LeaseReply | TidegateError {
  if (reply?.allowed === undefined) {
    return new TidegateError('TG_STORE_REPLY', 'a key of Tidegate holds something that is not a bucket');
  }
  return {
    settled: reply.allowed,
    granted: reply.usedBefore,
    accepted: reply.usedAfter,
    remaining: reply.remaining,
    resetUs: reply.resetUs,
    outstanding: reply.retryAfterUs,
    forgotten: reply.taken,
    window: reply.window,
    missing: reply.resetWithoutUs,
  };
}

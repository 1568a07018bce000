/** Gives back exactly what one reply took. Sent at most once to the end: what happened to it is not known otherwise. */
import { TidegateError } from '../../core/errors';
import type { Logger } from '../../core/ports';
import type { ScriptCall, ScriptPart, ScriptReply } from './script-run';

/** A part that undoes a call; nobody waits for it. */
export class UndoPart implements ScriptPart {
  readonly chargeDenied = 'none';
  readonly quotaSatisfied = false;
  readonly bounded = false;
  readonly calls: readonly ScriptCall[];
  attempts = 0;
  readonly blamed = false;

  constructor(
    readonly slot: number,
    call: ScriptCall,
    reply: ScriptReply,
    private readonly logger: Logger | undefined,
  ) {
    this.calls = [{ ...call, hits: reply.taken, undoWindow: reply.window }];
  }

  /** Always: what was taken must go back however long it takes. */
  wanted(): boolean {
    return true;
  }

  sent(): void {
    // No deadline depends on it.
  }

  settled(outcome: readonly ScriptReply[] | TidegateError): void {
    if (!(outcome instanceof TidegateError)) return;
    this.logger?.warn(
      { code: outcome.code, error: outcome.message },
      'tokens that should have gone back to a bucket are lost until it refills',
    );
  }
}

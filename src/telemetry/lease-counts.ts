/** Counts what becomes of leased tokens; the metrics read it. */
import type { LeaseObserver } from '../core/leases';

/** Sums since the start. */
export class LeaseCounts implements LeaseObserver {
  grantedTokens = 0;
  returnedTokens = 0;
  lostTokens = 0;
  overshootTokens = 0;
  localDecisions = 0;

  granted(tokens: number): void {
    this.grantedTokens += tokens;
  }

  returned(tokens: number): void {
    this.returnedTokens += tokens;
  }

  lost(tokens: number): void {
    this.lostTokens += tokens;
  }

  overshoot(tokens: number): void {
    this.overshootTokens += tokens;
  }

  local(calls: number): void {
    this.localDecisions += calls;
  }
}

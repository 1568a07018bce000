/** Counts what becomes of leased tokens; the metrics read it. */
import type { LeaseObserver } from '../core/leases';

/** Sums since the start. */
export class LeaseCounts implements LeaseObserver {
  grantedTokens = 0;
  returnedTokens = 0;
  lostTokens = 0;
  overshootTokens = 0;
  localDecisions = 0;

  /** Takes out the sums, in the order of {@link add}. */
  take(): readonly number[] {
    const taken = [
      this.grantedTokens,
      this.returnedTokens,
      this.lostTokens,
      this.overshootTokens,
      this.localDecisions,
    ];
    this.add(taken.map((figure) => -figure));
    return taken;
  }

  /** Adds what another process counted. */
  add([granted = 0, returned = 0, lost = 0, overshoot = 0, local = 0]: readonly number[]): void {
    this.grantedTokens += granted;
    this.returnedTokens += returned;
    this.lostTokens += lost;
    this.overshootTokens += overshoot;
    this.localDecisions += local;
  }

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

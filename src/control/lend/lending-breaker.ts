/**
 * The circuit breaker of lending (Nygard, "Release It!", 2007, ch. 5): transfers that fail one after another stop lending
 * for a while; then one transfer is tried, and its outcome closes the breaker or opens it for twice as long.
 */

/** Failures in a row that open the breaker. */
export const BREAKER_FAILURES = 5;
/** How long it is open at first, ms, and at most. */
export const BREAKER_BACKOFF_MS = 1_000;
export const BREAKER_MAX_BACKOFF_MS = 30_000;

/** A breaker's state as plain data. */
export interface BreakerState {
  readonly failures: number;
  readonly backoffMs: number;
  /** When the first try is allowed, ms; null while closed. */
  readonly untilMs: number | null;
}

/** Counts failures in a row. Time is an argument; a clock that steps back delays a try by one back-off at most. */
export class LendingBreaker {
  private failures = 0;
  private backoffMs = BREAKER_BACKOFF_MS;
  private untilMs: number | null = null;

  /** What holds now: `closed` lets all pass, `open` none, `half_open` one at a time. */
  state(nowMs: number): 'closed' | 'open' | 'half_open' {
    if (this.untilMs === null) return 'closed';
    if (this.untilMs - nowMs > this.backoffMs) this.untilMs = nowMs + this.backoffMs;
    return nowMs < this.untilMs ? 'open' : 'half_open';
  }

  /** How many transfers may start, when so many have no outcome yet. */
  allowance(nowMs: number, inFlight: number): number {
    const state = this.state(nowMs);
    if (state === 'closed') return Infinity;
    return state === 'half_open' && inFlight === 0 ? 1 : 0;
  }

  /** A transfer was answered properly, whatever it moved. While open this is an answer to an old one: it changes nothing. */
  succeeded(nowMs: number): void {
    if (this.state(nowMs) === 'open') return;
    this.failures = 0;
    this.backoffMs = BREAKER_BACKOFF_MS;
    this.untilMs = null;
  }

  /** A transfer failed, or was never answered. While open this is an old one's: it changes nothing. */
  failed(nowMs: number): void {
    const state = this.state(nowMs);
    if (state === 'open') return;
    this.failures = Math.min(BREAKER_FAILURES, this.failures + 1);
    if (state === 'half_open') this.backoffMs = Math.min(BREAKER_MAX_BACKOFF_MS, this.backoffMs * 2);
    else if (this.failures < BREAKER_FAILURES) return;
    this.untilMs = nowMs + this.backoffMs;
  }

  /** Its state as plain data. */
  saved(): BreakerState {
    return { failures: this.failures, backoffMs: this.backoffMs, untilMs: this.untilMs };
  }

  /** Takes a state that {@link saved} gave; figures outside their range are cut to it. */
  resume(state: BreakerState): void {
    this.failures = Math.max(0, Math.min(BREAKER_FAILURES, Math.trunc(state.failures)));
    this.backoffMs = Math.max(BREAKER_BACKOFF_MS, Math.min(BREAKER_MAX_BACKOFF_MS, state.backoffMs));
    this.untilMs = state.untilMs;
  }
}

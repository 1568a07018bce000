/**
 * A circuit breaker's states, without clock or timer of its own.
 *
 *     closed --too many failures--> open --back-off over, next call is a probe--> half-open
 *       ^                            ^                                               |
 *       |                            +---- the probe fails: longer back-off ---------+
 *       +------------------------------------ the probe succeeds --------------------+
 *
 * See Michael Nygard, "Release It!", for the pattern.
 */

/** The states. */
export const BREAKER_STATES = ['closed', 'open', 'half_open'] as const;
/** One of {@link BREAKER_STATES}. */
export type BreakerState = (typeof BREAKER_STATES)[number];

/** When a breaker opens, and how long it stays so. */
export interface BreakerOptions {
  /** Opens after this many failures in a row. */
  readonly consecutiveFailures: number;
  /** Opens when this share of the calls of a window failed, 0 to 1; above 1 never. */
  readonly failureRatio: number;
  /** The window of the ratio, ms. It moves on in halves: from half a window to a whole one is looked at. */
  readonly windowMs: number;
  /** The ratio counts only from this many calls in the window on. */
  readonly minCalls: number;
  /** How long it stays open at first, ms; doubled after each failed probe. */
  readonly backoffMs: number;
  /** The longest it stays open, ms. */
  readonly backoffMaxMs: number;
  /** Up to this share is added to or taken from a back-off, so that many processes do not probe at once; 0 to 1. */
  readonly jitter: number;
  /** A probe that has not ended after this counts as lost, and the next call is a probe; ms. */
  readonly probeTimeoutMs: number;
}

/** Settings for a store that answers within 10 ms. */
export const DEFAULT_BREAKER: BreakerOptions = {
  consecutiveFailures: 20,
  failureRatio: 0.5,
  windowMs: 1_000,
  minCalls: 50,
  backoffMs: 100,
  backoffMaxMs: 2_000,
  jitter: 0.25,
  probeTimeoutMs: 1_000,
};

/** The state machine. Times are monotonic milliseconds and never go back. */
export class Breaker {
  #state: BreakerState = 'closed';
  #inARow = 0;
  #window = { startMs: 0, calls: 0, failures: 0, callsBefore: 0, failuresBefore: 0 };
  #backoffMs: number;
  #openUntilMs = 0;
  #probeSinceMs = 0;

  /** @param random gives 0 to 1, for the jitter. */
  constructor(
    private readonly options: BreakerOptions,
    private readonly random: () => number,
  ) {
    this.#backoffMs = options.backoffMs;
  }

  /** The state that the last call left. */
  get state(): BreakerState {
    return this.#state;
  }

  /** Whether a call may go through now. One that may while the breaker is not closed is a probe. */
  admit(nowMs: number): boolean {
    if (this.#state === 'closed') return true;
    if (this.#state === 'open' && nowMs < this.#openUntilMs) return false;
    if (this.#state === 'half_open' && nowMs - this.#probeSinceMs < this.options.probeTimeoutMs) return false;
    this.#state = 'half_open';
    this.#probeSinceMs = nowMs;
    return true;
  }

  /** A call went well. While open it is a straggler and says nothing about now. */
  succeed(nowMs: number): void {
    if (this.#state === 'open') return;
    if (this.#state === 'half_open') {
      this.#state = 'closed';
      this.#backoffMs = this.options.backoffMs;
      this.#window = { startMs: nowMs, calls: 0, failures: 0, callsBefore: 0, failuresBefore: 0 };
    }
    this.#inARow = 0;
    this.#count(nowMs, false);
  }

  /** A call failed. */
  fail(nowMs: number): void {
    if (this.#state === 'open') return;
    if (this.#state === 'half_open') {
      this.#backoffMs = Math.min(this.options.backoffMaxMs, this.#backoffMs * 2);
      this.#open(nowMs);
      return;
    }
    this.#inARow += 1;
    this.#count(nowMs, true);
    if (this.#inARow >= this.options.consecutiveFailures || this.#ratioReached()) this.#open(nowMs);
  }

  #open(nowMs: number): void {
    this.#state = 'open';
    this.#inARow = 0;
    const spread = 1 + this.options.jitter * (2 * this.random() - 1);
    this.#openUntilMs = nowMs + this.#backoffMs * spread;
  }

  #count(nowMs: number, failed: boolean): void {
    const half = this.options.windowMs / 2;
    const window = this.#window;
    const age = nowMs - window.startMs;
    if (age >= half) {
      const stale = age >= 2 * half;
      window.callsBefore = stale ? 0 : window.calls;
      window.failuresBefore = stale ? 0 : window.failures;
      window.calls = 0;
      window.failures = 0;
      window.startMs = nowMs;
    }
    window.calls += 1;
    if (failed) window.failures += 1;
  }

  #ratioReached(): boolean {
    const { calls, failures, callsBefore, failuresBefore } = this.#window;
    const all = calls + callsBefore;
    return all >= this.options.minCalls && (failures + failuresBefore) / all >= this.options.failureRatio;
  }
}

/**
 * What a connection may cost beyond calls that are answered: resets, pings, settings, empty frames and mistakes all take
 * from one budget, which time and good calls refill. That bounds every flood of frames, known or not.
 */

/** A bucket of tokens, refilled by time and by answered calls. */
export class AbuseBudget {
  private tokens: number;
  private atMs: number;

  /** @param perS tokens that come back each second, up to `burst`. */
  constructor(
    private readonly burst: number,
    private readonly perS: number,
    nowMs: number,
  ) {
    this.tokens = burst;
    this.atMs = nowMs;
  }

  /** Takes one token. @returns whether there was one. */
  spend(nowMs: number): boolean {
    if (nowMs > this.atMs) {
      this.tokens = Math.min(this.burst, this.tokens + ((nowMs - this.atMs) / 1_000) * this.perS);
      this.atMs = nowMs;
    }
    this.tokens -= 1;
    return this.tokens >= 0;
  }

  /** A call was answered: a peer that works may also send a few frames of its own. */
  earn(count: number): void {
    if (this.tokens < this.burst) this.tokens += count;
  }
}

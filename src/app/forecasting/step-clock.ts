/** Which steps have ended: each is closed once, in order, however late the look; far gaps are jumped. */

/** Closes steps of one length. */
export class StepClock {
  private nextMs: number;

  /**
   * @param graceMs how long after a step's end it is closed, so that what was counted in it has come.
   * @param maxSteps steps closed in one look, at most; earlier ones are passed over.
   */
  constructor(
    private readonly stepMs: number,
    private readonly graceMs: number,
    private readonly maxSteps: number,
    nowMs: number,
  ) {
    this.nextMs = Math.floor(nowMs / stepMs) * stepMs;
  }

  /** How often the clock was set back by more than a step. */
  rewinds = 0;

  /** The steps that ended since the last look, by when they began; none when the clock was set back. */
  due(nowMs: number): readonly number[] {
    const { stepMs, graceMs, maxSteps } = this;
    const endMs = Math.floor((nowMs - graceMs) / stepMs) * stepMs;
    const ended = Math.round((endMs - this.nextMs) / stepMs);
    if (ended <= 0) {
      // A clock set back by more than a step would stand still until it is where it was.
      if (ended < -1) this.setBack(endMs);
      return [];
    }
    const taken = Math.min(ended, maxSteps);
    this.nextMs = endMs;
    return Array.from({ length: taken }, (_, index) => endMs - (taken - index) * stepMs);
  }

  private setBack(endMs: number): void {
    this.nextMs = endMs;
    this.rewinds += 1;
  }
}

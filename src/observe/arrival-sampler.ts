/**
 * Which arrivals are looked at: about as many a step as the budget says, however many come. The gaps between them are
 * geometric, so that every arrival has the same chance whatever the rhythm of the traffic, and each stands for `interval`
 * arrivals.
 */

/** The longest gap; well within small integers. */
const MAX_GAP = 1 << 30;

/** See the file's head. */
export class ArrivalSampler {
  /** Arrivals that one sample stands for, 1 at least. */
  interval = 1;
  private taken = 0;

  /**
   * @param budget samples a step, 1 at least.
   * @param random uniform in [0, 1).
   */
  constructor(
    private readonly budget: number,
    private readonly random: () => number,
  ) {}

  /** How many arrivals on the next sample is, 1 at least. */
  gap(): number {
    if (this.interval <= 1) return 1;
    const gap = 1 + Math.floor(Math.log(1 - this.random()) / Math.log(1 - 1 / this.interval));
    return Math.min(gap, MAX_GAP);
  }

  /** A sample was taken. Where a step brings far more than the one before, samples thin out within it. */
  took(): void {
    this.taken += 1;
    if (this.taken < this.budget) return;
    this.taken = 0;
    this.interval *= 2;
  }

  /** A step is over. @returns whether the interval changed, so that gaps drawn before are no longer right. */
  stepped(arrivals: number): boolean {
    const before = this.interval;
    this.interval = Math.max(1, Math.ceil(arrivals / this.budget));
    this.taken = 0;
    return this.interval !== before;
  }
}

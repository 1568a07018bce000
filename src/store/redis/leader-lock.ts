/**
 * Who leads, as one process may believe it. The lock is a key in Redis that expires; a leader renews it long before. It
 * stops believing on its own monotonic clock, counted from when it asked, before Redis can have forgotten it: so there are
 * never two that believe, as long as clocks count within a tenth of each other. What a leader writes carries the epoch
 * of its election, which Redis compares, so that one that was stalled and does not know it yet changes nothing.
 */
import type { GroupRole } from '../../core/group';

/** The part of the lock's life that is believed in. */
const BELIEVED = 0.9;

/** See the file's head. */
export class LeaderLock {
  private believedUntilMs = -Infinity;
  private ownEpoch = 0;
  private knownEpoch = 0;

  /**
   * @param lifeMs how long the key lives from each renewal.
   * @param monotonicMs never steps back.
   */
  constructor(
    private readonly lifeMs: number,
    private readonly monotonicMs: () => number,
  ) {}

  /**
   * Redis answered.
   * @param askedMs when it was asked, on the monotonic clock.
   * @param leads whether the lock is this process's.
   * @param epoch the highest epoch given.
   */
  answered(askedMs: number, leads: boolean, epoch: number): void {
    this.knownEpoch = Math.max(this.knownEpoch, epoch);
    if (leads) {
      this.ownEpoch = Math.max(this.ownEpoch, epoch);
      this.believedUntilMs = Math.max(this.believedUntilMs, askedMs + this.lifeMs * BELIEVED);
    } else {
      this.believedUntilMs = -Infinity;
    }
  }

  /** It gives the lock back, or was told that another leads. */
  resign(): void {
    this.believedUntilMs = -Infinity;
  }

  role(): GroupRole {
    const leader = this.monotonicMs() < this.believedUntilMs;
    return { leader, epoch: leader ? this.ownEpoch : this.knownEpoch };
  }
}

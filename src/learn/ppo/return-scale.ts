/** How much discounted rewards vary, by which rewards are divided (the reward scaling of L. Engstrom et al., 2020). */
import { Moments, type MomentsState } from './moments';
import type { Rollout } from './rollout';

/** Counts the running discounted sums of rewards. */
export class ReturnScale {
  private readonly moments: Moments;

  constructor(
    private readonly discount: number,
    state?: MomentsState,
  ) {
    this.moments = new Moments(1, state);
  }

  /** Takes in rollouts, in their order. */
  add(rollouts: readonly Rollout[]): void {
    for (const { segments } of rollouts) {
      for (const { rewards } of segments) {
        let running = 0;
        const sums = rewards.map((reward) => (running = running * this.discount + reward));
        this.moments.add(sums, sums.length);
      }
    }
  }

  /** What rewards are multiplied by. */
  get factor(): number {
    return 1 / this.moments.deviations()[0]!;
  }

  /** A copy of what was counted. */
  get state(): MomentsState {
    return this.moments.state;
  }
}

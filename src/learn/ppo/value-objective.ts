/** What a critic is to make small, and its slopes. */
import { roomFor } from '../network/service-batch';

/** Half the mean squared error; values may be held near what they were (as the first published PPO did). */
export class ValueObjective {
  /** Of the loss by each value. */
  slopes: Float64Array = new Float64Array(0);

  /** @param clip how far a value may move from what it was; 0: as far as it will. */
  constructor(private readonly clip: number) {}

  /**
   * @param before values when the steps were taken, and `returns`, what they ought to have been, for each step.
   * @param beforeAt for each step, where `before` has its value.
   * @param which for each sample, the step it is; `from` is the first.
   */
  evaluate(
    values: Float64Array,
    samples: number,
    before: Float64Array,
    beforeAt: Int32Array,
    returns: Float64Array,
    which: Int32Array,
    from: number,
  ): number {
    this.slopes = roomFor(this.slopes, samples);
    const { slopes, clip } = this;
    let loss = 0;
    for (let sample = 0; sample < samples; sample += 1) {
      const step = which[from + sample]!;
      const miss = values[sample]! - returns[step]!;
      loss += 0.5 * miss * miss;
      slopes[sample] = miss / samples;
      if (clip === 0) continue;
      const old = before[beforeAt[step]!]!;
      const held = old + Math.max(-clip, Math.min(clip, values[sample]! - old));
      const heldMiss = held - returns[step]!;
      if (heldMiss * heldMiss <= miss * miss) continue;
      // The larger of the two losses counts, and that of a held value does not move with it.
      loss += 0.5 * (heldMiss * heldMiss - miss * miss);
      slopes[sample] = 0;
    }
    return loss / samples;
  }
}

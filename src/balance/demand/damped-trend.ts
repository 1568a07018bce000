/** Where a noisy figure is and where it is heading: Holt's linear method with a damped trend (Gardner and McKenzie 1985). */

/** The part of a sample's error that moves the level, and the part of the level's move that moves the trend. */
const LEVEL_PART = 0.4;
const TREND_PART = 0.1;
/** A trend is continued by so much less each step, so that it adds nineteen steps of itself at most. */
const DAMPING = 0.95;
/**
 * The trend that white noise alone makes has this standard deviation, times the noise's own: it follows from the three figures
 * above, as does that of a steady climb, seven tenths of it, a fourteen-fold. A trend counts by what it is beyond 1.5 of them.
 */
const TREND_OF_NOISE = 0.049;
const TREND_DEADZONE = 1.5;
/** How fast the noise is learned, from absolute errors, which are 0.8 standard deviations of normal noise. */
const NOISE_PART = 0.1;
const SD_PER_ABSOLUTE_ERROR = 1.25;
/** Two errors on one side beyond so many standard deviations are a shift, not noise. */
const SHIFT_SDS = 3;

/** Follows one figure, not negative, sampled each step. */
export class DampedTrend {
  #level = NaN;
  #trend = 0;
  #noise = 0;
  /** The last sample, where it was far off; else NaN. */
  #far = NaN;
  #farAbove = false;

  /** The smoothed figure; NaN before the first sample. */
  get level(): number {
    return this.#level;
  }

  /** Takes the sample of one step; a NaN lets the trend fade. */
  add(sample: number): void {
    if (Number.isNaN(sample)) {
      this.#trend *= DAMPING;
      return;
    }
    if (Number.isNaN(this.#level)) {
      this.#level = sample;
      this.#noise = Math.sqrt(sample);
      return;
    }
    const expected = this.#level + DAMPING * this.#trend;
    const error = sample - expected;
    const bound = SHIFT_SDS * this.#noise;
    const level = this.#shifted(expected + LEVEL_PART * error, sample, error, bound);
    // One far sample may not turn into a trend of its own.
    const taken = Math.min(bound, Math.max(-bound, error));
    this.#trend = DAMPING * this.#trend + LEVEL_PART * TREND_PART * taken;
    this.#level = Math.max(0, level);
    const seen = SD_PER_ABSOLUTE_ERROR * Math.min(Math.abs(error), bound);
    // Counts of independent calls vary by the root of their mean at least.
    this.#noise = Math.max(Math.sqrt(this.#level), this.#noise + NOISE_PART * (seen - this.#noise));
  }

  /** The figure as foreseen where the trend adds `reach` of its steps (see {@link trendReach}); NaN before the first sample. */
  ahead(reach: number): number {
    const dead = TREND_DEADZONE * TREND_OF_NOISE * this.#noise;
    const size = Math.max(0, Math.abs(this.#trend) - dead);
    return Math.max(0, this.#level + Math.sign(this.#trend) * size * reach);
  }

  #shifted(level: number, sample: number, error: number, bound: number): number {
    const above = error > 0;
    const before = this.#far;
    const again = !Number.isNaN(before) && this.#farAbove === above;
    const isFar = Math.abs(error) > bound;
    this.#far = isFar ? sample : NaN;
    this.#farAbove = above;
    if (!isFar || !again) return level;
    return above ? Math.max(level, Math.min(sample, before)) : Math.min(level, Math.max(sample, before));
  }
}

/** How many of its steps a damped trend adds in `steps` (any number from 0). */
export function trendReach(steps: number): number {
  return (DAMPING * (1 - DAMPING ** steps)) / (1 - DAMPING);
}

/** Means and variances of figures that keep coming. */
import type { FeatureScales } from './scales';

/** A copy of what was counted. */
export interface MomentsState {
  readonly count: number;
  readonly means: Float64Array;
  /** Sums of squared distances from the mean. */
  readonly squares: Float64Array;
}

/** What counts to these scales, as of one row. */
export function momentsOf({ means, deviations }: FeatureScales): MomentsState {
  return { count: 1, means, squares: deviations.map((deviation) => deviation * deviation) };
}

/** Of several features at once; rows are added in blocks, each block's own moments first (T. Chan et al., 1983). */
export class Moments {
  count = 0;
  readonly means: Float64Array;
  readonly squares: Float64Array;

  constructor(features: number, state?: MomentsState) {
    this.count = state?.count ?? 0;
    this.means = Float64Array.from(state?.means ?? new Float64Array(features));
    this.squares = Float64Array.from(state?.squares ?? new Float64Array(features));
  }

  /** Adds rows of figures; what is added later is merged with what was there, never a function of how it was cut up but for rounding. */
  add(rows: Float64Array, count: number): void {
    if (count === 0) return;
    const features = this.means.length;
    for (let feature = 0; feature < features; feature += 1) {
      let sum = 0;
      for (let row = 0; row < count; row += 1) sum += rows[row * features + feature]!;
      const mean = sum / count;
      let squares = 0;
      for (let row = 0; row < count; row += 1) squares += (rows[row * features + feature]! - mean) ** 2;
      const away = mean - this.means[feature]!;
      const total = this.count + count;
      this.means[feature] = this.means[feature]! + (away * count) / total;
      this.squares[feature] = this.squares[feature]! + squares + (away * away * this.count * count) / total;
    }
    this.count += count;
  }

  /** Standard deviations; 1 where nothing is known or nothing varies. */
  deviations(): Float64Array {
    return this.squares.map((squares) => {
      const deviation = this.count === 0 ? 0 : Math.sqrt(squares / this.count);
      return deviation > 1e-6 ? deviation : 1;
    });
  }

  /** A copy of what was counted. */
  get state(): MomentsState {
    return { count: this.count, means: this.means.slice(), squares: this.squares.slice() };
  }
}

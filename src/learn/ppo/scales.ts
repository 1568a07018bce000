/** Brings what is seen to mean 0 and deviation 1, as it was while learning. Plain data, structured-cloneable. */

/** Of each feature its mean and deviation. */
export interface FeatureScales {
  readonly means: Float64Array;
  readonly deviations: Float64Array;
}

/** Of all that is seen. */
export interface ObservationScales {
  readonly perService: FeatureScales;
  readonly global: FeatureScales;
  /** Normalised figures are kept within this of 0. */
  readonly clip: number;
}

/** Normalises rows of features. */
export function normalise(
  { means, deviations }: FeatureScales,
  clip: number,
  from: Float64Array,
  rows: number,
  into: Float64Array,
  at = 0,
): void {
  const features = means.length;
  for (let row = 0; row < rows; row += 1) {
    for (let feature = 0; feature < features; feature += 1) {
      const place = row * features + feature;
      const figure = (from[place]! - means[feature]!) / deviations[feature]!;
      into[at + place] = figure > clip ? clip : figure < -clip ? -clip : figure;
    }
  }
}

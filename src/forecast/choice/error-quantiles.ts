/** Quantiles of errors that follow them step by step, each by its own coverage: an error below a quantile draws it down. */

/** Probabilities followed. */
const PROBABILITIES = [0.005, 0.025, 0.05, 0.1, 0.25, 0.5, 0.75, 0.9, 0.95, 0.975, 0.995] as const;
/** Where they start: those of a normal distribution whose mean absolute value is 1. */
const START = [-3.23, -2.46, -2.06, -1.61, -0.85, 0, 0.85, 1.61, 2.06, 2.46, 3.23] as const;
/** How fast they follow. */
const GAIN = 0.02;
/** How far each steps: outer quantiles have sparse neighbours, and step wider. */
const REACHES = START.map((start) => GAIN * (1 + Math.abs(start)));

/** How many quantiles there are. */
export const QUANTILES = PROBABILITIES.length;

/** The quantiles that a new series starts from. */
export function startQuantiles(): number[] {
  return [...START];
}

/** Takes an error relative to the usual one, in place. */
export function followQuantiles(quantiles: number[], error: number): void {
  for (let at = 0; at < QUANTILES; at += 1) {
    const probability = PROBABILITIES[at]!;
    const reach = REACHES[at]!;
    quantiles[at]! += reach * (probability - (error < quantiles[at]! ? 1 : 0));
  }
}

/** The quantile of a probability, on a line between neighbours. */
export function quantileAt(quantiles: readonly number[], probability: number): number {
  let above = 0;
  while (above < QUANTILES && PROBABILITIES[above]! < probability) above += 1;
  if (above === 0) return quantiles[0]!;
  if (above === QUANTILES) return quantiles[QUANTILES - 1]!;
  const low = PROBABILITIES[above - 1]!;
  const part = (probability - low) / (PROBABILITIES[above]! - low);
  return quantiles[above - 1]! + (quantiles[above]! - quantiles[above - 1]!) * part;
}

/** Weighs members by how they did out of sample: better ones more, none that was not better than repeating the past. */
import type { HorizonFit, LinearForecast } from './horizon-fit';

/** How sharply weights fall with errors: a member with 10 % more error than the best weighs exp(-SHARPNESS / 10). */
const SHARPNESS = 20;
/** The same for a single independent error: few of them tell little, and weights stay nearly even. */
const SHARPNESS_OF_ONE = 3;

/** Mean absolute errors of forecasts, in figures. */
export function trialLosses(fit: HorizonFit, inverse: (scaled: number) => number): Float64Array {
  const actual = fit.trial.actual.map(inverse);
  return Float64Array.from(fit.trial.forecasts, (forecasts) => {
    let sum = 0;
    for (let row = 0; row < actual.length; row += 1) sum += Math.abs(inverse(forecasts[row]!) - actual[row]!);
    return sum / actual.length;
  });
}

/**
 * Weights that sum to 1. Members that did worse than `bar` get none, unless all did. Without errors to judge by,
 * everything goes to the last member.
 * @param independent how many errors the losses are the mean of, overlapping ones counted once.
 */
export function weightsOf(losses: Float64Array, bar: number, independent: number): Float64Array {
  const sharpness = Math.min(SHARPNESS, SHARPNESS_OF_ONE * Math.sqrt(independent));
  const weights = new Float64Array(losses.length);
  const best = losses.reduce((least, loss) => (loss < least ? loss : least), Infinity);
  if (!Number.isFinite(best)) {
    weights[losses.length - 1] = 1;
    return weights;
  }
  const limit = Math.max(best, bar);
  let sum = 0;
  losses.forEach((loss, member) => {
    if (!(loss <= limit)) return;
    const weight = best > 0 ? Math.exp(-sharpness * (loss / best - 1)) : loss === 0 ? 1 : 0;
    weights[member] = weight;
    sum += weight;
  });
  return weights.map((weight) => weight / sum);
}

/** The weighted mean of linear forecasts, which is one itself. */
export function blendLinear(members: readonly LinearForecast[], weights: Float64Array): LinearForecast {
  const columns = members[0]?.coefficients.length ?? 0;
  const coefficients = new Float64Array(columns);
  let naive = 0;
  members.forEach((member, index) => {
    const weight = weights[index]!;
    naive += weight * member.naive;
    for (let column = 0; column < columns; column += 1) {
      coefficients[column]! += weight * (1 - member.naive) * member.coefficients[column]!;
    }
  });
  if (naive < 1 - 1e-9)
    for (let column = 0; column < columns; column += 1) coefficients[column]! /= 1 - naive;
  return { coefficients, naive };
}

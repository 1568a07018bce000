/** Partial autocorrelations, and what they say of a series: whether its level stays, or wanders and needs differencing. */

/** An autoregression by Yule and Walker's equations. */
export interface Autoregression {
  readonly partials: readonly number[];
  readonly coefficients: readonly number[];
  /** The variance of what it does not explain. */
  readonly variance: number;
}

/** Autocovariances at lags 0 to `lags`, about the mean. */
export function autocovariances(values: Float64Array, lags: number): Float64Array {
  const mean = values.reduce((sum, value) => sum + value, 0) / Math.max(1, values.length);
  const centred = values.map((value) => value - mean);
  return Float64Array.from({ length: lags + 1 }, (_, lag) => {
    let sum = 0;
    for (let at = lag; at < centred.length; at += 1) sum += (centred[at] ?? 0) * (centred[at - lag] ?? 0);
    return sum / Math.max(1, centred.length);
  });
}

/** The autoregression of the order up to `most` with the least AIC, by the Durbin-Levinson recursion. */
export function autoregression(values: Float64Array, most: number): Autoregression {
  const covariances = autocovariances(values, Math.min(most, values.length - 1));
  let variance = covariances[0] ?? 0;
  let best: Autoregression = { partials: [], coefficients: [], variance };
  let bestAic = values.length * Math.log(variance);
  let coefficients: number[] = [];
  const partials: number[] = [];
  for (let order = 1; order < covariances.length && variance > 0; order += 1) {
    const explained = coefficients.reduce(
      (sum, value, at) => sum + value * (covariances[order - 1 - at] ?? 0),
      0,
    );
    const partial = ((covariances[order] ?? 0) - explained) / variance;
    const before = coefficients;
    coefficients = before.map((value, at) => value - partial * (before[before.length - 1 - at] ?? 0));
    coefficients.push(partial);
    partials.push(partial);
    variance *= 1 - partial * partial;
    const aic = values.length * Math.log(variance) + 2 * order;
    if (aic >= bestAic) continue;
    bestAic = aic;
    best = { partials: partials.slice(), coefficients, variance };
  }
  return best;
}

/** The 5 % point of the level test of Kwiatkowski et al. */
const KPSS_CRITICAL = 0.463;

/**
 * Whether a series' level wanders: the test of Kwiatkowski, Phillips, Schmidt and Shin ("Testing the null hypothesis of
 * stationarity", 1992) at 5 %. The long-run variance is that of an autoregression, kept from growing without bound (Sul,
 * Phillips and Choi, "Prewhitening bias in HAC estimation", 2005), since with a fixed number of lags every slow but
 * stationary series looks like one that wanders.
 */
export function levelWanders(values: Float64Array): boolean {
  return kpss(values) > KPSS_CRITICAL;
}

/** The statistic of {@link levelWanders}; 0 for a series that does not vary. */
export function kpss(values: Float64Array): number {
  const count = values.length;
  const mean = values.reduce((sum, value) => sum + value, 0) / Math.max(1, count);
  const lags = Math.min(Math.floor(count / 4), Math.floor(12 * (count / 100) ** 0.25));
  const { coefficients, variance } = autoregression(values, lags);
  const left = Math.max(
    1 / Math.sqrt(count),
    1 - coefficients.reduce((sum, coefficient) => sum + coefficient, 0),
  );
  if (!(variance > 0)) return 0;
  let sum = 0;
  let squares = 0;
  for (const value of values) {
    sum += value - mean;
    squares += sum * sum;
  }
  return squares / (count * count * (variance / (left * left)));
}

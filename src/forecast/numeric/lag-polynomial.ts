/**
 * Polynomials in the lag operator B, as ARIMA models are written in (Box and Jenkins, "Time series analysis", 1970), and
 * the way from free parameters to ones whose process is stationary or invertible.
 */

/** Coefficients by power of B. */
export type LagPolynomial = readonly number[];

/** The terms of a polynomial that are not zero, without the constant one: a value's lags and what each is worth. */
export interface Taps {
  readonly lags: Int32Array;
  readonly weights: Float64Array;
}

/** Free parameters are kept within this: a partial autocorrelation of 0.9995 at most. */
export const FREE_MAX = 4.15;

/**
 * Coefficients of a stationary autoregression from free parameters: each gives a partial autocorrelation by its
 * hyperbolic tangent, from which the Durbin-Levinson recursion builds up (Monahan, "A note on enforcing stationarity in
 * autoregressive-moving average models", 1984). The same, negated, are those of an invertible moving average.
 */
export function stationary(free: readonly number[]): number[] {
  let coefficients: number[] = [];
  for (const parameter of free) {
    const partial = Math.tanh(Math.min(FREE_MAX, Math.max(-FREE_MAX, parameter)));
    const before = coefficients;
    coefficients = before.map((value, at) => value - partial * (before[before.length - 1 - at] ?? 0));
    coefficients.push(partial);
  }
  return coefficients;
}

/** 1 + `sign` (c1 B^every + c2 B^(2 every) + ...). */
export function inLags(coefficients: readonly number[], sign: 1 | -1, every = 1): LagPolynomial {
  const polynomial = new Array<number>(coefficients.length * every + 1).fill(0);
  polynomial[0] = 1;
  coefficients.forEach((value, at) => {
    polynomial[(at + 1) * every] = sign * value;
  });
  return polynomial;
}

/** The product of two polynomials. */
export function product(a: LagPolynomial, b: LagPolynomial): LagPolynomial {
  const out = new Array<number>(a.length + b.length - 1).fill(0);
  a.forEach((left, i) => {
    if (left === 0) return;
    b.forEach((right, j) => {
      out[i + j] = (out[i + j] ?? 0) + left * right;
    });
  });
  return out;
}

/** The terms of a polynomial, times `sign`. */
export function tapsOf(polynomial: LagPolynomial, sign: 1 | -1): Taps {
  const lags = polynomial.flatMap((value, lag) => (lag > 0 && value !== 0 ? [lag] : []));
  return {
    lags: Int32Array.from(lags),
    weights: Float64Array.from(lags, (lag) => sign * (polynomial[lag] ?? 0)),
  };
}

/** A series less itself `lag` steps before; shorter by `lag`. */
export function differenced(values: Float64Array, lag: number): Float64Array {
  const out = new Float64Array(Math.max(0, values.length - lag));
  for (let at = 0; at < out.length; at += 1) out[at] = (values[at + lag] ?? 0) - (values[at] ?? 0);
  return out;
}

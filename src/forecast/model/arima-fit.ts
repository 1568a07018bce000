/**
 * ARMA parameters by conditional least squares: errors before the series count as none, and Levenberg and Marquardt's
 * damped Gauss-Newton steps ("An algorithm for least-squares estimation of nonlinear parameters", 1963) go through free
 * parameters that cannot leave the stationary and invertible ones.
 */
import { factorise, solveFactored } from '../numeric/least-squares';
import {
  FREE_MAX,
  inLags,
  product,
  stationary,
  tapsOf,
  type LagPolynomial,
  type Taps,
} from '../numeric/lag-polynomial';

/** Orders as they are usually written: (p, d, q)(P, D, Q) with a season of `season` steps. */
export interface ArimaOrders {
  readonly p: number;
  readonly d: number;
  readonly q: number;
  readonly seasonalP: number;
  readonly seasonalD: number;
  readonly seasonalQ: number;
  /** Steps; 1 when there is none. */
  readonly season: number;
}

/** The free parameters of each polynomial. */
export interface FreeParameters {
  readonly ar: readonly number[];
  readonly ma: readonly number[];
  readonly seasonalAr: readonly number[];
  readonly seasonalMa: readonly number[];
}

/** Parameters found. */
export interface ArmaFit {
  readonly free: FreeParameters;
  /** The sum of squared errors, from `ArmaProblem.from` on. */
  readonly squares: number;
}

/** What parameters are found for. */
export interface ArmaProblem {
  /** The differenced series, less its mean where it has one. */
  readonly values: Float64Array;
  readonly orders: ArimaOrders;
  /** The first error that counts. */
  readonly from: number;
}

/** The polynomial of the autoregression, 1 - phi(B) ..., without differences. */
export function arPolynomial(free: FreeParameters, season: number): LagPolynomial {
  return product(inLags(stationary(free.ar), -1), inLags(stationary(free.seasonalAr), -1, season));
}

/** The polynomial of the moving average, 1 + theta(B) .... */
export function maPolynomial(free: FreeParameters, season: number): LagPolynomial {
  // An invertible moving average has the roots of a stationary autoregression.
  return product(inLags(stationary(free.ma), -1), inLags(stationary(free.seasonalMa), -1, season));
}

/** One-step errors; what is before the series counts as 0. */
export function armaErrors(values: Float64Array, ar: Taps, ma: Taps, out: Float64Array): void {
  for (let at = 0; at < values.length; at += 1) {
    let error = values[at]!;
    for (let tap = 0; tap < ar.lags.length; tap += 1) {
      const before = at - ar.lags[tap]!;
      if (before >= 0) error -= ar.weights[tap]! * values[before]!;
    }
    for (let tap = 0; tap < ma.lags.length; tap += 1) {
      const before = at - ma.lags[tap]!;
      if (before >= 0) error -= ma.weights[tap]! * out[before]!;
    }
    out[at] = error;
  }
}

const STEPS_MAX = 15;
const DERIVATIVE_STEP = 1e-5;
const DAMPING_MAX = 1e6;
/** What a parameter that changes nothing is damped by. */
const LEAST_DAMPING = 1e-10;

/**
 * The parameters with the least squares that damped steps find from `start`.
 * @param tolerance the part by which a step has to gain for the next to be tried.
 */
export function fitArma(problem: ArmaProblem, start: FreeParameters, tolerance: number): ArmaFit {
  const { values, from } = problem;
  const count = values.length;
  let at = flat(start);
  let errors: Float64Array = new Float64Array(count);
  let trial: Float64Array = new Float64Array(count);
  const slopes = at.map(() => new Float64Array(count));
  let squares = errorsAt(problem, start, at, errors);
  let damping = 1e-3;
  for (let step = 0; step < STEPS_MAX && at.length > 0 && squares > 0; step += 1) {
    slopes.forEach((slope, which) => {
      const moved = at.slice();
      // Towards the middle, where the tangent still moves.
      const by = (at[which] ?? 0) > 0 ? -DERIVATIVE_STEP : DERIVATIVE_STEP;
      moved[which] = (at[which] ?? 0) + by;
      errorsAt(problem, start, moved, slope);
      for (let index = from; index < count; index += 1) slope[index] = (slope[index]! - errors[index]!) / by;
    });
    const { matrix, gradient } = normalEquations(slopes, errors, from);
    const before = squares;
    for (;;) {
      const factor = damped(matrix, damping);
      factorise(factor, at.length);
      const move = solveFactored(factor, at.length, gradient.slice());
      const next = at.map((value, which) => bounded(value - (move[which] ?? 0)));
      const reached = errorsAt(problem, start, next, trial);
      if (reached < squares) {
        at = next;
        squares = reached;
        [errors, trial] = [trial, errors];
        damping = Math.max(1e-8, damping / 10);
        break;
      }
      damping *= 10;
      if (damping > DAMPING_MAX) break;
    }
    if (damping > DAMPING_MAX || before - squares <= tolerance * before) break;
  }
  return { free: shaped(at, start), squares };
}

/** Fills `out` with the errors at flat parameters. @returns their sum of squares; Infinity when they overflow. */
function errorsAt(
  { values, orders, from }: ArmaProblem,
  shape: FreeParameters,
  at: readonly number[],
  out: Float64Array,
): number {
  const free = shaped(at, shape);
  armaErrors(
    values,
    tapsOf(arPolynomial(free, orders.season), -1),
    tapsOf(maPolynomial(free, orders.season), 1),
    out,
  );
  let squares = 0;
  for (let index = from; index < out.length; index += 1) squares += out[index]! * out[index]!;
  return Number.isFinite(squares) ? squares : Infinity;
}

/** Products of the slopes with each other, row by row, and with the errors, in parts of the largest. */
function normalEquations(
  slopes: readonly Float64Array[],
  errors: Float64Array,
  from: number,
): { readonly matrix: Float64Array; readonly gradient: Float64Array } {
  const dot = (a: Float64Array, b: Float64Array): number => {
    let sum = 0;
    for (let at = from; at < a.length; at += 1) sum += a[at]! * b[at]!;
    return sum;
  };
  const matrix = Float64Array.from(slopes.flatMap((row) => slopes.map((column) => dot(row, column))));
  const largest = matrix.reduce((most, value) => Math.max(most, value), Number.MIN_VALUE);
  return {
    matrix: matrix.map((value) => value / largest),
    gradient: Float64Array.from(slopes, (row) => dot(row, errors) / largest),
  };
}

/** Marquardt's damping: the diagonal grows in proportion. */
function damped(matrix: Float64Array, damping: number): Float64Array {
  const size = Math.sqrt(matrix.length);
  const out = matrix.slice();
  for (let at = 0; at < out.length; at += size + 1) out[at] = out[at]! * (1 + damping) + LEAST_DAMPING;
  return out;
}

function bounded(value: number): number {
  return Math.min(FREE_MAX, Math.max(-FREE_MAX, value));
}

function flat(free: FreeParameters): number[] {
  return [...free.ar, ...free.ma, ...free.seasonalAr, ...free.seasonalMa];
}

function shaped(at: readonly number[], shape: FreeParameters): FreeParameters {
  const ar = shape.ar.length;
  const ma = ar + shape.ma.length;
  const seasonalAr = ma + shape.seasonalAr.length;
  return {
    ar: at.slice(0, ar),
    ma: at.slice(ar, ma),
    seasonalAr: at.slice(ma, seasonalAr),
    seasonalMa: at.slice(seasonalAr),
  };
}

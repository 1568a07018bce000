/**
 * ARIMA and seasonal ARIMA with automatic orders, on the log scale. Seasons of up to {@link SHORT_SEASON_STEPS} steps are
 * seasonal terms of the model; longer ones are taken out as a profile first, since a polynomial with 288 lags costs much
 * and is known badly from two weeks.
 */
import { inLags, product, tapsOf, type Taps } from '../numeric/lag-polynomial';
import { scaleNamed } from '../scale';
import { arPolynomial, maPolynomial } from './arima-fit';
import { automaticArima, type ArimaParameters } from './arima-orders';
import { deseasonalisedMethod } from './deseasonalised-method';
import { framedModel } from './framed-model';
import { seenSeasons, type ModelKind, type ModelState } from './model';
import type { Method, Recursion } from './recursion';
import { badState, figuresIn, numberIn } from './state';

/** The longest season that is modelled by seasonal terms, steps. */
export const SHORT_SEASON_STEPS = 24;

/** The longest reach back of any model here, steps: bounds what a saved one may ask for. */
const REACH_MAX = 1024;

/** Everything of a value's past that its forecast is made of. */
interface ArimaTaps {
  readonly mean: number;
  /** On values, differences included. */
  readonly ar: Taps;
  /** On errors. */
  readonly ma: Taps;
}

/** The running state of an ARIMA model: the last values, less the mean, and errors, as far back as it looks. */
export class ArimaRecursion implements Recursion {
  private readonly reach: number;
  /** Rings; `next` is where the next value goes. */
  private readonly values: Float64Array;
  private readonly errors: Float64Array;
  private next = 0;

  constructor(private readonly taps: ArimaTaps) {
    this.reach = Math.max(1, ...taps.ar.lags, ...taps.ma.lags);
    this.values = new Float64Array(this.reach);
    this.errors = new Float64Array(this.reach);
  }

  /** A recursion before its first value: values and errors before it count as the first value and as none. */
  static of({ orders, free, mean }: ArimaParameters, first: number): ArimaRecursion {
    let polynomial = arPolynomial(free, orders.season);
    for (let time = 0; time < orders.d; time += 1) polynomial = product(polynomial, inLags([1], -1));
    for (let time = 0; time < orders.seasonalD; time += 1) {
      polynomial = product(polynomial, inLags([1], -1, orders.season));
    }
    const recursion = new ArimaRecursion({
      mean,
      ar: tapsOf(polynomial, -1),
      ma: tapsOf(maPolynomial(free, orders.season), 1),
    });
    recursion.values.fill(first - mean);
    return recursion;
  }

  step(value: number): number {
    const { reach, next, taps } = this;
    const expected = foretold(taps.ar, this.values, next) + foretold(taps.ma, this.errors, next);
    // A missing value counts as the one expected.
    const missing = Number.isNaN(value);
    const taken = missing ? expected : value - taps.mean;
    this.values[next] = taken;
    this.errors[next] = missing ? 0 : taken - expected;
    this.next = next + 1 === reach ? 0 : next + 1;
    return missing ? NaN : taken - expected;
  }

  ahead(horizon: number): Float64Array {
    const { reach, taps } = this;
    const values = this.unrolled(this.values, horizon);
    const errors = this.unrolled(this.errors, horizon);
    for (let at = reach; at < values.length; at += 1) {
      let value = 0;
      for (let tap = 0; tap < taps.ar.lags.length; tap += 1) {
        value += taps.ar.weights[tap]! * values[at - taps.ar.lags[tap]!]!;
      }
      for (let tap = 0; tap < taps.ma.lags.length; tap += 1) {
        value += taps.ma.weights[tap]! * errors[at - taps.ma.lags[tap]!]!;
      }
      values[at] = value;
    }
    return values.slice(reach).map((value) => value + taps.mean);
  }

  save(): ModelState {
    const { ar, ma, mean } = this.taps;
    return {
      mean,
      arLags: Float64Array.from(ar.lags),
      arWeights: ar.weights.slice(),
      maLags: Float64Array.from(ma.lags),
      maWeights: ma.weights.slice(),
      values: this.unrolled(this.values, 0),
      errors: this.unrolled(this.errors, 0),
    };
  }

  /** @throws TidegateError TG_FORECAST_BAD_STATE. */
  static restore(state: ModelState): ArimaRecursion {
    const taps = (name: string): Taps => {
      const lags = figuresIn(state, `${name}Lags`);
      if (lags.some((lag) => !Number.isInteger(lag) || lag < 1 || lag > REACH_MAX)) {
        throw badState(`${name}Lags are not lags`);
      }
      return { lags: Int32Array.from(lags), weights: figuresIn(state, `${name}Weights`, lags.length) };
    };
    const recursion = new ArimaRecursion({ mean: numberIn(state, 'mean'), ar: taps('ar'), ma: taps('ma') });
    recursion.values.set(figuresIn(state, 'values', recursion.reach));
    recursion.errors.set(figuresIn(state, 'errors', recursion.reach));
    return recursion;
  }

  /** A ring in the order of time, with room for `more`. */
  private unrolled(ring: Float64Array, more: number): Float64Array {
    const out = new Float64Array(this.reach + more);
    out.set(ring.subarray(this.next));
    out.set(ring.subarray(0, this.next), this.reach - this.next);
    return out;
  }
}

/** What a ring's past is worth for the value that goes to `next`. */
function foretold({ lags, weights }: Taps, ring: Float64Array, next: number): number {
  let sum = 0;
  for (let tap = 0; tap < lags.length; tap += 1) {
    const at = next - lags[tap]!;
    sum += weights[tap]! * ring[at < 0 ? at + ring.length : at]!;
  }
  return sum;
}

/** ARIMA alone, on values as they are; the longest season it is told of is modelled by seasonal terms. */
export const arimaMethod: Method<ArimaParameters> = {
  estimate(values, context) {
    const season = Math.max(1, ...seenSeasons(context.seasons, values.length));
    return automaticArima(values, season);
  },
  run(values, _context, parameters) {
    const recursion = ArimaRecursion.of(parameters, values[0] ?? 0);
    for (const value of values) recursion.step(value);
    return recursion;
  },
  restore: (state) => ArimaRecursion.restore(state),
};

/** The model kind `arima`. */
export const ARIMA: ModelKind = framedModel('arima', deseasonalisedMethod(arimaMethod, SHORT_SEASON_STEPS), {
  scale: scaleNamed('log'),
  minPoints: 10,
});

/**
 * The optimised Theta method in its dynamic form: simple exponential smoothing of a theta line, whose drift is a part of
 * the series' own slope (Assimakopoulos and Nikolopoulos, "The theta model", 2000; Fiorucci et al., "Models for
 * optimising the theta method and their relationship to state space models", 2016). On the log scale, seasons taken out.
 */
import { minimise } from '../numeric/nelder-mead';
import { scaleNamed } from '../scale';
import { deseasonalisedMethod } from './deseasonalised-method';
import { ErrorGuard, errorEdge } from './error-guard';
import { framedModel } from './framed-model';
import type { ModelKind, ModelState } from './model';
import type { Method, Recursion } from './recursion';
import { countIn, numberIn, stateIn } from './state';

/** Values that only start the line. */
const START_VALUES = 2;

/** What the search finds. */
export interface ThetaParameters {
  /** How fast the level follows, 0 to 1. */
  readonly alpha: number;
  /** The curvature of the line, at least 1: 1 is simple smoothing without drift, 2 the original method. */
  readonly theta: number;
}

/** What is estimated. */
export interface ThetaFit extends ThetaParameters {
  /** As of {@link errorEdge}. */
  readonly edge: number;
}

/** The running state: the level, and the line through all values so far by running sums. */
interface ThetaState {
  readonly level: number;
  /** Values taken. */
  readonly count: number;
  readonly mean: number;
  /** The slope of the least-squares line through the values. */
  readonly slope: number;
}

const START: ThetaState = { level: 0, count: 0, mean: 0, slope: 0 };

/** The recursion of the dynamic optimised theta model. */
export class ThetaRecursion implements Recursion {
  private level: number;
  private count: number;
  private mean: number;
  private slope: number;
  /** (1 - alpha)^count. */
  private remaining: number;

  constructor(
    private readonly parameters: ThetaParameters,
    private readonly guard: ErrorGuard,
    state: ThetaState = START,
  ) {
    ({ level: this.level, count: this.count, mean: this.mean, slope: this.slope } = state);
    this.remaining = (1 - parameters.alpha) ** this.count;
  }

  step(value: number): number {
    const { alpha } = this.parameters;
    const expected = this.expected();
    const error = value - expected;
    const before = this.count;
    // A missing value counts as the one expected, so that time goes on.
    const taught = Number.isNaN(error) ? 0 : before < START_VALUES ? error : this.guard.taught(error);
    const taken = expected + taught;
    const count = before + 1;
    this.level = before === 0 ? taken : alpha * taken + (1 - alpha) * this.level;
    if (before > 0) {
      this.slope = ((before - 1) * this.slope + (6 * (taken - this.mean)) / count) / (count + 1);
    }
    this.mean += (taken - this.mean) / count;
    this.count = count;
    this.remaining *= 1 - alpha;
    return before === 0 ? 0 : error;
  }

  ahead(horizon: number): Float64Array {
    const first = this.expected();
    const drift = (1 - 1 / this.parameters.theta) * this.slope;
    return Float64Array.from({ length: horizon }, (_, step) => first + drift * step);
  }

  save(): ModelState {
    const { level, count, mean, slope } = this;
    return {
      ...this.parameters,
      level,
      count,
      mean,
      slope,
      remaining: this.remaining,
      guard: this.guard.save(),
    };
  }

  /** @throws TidegateError TG_FORECAST_BAD_STATE. */
  static restore(state: ModelState): ThetaRecursion {
    const recursion = new ThetaRecursion(
      { alpha: numberIn(state, 'alpha'), theta: numberIn(state, 'theta') },
      ErrorGuard.restore(stateIn(state, 'guard')),
      {
        level: numberIn(state, 'level'),
        count: countIn(state, 'count'),
        mean: numberIn(state, 'mean'),
        slope: numberIn(state, 'slope'),
      },
    );
    recursion.remaining = numberIn(state, 'remaining');
    return recursion;
  }

  /** The next value: the level, and the drift that smoothing lags behind by. */
  private expected(): number {
    const { alpha, theta } = this.parameters;
    if (this.count === 0) return 0;
    const intercept = this.mean - (this.slope * (this.count + 1)) / 2;
    const lag = this.remaining * intercept + ((1 - this.remaining * (1 - alpha)) / alpha) * this.slope;
    return this.level + (1 - 1 / theta) * lag;
  }
}

/** The theta method alone. */
export const thetaMethod: Method<ThetaFit> = {
  estimate(values) {
    const read = (at: readonly number[]): ThetaParameters => ({ alpha: at[0] ?? 0.5, theta: at[1] ?? 2 });
    const edge = errorEdge(values);
    const found = minimise(
      (at) => {
        const guard = new ErrorGuard(edge);
        const recursion = new ThetaRecursion(read(at), guard);
        let sum = 0;
        values.forEach((value, index) => {
          const error = recursion.step(value);
          if (index >= START_VALUES) sum += guard.cost(error);
        });
        return sum;
      },
      [
        { start: 0.4, min: 0.01, max: 0.99, step: 0.3 },
        { start: 2, min: 1, max: 20, step: 2 },
      ],
    );
    return { ...read(found.at), edge };
  },
  run(values, _context, { edge, ...parameters }) {
    const recursion = new ThetaRecursion(parameters, new ErrorGuard(edge));
    for (const value of values) recursion.step(value);
    return recursion;
  },
  restore: (state) => ThetaRecursion.restore(state),
};

/** The model kind `theta`. */
export const THETA: ModelKind = framedModel('theta', deseasonalisedMethod(thetaMethod, 1), {
  scale: scaleNamed('log'),
  minPoints: 4,
});

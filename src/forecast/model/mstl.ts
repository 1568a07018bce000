/**
 * Multi-seasonal decomposition: day and week taken out of the logs one by one, robustly (the order of Bandara, Hyndman
 * and Bergmeir, "MSTL", 2021), and what remains forecast by a level with a swing around it that dies away, the damped
 * trend of a remainder that returns. What a level alone calls lasting at one step is mostly gone a day later.
 */
import { minimise } from '../numeric/nelder-mead';
import { scaleNamed } from '../scale';
import { deseasonalisedMethod } from './deseasonalised-method';
import { ErrorGuard, errorEdge } from './error-guard';
import { framedModel } from './framed-model';
import type { ModelKind, ModelState } from './model';
import type { Method, Recursion } from './recursion';
import { numberIn, stateIn } from './state';

/** The slowest that a level follows. */
const LEAST_LEVEL_GAIN = 0.001;
/** How fast it follows a series that moved for good. */
const MOVED_GAIN = 0.1;

/** How a remainder is followed. */
export interface SwingParameters {
  /** How fast the lasting level follows. */
  readonly levelGain: number;
  /** How fast the swing follows. */
  readonly swingGain: number;
  /** What is left of the swing after each step, below 1. */
  readonly damping: number;
  /** The part of an error that the next forecast, and no later level, is corrected by. */
  readonly correction: number;
}

/** What is estimated. */
export interface SwingFit {
  readonly parameters: SwingParameters;
  /** As of {@link errorEdge}. */
  readonly edge: number;
  /** Where the level starts. */
  readonly level: number;
}

/** The recursion: level += k e, swing = phi swing + a e, forecast = level + phi^h swing + rho^h r. */
export class SwingRecursion implements Recursion {
  private swing = 0;
  private residual = 0;

  constructor(
    private readonly parameters: SwingParameters,
    private level: number,
    private readonly guard: ErrorGuard,
  ) {}

  step(value: number): number {
    const { levelGain, swingGain, damping, correction } = this.parameters;
    const corrected = correction * this.residual;
    const error = value - this.level - damping * this.swing - corrected;
    const taught = Number.isNaN(error) ? 0 : this.guard.taught(error);
    // A quiet series may have taught the level to stand still: one that moved for good must be followed all the same.
    const gain = this.guard.believing ? Math.max(MOVED_GAIN, levelGain) : levelGain;
    this.level += gain * taught;
    this.swing = damping * this.swing + swingGain * taught;
    this.residual = corrected + taught * Math.max(0, 1 - gain - swingGain);
    return error;
  }

  ahead(horizon: number): Float64Array {
    const { damping, correction } = this.parameters;
    let { swing, residual } = this;
    return new Float64Array(horizon).map(() => {
      swing *= damping;
      residual *= correction;
      return this.level + swing + residual;
    });
  }

  save(): ModelState {
    const { level, swing, residual } = this;
    return { ...this.parameters, level, swing, residual, guard: this.guard.save() };
  }

  /** @throws TidegateError TG_FORECAST_BAD_STATE. */
  static restore(state: ModelState): SwingRecursion {
    const recursion = new SwingRecursion(
      {
        levelGain: numberIn(state, 'levelGain'),
        swingGain: numberIn(state, 'swingGain'),
        damping: numberIn(state, 'damping'),
        correction: numberIn(state, 'correction'),
      },
      numberIn(state, 'level'),
      ErrorGuard.restore(stateIn(state, 'guard')),
    );
    recursion.swing = numberIn(state, 'swing');
    recursion.residual = numberIn(state, 'residual');
    return recursion;
  }
}

/** The remainder's method alone. */
export const swingMethod: Method<SwingFit> = {
  estimate(values) {
    const edge = errorEdge(values);
    const level = values.reduce((sum, value) => sum + value, 0) / Math.max(1, values.length);
    const read = (at: readonly number[]): SwingParameters => ({
      levelGain: at[0] ?? 0,
      swingGain: (1 - (at[0] ?? 0)) * (at[1] ?? 0),
      damping: at[2] ?? 0,
      correction: at[3] ?? 0,
    });
    const found = minimise(
      (at) => {
        const guard = new ErrorGuard(edge);
        const recursion = new SwingRecursion(read(at), level, guard);
        let sum = 0;
        for (const value of values) sum += guard.cost(recursion.step(value));
        return sum;
      },
      [
        { start: 0.01, min: LEAST_LEVEL_GAIN, max: 0.5, step: 0.01 },
        { start: 0.2, min: 0, max: 1, step: 0.2 },
        { start: 0.97, min: 0.5, max: 0.999, step: -0.05 },
        { start: 0.2, min: 0, max: 0.9, step: 0.2 },
      ],
      { evaluations: 240, tolerance: 1e-5 },
    );
    return { parameters: read(found.at), edge, level };
  },
  run(values, _context, { parameters, edge, level }) {
    const recursion = new SwingRecursion(parameters, level, new ErrorGuard(edge));
    for (const value of values) recursion.step(value);
    return recursion;
  },
  restore: (state) => SwingRecursion.restore(state),
};

/** The model kind `mstl`. */
export const MSTL: ModelKind = framedModel('mstl', deseasonalisedMethod(swingMethod, 1), {
  scale: scaleNamed('log'),
  minPoints: 4,
});

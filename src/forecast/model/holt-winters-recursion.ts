/**
 * Holt and Winters' smoothing of a level, a trend and any number of seasons, with a first-order correction of the errors
 * (Winters 1960; Gardner and McKenzie 1985 for the damping; Taylor, "Short-term electricity demand forecasting using
 * double seasonal exponential smoothing", 2003, for two seasons and the correction), in error-correction form.
 */
import { ErrorGuard } from './error-guard';
import type { ModelState } from './model';
import type { Recursion } from './recursion';
import { badState, countIn, figuresIn, numberIn, stateIn } from './state';

/** The least seasonal factor, and the least level that errors are divided by, of the multiplicative form. */
const LEAST_FACTOR = 0.02;

/** How a Holt-Winters recursion follows. */
export interface HoltWintersParameters {
  /** Whether seasons multiply the level; else they add to it. */
  readonly multiplicative: boolean;
  /** How fast the level follows, 0 to 1. */
  readonly alpha: number;
  /** How fast the trend follows, 0 to alpha. */
  readonly beta: number;
  /** What is left of the trend after each step; 1 for a steady trend, 0 for none. */
  readonly damping: number;
  /** How fast each season follows, in the order of the seasons. */
  readonly gammas: readonly number[];
  /** The part of an error that the next forecast is corrected by. */
  readonly correction: number;
}

/** Where it starts; seasons by phase, the next value's phase being 0. */
export interface HoltWintersStart {
  readonly level: number;
  readonly trend: number;
  readonly seasons: readonly Float64Array[];
}

/** The recursion. */
export class HoltWintersRecursion implements Recursion {
  private level: number;
  private trend: number;
  private readonly seasons: readonly Float64Array[];
  /** The last value less what the states said of it. */
  private residual = 0;
  private position = 0;

  constructor(
    private readonly parameters: HoltWintersParameters,
    start: HoltWintersStart,
    private readonly guard: ErrorGuard,
  ) {
    this.level = start.level;
    this.trend = start.trend;
    this.seasons = start.seasons.map((season) => season.slice());
  }

  step(value: number): number {
    const { multiplicative, alpha, beta, damping, correction } = this.parameters;
    const season = this.seasonAt(this.position);
    const base = this.level + damping * this.trend;
    const expected = multiplicative ? base * season : base + season;
    const corrected = correction * this.residual;
    const error = value - expected - corrected;
    // A missing value counts as the one expected.
    const residual = Number.isNaN(error) ? corrected : this.guard.taught(error) + corrected;
    const moved = multiplicative ? residual / season : residual;
    if (!Number.isNaN(error)) {
      this.level = base + alpha * moved;
      this.trend = damping * this.trend + beta * moved;
      this.learnSeasons(residual, base);
    } else {
      this.level = base;
      this.trend = damping * this.trend;
    }
    this.residual = residual;
    this.position += 1;
    return error;
  }

  ahead(horizon: number): Float64Array {
    const { multiplicative, damping, correction } = this.parameters;
    const out = new Float64Array(horizon);
    let level = this.level;
    let trend = this.trend;
    let residual = this.residual;
    for (let step = 0; step < horizon; step += 1) {
      trend *= damping;
      level += trend;
      residual *= correction;
      const season = this.seasonAt(this.position + step);
      out[step] = (multiplicative ? level * season : level + season) + residual;
    }
    return out;
  }

  save(): ModelState {
    const { gammas, ...parameters } = this.parameters;
    return {
      ...parameters,
      gammas: Float64Array.from(gammas),
      level: this.level,
      trend: this.trend,
      seasons: this.seasons.map((season) => season.slice()),
      residual: this.residual,
      position: this.position,
      guard: this.guard.save(),
    };
  }

  /** @throws TidegateError TG_FORECAST_BAD_STATE. */
  static restore(state: ModelState): HoltWintersRecursion {
    const seasons = state['seasons'];
    if (!Array.isArray(seasons)) throw badState('seasons are not a list');
    const recursion = new HoltWintersRecursion(
      {
        multiplicative: state['multiplicative'] === true,
        alpha: numberIn(state, 'alpha'),
        beta: numberIn(state, 'beta'),
        damping: numberIn(state, 'damping'),
        gammas: Array.from(figuresIn(state, 'gammas', seasons.length)),
        correction: numberIn(state, 'correction'),
      },
      {
        level: numberIn(state, 'level'),
        trend: numberIn(state, 'trend'),
        seasons: seasons.map((phases: unknown) => figuresIn({ phases }, 'phases')),
      },
      ErrorGuard.restore(stateIn(state, 'guard')),
    );
    recursion.residual = numberIn(state, 'residual');
    recursion.position = countIn(state, 'position');
    return recursion;
  }

  /** What all seasons add, or multiply by. */
  private seasonAt(position: number): number {
    let season = this.parameters.multiplicative ? 1 : 0;
    for (const phases of this.seasons) {
      const part = phases[position % phases.length] ?? 0;
      season = this.parameters.multiplicative ? season * part : season + part;
    }
    return this.parameters.multiplicative ? Math.max(LEAST_FACTOR, season) : season;
  }

  private learnSeasons(residual: number, base: number): void {
    const { multiplicative, gammas } = this.parameters;
    const moved = multiplicative ? residual / Math.max(1, Math.abs(base)) : residual;
    for (let which = 0; which < this.seasons.length; which += 1) {
      const phases = this.seasons[which];
      if (phases === undefined) continue;
      const phase = this.position % phases.length;
      const next = (phases[phase] ?? 0) + (gammas[which] ?? 0) * moved;
      phases[phase] = multiplicative ? Math.min(1 / LEAST_FACTOR, Math.max(LEAST_FACTOR, next)) : next;
    }
  }
}

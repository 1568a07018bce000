/**
 * Follows the best mixture of experts on absolute error, with no rate to tune: Bernstein online aggregation on the
 * gradient of the mixture's loss (Wintenberger, "Optimal learning with Bernstein online aggregation", 2017), so that it
 * competes with the best convex combination and not only with the best expert.
 */
import type { ModelState } from '../model/model';
import { figuresIn, numberIn } from '../model/state';
import { setFigures, zeros } from '../numeric/figures';

/** One loss counts at most this many times the usual error. */
const LOSS_MAX = 4;
/** How fast the usual error follows. */
const USUAL_GAIN = 0.01;
/** The first steps, in which the usual error is at least the largest so far. */
const FIRST_STEPS = 20;

/** Weights of experts, which sum to 1. */
export class Hedge {
  readonly weights: number[];
  private readonly regrets: number[];
  private readonly variances: number[];
  private usual = 0;
  private steps = 0;

  constructor(readonly experts: number) {
    this.weights = zeros(experts).fill(1 / experts);
    this.regrets = zeros(experts);
    this.variances = zeros(experts);
  }

  mix(forecasts: ArrayLike<number>): number {
    let sum = 0;
    for (let expert = 0; expert < this.experts; expert += 1)
      sum += this.weights[expert]! * forecasts[expert]!;
    return sum;
  }

  /** Takes what the experts had forecast and what came. */
  learn(forecasts: ArrayLike<number>, actual: number): void {
    const { experts, weights, regrets, variances } = this;
    const mixed = this.mix(forecasts);
    const error = Math.abs(mixed - actual);
    this.steps += 1;
    this.usual += Math.max(USUAL_GAIN, 1 / this.steps) * (error - this.usual);
    if (this.steps < FIRST_STEPS) this.usual = Math.max(this.usual, error);
    if (!(this.usual > 0) || mixed === actual) return;
    const slope = (mixed > actual ? -1 : 1) / this.usual;
    let best = -Infinity;
    for (let expert = 0; expert < experts; expert += 1) {
      const gained = slope * (forecasts[expert]! - mixed);
      const regret = gained > LOSS_MAX ? LOSS_MAX : gained < -LOSS_MAX ? -LOSS_MAX : gained;
      regrets[expert]! += regret;
      variances[expert]! += regret * regret;
      const rate = this.rate(expert);
      weights[expert] = rate * regrets[expert]! - rate * rate * variances[expert]!;
      if (weights[expert]! > best) best = weights[expert]!;
    }
    let sum = 0;
    for (let expert = 0; expert < experts; expert += 1) {
      weights[expert] = Math.exp(weights[expert]! - best);
      sum += weights[expert]!;
    }
    for (let expert = 0; expert < experts; expert += 1) weights[expert]! /= sum;
  }

  save(): ModelState {
    return {
      weights: Float64Array.from(this.weights),
      regrets: Float64Array.from(this.regrets),
      variances: Float64Array.from(this.variances),
      usual: this.usual,
      steps: this.steps,
    };
  }

  /** @throws TidegateError TG_FORECAST_BAD_STATE. */
  load(state: ModelState): void {
    setFigures(this.weights, figuresIn(state, 'weights', this.experts));
    setFigures(this.regrets, figuresIn(state, 'regrets', this.experts));
    setFigures(this.variances, figuresIn(state, 'variances', this.experts));
    this.usual = numberIn(state, 'usual');
    this.steps = numberIn(state, 'steps');
  }

  private rate(expert: number): number {
    return Math.min(0.5, Math.sqrt(Math.log(this.experts) / (this.variances[expert]! + 1)));
  }
}

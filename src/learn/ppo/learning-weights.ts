/** A network's weights and the steps they take, together. */
import { GradientSteps, shorten, type StepsState } from '../network/gradient-steps';

/** What to go on from. */
export interface WeightsState {
  readonly weights: Float64Array;
  readonly steps: StepsState;
}

/** Weights that learn. */
export class LearningWeights {
  readonly gradient: Float64Array;
  private readonly steps: GradientSteps;

  constructor(
    readonly weights: Float64Array,
    private readonly gradientMax: number,
    decay: number,
    state?: StepsState,
  ) {
    this.gradient = new Float64Array(weights.length);
    this.steps = new GradientSteps(weights, decay, state);
  }

  /**
   * Moves the weights against the gradient, shortened; one that is not finite moves nothing.
   * @returns the gradient's length before.
   */
  step(rate: number): number {
    const length = shorten(this.gradient, this.gradientMax);
    if (Number.isFinite(length)) this.steps.step(this.gradient, rate);
    return length;
  }

  /** A copy of what to go on from. */
  get state(): WeightsState {
    return { weights: this.weights.slice(), steps: this.steps.state };
  }
}

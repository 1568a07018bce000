/** Steps down a gradient. */

const MOMENTUM = 0.9;
const SQUARES = 0.999;
/** As PPO's implementations have it (S. Huang et al., 2022, the third detail); larger than elsewhere. */
const LEAST = 1e-5;

/** What steps leave behind, to go on from. */
export interface StepsState {
  readonly steps: number;
  readonly means: Float64Array;
  readonly squares: Float64Array;
}

/**
 * Adam (D. Kingma and J. Ba, 2015), with weight decay apart from the gradient (I. Loshchilov and F. Hutter, "Decoupled weight
 * decay regularization", 2019).
 */
export class GradientSteps {
  private readonly means: Float64Array;
  private readonly squares: Float64Array;
  private steps: number;

  /** @param weights are moved where they are. */
  constructor(
    private readonly weights: Float64Array,
    private readonly decay = 0,
    state?: StepsState,
  ) {
    this.means = Float64Array.from(state?.means ?? new Float64Array(weights.length));
    this.squares = Float64Array.from(state?.squares ?? new Float64Array(weights.length));
    this.steps = state?.steps ?? 0;
  }

  /** Moves the weights against a gradient. */
  step(gradient: Float64Array, rate: number): void {
    const { weights, means, squares } = this;
    this.steps += 1;
    const pace = rate / (1 - MOMENTUM ** this.steps);
    const scale = 1 / (1 - SQUARES ** this.steps);
    const kept = 1 - rate * this.decay;
    for (let at = 0; at < weights.length; at += 1) {
      const slope = gradient[at]!;
      const mean = MOMENTUM * means[at]! + (1 - MOMENTUM) * slope;
      const square = SQUARES * squares[at]! + (1 - SQUARES) * slope * slope;
      means[at] = mean;
      squares[at] = square;
      weights[at] = kept * weights[at]! - (pace * mean) / (Math.sqrt(square * scale) + LEAST);
    }
  }

  /** A copy of what to go on from. */
  get state(): StepsState {
    return { steps: this.steps, means: this.means.slice(), squares: this.squares.slice() };
  }
}

/**
 * Shortens a gradient to a length, where it is.
 * @returns its length before; not finite when a slope is not, and then it is left as it is.
 */
export function shorten(gradient: Float64Array, lengthMax: number): number {
  let squares = 0;
  for (let at = 0; at < gradient.length; at += 1) squares += gradient[at]! * gradient[at]!;
  const length = Math.sqrt(squares);
  if (Number.isFinite(length) && length > lengthMax) {
    const part = lengthMax / length;
    for (let at = 0; at < gradient.length; at += 1) gradient[at] = gradient[at]! * part;
  }
  return length;
}

/** Stochastic gradient steps with momentum and a rate for each weight (Kingma and Ba, "Adam", 2015). */

const MOMENTUM = 0.9;
const SQUARES = 0.999;
const LEAST = 1e-8;

/** Steps of one set of weights. */
export class Adam {
  private readonly means: Float64Array;
  private readonly squares: Float64Array;
  private steps = 0;

  /** @param normMax gradients longer than this are shortened to it. */
  constructor(
    private readonly weights: Float64Array,
    private readonly normMax: number,
  ) {
    this.means = new Float64Array(weights.length);
    this.squares = new Float64Array(weights.length);
  }

  /** Moves the weights against a gradient; one that is not finite is left out. */
  step(gradient: Float64Array, rate: number): void {
    const { weights, means, squares } = this;
    const norm = Math.sqrt(gradient.reduce((sum, slope) => sum + slope * slope, 0));
    if (!Number.isFinite(norm)) return;
    this.steps += 1;
    const shorter = norm > this.normMax ? this.normMax / norm : 1;
    const pace = (rate * Math.sqrt(1 - SQUARES ** this.steps)) / (1 - MOMENTUM ** this.steps);
    for (let at = 0; at < weights.length; at += 1) {
      const slope = gradient[at]! * shorter;
      const mean = MOMENTUM * means[at]! + (1 - MOMENTUM) * slope;
      const square = SQUARES * squares[at]! + (1 - SQUARES) * slope * slope;
      means[at] = mean;
      squares[at] = square;
      weights[at] = weights[at]! - (pace * mean) / (Math.sqrt(square) + LEAST);
    }
  }
}

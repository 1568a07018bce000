/** What an update came to. */

/** Figures of one update, for learning curves. */
export interface UpdateFigures {
  /** Counted from 0. The first only learns how large figures are. */
  readonly update: number;
  /** Of the training, 0 to 1. */
  readonly progress: number;
  readonly steps: number;
  /** Mean reward of a step, and of its terms. */
  readonly reward: number;
  readonly terms: Readonly<Record<string, number>>;
  readonly learningRate: number;
  /** Of actions about their means, averaged over a service's. */
  readonly deviation: number;
  /** Means over minibatches; 0 where none was learned from. */
  readonly policyLoss: number;
  readonly valueLoss: number;
  readonly entropy: number;
  readonly approximateKl: number;
  readonly clipped: number;
  readonly gradientLength: number;
  /** How much of the returns' variance the critic foresaw; 1 is all of it, below 0 worse than their mean. */
  readonly explainedVariance: number;
  /** Passes that were begun. */
  readonly passes: number;
  /** Whether the policy moved so far that the passes ended early. */
  readonly stopped: boolean;
  /** Segments and minibatches that were left out: figures of theirs, or slopes, were not finite. */
  readonly leftOut: number;
}

/** Means of minibatches' figures, in the making. */
export class MinibatchMeans {
  policyLoss = 0;
  valueLoss = 0;
  entropy = 0;
  approximateKl = 0;
  clipped = 0;
  gradientLength = 0;
  leftOut = 0;
  private policies = 0;
  private critics = 0;

  /** Of the policy. */
  addPolicy(
    figures: {
      readonly policyLoss: number;
      readonly entropy: number;
      readonly approximateKl: number;
      readonly clipped: number;
    },
    gradientLength: number,
  ): void {
    this.policies += 1;
    const part = 1 / this.policies;
    this.policyLoss += (figures.policyLoss - this.policyLoss) * part;
    this.entropy += (figures.entropy - this.entropy) * part;
    this.approximateKl += (figures.approximateKl - this.approximateKl) * part;
    this.clipped += (figures.clipped - this.clipped) * part;
    this.gradientLength += (gradientLength - this.gradientLength) * part;
  }

  /** Of the critic. */
  addCritic(loss: number): void {
    this.critics += 1;
    this.valueLoss += (loss - this.valueLoss) / this.critics;
  }
}

/** The part of the targets' variance that the guesses explain; 0 where targets do not vary. */
export function explainedVariance(guesses: Float64Array, targets: Float64Array): number {
  const count = targets.length;
  let mean = 0;
  let missMean = 0;
  for (let at = 0; at < count; at += 1) {
    mean += targets[at]! / count;
    missMean += (targets[at]! - guesses[at]!) / count;
  }
  let spread = 0;
  let missSpread = 0;
  for (let at = 0; at < count; at += 1) {
    spread += (targets[at]! - mean) ** 2;
    missSpread += (targets[at]! - guesses[at]! - missMean) ** 2;
  }
  return spread > 0 ? 1 - missSpread / spread : 0;
}

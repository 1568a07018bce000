/** What chance of each service's own changed of the rewards: its credit, or its blame. */
import type { StepResult } from '../environment';
import { FigureList } from './figure-list';

/**
 * Follows an episode. A service's credit is what its reward's slopes make of how far its action was from the mean: a first-order estimate of
 * the counterfactual advantage (J. Foerster et al., "Counterfactual multi-agent policy gradients", 2018), free of what all others did by
 * chance. Where an environment tells no slopes, credits are 0.
 */
export class CreditLog {
  /** Step by step, each service. */
  readonly credits: FigureList;
  private before = new Float64Array(0);

  /** @param actions figures of an action of each service. */
  constructor(
    private readonly actions: number,
    steps: number,
  ) {
    this.credits = new FigureList(steps);
  }

  /** Takes a step. */
  step(action: Float64Array, means: Float64Array, { slopes, laterSlopes }: StepResult): void {
    const { actions, before, credits } = this;
    const services = action.length / actions;
    const noise = action.map((figure, at) => figure - means[at]!);
    const first = credits.length;
    for (let service = 0; service < services; service += 1) {
      credits.push(slopes === undefined ? 0 : this.sum(service, slopes, noise));
    }
    this.before = noise;
    // Of other services than before nothing can be told.
    if (laterSlopes === undefined || before.length !== action.length) return;
    for (let service = 0; service < services; service += 1) {
      credits.add(first - services + service, this.sum(service, laterSlopes, before));
    }
  }

  private sum(service: number, slopes: Float64Array, noise: Float64Array): number {
    const { actions } = this;
    let credit = 0;
    for (let at = service * actions; at < (service + 1) * actions; at += 1)
      credit += slopes[at]! * noise[at]!;
    return credit;
  }
}

/**
 * What a policy is to make small, and its slopes: the clipped surrogate (J. Schulman et al., "Proximal policy optimization
 * algorithms", 2017), less what spread is worth, plus what actions cost.
 */
import { roomFor, type ServiceBatch } from '../network/service-batch';
import { entropy, logProbability } from './gaussian';

/** Which steps, and what is known of them. */
export interface ActedSteps {
  /** For each sample, the row of its first service in what follows. */
  readonly actedFrom: Int32Array;
  readonly actions: Float64Array;
  /** Of each service, when the action was drawn. */
  readonly logProbabilities: Float64Array;
  /** For each sample. */
  readonly advantages: Float64Array;
  /** What each service has beside it. */
  readonly credits: Float64Array;
}

/** How the loss is made. */
export interface ObjectiveSettings {
  readonly clip: number;
  readonly ratio: 'joint' | 'service';
  readonly entropyWeight: number;
  readonly actionCost: number;
}

/** What came of one batch. */
export interface ObjectiveFigures {
  readonly loss: number;
  /** Of the surrogate alone. */
  readonly policyLoss: number;
  readonly entropy: number;
  /** How far the policy is from the one that acted, nats: the estimate that is never negative (J. Schulman, "Approximating KL divergence", 2020). */
  readonly approximateKl: number;
  /** The part of the ratios that the clip holds. */
  readonly clipped: number;
}

/** The loss of batches, and its slopes by mean actions and by the logarithms of deviations. */
export class PolicyObjective {
  /** Rows x service actions. */
  meanSlopes: Float64Array = new Float64Array(0);
  readonly deviationSlopes: Float64Array;
  private fresh: Float64Array = new Float64Array(0);
  /** Of one ratio: its slope by the logarithm of the new probability. */
  private slope = 0;
  private surrogate = 0;
  private divergence = 0;
  private held = 0;

  constructor(
    private readonly serviceActions: number,
    private readonly settings: ObjectiveSettings,
  ) {
    this.deviationSlopes = new Float64Array(serviceActions);
  }

  /**
   * @param batch whose mean actions are given.
   * @param which for each sample of the batch, the step it is; `from` is the first.
   */
  evaluate(
    batch: ServiceBatch,
    means: Float64Array,
    deviations: Float64Array,
    steps: ActedSteps,
    which: Int32Array,
    from: number,
  ): ObjectiveFigures {
    const { settings, serviceActions } = this;
    const { samples, starts } = batch;
    this.prepare(starts[samples]!);
    const { fresh } = this;
    let ratios = 0;
    for (let sample = 0; sample < samples; sample += 1) {
      const step = which[from + sample]!;
      const start = starts[sample]!;
      const services = starts[sample + 1]! - start;
      const acted = steps.actedFrom[step]!;
      const advantage = steps.advantages[step]!;
      let change = 0;
      let credit = 0;
      for (let service = 0; service < services; service += 1) {
        const probability = this.logOf(means, start + service, steps.actions, acted + service, deviations);
        fresh[start + service] = probability - steps.logProbabilities[acted + service]!;
        change += fresh[start + service]!;
        credit += steps.credits[acted + service]!;
      }
      if (settings.ratio === 'joint') this.weigh(change, advantage + credit);
      for (let service = 0; service < services; service += 1) {
        if (settings.ratio === 'service') {
          this.weigh(fresh[start + service]!, advantage + steps.credits[acted + service]!);
        }
        const slope = this.slope / samples;
        this.addSlopes(means, start + service, steps.actions, acted + service, deviations, slope);
      }
      ratios += settings.ratio === 'joint' ? 1 : services;
    }
    const policyLoss = this.surrogate / samples;
    const spread = entropy(deviations);
    for (let action = 0; action < serviceActions; action += 1) {
      this.deviationSlopes[action] = this.deviationSlopes[action]! - settings.entropyWeight;
    }
    const cost = this.addActionCosts(means, starts[samples]!);
    return {
      loss: policyLoss - settings.entropyWeight * spread + cost,
      policyLoss,
      entropy: spread,
      approximateKl: ratios === 0 ? 0 : this.divergence / ratios,
      clipped: ratios === 0 ? 0 : this.held / ratios,
    };
  }

  private prepare(rows: number): void {
    const { serviceActions } = this;
    this.meanSlopes = roomFor(this.meanSlopes, rows * serviceActions);
    this.meanSlopes.fill(0, 0, rows * serviceActions);
    this.fresh = roomFor(this.fresh, rows);
    this.deviationSlopes.fill(0);
    this.surrogate = 0;
    this.divergence = 0;
    this.held = 0;
  }

  private logOf(
    means: Float64Array,
    row: number,
    actions: Float64Array,
    acted: number,
    deviations: Float64Array,
  ): number {
    return logProbability(actions, acted * this.serviceActions, means, row * this.serviceActions, deviations);
  }

  /** Takes one ratio into the loss. */
  private weigh(change: number, advantage: number): void {
    const { clip } = this.settings;
    const ratio = Math.exp(change);
    const bounded = Math.max(1 - clip, Math.min(1 + clip, ratio));
    const loss = Math.max(-ratio * advantage, -bounded * advantage);
    this.slope = -ratio * advantage >= -bounded * advantage ? -ratio * advantage : 0;
    this.surrogate += loss;
    this.divergence += ratio - 1 - change;
    if (ratio !== bounded) this.held += 1;
  }

  private addSlopes(
    means: Float64Array,
    row: number,
    actions: Float64Array,
    acted: number,
    deviations: Float64Array,
    slope: number,
  ): void {
    const { serviceActions, meanSlopes, deviationSlopes } = this;
    for (let action = 0; action < serviceActions; action += 1) {
      const place = row * serviceActions + action;
      const deviation = deviations[action]!;
      const away = (actions[acted * serviceActions + action]! - means[place]!) / deviation;
      meanSlopes[place] = (slope * away) / deviation;
      deviationSlopes[action] = deviationSlopes[action]! + slope * (away * away - 1);
    }
  }

  private addActionCosts(means: Float64Array, rows: number): number {
    const { meanSlopes, serviceActions } = this;
    const { actionCost } = this.settings;
    if (actionCost === 0 || rows === 0) return 0;
    const part = actionCost / rows;
    let cost = 0;
    for (let at = 0; at < rows * serviceActions; at += 1) {
      cost += 0.5 * part * means[at]! * means[at]!;
      meanSlopes[at] = meanSlopes[at]! + part * means[at]!;
    }
    return cost;
  }
}

/** What the learned allocator is paid for, term by term. */
import type { IntervalSums } from './controlled-pool';

/** What each term weighs: `pools.learning.reward` of the settings. */
export interface RewardWeights {
  /** Served demand, weighted by priority. */
  readonly served: number;
  /** Use of the total of 90 to 95 % where there is demand for it. */
  readonly utilization: number;
  /** Denials, weighted by priority. */
  readonly denied: number;
  /** Times what CRITICAL weighs among priorities, in every term that weighs by them. */
  readonly critical: number;
  /** Growth of queues, weighted by priority. */
  readonly queue: number;
  /** What was served short of guarantees, weighted by priority. */
  readonly guarantee: number;
  /** Changes of rates. */
  readonly churn: number;
}

/** The settings' defaults. */
export const REWARD_WEIGHTS: RewardWeights = {
  served: 1,
  utilization: 0.1,
  denied: 1,
  critical: 3,
  queue: 0.05,
  guarantee: 1,
  churn: 0.02,
};

const USE_LOW = 0.9;
const USE_HIGH = 0.95;

/** The terms by name, weighed. */
export type RewardTerms = Readonly<Record<Exclude<keyof RewardWeights, 'critical'>, number>>;

/**
 * The terms of an interval. Requests are told as parts of what is asked for at load 1 in an interval, weighted alike.
 * @param usual that many weighted requests.
 */
export function rewardTerms(
  sums: IntervalSums,
  weights: RewardWeights,
  usual: number,
  totalPerS: number,
): RewardTerms {
  const use = sums.served / Math.max(sums.budget, 1e-9);
  const wanted = sums.arrived >= sums.budget;
  // Full pay from the middle of the target on, less and less below it.
  const short = wanted ? Math.max(0, USE_HIGH - use) + Math.max(0, USE_LOW - use) : 0;
  return {
    served: (weights.served * sums.weightedServed) / usual,
    utilization: -weights.utilization * short,
    denied: (-weights.denied * sums.weightedDropped) / usual,
    queue: (-weights.queue * sums.weightedQueued) / usual,
    guarantee: (-weights.guarantee * sums.weightedMissed) / usual,
    churn: (-weights.churn * sums.changes) / Math.max(totalPerS, 1e-9),
  };
}

/** What one has over the other, term by term. */
export function termsOver(terms: RewardTerms, other: RewardTerms): RewardTerms {
  const over = (name: keyof RewardTerms): number => terms[name] - other[name];
  return {
    served: over('served'),
    utilization: over('utilization'),
    denied: over('denied'),
    queue: over('queue'),
    guarantee: over('guarantee'),
    churn: over('churn'),
  };
}

/** All terms together. */
export function rewardOf(terms: RewardTerms): number {
  return terms.served + terms.utilization + terms.denied + terms.queue + terms.guarantee + terms.churn;
}

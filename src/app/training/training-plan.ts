/** What a training is of, and how its days are parted. Plain data, structured-cloneable. */
import { TidegateError } from '../../core/errors';
import type { PpoSettings } from '../../learn/ppo/settings';
import { DAY_MINUTES, partMinutes, type Scenario } from '../../simulate/scenario';
import { digestOf } from './sealed-file';

/** A training. The same plan comes to the same model, whatever the number of threads. */
export interface TrainingPlan {
  /** Of train days alone: what is learned from is its train part, what a model is scored on while it learns its test part. */
  readonly scenario: Scenario;
  readonly seed: number;
  readonly settings: PpoSettings;
  /** Updates between two scores on the days that are held out. */
  readonly scoreEvery: number;
}

/** Fewer days than these are nothing to learn from: a day, and as much again to tell whether anything was learned. */
export const DAYS_MIN = 2;
/** Of the train days, so many are held out: a fifth, a quarter of a day at least, a day at most. */
const HELD_OUT_PART = 0.2;
const HELD_OUT_MIN = 0.25;
const HELD_OUT_MAX = 1;

/**
 * A scenario of the train days alone, the last of them held out. Nothing of the test days is in it.
 * @throws TidegateError TG_LEARN_TOO_LITTLE_HISTORY.
 */
export function trainingScenario(scenario: Scenario): Scenario {
  const { trainDays } = scenario;
  if (!(trainDays >= DAYS_MIN)) {
    const days = Number(trainDays.toFixed(2));
    throw new TidegateError(
      'TG_LEARN_TOO_LITTLE_HISTORY',
      `there are ${days} days to learn from; it takes ${DAYS_MIN} at least`,
    );
  }
  const heldOut = Math.min(HELD_OUT_MAX, Math.max(HELD_OUT_MIN, trainDays * HELD_OUT_PART));
  const minutes = partMinutes(scenario, 'train');
  const testDays = Math.round(heldOut * DAY_MINUTES) / DAY_MINUTES;
  const cut = new Map<Float64Array, Float64Array>();
  const known = (trace: Float64Array): Float64Array => {
    const part = cut.get(trace) ?? trace.slice(0, minutes);
    cut.set(trace, part);
    return part;
  };
  return {
    ...scenario,
    trainDays: minutes / DAY_MINUTES - testDays,
    testDays,
    // What is lost on the test days is not known while learning.
    capacityLoss: undefined,
    services: scenario.services.map((service) => ({ ...service, trace: known(service.trace) })),
  };
}

/** What a training is of, in a few characters: a checkpoint goes on only with the same. */
export function planDigest({ scenario, seed }: Pick<TrainingPlan, 'scenario' | 'seed'>): string {
  const services = scenario.services.map(({ trace, ...rest }) => ({ ...rest, trace: Array.from(trace) }));
  return digestOf(JSON.stringify({ ...scenario, services, seed }));
}

/** What may be said of a training. */
export interface PlanWishes {
  /** In place of the scenario's. */
  readonly seed?: number | undefined;
  /** CPU time, ms: the number of updates is what fits into it on an ordinary machine. */
  readonly budgetMs: number;
  /** In place of what fits. */
  readonly updates?: number | undefined;
}

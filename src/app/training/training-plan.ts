/** What a training is of, and how its days are parted. Plain data, structured-cloneable. */
import { TidegateError } from '../../core/errors';
import { MAX_FACTOR } from '../../learn/allocation/advisor';
import { REWARD_WEIGHTS, type RewardWeights } from '../../learn/allocation/reward';
import { ppoSettings, type PpoSettings } from '../../learn/ppo/settings';
import { shapedPart } from '../../simulate/demand';
import { DAY_MINUTES, MINUTE_MS, partMinutes, type Scenario } from '../../simulate/scenario';
import { allocationModel, modelFromText } from './model-file';
import { digestOf } from './sealed-file';

/** A training. The same plan comes to the same model, whatever the number of threads. */
export interface TrainingPlan {
  /** Of train days alone: what is learned from is its train part, what a model is scored on while it learns its test part. */
  readonly scenario: Scenario;
  readonly seed: number;
  readonly settings: PpoSettings;
  /** What is paid for, and how far advice may go: of the settings `pools.learning`. */
  readonly reward: RewardWeights;
  readonly maxFactor: number;
  /** Updates between two scores on the days that are held out. */
  readonly scoreEvery: number;
  /** The text of a model to begin as, and to stay near; none begins with nothing learned. */
  readonly from?: string | undefined;
}

/** Fewer days than these are nothing to learn from: a day, and as much again to tell whether anything was learned. */
export const DAYS_MIN = 2;
const DAY_MS = DAY_MINUTES * MINUTE_MS;
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
  // A service that is asked for nothing before the days held out teaches nothing.
  const learned = minutes - Math.round(testDays * DAY_MINUTES);
  const asked = scenario.services.filter((service) => shapedPart(service, 0, learned) !== undefined);
  if (asked.length === 0) {
    throw new TidegateError('TG_LEARN_TOO_LITTLE_HISTORY', 'nothing is asked for on the days to learn from');
  }
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
    services: asked.map((service) => ({ ...service, trace: known(service.trace) })),
  };
}

/** What a training is of, in a few characters: a checkpoint goes on only with the same. */
export function planDigest(
  plan: Pick<TrainingPlan, 'scenario' | 'seed' | 'reward' | 'maxFactor' | 'from'>,
): string {
  const { scenario, seed, reward, maxFactor, from } = plan;
  const services = scenario.services.map(({ trace, ...rest }) => ({ ...rest, trace: Array.from(trace) }));
  return digestOf(JSON.stringify({ ...scenario, services, seed, reward, maxFactor, from }));
}

/** What may be said of a training. */
export interface PlanWishes {
  /** In place of the scenario's. */
  readonly seed?: number | undefined;
  /** CPU time, ms: the number of updates is what fits into it on an ordinary machine. */
  readonly budgetMs: number;
  /** In place of what fits. */
  readonly updates?: number | undefined;
  /** In place of the settings' defaults. */
  readonly reward?: RewardWeights | undefined;
  readonly maxFactor?: number | undefined;
  /** The text of a model to tune: it takes a quarter of the budget at most. */
  readonly from?: string | undefined;
}

/** A model that is tuned stays this near to what it was, as a part of the length of its parameters. */
export const TUNING_RADIUS = 0.05;
/** Of a training's budget and rates: tuning is to find what is better nearby. */
const TUNING_PART = 0.25;
const TUNING_RATE = 0.3;

/**
 * What differs from PPO's usual settings. The reward is what the agent has over the solver in the same interval, and what an action does shows
 * within a few intervals: the next step's worth is discounted so much that what is more than ten ahead hardly counts, and many short episodes, each of another
 * load and other demand, tell more than few long ones.
 */
const ALLOCATION_SETTINGS: Partial<PpoSettings> = {
  rollouts: 8,
  rolloutSteps: 128,
  epochs: 6,
  learningRate: 3e-3,
  firstDeviation: 0.15,
};
/** Looks at the days held out over a training, at least and at most, and the part of the budget that they are to take. */
const LOOKS_MIN = 2;
const LOOKS_MAX = 12;
const LOOKS_PART = 0.15;
/** Updates at least and at most: fewer teach nothing, more are not worth their time. */
const UPDATES_MIN = 5;
const UPDATES_MAX = 400;
/**
 * CPU time of a tick of a service in a rollout and on the days held out, and of learning from a step of it, ms; a busy machine's, so that
 * budgets suffice.
 */
const TICK_MS = 0.006;
const SCORED_TICK_MS = 0.003;
const LEARN_MS = 0.04;
/** The part of the budget that is planned for. */
const PLANNED_PART = 0.95;
/** The least part that is left to learning, however long looks take. */
const LEARNING_MIN = 0.3;

/**
 * A plan by the scenario's train days. The number of updates follows from the budget and the number of services alone, so that it is the
 * same on any machine that is fast enough; on a slower one the budget ends it earlier.
 * @throws TidegateError TG_LEARN_TOO_LITTLE_HISTORY; of a model to tune TG_LEARN_BAD_MODEL or TG_LEARN_OTHER_MODEL.
 */
export function trainingPlan(scenario: Scenario, wishes: PlanWishes): TrainingPlan {
  const { seed, updates, reward = REWARD_WEIGHTS, maxFactor = MAX_FACTOR, from } = wishes;
  const budgetMs = planBudgetMs(wishes);
  const parted = trainingScenario(scenario);
  const usual = from === undefined ? ppoSettings(ALLOCATION_SETTINGS) : tuningSettings(from);
  const { services, loads, tickMs, intervalMs } = parted;
  const lookMs = loads.length * services.length * ((parted.testDays * DAY_MS) / tickMs) * SCORED_TICK_MS;
  // The fewer looks a candidate is chosen by, the less of its gain is chance.
  const most = from === undefined ? LOOKS_MAX : LOOKS_MIN;
  const looks = Math.min(most, Math.max(LOOKS_MIN, Math.floor((LOOKS_PART * budgetMs) / lookMs)));
  const stepMs = services.length * (Math.max(1, intervalMs / tickMs) * TICK_MS + LEARN_MS);
  // The solver is looked at too, and the policy that has learned nothing.
  const learningMs = Math.max(LEARNING_MIN * budgetMs, PLANNED_PART * budgetMs - (looks + 2) * lookMs);
  const fitting = Math.floor(learningMs / (stepMs * usual.rollouts * usual.rolloutSteps));
  const planned = updates ?? Math.min(UPDATES_MAX, Math.max(UPDATES_MIN, fitting));
  const settings = ppoSettings({ ...usual, updates: planned });
  const scoreEvery = Math.max(1, Math.round(planned / looks));
  return { scenario: parted, seed: seed ?? scenario.seed, settings, reward, maxFactor, scoreEvery, from };
}

/** The CPU time that a plan is made for, ms. */
export function planBudgetMs({ budgetMs, from }: Pick<PlanWishes, 'budgetMs' | 'from'>): number {
  return from === undefined ? budgetMs : TUNING_PART * budgetMs;
}

/** Exploration is the last of a training, and steps are short. */
function tuningSettings(from: string): PpoSettings {
  const { units, scales } = allocationModel(modelFromText(from)).model.actor.snapshot;
  const usual = ppoSettings(ALLOCATION_SETTINGS);
  return ppoSettings({
    ...usual,
    units,
    observationClip: scales.clip,
    firstDeviation: usual.lastDeviation,
    learningRate: TUNING_RATE * usual.learningRate,
  });
}

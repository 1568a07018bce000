/** A training whose environment and days held out are small: matching targets. */
import type { LoadScore } from '../../../src/app/training/learning-curves';
import type { TrainingPlan } from '../../../src/app/training/training-plan';
import type { TrainingJob } from '../../../src/app/training/training-run';
import type { TrainingResult, TrainingTask } from '../../../src/app/training/training-tasks';
import { crewHere } from '../../../src/app/training/thread-crew';
import { REWARD_WEIGHTS } from '../../../src/learn/allocation/reward';
import { collect } from '../../../src/learn/ppo/collect';
import { PpoLearner } from '../../../src/learn/ppo/learner';
import { rolloutSeed } from '../../../src/learn/ppo/seeds';
import { ppoSettings } from '../../../src/learn/ppo/settings';
import type { Scenario } from '../../../src/simulate/scenario';
import type { SimulationFigures } from '../../../src/simulate/tally';
import { TargetMatching } from '../../learn/parts/target-matching';

const SCENARIO: Scenario = {
  ...{ seed: 1, totalPerS: 100, intervalMs: 60_000, tickMs: 1_000, lendDelayMs: 0 },
  loads: [
    { name: '0.9', load: 0.9 },
    { name: '1.1', load: 1.1 },
  ],
  ...{ flash: undefined, capacityLoss: undefined, trainDays: 2, testDays: 1, lending: true },
  arrivals: 'even',
  services: [],
};

export const SMALL_PLAN: TrainingPlan = {
  scenario: SCENARIO,
  seed: 3,
  settings: ppoSettings({
    updates: 12,
    rolloutSteps: 32,
    rollouts: 3,
    units: 8,
    valueUnits: 8,
    learningRate: 3e-3,
  }),
  reward: REWARD_WEIGHTS,
  maxFactor: 2,
  scoreEvery: 4,
};

const FIGURES: SimulationFigures = {
  ...{
    weighted_loss: 0,
    utilization_overloaded: null,
    violations: 0,
    queue_p99_ms: 0,
    fairness: 1,
    churn: 0,
  },
  dropped: { CRITICAL: 0, HIGH: 0, MEDIUM: 0, LOW: 0 },
};

/** How far a policy's actions are from the best over some observations: doing nothing, as the solver, is far. */
function missOf(learner: unknown, seed: number): number {
  const environment = new TargetMatching();
  const actor = learner === undefined ? undefined : PpoLearner.restore(learner).actor();
  let miss = 0;
  let seen = environment.reset(seed);
  for (let step = 0; step < 40; step += 1) {
    const action = actor?.act(seen) ?? new Float64Array(seen.services);
    const result = environment.step(action);
    miss -= result.reward / 40;
    seen = result.truncated ? environment.reset(seed + step) : result.observation;
  }
  return miss;
}

/** Does a task. */
export function smallWork(plan: TrainingPlan): (task: TrainingTask) => TrainingResult {
  return (task) => {
    if (task.kind === 'warm') throw new Error('there are no services to warm');
    if (task.kind === 'rollout') {
      const seed = rolloutSeed(plan.seed, task.update, task.index);
      const rollout = collect(new TargetMatching(), task.snapshot, plan.settings.rolloutSteps, seed);
      return { kind: 'rollout', rollout };
    }
    const score: LoadScore = {
      load: plan.scenario.loads[task.load]?.name ?? '',
      figures: { ...FIGURES, weighted_loss: missOf(task.learner, task.load) },
    };
    return { kind: 'score', score };
  };
}

/** A training that spends a millisecond of CPU time whenever it is looked at. */
export function smallJob(over: Partial<TrainingJob> = {}): TrainingJob {
  const plan = over.plan ?? SMALL_PLAN;
  let clock = 0;
  return {
    ...{ plan, shape: new TargetMatching().shape, budgetMs: 1e9 },
    crew: crewHere(smallWork(plan), new AbortController().signal),
    cpuMs: () => (clock += 1),
    keep: () => undefined,
    onProgress: () => undefined,
    ...over,
  };
}

/** Trainings of small environments. */
import type { Environment } from '../../../src/learn/environment';
import type { PpoLearner } from '../../../src/learn/ppo/learner';
import type { PpoSettings } from '../../../src/learn/ppo/settings';
import type { UpdateFigures } from '../../../src/learn/ppo/update-figures';
import { collectRollouts } from '../../../src/learn/vector-rollouts';

/** Updates a learner until it has done so many. */
export function train(
  learner: PpoLearner,
  environment: Environment,
  until: number,
  onUpdate: (figures: UpdateFigures) => void = () => undefined,
): void {
  const { rollouts, rolloutSteps: steps } = learner.settings;
  while (learner.updates < until) {
    const order = { seed: learner.seed, update: learner.updates, rollouts, steps };
    onUpdate(learner.update(collectRollouts(() => environment, learner.snapshot(), order)));
  }
}

/** Settings for trainings of a second. */
export const QUICK: Partial<PpoSettings> = {
  updates: 25,
  rollouts: 4,
  rolloutSteps: 96,
  epochs: 4,
  minibatches: 4,
  learningRate: 4e-3,
  units: 12,
  valueUnits: 12,
  klTarget: 0.1,
  ratio: 'service',
};

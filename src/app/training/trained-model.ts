/** The model that a training comes to: the best policy by the days held out, with how it came to be. */
import { ALLOCATION_NAMES } from '../../learn/allocation/features';
import { writeModel } from '../../learn/model/model';
import { PpoLearner } from '../../learn/ppo/learner';
import type { LoadScore } from './learning-curves';
import { modelFromJson, modelFromText } from './model-file';
import type { TrainingPlan } from './training-plan';
import type { TrainingOutcome } from './training-run';
import { factsOf } from './training-text';

/** The text of a model file. Nothing in it depends on how long the training took. */
export function modelTextOf(plan: TrainingPlan, { best, curves }: TrainingOutcome): string {
  const { settings, reward, maxFactor, scoreEvery, from } = plan;
  const actor = PpoLearner.restore(best.learner).actor();
  const chosen = curves.heldOut.find(({ updates }) => updates === best.updates)?.loads ?? [];
  const document = writeModel(actor, ALLOCATION_NAMES, {
    seed: plan.seed,
    settings: { ...settings, reward, maxFactor, scoreEvery },
    data: {
      ...factsOf(plan.scenario),
      ...(from === undefined ? {} : { tuned_from: modelFromText(from).version }),
    },
    scores: {
      held_out: best.score,
      updates: best.updates,
      ...losses('solver_loss_at', curves.solver),
      ...losses('loss_at', chosen),
    },
  });
  return modelFromJson(document).text;
}

function losses(name: string, scores: readonly LoadScore[]): Readonly<Record<string, number>> {
  return Object.fromEntries(scores.map(({ load, figures }) => [`${name}_${load}`, figures.weighted_loss]));
}

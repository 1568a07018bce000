/** Whether a model that was tuned may take the place of the one it began as, which decides for a pool. */
import { partAway } from '../../../learn/ppo/anchor';
import { modelFromText } from '../../training/model-file';
import { TUNING_RADIUS } from '../../training/training-plan';
import type { ModelText } from './learning-messages';
import type { TrainedText } from './retraining';

/** The least gain on the days held out that matters, as a part of the solver's loss. */
const LEAST_GAIN = 0.01;
/** What rounding may add to a radius. */
const ROUNDING = 1e-9;

/**
 * @param inUse the model that decides now.
 * @returns undefined where it may.
 * @throws TidegateError TG_LEARN_BAD_MODEL or TG_LEARN_OTHER_MODEL.
 */
export function whyNotTaken(
  { text, score, scoreBefore }: TrainedText,
  from: ModelText,
  inUse: ModelText | undefined,
): string | undefined {
  if (inUse?.version !== from.version) return `${from.version} does not decide any more`;
  if (!(scoreBefore - score >= LEAST_GAIN))
    return `on the days held out it comes to ${score.toFixed(3)} of the solver's loss, where ${scoreBefore.toFixed(3)} is what ${from.version} comes to`;
  const away = partAway(parametersOf(from.text), parametersOf(text));
  return away <= TUNING_RADIUS + ROUNDING
    ? undefined
    : `it is ${(100 * away).toFixed(1)} % away from ${from.version}, not within ${100 * TUNING_RADIUS} %`;
}

/** What to tell of one that may. */
export function takenBecause({ score, scoreBefore }: TrainedText, { version }: ModelText): string {
  return `tuned from ${version}: ${score.toFixed(3)} of the solver's loss on the days held out, where that one comes to ${scoreBefore.toFixed(3)}`;
}

function parametersOf(text: string): Float64Array {
  return modelFromText(text).model.actor.snapshot.parameters;
}

/** The policies that a simulation compares, said so that a thread can be told of them. */
import { TidegateError } from '../../core/errors';
import { ppoPolicy } from '../../learn/allocation/ppo-policy';
import { POLICY_KINDS } from '../../simulate/policy/kinds';
import type { PolicyKind } from '../../simulate/policy/policy';
import { allocationModel, maxFactorOf, modelFromText, readModelFile } from '../training/model-file';

/** Which policies are compared. Plain data, structured-cloneable. */
export interface PolicyChoice {
  /** Names of policies that need nothing but the scenario, in the order of reports. */
  readonly names: readonly string[];
  /** The text of a model, for the policy `ppo` beside them. */
  readonly model?: string | undefined;
}

/** The policy that takes a model. */
export const LEARNED = 'ppo';

/**
 * The policies of these names, in the order of reports; all for undefined. With a model `ppo` is one of them, named or not.
 * @throws TidegateError TG_USAGE; TG_LEARN_BAD_MODEL or TG_LEARN_OTHER_MODEL.
 */
export function policiesNamed(names: readonly string[] | undefined, modelPath?: string): PolicyChoice {
  const known = [...POLICY_KINDS.keys()];
  if (modelPath === undefined && names?.includes(LEARNED) === true) {
    throw new TidegateError('TG_USAGE', `the policy '${LEARNED}' needs a model`, {
      remedy: 'name one with --model, as `tidegate train` writes it',
    });
  }
  const model = modelPath === undefined ? undefined : allocationModel(readModelFile(modelPath)).text;
  const unknown = names?.find((name) => name !== LEARNED && !POLICY_KINDS.has(name));
  if (unknown !== undefined) {
    throw new TidegateError('TG_USAGE', `there is no policy '${unknown}'`, {
      remedy: `name some of ${known.join(', ')}`,
    });
  }
  return { names: known.filter((name) => names?.includes(name) ?? true), model };
}

/** What a choice is of, the learned one last. */
export function policiesOf({ names, model }: PolicyChoice): readonly PolicyKind[] {
  const kinds = names.flatMap((name) => POLICY_KINDS.get(name) ?? []);
  if (model === undefined) return kinds;
  const learned = modelFromText(model).model;
  return [...kinds, ppoPolicy(learned.actor, maxFactorOf(learned))];
}

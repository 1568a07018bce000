/** The policies that a simulation compares, said so that a thread can be told of them. */
import { TidegateError } from '../../core/errors';
import { POLICY_KINDS } from '../../simulate/policy/kinds';
import type { PolicyKind } from '../../simulate/policy/policy';

/** Which policies are compared. Plain data, structured-cloneable. */
export interface PolicyChoice {
  /** Names of policies that need nothing but the scenario, in the order of reports. */
  readonly names: readonly string[];
}

/** The policies of these names, in the order of reports; all for undefined. @throws TidegateError TG_USAGE. */
export function policiesNamed(names: readonly string[] | undefined): PolicyChoice {
  const known = [...POLICY_KINDS.keys()];
  const unknown = names?.find((name) => !POLICY_KINDS.has(name));
  if (unknown !== undefined) {
    throw new TidegateError('TG_USAGE', `there is no policy '${unknown}'`, {
      remedy: `name some of ${known.join(', ')}`,
    });
  }
  return { names: known.filter((name) => names?.includes(name) ?? true) };
}

/** What a choice is of. */
export function policiesOf({ names }: PolicyChoice): readonly PolicyKind[] {
  return names.flatMap((name) => POLICY_KINDS.get(name) ?? []);
}

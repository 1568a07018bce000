/** The policies that there are, in the order of reports; one more is added here. */
import { ORACLE } from './oracle';
import type { PolicyKind } from './policy';
import { PREDICTIVE } from './predictive';
import { REACTIVE } from './reactive';
import { STATIC } from './static';

/** Every kind by its name. */
export const POLICY_KINDS: ReadonlyMap<string, PolicyKind> = new Map(
  [STATIC, REACTIVE, PREDICTIVE, ORACLE].map((kind) => [kind.name, kind]),
);

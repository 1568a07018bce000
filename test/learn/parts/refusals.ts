/** What something refuses with. */
import { TidegateError } from '../../../src/core/errors';

/** The code of the error that is thrown; undefined when none is, or none of ours. */
export function codeOf(attempt: () => unknown): string | undefined {
  try {
    attempt();
  } catch (thrown) {
    return thrown instanceof TidegateError ? thrown.code : undefined;
  }
  return undefined;
}

/** The error that something throws. */
import { TidegateError } from '../../../src/core/errors';

/** Fails when nothing, or something else, is thrown. */
export function caught(act: () => unknown): TidegateError {
  try {
    act();
  } catch (thrown) {
    if (thrown instanceof TidegateError) return thrown;
    throw thrown;
  }
  throw new Error('nothing was thrown');
}

/** Several errors at once: why a command or a start was refused. */
import type { TidegateError } from '../core/errors';

/** Carries every mistake to whoever prints them. */
export class Refusal extends Error {
  constructor(readonly errors: readonly TidegateError[]) {
    super(errors.map((error) => error.toString()).join('\n'));
    this.name = 'Refusal';
  }
}

/** Gives back exactly what one reply took. Sent at most once to the end: what happened to it is not known otherwise. */
import type { BucketParams } from '../../core/buckets';
import type { TidegateError } from '../../core/errors';
import type { Logger } from '../../core/ports';
import type { ScriptPart, ScriptQuestions } from './script-part';
import type { Take } from './script-reply';
import type { StoragePlace } from './storage-place';

/** A part that undoes a call; nobody waits for it. */
export class UndoPart implements ScriptPart {
  readonly callCount = 1;
  readonly bounded = false;
  attempts = 0;
  readonly blamed = false;

  constructor(
    private readonly place: StoragePlace,
    private readonly params: BucketParams,
    private readonly take: Take,
    private readonly logger: Logger | undefined,
  ) {}

  get slot(): number {
    return this.place.slot;
  }

  /** Always: what was taken must go back however long it takes. */
  wanted(): boolean {
    return true;
  }

  sent(): void {
    // No deadline depends on it.
  }

  ask(questions: ScriptQuestions): void {
    questions.undo(this.place, this.params, this.take);
  }

  answered(): void {
    // What the bucket has now is nobody's concern.
  }

  failed(error: TidegateError): void {
    this.logger?.warn(
      { code: error.code, error: error.message },
      'tokens that should have gone back to a bucket are lost until it refills',
    );
  }
}

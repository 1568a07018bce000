/**
 * A request of one call on its way, as most are: the request, its part and its answer are one object, which is all that waiting
 * for Redis makes.
 */
import type { BucketCall, BucketRequest, BucketResult } from '../../core/buckets';
import type { TidegateError } from '../../core/errors';
import { Later } from '../../core/later';
import type { DueEntries, Expiring } from './deadline-timer';
import { expireParts, type OwedPart, type RequestServices } from './request-wait';
import type { ScriptPart, ScriptQuestions } from './script-part';
import { readOutcome, readTake } from './script-reply';
import type { StoragePlace } from './storage-place';

/** See the file's head. */
export class SingleRequest extends Later<readonly BucketResult[]> implements ScriptPart, Expiring, OwedPart {
  readonly callCount = 1;
  readonly bounded = true;
  attempts = 0;
  blamed = false;
  over = false;
  dueIn: DueEntries | undefined = undefined;
  dueAt = 0;
  waitingFor: string | undefined = undefined;

  constructor(
    private readonly request: BucketRequest,
    private readonly call: BucketCall,
    private readonly place: StoragePlace,
    private readonly services: RequestServices,
    private readonly sinceMs: number,
  ) {
    super();
  }

  get slot(): number {
    return this.place.slot;
  }

  wanted(): boolean {
    return !this.over;
  }

  sent(node: string): void {
    this.waitingFor = node;
  }

  ask(questions: ScriptQuestions): void {
    questions.request(1, this.request.chargeDenied, this.request.quotaSatisfied);
    questions.call(this.place, this.call);
  }

  /** A take whose reply comes after the deadline is undone. */
  answered(reply: Buffer, at: number): void {
    this.waitingFor = undefined;
    if (!this.over) {
      this.#finish(readOutcome(reply, at));
      return;
    }
    const take = readTake(reply, at);
    if (take.taken > 0) this.services.undo(this.place, this.call.params, take);
  }

  failed(error: TidegateError): void {
    this.waitingFor = undefined;
    if (!this.over) this.#finish(error);
  }

  expire(): void {
    this.#finish(expireParts([this], this.request.deadlineMs, this.services));
  }

  #finish(result: BucketResult): void {
    this.over = true;
    const results = [result];
    this.services.finished(this, this.sinceMs, results);
    this.resolve(results);
  }
}

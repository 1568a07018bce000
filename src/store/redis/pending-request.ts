/**
 * One request of several calls on its way: gathers what its parts answer, settles those of several slots against each other,
 * answers once, at the deadline at the latest, and has everything undone that was taken but must not be charged: by a request
 * that did not pass, or by a reply that came after the answer had been given.
 */
import { settleResults } from '../../bucket/settlement';
import type { BucketCall, BucketOutcome, BucketRequest, BucketResult } from '../../core/buckets';
import { TidegateError } from '../../core/errors';
import { Later } from '../../core/later';
import type { DueEntries, Expiring } from './deadline-timer';
import { expireParts, type OwedPart, type RequestServices } from './request-wait';
import type { ScriptPart, ScriptQuestions } from './script-part';
import { readOutcome, readTake, REPLY_BYTES, type Take } from './script-reply';
import type { StoragePlace } from './storage-place';

/** A call and where its bucket is. */
export interface PlacedCall {
  readonly call: BucketCall;
  readonly place: StoragePlace;
  /** Its position in the request. */
  readonly at: number;
}

/** Answers one request. */
export class PendingRequest extends Later<readonly BucketResult[]> implements Expiring {
  over = false;
  dueIn: DueEntries | undefined = undefined;
  dueAt = 0;
  readonly parts: readonly RequestPart[];
  readonly #results: (BucketResult | undefined)[];
  /** What each call took, where the request is settled here. */
  readonly #takes: (Take | undefined)[];
  #missing: number;

  /**
   * @param plans the calls of each part, which one script run settles: all, or one each.
   * @param faults why some calls cannot be asked; the script leaves them out of the settlement.
   */
  constructor(
    readonly request: BucketRequest,
    plans: readonly (readonly PlacedCall[])[],
    private readonly faults: readonly (TidegateError | undefined)[],
    private readonly services: RequestServices,
    private readonly sinceMs: number,
  ) {
    super();
    this.#results = [...faults];
    this.#takes = request.calls.map(() => undefined);
    this.#missing = plans.length;
    this.parts = plans.map((calls) => new RequestPart(this, calls));
  }

  /** A part's reply. */
  answered(calls: readonly PlacedCall[], reply: Buffer, from: number): void {
    calls.forEach(({ call, place, at }, index) => {
      const offset = from + index * REPLY_BYTES;
      const take = readTake(reply, offset);
      if (this.over) {
        if (take.taken > 0) this.services.undo(place, call.params, take);
        return;
      }
      this.#takes[at] = take;
      this.#results[at] = this.faults[at] ?? readOutcome(reply, offset);
    });
    this.#partEnded();
  }

  /** A part's failure. */
  failed(calls: readonly PlacedCall[], error: TidegateError): void {
    if (!this.over) for (const { at } of calls) this.#results[at] = this.faults[at] ?? error;
    this.#partEnded();
  }

  /** The deadline: what has no answer yet gets an error. */
  expire(): void {
    const error = expireParts(this.parts, this.request.deadlineMs, this.services);
    for (let at = 0; at < this.#results.length; at += 1) this.#results[at] ??= error;
    this.#finish();
  }

  #partEnded(): void {
    if (this.over) return;
    this.#missing -= 1;
    if (this.#missing === 0) this.#finish();
  }

  #finish(): void {
    this.over = true;
    const results = this.#results as BucketResult[];
    this.services.finished(this, this.sinceMs, results);
    const settledByScript = this.parts[0]?.callCount === results.length;
    this.resolve(settledByScript ? results : this.#settleAcross(results));
  }

  /** Parts of several slots took what they could; takes back what the request as a whole is not charged. */
  #settleAcross(results: readonly BucketResult[]): BucketResult[] {
    const { charged } = settleResults(this.request, results);
    const settled = [...results];
    for (const part of this.parts) {
      for (const { call, place, at } of part.calls) {
        const [result, take] = [results[at], this.#takes[at]];
        if (charged[at] === true || take === undefined || call.hits <= 0) continue;
        if (result === undefined || result instanceof TidegateError || !result.allowed) continue;
        if (take.taken > 0) this.services.undo(place, call.params, take);
        settled[at] = untaken(result, take, call.hits);
      }
    }
    return settled;
  }
}

/** The calls of a request that one script run settles. */
class RequestPart implements ScriptPart, OwedPart {
  readonly bounded = true;
  attempts = 0;
  blamed = false;
  waitingFor: string | undefined = undefined;

  constructor(
    private readonly pending: PendingRequest,
    readonly calls: readonly PlacedCall[],
  ) {}

  get slot(): number {
    return this.calls[0]?.place.slot ?? 0;
  }

  get callCount(): number {
    return this.calls.length;
  }

  wanted(): boolean {
    return !this.pending.over;
  }

  sent(node: string): void {
    this.waitingFor = node;
  }

  ask(questions: ScriptQuestions): void {
    const { chargeDenied, quotaSatisfied } = this.pending.request;
    questions.request(this.calls.length, chargeDenied, quotaSatisfied);
    for (const { place, call } of this.calls) questions.call(place, call);
  }

  answered(reply: Buffer, at: number): void {
    this.waitingFor = undefined;
    this.pending.answered(this.calls, reply, at);
  }

  failed(error: TidegateError): void {
    this.waitingFor = undefined;
    this.pending.failed(this.calls, error);
  }
}

/** The outcome of an allowed call as it would be without its take. */
function untaken(outcome: BucketOutcome, take: Take, hits: number): BucketOutcome {
  return {
    ...outcome,
    usedAfter: outcome.usedBefore,
    remaining: outcome.remaining + hits,
    resetUs: take.resetWithoutUs,
  };
}

/**
 * One request on its way: gathers what its parts answer, settles those of several slots against each other, answers
 * once, at the deadline at the latest, and has everything undone that was taken but must not be charged: by a request
 * that did not pass, or by a reply that came after the answer had been given.
 */
import { settleResults } from '../../bucket/settlement';
import type { BucketOutcome, BucketRequest, BucketResult } from '../../core/buckets';
import { TidegateError } from '../../core/errors';
import type { Expiring } from './deadline-timer';
import type { ScriptCall, ScriptPart, ScriptReply } from './script-run';

/** Takes a call back, exactly once for each `ScriptReply` given. */
export type Undo = (slot: number, call: ScriptCall, reply: ScriptReply) => void;
/** Who judges nodes by how long they take. */
export interface NodeWatch {
  /** A caller may wait for less than this; only a node that took longer is late, ms. */
  readonly patienceMs: number;
  /** Told which node let a part wait for too long. */
  late(node: string, error: TidegateError): void;
  /** Expires an entry in `delayMs`, unless it is done by then. */
  recheck(entry: Expiring, delayMs: number): void;
}

/** The calls of a request that one script run settles. */
export interface PartPlan {
  readonly slot: number;
  readonly calls: readonly ScriptCall[];
  /** Where each call stands in the request. */
  readonly places: readonly number[];
}

/** Answers one request. */
export class PendingRequest implements Expiring {
  done = false;
  readonly parts: readonly RequestPart[];
  readonly #results: (BucketResult | undefined)[];
  /** What each call took, where it took something. */
  readonly #taken: (ScriptReply | undefined)[];
  #missing: number;

  /** @param faults why some calls cannot be asked; the script leaves them out of the settlement. */
  constructor(
    private readonly request: BucketRequest,
    private readonly plans: readonly PartPlan[],
    private readonly faults: readonly (TidegateError | undefined)[],
    private readonly answer: (results: readonly BucketResult[]) => void,
    private readonly undo: Undo,
    private readonly watch: NodeWatch,
  ) {
    this.#results = [...faults];
    this.#taken = request.calls.map(() => undefined);
    this.#missing = plans.length;
    this.parts = plans.map((plan) => new RequestPart(this, plan, request));
  }

  /** A part's end. */
  settled(plan: PartPlan, outcome: readonly ScriptReply[] | TidegateError): void {
    if (this.done) {
      if (!(outcome instanceof TidegateError))
        plan.calls.forEach((_, i) => this.#undoReply(plan, i, outcome[i]));
      return;
    }
    plan.places.forEach((place, i) => {
      const reply = outcome instanceof TidegateError ? undefined : outcome[i];
      this.#taken[place] = reply;
      this.#results[place] =
        this.faults[place] ?? (outcome instanceof TidegateError ? outcome : resultOf(plan.calls[i], reply));
    });
    this.#missing -= 1;
    if (this.#missing === 0) this.#finish();
  }

  /** The deadline: what has no answer yet gets an error. */
  expire(): void {
    const { deadlineMs } = this.request;
    const error = timeout(deadlineMs);
    const moreMs = this.watch.patienceMs - deadlineMs;
    if (moreMs > 0) this.watch.recheck(new Overdue(this.parts, this.watch), moreMs);
    else blame(this.parts, this.watch, error);
    for (let place = 0; place < this.#results.length; place += 1) this.#results[place] ??= error;
    this.#finish();
  }

  #finish(): void {
    this.done = true;
    const results = this.#results as BucketResult[];
    const settledByScript = this.plans[0]?.calls.length === results.length;
    this.answer(settledByScript ? results : this.#settleAcross(results));
  }

  /** Parts of several slots took what they could; takes back what the request as a whole is not charged. */
  #settleAcross(results: readonly BucketResult[]): BucketResult[] {
    const { charged } = settleResults(this.request, results);
    const settled = [...results];
    for (const plan of this.plans) {
      plan.places.forEach((place, i) => {
        const [result, reply] = [results[place], this.#taken[place]];
        if (charged[place] === true || reply?.allowed !== true || result === undefined) return;
        if (result instanceof TidegateError || (plan.calls[i]?.hits ?? 0) <= 0) return;
        this.#undoReply(plan, i, reply);
        settled[place] = untaken(result, reply, plan.calls[i]?.hits ?? 0);
      });
    }
    return settled;
  }

  #undoReply(plan: PartPlan, i: number, reply: ScriptReply | undefined): void {
    const call = plan.calls[i];
    if (call !== undefined && reply !== undefined && reply.taken > 0) this.undo(plan.slot, call, reply);
  }
}

/** Parts whose caller left before their node could be called late. */
class Overdue implements Expiring {
  constructor(
    private readonly parts: readonly RequestPart[],
    private readonly watch: NodeWatch,
  ) {}

  get done(): boolean {
    return this.parts.every((part) => part.waitingFor === undefined);
  }

  expire(): void {
    blame(this.parts, this.watch, timeout(this.watch.patienceMs));
  }
}

/** Tells once of each node that owes a reply to any of the parts. */
function blame(parts: readonly RequestPart[], watch: NodeWatch, error: TidegateError): void {
  const nodes = new Set<string>();
  for (const part of parts) {
    if (part.waitingFor === undefined) continue;
    nodes.add(part.waitingFor);
    part.blamed = true;
  }
  for (const node of nodes) watch.late(node, error);
}

function timeout(afterMs: number): TidegateError {
  const ms = Math.round(afterMs * 1_000) / 1_000;
  return new TidegateError('TG_STORE_TIMEOUT', `Redis did not answer within ${ms} ms`);
}

class RequestPart implements ScriptPart {
  readonly bounded = true;
  attempts = 0;
  blamed = false;
  readonly chargeDenied;
  readonly quotaSatisfied;
  #node: string | undefined;

  constructor(
    private readonly pending: PendingRequest,
    private readonly plan: PartPlan,
    request: BucketRequest,
  ) {
    this.chargeDenied = request.chargeDenied;
    this.quotaSatisfied = request.quotaSatisfied;
  }

  get slot(): number {
    return this.plan.slot;
  }

  get calls(): readonly ScriptCall[] {
    return this.plan.calls;
  }

  /** The node that owes the reply; undefined when it is not sent or has ended. */
  get waitingFor(): string | undefined {
    return this.#node;
  }

  wanted(): boolean {
    return !this.pending.done;
  }

  sent(node: string): void {
    this.#node = node;
  }

  settled(outcome: readonly ScriptReply[] | TidegateError): void {
    this.#node = undefined;
    this.pending.settled(this.plan, outcome);
  }
}

function resultOf(call: ScriptCall | undefined, reply: ScriptReply | undefined): BucketResult {
  if (call === undefined || reply?.allowed === undefined) {
    return new TidegateError('TG_STORE_REPLY', 'a key of Tidegate holds something that is not a bucket', {
      remedy: 'use a key prefix, or a database, that nothing else uses',
    });
  }
  const { allowed, usedBefore, usedAfter, remaining, resetUs, retryAfterUs } = reply;
  return { allowed, usedBefore, usedAfter, remaining, resetUs, retryAfterUs };
}

/** The outcome of an allowed call as it would be without its take. */
function untaken(outcome: BucketOutcome, reply: ScriptReply, hits: number): BucketOutcome {
  return {
    ...outcome,
    usedAfter: outcome.usedBefore,
    remaining: outcome.remaining + hits,
    resetUs: reply.resetWithoutUs,
  };
}

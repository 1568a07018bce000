/**
 * Buckets in Redis: a single server, a Sentinel group or a Redis Cluster. Every decision is an atomic script on Redis
 * TIME. Buckets of one slot (and, outside a cluster, all) are settled by one script; those of several slots are taken
 * from in parallel, and what must not be charged is given back: no net charge, at the price of a denial too many for
 * somebody who asks in between.
 *
 * Every call is answered by its deadline. A take whose reply comes later is undone; one whose reply never comes (the
 * connection broke) may be lost, but is never doubled.
 */
import { Later } from '../../core/later';
import { callFault } from '../../bucket/settlement';
import type { BucketCall, BucketRequest, BucketResult, BucketStore } from '../../core/buckets';
import { TidegateError } from '../../core/errors';
import type { LeaseAsk, LeaseDone, LeaseSource } from '../../core/leases';
import { DeadlineTimer } from './deadline-timer';
import { Dispatcher } from './dispatcher';
import { hashSlot } from './hash-slot';
import { LeasePart } from './lease-part';
import { type RedisSettings, type RedisStoreOptions, resolveRedisOptions } from './options';
import { type NodeWatch, type PartPlan, PendingRequest } from './pending-request';
import { makeRouter } from './make-router';
import type { RedisRouter } from './router';
import type { ScriptCall, ScriptReply } from './script-run';
import { storageKey } from './storage-key';
import { UndoPart } from './undo-part';

/** More buckets than this in one request are refused. */
const MAX_CALLS = 10_000;
/** How long closing waits for replies that are due, ms. */
const CLOSE_GRACE_MS = 500;
const CLOSE_POLL_MS = 5;

/** A {@link BucketStore} over Redis. Construction connects in the background; `ready` tells when it is up. */
export class RedisStore implements BucketStore, LeaseSource {
  readonly #settings: RedisSettings;
  readonly #router: RedisRouter;
  readonly #dispatcher: Dispatcher;
  readonly #watch: NodeWatch;
  readonly #deadlines = new DeadlineTimer();
  #closed = false;

  /** @throws TidegateError TG_SETTINGS_INVALID or TG_SETTINGS_CONFLICT for options that cannot be. */
  constructor(options: RedisStoreOptions) {
    this.#settings = resolveRedisOptions(options);
    this.#router = makeRouter(this.#settings);
    this.#dispatcher = new Dispatcher(this.#router, this.#settings);
    this.#watch = this.#nodeWatch();
  }

  decide(request: BucketRequest): readonly BucketResult[] | Later<readonly BucketResult[]> {
    const refusal = this.#refusal(request);
    if (refusal !== undefined) return request.calls.map(() => refusal);
    const faults = request.calls.map(callFault);
    if (faults.every((fault) => fault !== undefined)) return faults;
    const plans = this.#plan(request.calls, faults);
    const later = new Later<readonly BucketResult[]>();
    const answer = (results: readonly BucketResult[]): void => later.resolve(results);
    const pending = new PendingRequest(request, plans, faults, answer, this.#undo, this.#watch);
    this.#deadlines.add(pending, request.deadlineMs);
    for (const part of pending.parts) this.#dispatcher.enqueue(part);
    return later;
  }

  /**
   * Exchanges a lease, in the same script run as the decisions of this turn of the event loop. There is no deadline, since
   * nobody waits: a reply that comes late is used as long as the lease lives, and a connection that breaks ends the wait.
   */
  lease(ask: LeaseAsk, done: LeaseDone): void {
    if (this.#closed) {
      done(new TidegateError('TG_STORE_UNAVAILABLE', 'the store is closed'));
      return;
    }
    if (ask.params.algorithm === 'sliding_window') {
      done(new TidegateError('TG_STORE_UNAVAILABLE', 'no lease can be taken on this bucket'));
      return;
    }
    const key = storageKey(this.#settings.keyPrefix, ask, this.#settings.slotTags);
    this.#dispatcher.enqueue(new LeasePart(this.#router.slotted ? hashSlot(key) : 0, key, ask, done));
  }

  ready(): boolean {
    return !this.#closed && this.#router.ready();
  }

  /** Waits for replies that are due, for at most half a second, so that late ones are still undone; then disconnects. */
  async close(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    const untilMs = performance.now() + CLOSE_GRACE_MS;
    while (this.#dispatcher.callsUnderWay > 0 && performance.now() < untilMs) {
      await new Promise((resolve) => setTimeout(resolve, CLOSE_POLL_MS));
    }
    this.#router.close();
  }

  #refusal(request: BucketRequest): TidegateError | undefined {
    if (this.#closed) return new TidegateError('TG_STORE_UNAVAILABLE', 'the store is closed');
    if (request.calls.length > MAX_CALLS) {
      return new TidegateError(
        'TG_REQUEST_TOO_LARGE',
        `${request.calls.length} buckets in one request; at most ${MAX_CALLS} are settled together`,
      );
    }
    return undefined;
  }

  /** One part when all calls are settled by one script, else one for each call that has no fault. */
  #plan(calls: readonly BucketCall[], faults: readonly (TidegateError | undefined)[]): PartPlan[] {
    const scriptCalls = calls.map((call) => this.#scriptCall(call));
    const slots = scriptCalls.map((call) => (this.#router.slotted ? hashSlot(call.key) : 0));
    const [first] = slots;
    if (first !== undefined && slots.every((slot) => slot === first)) {
      return [{ slot: first, calls: scriptCalls, places: calls.map((_, place) => place) }];
    }
    return scriptCalls
      .map((call, place) => ({ slot: slots[place] ?? 0, calls: [call], places: [place] }))
      .filter((_, place) => faults[place] === undefined);
  }

  #scriptCall(call: BucketCall): ScriptCall {
    return {
      key: storageKey(this.#settings.keyPrefix, call, this.#settings.slotTags),
      params: call.params,
      hits: call.hits,
      role: call.role,
      assumeOnFailure: call.assumeOnFailure,
    };
  }

  readonly #undo = (slot: number, call: ScriptCall, reply: ScriptReply): void => {
    this.#dispatcher.enqueue(new UndoPart(slot, call, reply, this.#settings.logger));
  };

  #nodeWatch(): NodeWatch {
    return {
      patienceMs: this.#settings.patienceMs,
      late: (node, error) => {
        this.#settings.guard.failed(node, error);
        this.#router.suspect();
      },
      recheck: (entry, delayMs) => this.#deadlines.add(entry, delayMs),
    };
  }
}

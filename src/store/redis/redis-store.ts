/**
 * Buckets in Redis: a single server, a Sentinel group or a Redis Cluster. Every decision is an atomic script on Redis
 * TIME. Buckets of one slot (and, outside a cluster, all) are settled by one script; those of several slots are taken
 * from in parallel, and what must not be charged is given back: no net charge, at the price of a denial too many for
 * somebody who asks in between.
 *
 * Every call is answered by its deadline. A take whose reply comes later is undone; one whose reply never comes (the
 * connection broke) may be lost, but is never doubled.
 */
import { callFault } from '../../bucket/settlement';
import type { BucketRequest, BucketResult, BucketStore } from '../../core/buckets';
import { TidegateError } from '../../core/errors';
import type { Later } from '../../core/later';
import type { LeaseAsk, LeaseDone, LeaseSource } from '../../core/leases';
import { DeadlineTimer } from './deadline-timer';
import { Dispatcher } from './dispatcher';
import { LeasePart } from './lease-part';
import { type RedisSettings, type RedisStoreOptions, resolveRedisOptions } from './options';
import { PendingRequest, type PlacedCall } from './pending-request';
import { makeRouter } from './make-router';
import type { RequestServices } from './request-wait';
import type { RedisRouter } from './router';
import { SingleRequest } from './single-request';
import { StoragePlaces } from './storage-place';
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
  readonly #places: StoragePlaces;
  readonly #services: RequestServices;
  readonly #deadlines = new DeadlineTimer();
  #closed = false;

  /** @throws TidegateError TG_SETTINGS_INVALID or TG_SETTINGS_CONFLICT for options that cannot be. */
  constructor(options: RedisStoreOptions) {
    const settings = resolveRedisOptions(options);
    this.#settings = settings;
    this.#router = makeRouter(settings);
    this.#dispatcher = new Dispatcher(this.#router, settings);
    this.#places = new StoragePlaces({ ...settings, slotted: this.#router.slotted });
    this.#services = this.#makeServices();
  }

  decide(request: BucketRequest): readonly BucketResult[] | Later<readonly BucketResult[]> {
    const refusal = this.#refusal(request);
    if (refusal !== undefined) return request.calls.map(() => refusal);
    const { calls } = request;
    const [only] = calls;
    if (only !== undefined && calls.length === 1 && callFault(only) === undefined) {
      const nowMs = performance.now();
      const single = new SingleRequest(request, only, this.#places.ofCall(only), this.#services, nowMs);
      this.#deadlines.add(single, request.deadlineMs, nowMs);
      this.#dispatcher.enqueue(single);
      return single;
    }
    return this.#decideSeveral(request);
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
    this.#dispatcher.enqueue(new LeasePart(this.#places.of(ask), ask, done));
  }

  commandOf(bucket: Pick<LeaseAsk, 'key' | 'group' | 'params'>): number {
    return this.#places.of(bucket).slot;
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

  #decideSeveral(request: BucketRequest): readonly BucketResult[] | Later<readonly BucketResult[]> {
    const faults = request.calls.map(callFault);
    if (faults.every((fault) => fault !== undefined)) return faults;
    const nowMs = performance.now();
    const pending = new PendingRequest(request, this.#plan(request, faults), faults, this.#services, nowMs);
    this.#deadlines.add(pending, request.deadlineMs, nowMs);
    for (const part of pending.parts) this.#dispatcher.enqueue(part);
    return pending;
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
  #plan({ calls }: BucketRequest, faults: readonly (TidegateError | undefined)[]): PlacedCall[][] {
    const placed = calls.map((call, at): PlacedCall => ({ call, at, place: this.#places.ofCall(call) }));
    const slot = placed[0]?.place.slot;
    if (placed.every(({ place }) => place.slot === slot)) return [placed];
    return placed.filter(({ at }) => faults[at] === undefined).map((call) => [call]);
  }

  #makeServices(): RequestServices {
    const { patienceMs, guard, logger, onDecided } = this.#settings;
    return {
      patienceMs,
      undo: (place, params, take) => this.#dispatcher.enqueue(new UndoPart(place, params, take, logger)),
      late: (node, error) => {
        guard.failed(node, error);
        this.#router.suspect();
      },
      recheck: (entry, delayMs) => this.#deadlines.add(entry, delayMs, performance.now()),
      finished: (entry, sinceMs, results) => {
        this.#deadlines.forget(entry);
        onDecided(performance.now() - sinceMs, errorsOf(results));
      },
    };
  }
}

const NO_ERRORS: readonly TidegateError[] = [];

function errorsOf(results: readonly BucketResult[]): readonly TidegateError[] {
  const isError = (result: BucketResult): result is TidegateError => result instanceof TidegateError;
  return results.some(isError) ? results.filter(isError) : NO_ERRORS;
}

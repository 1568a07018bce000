/**
 * A store that spends leases: tokens of hot buckets are taken from the shared store in chunks before they are spent, so
 * that most decisions are made here, at once and without a promise, while the sum of what all sidecars admit never
 * exceeds what the shared buckets gave out. See "Leases" in docs/architecture.md for the contract.
 *
 * What cannot be answered here is asked of the shared store, whole: it alone settles denials that are charged, refunds,
 * sliding windows, and whatever no lease covers.
 */
import { Later } from '../../core/later';
import type { Lease, LeaseTerms } from '../../bucket/lease';
import { settleResults } from '../../bucket/settlement';
import type { BucketCall, BucketRequest, BucketResult, BucketStore } from '../../core/buckets';
import type { Clock } from '../../core/clock';
import { TidegateError } from '../../core/errors';
import type { LeaseAsk, LeaseObserver, LeaseReply, LeaseSource } from '../../core/leases';
import { FirstTouches } from './first-touches';
import { LeaseBook } from './lease-book';
import {
  denialHere,
  end,
  isDeniedHere,
  isLeasable,
  isQuotaAllowed,
  isSameBucket,
  type Part,
  tellsState,
} from './request-parts';
import { WaitingCalls } from './waiting-calls';

/** What a {@link LeasedStore} stands on. */
export interface LeasedStoreOptions {
  /** Decides what no lease covers; closed with this store. */
  readonly shared: BucketStore;
  /** Where leases come from: the same buckets. */
  readonly source: LeaseSource;
  readonly terms: LeaseTerms;
  readonly clock: Pick<Clock, 'monotonicMs'>;
  /** The holder's identity: a whole number under 2^53 that no other process has. */
  readonly holder: number;
  readonly observer?: LeaseObserver;
  /** Buckets whose demand is watched; 131,072 when absent. Further ones are exact. */
  readonly maxBuckets?: number;
  /** How often idle leases are looked for, ms: a quarter of the idle time when absent; 0 leaves it to `tick`. */
  readonly tickMs?: number;
}

const MAX_BUCKETS = 2 ** 17;
/** Buckets with longer keys are exact, which bounds what the keys take. */
const MAX_KEY_CHARS = 1_024;
/** An idle lease is noticed by its idle time at the latest: looked for this often, and taken for idle that much earlier. */
const TICKS_PER_IDLE = 4;
/** Leases that are looked at on the occasion of another one's ask, so that asks share a command. */
const COMPANIONS = 16;
/** A lease of newer parameters gives way to older ones when nobody asked by the newer ones for so long, ms. */
const NEWER_LIFE_MS = 1_000;
/** How long closing waits for leases to be given back, ms. */
const CLOSE_GRACE_MS = 500;

const SILENT: LeaseObserver = {
  granted: () => undefined,
  returned: () => undefined,
  lost: () => undefined,
  overshoot: () => undefined,
  local: () => undefined,
};

/** The store. */
export class LeasedStore implements BucketStore {
  readonly #shared: BucketStore;
  readonly #source: LeaseSource;
  readonly #clock: Pick<Clock, 'monotonicMs'>;
  readonly #observer: LeaseObserver;
  readonly #book: LeaseBook;
  readonly #touches = new FirstTouches();
  readonly #waiting: WaitingCalls;
  readonly #idleMs: number;
  readonly #tickMs: number;
  #seq = 0;
  #asking = 0;
  #timer: NodeJS.Timeout | undefined;
  #closing = false;
  #onQuiet: (() => void) | undefined;

  constructor(private readonly options: LeasedStoreOptions) {
    const { terms } = options;
    this.#shared = options.shared;
    this.#source = options.source;
    this.#clock = options.clock;
    this.#observer = options.observer ?? SILENT;
    this.#book = new LeaseBook(terms, options.maxBuckets ?? MAX_BUCKETS, MAX_KEY_CHARS);
    this.#tickMs = options.tickMs ?? terms.idleMs / TICKS_PER_IDLE;
    this.#idleMs = terms.idleMs - this.#tickMs;
    this.#waiting = new WaitingCalls(
      (lease, request) => this.#decideWaited(lease, request),
      () => options.clock.monotonicMs(),
      this.#tickMs > 0,
    );
  }

  decide(request: BucketRequest): readonly BucketResult[] | Later<readonly BucketResult[]> {
    const { calls } = request;
    if (this.#closing) return this.#shared.decide(request);
    const only = calls[0];
    if (calls.length === 1 && only !== undefined) return this.#decideAlone(request, only);
    if (!calls.some(isLeasable)) return this.#shared.decide(request);
    return this.#decideTogether(request);
  }

  ready(): boolean {
    return this.#shared.ready();
  }

  /** Tokens held now, and buckets watched. */
  stats(): { readonly outstanding: number; readonly buckets: number } {
    const nowMs = this.#clock.monotonicMs();
    let outstanding = 0;
    for (const lease of this.#book.holding) outstanding += lease.heldAt(nowMs);
    return { outstanding, buckets: this.#book.size };
  }

  /** Gives all leases back, waits for that for at most half a second, and closes the shared store. */
  async close(): Promise<void> {
    if (this.#closing) return;
    this.#closing = true;
    clearInterval(this.#timer);
    for (const lease of [...this.#book.holding]) this.#giveBack(lease);
    if (this.#asking > 0) {
      let timer: NodeJS.Timeout | undefined;
      await new Promise<void>((resolve) => {
        this.#onQuiet = resolve;
        timer = setTimeout(resolve, CLOSE_GRACE_MS);
      });
      clearTimeout(timer);
    }
    await this.#shared.close();
  }

  /** Gives back what idles. A timer calls it while anything is held. */
  tick(): void {
    const nowMs = this.#clock.monotonicMs();
    this.#waiting.release();
    const { holding } = this.#book;
    for (let i = holding.length - 1; i >= 0; i -= 1) {
      const lease = holding[i];
      if (lease === undefined) continue;
      lease.expire(nowMs);
      if (lease.isIdle(nowMs, this.#idleMs)) this.#giveBack(lease);
      else if (lease.isEnding(nowMs) && !this.#askFor(lease, nowMs)) this.#giveBack(lease);
      else this.#note(lease);
    }
    if (holding.length === 0) {
      clearInterval(this.#timer);
      this.#timer = undefined;
    }
  }

  #decideAlone(
    request: BucketRequest,
    call: BucketCall,
  ): readonly BucketResult[] | Later<readonly BucketResult[]> {
    if (call.leased !== true) return this.#shared.decide(request);
    if (!isLeasable(call)) return this.#askShared(request);
    const nowMs = this.#clock.monotonicMs();
    const lease = this.#leaseOf(call, nowMs);
    if (lease === undefined) return this.#shared.decide(request);
    const { hits } = call;
    lease.arrived(hits, nowMs);
    const outcome = lease.take(hits, nowMs) ?? denialHere(request, lease, call, nowMs);
    if (outcome === undefined) {
      if (hits === 0) return this.#askShared(request);
      if (lease.awaits(hits)) return this.#waiting.add(lease, request, nowMs);
      return lease.isCold(nowMs) ? this.#shared.decide(request) : this.#askWhole(request, lease);
    }
    if (outcome.allowed && lease.isDue(nowMs)) this.#ask(lease, nowMs);
    this.#observer.local(1);
    return [outcome];
  }

  /** Asks the shared store for a call that needs more than is here, and for more in the same command. */
  #askWhole(request: BucketRequest, lease: Lease): readonly BucketResult[] | Later<readonly BucketResult[]> {
    this.#makeRoom(lease);
    const results = this.#askShared(request);
    this.#askAlong(lease, this.#clock.monotonicMs());
    return results;
  }

  /** Decides a call that waited for a lease's ask: from what came, or else by the shared store. */
  #decideWaited(
    lease: Lease,
    request: BucketRequest,
  ): readonly BucketResult[] | Later<readonly BucketResult[]> {
    const nowMs = this.#clock.monotonicMs();
    const [call] = request.calls;
    if (call === undefined || this.#closing) return this.#shared.decide(request);
    const outcome = lease.take(call.hits, nowMs) ?? denialHere(request, lease, call, nowMs);
    if (outcome === undefined) return this.#askWhole(request, lease);
    this.#observer.local(1);
    return [outcome];
  }

  /**
   * Answers each part here that can be, sets aside what those take, and asks the shared store for the others. A request
   * that is denied by what is known here alone is asked whole: nothing of it must be charged.
   */
  #decideTogether(request: BucketRequest): readonly BucketResult[] | Later<readonly BucketResult[]> {
    const nowMs = this.#clock.monotonicMs();
    const parts = request.calls.map((call) => this.#part(request, call, nowMs));
    const remote = parts.filter((part) => part.outcome === undefined);
    if (remote.length === 0) return this.#settleParts(request, parts, []);
    if (isDeniedHere(request, parts)) {
      for (const part of parts) {
        end(part, false);
        if (part.lease !== undefined) this.#makeRoom(part.lease);
      }
      return this.#askShared(request);
    }
    for (const { lease, call } of remote) if (lease !== undefined && call.hits > 0) this.#makeRoom(lease);
    const rest: BucketRequest = {
      ...request,
      calls: remote.map((part) => part.call),
      quotaSatisfied: request.quotaSatisfied || parts.some(isQuotaAllowed),
    };
    const results = this.#askShared(rest);
    for (const { lease, call } of remote)
      if (lease !== undefined && call.hits > 0) this.#askAlong(lease, nowMs);
    if (!(results instanceof Later)) return this.#settleParts(request, parts, results);
    return results.map((settled) => this.#settleParts(request, parts, settled));
  }

  #part(request: BucketRequest, call: BucketCall, nowMs: number): Part {
    const lease = isLeasable(call) ? this.#leaseOf(call, nowMs) : undefined;
    if (lease === undefined) return { call, lease, epoch: 0, outcome: undefined };
    lease.arrived(call.hits, nowMs);
    const outcome = lease.reserve(call.hits, nowMs) ?? denialHere(request, lease, call, nowMs);
    return { call, lease, epoch: lease.epoch, outcome };
  }

  /** Charges, or puts back, what was set aside here, by the verdict over all parts. */
  #settleParts(
    request: BucketRequest,
    parts: readonly Part[],
    remote: readonly BucketResult[],
  ): readonly BucketResult[] {
    const nowMs = this.#clock.monotonicMs();
    let next = 0;
    const results = parts.map((part): BucketResult => {
      if (part.outcome !== undefined) return part.outcome;
      next += 1;
      return remote[next - 1] ?? new TidegateError('TG_INTERNAL', 'the shared store left a call unanswered');
    });
    const { charged } = settleResults(request, results);
    parts.forEach((part, i) => end(part, charged[i] === true));
    parts.forEach((part, i) => {
      const { lease, outcome, call } = part;
      if (outcome === undefined || lease === undefined) return;
      this.#observer.local(1);
      if (!outcome.allowed) return;
      if (charged[i] !== true) results[i] = lease.take(0, nowMs) ?? lease.untaken(outcome, call.hits);
      this.#note(lease);
      if (!this.#closing && lease.isDue(nowMs)) this.#ask(lease, nowMs);
    });
    return results;
  }

  /** Asks the shared store, and takes note of what it says of leased buckets. */
  #askShared(request: BucketRequest): readonly BucketResult[] | Later<readonly BucketResult[]> {
    const sentMs = this.#clock.monotonicMs();
    for (const call of request.calls) {
      // What is given back may fill the bucket only as far as nothing of it is held here.
      const lease = call.leased === true && call.hits < 0 ? this.#book.get(call) : undefined;
      if (lease !== undefined) this.#makeRoom(lease);
    }
    const results = this.#shared.decide(request);
    if (!(results instanceof Later)) return this.#learn(request, results, sentMs);
    return results.map((settled) => this.#learn(request, settled, sentMs));
  }

  #learn(request: BucketRequest, results: readonly BucketResult[], sentMs: number): readonly BucketResult[] {
    request.calls.forEach((call, i) => {
      const lease = call.leased === true ? this.#book.get(call) : undefined;
      const result = results[i];
      if (lease === undefined || result === undefined || result instanceof TidegateError) return;
      if (lease.params === call.params && tellsState(request, i)) {
        lease.learn(result, call.hits, sentMs);
      } else {
        lease.undeny();
        if (request.chargeDenied !== 'none') lease.leaves(result.remaining);
      }
    });
    return results;
  }

  /** The lease of a bucket by the parameters of now; what was leased under others goes back first. */
  #leaseOf(call: BucketCall, nowMs: number): Lease | undefined {
    const known = this.#book.get(call);
    if (known === undefined) return this.#firstLeaseOf(call, nowMs);
    if (known.params === call.params) return known;
    if (isSameBucket(known, call)) {
      if (call.params.version >= known.params.version) known.params = call.params;
      return known;
    }
    // A request of an older table must not undo what a newer one began, as long as anybody asks by the newer one.
    const older = known.params.version > call.params.version && nowMs - known.usedMs < NEWER_LIFE_MS;
    if (older || known.asking || known.reserved > 0) {
      known.undeny();
      return undefined;
    }
    this.#giveBack(known);
    return this.#book.open(call, nowMs);
  }

  /** Opens a bucket's lease with its second call of late, as one of two calls. */
  #firstLeaseOf(call: BucketCall, nowMs: number): Lease | undefined {
    if (call.hits === 0 || call.key.length > MAX_KEY_CHARS) return undefined;
    const sinceMs = this.#touches.touched(call.key, nowMs);
    if (sinceMs === undefined) return undefined;
    const lease = this.#book.open(call, sinceMs);
    lease?.arrived(call.hits, sinceMs);
    return lease;
  }

  /** What a call needs is not here, but part of it may be: that goes back, so that the shared bucket is judged whole. */
  #makeRoom(lease: Lease): void {
    lease.expire(this.#clock.monotonicMs());
    if (lease.tokens > 0) this.#giveBack(lease);
    else this.#note(lease);
  }

  #giveBack(lease: Lease): void {
    this.#seq += 1;
    this.#send(lease, lease.giveBack(this.options.holder, this.#seq, this.#clock.monotonicMs()));
    this.#note(lease);
  }

  /** Asks for more of a bucket, and for whatever else is worth asking in the same command. */
  #ask(lease: Lease, nowMs: number): void {
    if (!this.#askFor(lease, nowMs)) return;
    const { command } = lease;
    this.#book.nextHolding(COMPANIONS, (companion) => {
      if (companion.command === command && companion.isWorthAsking(nowMs)) this.#askFor(companion, nowMs);
    });
  }

  /** Asks for a bucket that is being asked for a decision: in the same turn, and so in the same command. */
  #askAlong(lease: Lease, nowMs: number): void {
    if (!this.#closing && lease.mayAsk(nowMs)) this.#ask(lease, nowMs);
  }

  #askFor(lease: Lease, nowMs: number): boolean {
    lease.command ??= this.#source.commandOf?.(lease) ?? 0;
    this.#seq += 1;
    return this.#send(lease, lease.ask(this.options.holder, this.#seq, nowMs));
  }

  #send(lease: Lease, ask: LeaseAsk | undefined): boolean {
    this.#countLost(lease);
    if (ask === undefined) return false;
    this.#asking += 1;
    this.#source.lease(ask, (outcome) => this.#answered(lease, outcome));
    return true;
  }

  #answered(lease: Lease, outcome: LeaseReply | TidegateError): void {
    this.#asking -= 1;
    const nowMs = this.#clock.monotonicMs();
    if (outcome instanceof TidegateError) lease.failed(nowMs);
    else {
      lease.answered(outcome, nowMs);
      this.#observer.granted(outcome.granted);
      this.#observer.returned(outcome.accepted);
      if (outcome.forgotten > 0) this.#observer.lost(outcome.forgotten);
      if (outcome.missing > 0) this.#observer.overshoot(outcome.missing);
    }
    this.#waiting.answered(lease);
    this.#note(lease);
    // Granted to a lease that another took the place of, or to a store that closes.
    if (lease.tokens > 0 && (this.#closing || !this.#book.has(lease))) this.#giveBack(lease);
    if (this.#asking === 0) this.#onQuiet?.();
  }

  #note(lease: Lease): void {
    this.#countLost(lease);
    this.#book.note(lease);
    if (this.#timer !== undefined || this.#tickMs === 0 || this.#closing || lease.place === -1) return;
    this.#timer = setInterval(() => this.tick(), this.#tickMs);
    this.#timer.unref();
  }

  #countLost(lease: Lease): void {
    if (lease.lost === 0) return;
    this.#observer.lost(lease.lost);
    lease.lost = 0;
  }
}

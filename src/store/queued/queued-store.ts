/**
 * A store whose callers may wait: a request that is denied only by buckets whose rule lets calls queue is tried again as
 * their tokens come, after those before it, until its wait is over. See "Reject or queue" in docs/architecture.md.
 *
 * A request without such a rule goes straight on. What is tried is the whole request, by the same store, so that nothing
 * is admitted that the buckets did not give.
 */
import type { BucketCall, BucketRequest, BucketResult, BucketStore } from '../../core/buckets';
import { Later } from '../../core/later';
import type { Clock } from '../../core/clock';
import { TidegateError } from '../../core/errors';
import type { QueueClaim, QueueEnd, QueueObserver } from '../../core/queueing';
import { type Line, Waiter } from '../../limiter/queue/line';
import { WaitingRoom } from '../../limiter/queue/waiting-room';
import { denialOf, denialWithoutTurn, passes, refundOf, type Shortage, shortageOf } from './denials';
import type { FirstTry, Subject, Waiting } from './subject';

/** What a {@link QueuedStore} stands on. */
export interface QueuedStoreOptions {
  /** Decides; closed with this store. */
  readonly inner: BucketStore;
  readonly clock: Pick<Clock, 'monotonicMs'>;
  /** Requests that may wait in all. */
  readonly maxTotal: number;
  readonly observer?: QueueObserver;
}

/** A wait ends so early in the caller's time that the answer still reaches it: Envoy's default is 20 ms. */
const WAIT_PART = 0.75;
/** A store that answers later is not asked more often than this for one bucket, ms. */
const POLL_MS = 1;
/** Nor one that answers at once more often than this, ms. */
const POLL_NOW_MS = 0.1;
/** Requests of one line that are tried at once where the store answers later. */
const MAX_TRIES = 64;
/** With less than this left, no further try is made that may not be answered in time, ms. */
const LEAST_TRY_MS = 1;
/** How long those that wait may go on once the store drains, ms. */
const DRAIN_MS = 100;

/** The store. */
export class QueuedStore implements BucketStore {
  readonly #inner: BucketStore;
  readonly #clock: Pick<Clock, 'monotonicMs'>;
  readonly #room: WaitingRoom<Subject>;
  readonly #observer: QueueObserver;
  #timer: NodeJS.Timeout | undefined;
  #timerMs = Infinity;
  #draining = false;

  constructor(options: QueuedStoreOptions) {
    this.#inner = options.inner;
    this.#clock = options.clock;
    this.#room = new WaitingRoom(options.maxTotal);
    this.#observer = options.observer ?? { ended: () => undefined };
  }

  /** Requests that wait now. */
  get depth(): number {
    return this.#room.size;
  }

  decide(request: BucketRequest): readonly BucketResult[] | Later<readonly BucketResult[]> {
    const { queue } = request;
    if (queue === undefined || this.#draining) return this.#inner.decide(request);
    if (request.calls.some((call) => call.hits < 0)) return this.#giveBack(request);
    const nowMs = this.#clock.monotonicMs();
    const asked: BucketRequest =
      request.chargeDenied === 'none' ? request : { ...request, chargeDenied: 'none' };
    const busy = request.calls.find((call) => call.hits > 0 && this.#lineOf(call) !== undefined);
    if (busy !== undefined) return this.#join(request, asked, queue, busy, nowMs);
    const results = this.#inner.decide(asked);
    if (!(results instanceof Later)) return this.#first(request, asked, queue, results, nowMs);
    const call: FirstTry = { cancelled: false, cancel: undefined };
    const answer = results.map((settled) => this.#first(request, asked, queue, settled, nowMs, call));
    answer.cancel = () => {
      call.cancelled = true;
      call.cancel?.();
    };
    return answer;
  }

  ready(): boolean {
    return this.#inner.ready();
  }

  /** Lets nobody begin to wait any more, and those that do for at most a tenth of a second. */
  drain(): void {
    this.#draining = true;
    this.#room.hurry(this.#clock.monotonicMs() + DRAIN_MS);
    this.#arm();
  }

  /** Answers all that wait, and closes the store beneath. */
  async close(): Promise<void> {
    this.#draining = true;
    this.#room.hurry(-Infinity);
    this.tick();
    clearTimeout(this.#timer);
    await this.#inner.close();
  }

  /** Does what is due by now. A timer calls it while anybody waits. */
  tick(): void {
    const nowMs = this.#clock.monotonicMs();
    for (;;) {
      const line = this.#room.dueLine(nowMs);
      if (line === undefined) break;
      this.#serve(line, nowMs);
    }
    for (;;) {
      const waiter = this.#room.overdue(nowMs);
      if (waiter === undefined) break;
      if (waiter.state === 'tried') this.#room.lastTry(waiter);
      else this.#deny(waiter, 'expired', nowMs);
    }
    this.#arm();
  }

  #lineOf(call: BucketCall): Line<Subject> | undefined {
    return call.queue === undefined ? undefined : this.#room.line(call.key);
  }

  /** Refunds do not wait; who waits for their buckets is tried with what they bring. */
  #giveBack(request: BucketRequest): readonly BucketResult[] | Later<readonly BucketResult[]> {
    const wake = (results: readonly BucketResult[]): readonly BucketResult[] => {
      const nowMs = this.#clock.monotonicMs();
      for (const call of request.calls) {
        const line = this.#lineOf(call);
        if (line !== undefined && line.underWay === 0) this.#room.due(line, nowMs);
      }
      this.#arm();
      return results;
    };
    const results = this.#inner.decide(request);
    return results instanceof Later ? results.map(wake) : wake(results);
  }

  /** The first try of a request that nobody waits before. */
  #first(
    request: BucketRequest,
    asked: BucketRequest,
    queue: QueueClaim,
    results: readonly BucketResult[],
    sinceMs: number,
    call?: FirstTry,
  ): readonly BucketResult[] | Later<readonly BucketResult[]> {
    if (passes(asked, results)) return results;
    const shortage = this.#draining || call?.cancelled === true ? undefined : shortageOf(asked, results);
    if (shortage === undefined) return denialOf(this.#inner, request, asked, results);
    const nowMs = this.#clock.monotonicMs();
    const dueMs = nowMs + shortage.afterMs;
    const untilMs = this.#untilMs(asked, queue, sinceMs);
    if (dueMs > untilMs && !shortage.mayComeEarly) {
      this.#observer.ended('late', 0);
      return denialOf(this.#inner, request, asked, results);
    }
    const waiting = this.#wait(request, asked, queue, shortage.call, sinceMs, untilMs, dueMs, results);
    if (waiting === undefined) return denialOf(this.#inner, request, asked, results);
    if (call !== undefined) call.cancel = waiting.cancel;
    return waiting;
  }

  /** A request for a bucket that others wait for joins them. */
  #join(
    request: BucketRequest,
    asked: BucketRequest,
    queue: QueueClaim,
    busy: BucketCall,
    nowMs: number,
  ): readonly BucketResult[] | Later<readonly BucketResult[]> {
    const line = this.#lineOf(busy);
    const untilMs = this.#untilMs(asked, queue, nowMs);
    const dueMs = line?.dueMs ?? nowMs;
    const isBehind = (line?.head?.rank ?? 0) <= queue.rank;
    if (isBehind && dueMs > untilMs && busy.leased !== true && dueMs !== Infinity) {
      this.#observer.ended('late', 0);
      return denialWithoutTurn(this.#inner, request, busy.key);
    }
    const waiting = this.#wait(request, asked, queue, busy, nowMs, untilMs, dueMs, undefined);
    return waiting ?? denialWithoutTurn(this.#inner, request, busy.key);
  }

  #untilMs(request: BucketRequest, queue: QueueClaim, sinceMs: number): number {
    let waitMs = queue.timeoutMs * WAIT_PART;
    for (const call of request.calls) {
      if (call.queue !== undefined && call.hits > 0) waitMs = Math.min(waitMs, call.queue.maxWaitMs);
    }
    return sinceMs + waitMs;
  }

  /** @returns undefined when there is no room. */
  #wait(
    request: BucketRequest,
    asked: BucketRequest,
    queue: QueueClaim,
    call: BucketCall,
    sinceMs: number,
    untilMs: number,
    dueMs: number,
    denied: readonly BucketResult[] | undefined,
  ): Later<readonly BucketResult[]> | undefined {
    let answer: Subject['answer'] = () => undefined;
    const subject: Subject = {
      request,
      asked,
      answer: (results) => answer(results),
      denied,
      cancelled: false,
      waiter: undefined,
    };
    const { rank, weight, flow } = queue;
    const waiter: Waiting = new Waiter(subject, call.hits, rank, weight, flow, sinceMs, untilMs);
    subject.waiter = waiter;
    if (!this.#enter(waiter, call, dueMs)) {
      this.#observer.ended('full', 0);
      return undefined;
    }
    queue.waits();
    const waiting = new Later<readonly BucketResult[]>();
    answer = (results) => waiting.resolve(results);
    waiting.cancel = () => this.#cancel(subject);
    const { line } = waiter;
    // Whoever goes before all others may need less than the one before it, and so pass at once.
    if (line !== undefined && line.head === waiter && line.underWay === 0)
      this.#room.due(line, Math.min(line.dueMs, denied === undefined ? this.#clock.monotonicMs() : dueMs));
    this.#arm();
    return waiting;
  }

  #enter(waiter: Waiting, call: BucketCall, dueMs: number): boolean {
    const maxDepth = call.queue?.maxDepth ?? 0;
    const { waits, displaced } = this.#room.enter(call.key, waiter, maxDepth, dueMs);
    if (displaced !== undefined) this.#deny(displaced, 'displaced', this.#clock.monotonicMs());
    return waits;
  }

  /** Tries those of a line, one after the other, as long as there is enough for them. */
  #serve(line: Line<Subject>, nowMs: number): void {
    this.#room.due(line, Infinity);
    const budget = Math.max(1, line.hint);
    let asked = 0;
    for (let tries = 0; ; tries += 1) {
      const { head } = line;
      if (head === undefined || (tries > 0 && line.underWay > 0 && asked + head.hits > budget)) return;
      if (line.underWay >= MAX_TRIES) return;
      line.take();
      asked += head.hits;
      const results = this.#inner.decide(this.#inTime(head, nowMs));
      if (results instanceof Later) {
        void results.then((settled) => this.#triedLater(line, head, settled));
      } else if (!this.#tried(line, head, results, nowMs, POLL_NOW_MS)) return;
    }
  }

  #inTime(waiter: Waiting, nowMs: number): BucketRequest {
    const { asked } = waiter.subject;
    const leftMs = Math.max(LEAST_TRY_MS, waiter.untilMs - nowMs);
    return leftMs < asked.deadlineMs ? { ...asked, deadlineMs: leftMs } : asked;
  }

  #triedLater(line: Line<Subject>, waiter: Waiting, results: readonly BucketResult[]): void {
    const nowMs = this.#clock.monotonicMs();
    this.#tried(line, waiter, results, nowMs, POLL_MS);
    if (line.underWay === 0 && line.dueMs === Infinity) this.#room.due(line, nowMs);
    this.tick();
  }

  /** @returns whether the next in line is worth a try. */
  #tried(
    line: Line<Subject>,
    waiter: Waiting,
    results: readonly BucketResult[],
    nowMs: number,
    pollMs: number,
  ): boolean {
    const { subject } = waiter;
    if (passes(subject.asked, results)) {
      const at = subject.asked.calls.findIndex((call) => call.key === line.key);
      const own = results[at];
      line.hint = own === undefined || own instanceof TidegateError ? 0 : own.remaining;
      if (subject.cancelled) void this.#inner.decide(refundOf(subject.asked, results));
      this.#end(waiter, subject.cancelled ? 'cancelled' : 'served', results, nowMs);
      return true;
    }
    // An answer that came too late for what was left of the wait says nothing of the store.
    const isLate = waiter.untilMs - LEAST_TRY_MS <= nowMs;
    if (isLate && results.some((result) => result instanceof TidegateError)) {
      this.#deny(waiter, 'expired', nowMs);
      return true;
    }
    subject.denied = results;
    const shortage = shortageOf(subject.asked, results);
    if (shortage === undefined) {
      this.#failed(waiter, results, nowMs);
      return true;
    }
    const dueMs = nowMs + Math.max(pollMs, shortage.afterMs);
    if (shortage.call.key !== line.key) {
      this.#move(waiter, shortage, dueMs, nowMs);
      return true;
    }
    line.putBack(waiter);
    line.hint = 0;
    this.#room.due(line, Math.min(line.dueMs, dueMs));
    if (subject.cancelled || waiter.untilMs <= nowMs)
      this.#deny(waiter, subject.cancelled ? 'cancelled' : 'expired', nowMs);
    return false;
  }

  /** Another bucket lacks more by now: that is what it waits for from here on. */
  #move(waiter: Waiting, shortage: Shortage, dueMs: number, nowMs: number): void {
    const { subject, rank, weight, flowId, sinceMs, untilMs } = waiter;
    this.#room.leave(waiter);
    const { call } = shortage;
    const moved: Waiting = new Waiter(subject, call.hits, rank, weight, flowId, sinceMs, untilMs);
    const inTime = !subject.cancelled && untilMs > nowMs && (dueMs <= untilMs || shortage.mayComeEarly);
    if (inTime && this.#enter(moved, call, dueMs)) {
      subject.waiter = moved;
      return;
    }
    this.#observer.ended(inTime ? 'full' : 'late', nowMs - sinceMs);
    subject.answer(denialOf(this.#inner, subject.request, subject.asked, subject.denied ?? []));
  }

  /** It can no more pass by waiting; or the store failed, be it only to answer within what was left of the wait. */
  #failed(waiter: Waiting, results: readonly BucketResult[], nowMs: number): void {
    const { request, asked } = waiter.subject;
    const failed = results.some((result) => result instanceof TidegateError);
    const answer = denialOf(this.#inner, request, asked, results);
    this.#end(waiter, failed ? 'failed' : 'late', answer, nowMs);
  }

  #cancel(subject: Subject): void {
    const { waiter } = subject;
    subject.cancelled = true;
    if (waiter?.state !== 'in line') return;
    this.#deny(waiter, 'cancelled', this.#clock.monotonicMs());
    this.#arm();
  }

  /** Ends a wait without tokens. */
  #deny(waiter: Waiting, end: QueueEnd, nowMs: number): void {
    const { request, asked, denied } = waiter.subject;
    const key = waiter.line?.key ?? '';
    this.#end(
      waiter,
      end,
      denied === undefined
        ? denialWithoutTurn(this.#inner, request, key)
        : denialOf(this.#inner, request, asked, denied),
      nowMs,
    );
  }

  #end(
    waiter: Waiting,
    end: QueueEnd,
    results: readonly BucketResult[] | Later<readonly BucketResult[]>,
    nowMs: number,
  ): void {
    const { line } = waiter;
    const wasHead = line?.head === waiter;
    this.#room.leave(waiter);
    if (wasHead && line.underWay === 0 && (line.head?.hits ?? Infinity) < waiter.hits)
      this.#room.due(line, nowMs);
    this.#observer.ended(end, nowMs - waiter.sinceMs);
    waiter.subject.answer(results);
  }

  #arm(): void {
    const nextMs = this.#room.nextMs();
    if (this.#timer !== undefined && this.#timerMs <= nextMs) return;
    clearTimeout(this.#timer);
    this.#timer = undefined;
    if (nextMs === Infinity) return;
    this.#timerMs = nextMs;
    const delayMs = Math.max(0, Math.ceil(nextMs - this.#clock.monotonicMs()));
    this.#timer = setTimeout(() => {
      this.#timer = undefined;
      this.tick();
    }, delayMs);
  }
}

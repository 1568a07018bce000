/**
 * A worker's store: the buckets are in another process of this machine, which settles requests and grants leases as a
 * shared store does. What is asked in one turn of the event loop is one message.
 *
 * Every request is answered by its deadline. One whose answer comes later is undone: what it took goes back.
 */
import { Later } from '../../core/later';
import { settleResults } from '../../bucket/settlement';
import type { BucketParams, BucketRequest, BucketResult, BucketStore } from '../../core/buckets';
import { TidegateError } from '../../core/errors';
import type { LeaseAsk, LeaseDone, LeaseReply, LeaseSource } from '../../core/leases';
import type { BucketOperator, TokenTransfer, TransferResult } from '../../core/pool-link';
import {
  fromLinkError,
  fromLinkOutcome,
  isLinkError,
  type LinkError,
  type LinkOutcome,
  type LinkAnswer,
  type LinkAsk,
  type LinkCall,
  type LinkParams,
  type LinkQuestion,
  type LinkReply,
  type LinkRequest,
} from './messages';

/** What a {@link LinkStore} stands on. */
export interface LinkStoreOptions {
  /** Sends a message to the process that holds the buckets. @returns false when it cannot be reached. */
  readonly post: (message: LinkAsk) => boolean;
  /** Monotonic milliseconds. */
  readonly nowMs: () => number;
  /** Requests that may wait for answers; 20,000 when absent. */
  readonly maxPending?: number;
}

const MAX_PENDING = 20_000;
/** Parameters that the other side is asked to remember. */
const MAX_PARAMS = 4_096;
/** How often deadlines are looked at while anything is under way, ms. */
const SWEEP_MS = 2;
/** How long an answer that is late is waited for, so that what it took can go back, ms. */
const LATE_MS = 10_000;

interface PendingRequest {
  readonly request: BucketRequest;
  readonly untilMs: number;
  readonly answer: (results: readonly BucketResult[]) => void;
  expired: boolean;
}

type TransferDone = (outcome: TransferResult | TidegateError) => void;

/** The store. */
export class LinkStore implements BucketStore, LeaseSource, Pick<BucketOperator, 'transfer'> {
  readonly #requests = new Map<number, PendingRequest>();
  readonly #leases = new Map<number, LeaseDone>();
  readonly #transfers = new Map<number, TransferDone>();
  readonly #maxPending: number;
  #params = new Map<BucketParams, number>();
  #newParams: LinkParams[] = [];
  #anew = true;
  #asks: LinkQuestion[] = [];
  #scheduled = false;
  #lastId = 0;
  #lastParams = 0;
  #sweeper: NodeJS.Timeout | undefined;
  #closed = false;

  constructor(private readonly options: LinkStoreOptions) {
    this.#maxPending = options.maxPending ?? MAX_PENDING;
  }

  decide(request: BucketRequest): readonly BucketResult[] | Later<readonly BucketResult[]> {
    if (this.#closed) return failed(request, 'the store is closed');
    if (this.#requests.size >= this.#maxPending)
      return failed(request, 'too many calls wait for the primary');
    const later = new Later<readonly BucketResult[]>();
    const untilMs = this.options.nowMs() + request.deadlineMs;
    const answer = (results: readonly BucketResult[]): void => later.resolve(results);
    this.#requests.set(this.#nextId(), { request, untilMs, answer, expired: false });
    this.#enqueue(this.#requestOf(this.#lastId, request));
    this.#sweeper ??= setInterval(() => this.#sweep(), SWEEP_MS);
    return later;
  }

  lease(ask: LeaseAsk, done: LeaseDone): void {
    if (this.#closed) {
      done(new TidegateError('TG_STORE_UNAVAILABLE', 'the store is closed'));
      return;
    }
    const { params, ...rest } = ask;
    this.#leases.set(this.#nextId(), done);
    this.#makeRoom(1);
    this.#enqueue([this.#lastId, this.#paramsId(params), rest]);
  }

  /** Moves tokens between two buckets. An order whose answer is lost may have been done; it is never given twice. */
  transfer({ from, to, tokens, keep }: TokenTransfer): Promise<TransferResult | TidegateError> {
    if (this.#closed || this.#transfers.size >= this.#maxPending)
      return Promise.resolve(new TidegateError('TG_STORE_UNAVAILABLE', 'the primary cannot be asked'));
    return new Promise((resolve) => {
      this.#transfers.set(this.#nextId(), resolve);
      this.#makeRoom(2);
      const params = [this.#paramsId(from.params), this.#paramsId(to.params)] as const;
      this.#enqueue([this.#lastId, ...params, from.key, to.key, tokens, keep]);
    });
  }

  ready(): boolean {
    return !this.#closed;
  }

  /** Takes in an answer. */
  receive(reply: LinkReply): void {
    for (const [id, answer] of reply.answers) {
      const done = this.#leases.get(id);
      if (done !== undefined) {
        this.#leases.delete(id);
        done(replyOf(answer));
      } else if (!this.#transferred(id, answer)) this.#answered(id, answer);
    }
    this.#stopSweeping();
  }

  /** Everything that waits gets an error: the other side is gone, or this one closes. */
  async close(): Promise<void> {
    this.#closed = true;
    this.#flush();
    clearInterval(this.#sweeper);
    const error = new TidegateError('TG_STORE_UNAVAILABLE', 'the store is closed');
    for (const done of this.#leases.values()) done(error);
    this.#leases.clear();
    for (const done of this.#transfers.values()) done(error);
    this.#transfers.clear();
    for (const { request, answer } of this.#requests.values()) answer(request.calls.map(() => error));
    this.#requests.clear();
  }

  #transferred(id: number, answer: LinkAnswer[1]): boolean {
    const done = this.#transfers.get(id);
    if (done === undefined) return false;
    this.#transfers.delete(id);
    done(replyOf(answer));
    return true;
  }

  #answered(id: number, answer: LinkAnswer[1]): void {
    const pending = this.#requests.get(id);
    if (pending === undefined) return;
    this.#requests.delete(id);
    const results = resultsOf(pending.request, answer);
    if (!pending.expired) pending.answer(results);
    else this.#undo(pending.request, results);
  }

  /** The caller was told that there is no answer: what was taken all the same goes back. */
  #undo(request: BucketRequest, results: readonly BucketResult[]): void {
    const { charged } = settleResults(request, results);
    const taken = request.calls.filter((call, i) => charged[i] === true && call.hits > 0);
    if (taken.length === 0 || this.#closed) return;
    const calls = taken.map((call) => ({ ...call, hits: -call.hits }));
    this.#enqueue(this.#requestOf(0, { ...request, calls }));
  }

  #requestOf(id: number, request: BucketRequest): LinkRequest {
    this.#makeRoom(request.calls.length);
    const calls = request.calls.map(({ key, params, hits, role, assumeOnFailure }): LinkCall => [
      key,
      this.#paramsId(params),
      hits,
      role,
      assumeOnFailure,
    ]);
    return [id, request.chargeDenied, request.quotaSatisfied, calls];
  }

  #paramsId(params: BucketParams): number {
    const known = this.#params.get(params);
    if (known !== undefined) return known;
    this.#lastParams += 1;
    this.#params.set(params, this.#lastParams);
    this.#newParams.push([this.#lastParams, params]);
    return this.#lastParams;
  }

  /** Begins numbering parameters anew before a message would name too many; what waits to be sent names the old numbers. */
  #makeRoom(calls: number): void {
    if (this.#params.size + calls <= MAX_PARAMS) return;
    this.#flush();
    this.#params = new Map();
    this.#newParams = [];
    this.#anew = true;
  }

  #nextId(): number {
    this.#lastId += 1;
    return this.#lastId;
  }

  #enqueue(ask: LinkQuestion): void {
    this.#asks.push(ask);
    if (this.#scheduled) return;
    this.#scheduled = true;
    setImmediate(() => this.#flush());
  }

  #flush(): void {
    this.#scheduled = false;
    const asks = this.#asks;
    if (asks.length === 0) return;
    this.#asks = [];
    const params = this.#newParams;
    this.#newParams = [];
    const sent = this.options.post({ kind: 'ask', anew: this.#anew, params, asks });
    this.#anew = false;
    if (sent) return;
    const error = { code: 'TG_STORE_UNAVAILABLE', message: 'the primary cannot be reached' };
    this.receive({ kind: 'answer', answers: asks.map((ask) => [ask[0], error]) });
  }

  #sweep(): void {
    const nowMs = this.options.nowMs();
    for (const [id, pending] of this.#requests) {
      if (pending.expired) {
        if (nowMs >= pending.untilMs + LATE_MS) this.#requests.delete(id);
      } else if (nowMs >= pending.untilMs) {
        pending.expired = true;
        const error = new TidegateError(
          'TG_STORE_TIMEOUT',
          `no answer from the primary within ${pending.request.deadlineMs} ms`,
        );
        pending.answer(pending.request.calls.map(() => error));
      }
    }
    this.#stopSweeping();
  }

  #stopSweeping(): void {
    if (this.#requests.size > 0) return;
    clearInterval(this.#sweeper);
    this.#sweeper = undefined;
  }
}

function failed(request: BucketRequest, why: string): readonly BucketResult[] {
  const error = new TidegateError('TG_STORE_UNAVAILABLE', why);
  return request.calls.map(() => error);
}

function resultsOf(request: BucketRequest, answer: LinkAnswer[1]): readonly BucketResult[] {
  if (!Array.isArray(answer)) {
    const error = isLinkError(answer)
      ? fromLinkError(answer)
      : new TidegateError('TG_STORE_REPLY', 'the primary answered something unexpected');
    return request.calls.map(() => error);
  }
  return (answer as readonly (LinkOutcome | LinkError)[]).map((result) =>
    isLinkError(result) ? fromLinkError(result) : fromLinkOutcome(result),
  );
}

/** An answer to a lease's ask or to a transfer, whichever was asked for. */
function replyOf<T extends LeaseReply | TransferResult>(answer: LinkAnswer[1]): T | TidegateError {
  if (Array.isArray(answer))
    return new TidegateError('TG_STORE_REPLY', 'the primary answered something unexpected');
  return isLinkError(answer) ? fromLinkError(answer) : (answer as T);
}

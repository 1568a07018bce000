/**
 * A worker's store: the buckets are in another process of this machine, which settles requests and grants leases as a
 * shared store does. What is asked in one turn of the event loop is one frame.
 *
 * Every request is answered by its deadline. One whose answer comes later is undone: what it took goes back.
 */
import { settleResults } from '../../bucket/settlement';
import type { BucketCall, BucketRequest, BucketResult, BucketStore } from '../../core/buckets';
import { TidegateError } from '../../core/errors';
import type { Later } from '../../core/later';
import type { LeaseAsk, LeaseDone, LeaseSource } from '../../core/leases';
import type { BucketOperator, TokenTransfer, TransferResult } from '../../core/pool-link';
import { readGrant, readMoved, readResults } from './answers';
import { type Asked, AskedDecision, AskedLease, AskedMove, AskedQueue } from './asked';
import { AskWriter } from './ask-writer';
import { ANSWER, errorOf, MAX_CALLS, MAX_KEYS, MAX_REQUEST_CHARS } from './format';
import { FrameReader, malformed } from './frame-reader';
import type { LinkOutput } from './frame-writer';

/** What a {@link LinkStore} stands on. */
export interface LinkStoreOptions {
  /** The way to the process that holds the buckets. */
  readonly output: LinkOutput;
  /** Monotonic milliseconds. */
  readonly nowMs: () => number;
  /** Requests that may wait for answers; 20,000 when absent. */
  readonly maxPending?: number;
  /** Keys that the other side is to remember; as many as it can when absent. */
  readonly maxKeys?: number;
}

const MAX_PENDING = 20_000;
/** Leases that may be asked for at a time, beside the requests that wait. */
const MAX_LEASES = 2 ** 17;
/** Nothing is asked while the other side has so much to read, bytes. */
const MAX_UNSENT_BYTES = 2 ** 24;

/** The store. */
export class LinkStore implements BucketStore, LeaseSource, Pick<BucketOperator, 'transfer'> {
  readonly #asked = new AskedQueue();
  readonly #asks: AskWriter;
  readonly #reader = new FrameReader(() => this.#read());
  readonly #maxPending: number;
  #scheduled = false;
  /** When the turn's first request came, ms. */
  #turnMs = 0;
  #timer: NodeJS.Timeout | undefined;
  #timerMs = Infinity;
  #closed = false;

  constructor(private readonly options: LinkStoreOptions) {
    this.#asks = new AskWriter(options.maxKeys ?? MAX_KEYS);
    this.#maxPending = options.maxPending ?? MAX_PENDING;
  }

  decide(request: BucketRequest): readonly BucketResult[] | Later<readonly BucketResult[]> {
    const fault = this.#fault(this.#maxPending) ?? sizeFault(request.calls);
    if (fault !== undefined) return request.calls.map(() => fault);
    this.#begin();
    const asked = new AskedDecision(request, this.#turnMs + request.deadlineMs);
    this.#asked.push(asked);
    if (asked.untilMs < this.#timerMs) this.#wake(asked.untilMs);
    this.#asks.request(request, request.calls, false);
    this.#written();
    return asked;
  }

  lease(ask: LeaseAsk, done: LeaseDone): void {
    const fault = this.#fault(this.#maxPending + MAX_LEASES);
    if (fault !== undefined) {
      done(fault);
      return;
    }
    this.#begin();
    this.#asked.push(new AskedLease(done));
    this.#asks.lease(ask);
    this.#written();
  }

  /** Moves tokens between two buckets. An order whose answer is lost may have been done; it is never given twice. */
  transfer(transfer: TokenTransfer): Promise<TransferResult | TidegateError> {
    const fault = this.#fault(this.#maxPending);
    if (fault !== undefined) return Promise.resolve(fault);
    return new Promise((resolve) => {
      this.#begin();
      this.#asked.push(new AskedMove(resolve));
      this.#asks.move(transfer);
      this.#written();
    });
  }

  ready(): boolean {
    return !this.#closed;
  }

  /** Takes in what came. @throws TidegateError for what is no answer; the link is of no use then. */
  receive(chunk: Uint8Array): void {
    if (!this.#closed) this.#reader.receive(chunk);
  }

  /** Everything that waits gets an error: this side closes. */
  async close(): Promise<void> {
    if (this.#closed) return;
    this.#flush();
    this.#end('the store is closed');
  }

  /** Everything that waits gets an error, and so does whatever is asked from now on: the other side is gone. */
  lost(): void {
    if (!this.#closed) this.#end('the primary cannot be reached');
  }

  #fault(mostWaiting: number): TidegateError | undefined {
    const why = this.#closed
      ? 'the primary is not there, or the store is closed'
      : this.#asked.length >= mostWaiting || this.options.output.unsentBytes > MAX_UNSENT_BYTES
        ? 'too many calls wait for the primary'
        : undefined;
    return why === undefined ? undefined : new TidegateError('TG_STORE_UNAVAILABLE', why);
  }

  #begin(): void {
    if (this.#scheduled) return;
    this.#scheduled = true;
    this.#turnMs = this.options.nowMs();
    setImmediate(() => this.#flush());
  }

  #written(): void {
    if (this.#asks.writer.isFull) this.#send();
  }

  #flush(): void {
    this.#scheduled = false;
    if (!this.#asks.writer.isEmpty) this.#send();
  }

  #send(): void {
    if (!this.#asks.writer.flush(this.options.output)) this.lost();
  }

  #end(why: string): void {
    this.#closed = true;
    clearTimeout(this.#timer);
    const error = new TidegateError('TG_STORE_UNAVAILABLE', why);
    for (const asked of this.#asked.clear()) asked.fail(error);
  }

  /** Reads a frame of answers. */
  #read(): void {
    const reader = this.#reader;
    while (reader.hasMore) {
      const kind = reader.next();
      const asked = this.#asked.shift();
      // Whoever was told an answer may have closed the store: what is left has been told so.
      if (kind === ANSWER.FAILED) this.#answeredWithError(asked, errorOf(reader.text(reader.next())));
      else if (kind === ANSWER.RESULTS) this.#answered(asked);
      else if (kind === ANSWER.GRANT) this.#granted(asked);
      else if (kind === ANSWER.MOVED) this.#moved(asked);
      else throw malformed('an unknown answer');
    }
  }

  #answered(asked: Asked | undefined): void {
    const results = readResults(this.#reader);
    if (asked === undefined && this.#closed) return;
    if (!(asked instanceof AskedDecision) || asked.request.calls.length !== results.length)
      throw malformed('an answer to something else');
    if (asked.expired) this.#undo(asked.request, results);
    else asked.resolve(results);
  }

  #granted(asked: Asked | undefined): void {
    const reply = readGrant(this.#reader);
    if (asked === undefined && this.#closed) return;
    if (!(asked instanceof AskedLease)) throw malformed('a grant that nobody asked for');
    asked.done(reply);
  }

  #moved(asked: Asked | undefined): void {
    const result = readMoved(this.#reader);
    if (asked === undefined && this.#closed) return;
    if (!(asked instanceof AskedMove)) throw malformed('a transfer that nobody asked for');
    asked.done(result);
  }

  #answeredWithError(asked: Asked | undefined, error: TidegateError): void {
    if (asked === undefined && !this.#closed) throw malformed('an error that nobody asked for');
    asked?.fail(error);
  }

  /** The caller was told that there is no answer: what was taken all the same goes back. */
  #undo(request: BucketRequest, results: readonly BucketResult[]): void {
    const { charged } = settleResults(request, results);
    const taken = request.calls.filter((call, i) => charged[i] === true && call.hits > 0);
    if (taken.length === 0 || this.#closed) return;
    this.#begin();
    this.#asks.request(
      request,
      taken.map((call) => ({ ...call, hits: -call.hits })),
      true,
    );
    this.#written();
  }

  #wake(atMs: number): void {
    clearTimeout(this.#timer);
    this.#timerMs = atMs;
    const delayMs = Math.max(1, Math.ceil(atMs - this.options.nowMs()));
    this.#timer = setTimeout(() => this.#expire(), delayMs);
  }

  #expire(): void {
    this.#timerMs = Infinity;
    const nextMs = this.#asked.expire(this.options.nowMs(), ({ deadlineMs }) => {
      return new TidegateError('TG_STORE_TIMEOUT', `no answer from the primary within ${deadlineMs} ms`);
    });
    if (nextMs < this.#timerMs && !this.#closed) this.#wake(nextMs);
  }
}

function sizeFault(calls: readonly BucketCall[]): TidegateError | undefined {
  let chars = 0;
  for (const call of calls) chars += call.key.length;
  if (calls.length <= MAX_CALLS && chars <= MAX_REQUEST_CHARS) return undefined;
  const why = `a request of ${calls.length} buckets, whose keys have ${chars} characters together`;
  return new TidegateError('TG_REQUEST_TOO_LARGE', why);
}

/** A worker's asks as records; see the format. Keys and parameters that the other side remembers are their numbers. */
import { ALGORITHMS, type BucketCall, type BucketParams, type BucketRequest } from '../../core/buckets';
import type { LeaseAsk } from '../../core/leases';
import type { TokenTransfer } from '../../core/pool-link';
import { ASK, CALL_FLAG, MAX_CALLS, MAX_KEPT_KEY_CHARS, requestFlags, ROLES } from './format';
import { FrameWriter } from './frame-writer';
import { KeyNumbers } from './key-numbers';

/** See the file's head. */
export class AskWriter {
  readonly writer = new FrameWriter();
  readonly #keys: KeyNumbers;
  readonly #params = new Map<BucketParams, number>();
  #lastParams: BucketParams | undefined;
  #lastNumber = 0;

  /** @param maxKeys how many keys the other side is to remember; MAX_KEYS at most. */
  constructor(maxKeys: number) {
    this.#keys = new KeyNumbers(maxKeys);
  }

  /** A request about `calls`, MAX_CALLS at most. @param silent nobody waits for an answer. */
  request(request: BucketRequest, calls: readonly BucketCall[], silent: boolean): void {
    const { writer } = this;
    this.#makeRoom(calls.length);
    for (const call of calls) this.#paramsNumber(call.params);
    const at = writer.reserve(3);
    const { words } = writer;
    words[at] = ASK.DECIDE;
    words[at + 1] = requestFlags(request, silent);
    words[at + 2] = calls.length;
    for (const call of calls) this.#call(call);
  }

  lease(ask: LeaseAsk): void {
    const { writer } = this;
    this.#makeRoom(1);
    const params = this.#paramsNumber(ask.params);
    const at = writer.reserve(12);
    const { words } = writer;
    words[at] = ASK.LEASE;
    words[at + 1] = params;
    words[at + 2] = ask.holder;
    words[at + 3] = ask.seq;
    words[at + 4] = ask.window;
    words[at + 5] = ask.held;
    words[at + 6] = ask.back;
    words[at + 7] = ask.confirmed;
    words[at + 8] = ask.recorded;
    words[at + 9] = ask.want;
    words[at + 10] = ask.keepUs;
    words[at + 11] = ask.epsilon;
    this.#key(ask.key);
  }

  move({ from, to, tokens, keep }: TokenTransfer): void {
    const { writer } = this;
    this.#makeRoom(2);
    const lender = this.#paramsNumber(from.params);
    const borrower = this.#paramsNumber(to.params);
    const at = writer.reserve(5);
    writer.words.set([ASK.MOVE, lender, borrower, tokens, keep], at);
    this.#key(from.key);
    this.#key(to.key);
  }

  #call(call: BucketCall): void {
    const { writer } = this;
    const params = this.#paramsNumber(call.params);
    const at = writer.reserve(3);
    const { words } = writer;
    words[at] = call.hits;
    words[at + 1] = params;
    words[at + 2] = ROLES.indexOf(call.role) | (call.assumeOnFailure ? CALL_FLAG.ASSUME_ON_FAILURE : 0);
    const number = this.#key(call.key, call.slot);
    if (call.slot !== undefined && number !== call.slot) call.slot = number;
  }

  /** Names a key. @returns its number, -1 when it has none. */
  #key(key: string, guess?: number): number {
    const { writer } = this;
    const known = this.#keys.of(key, guess);
    const at = writer.reserve(1);
    if (known !== -1) {
      writer.words[at] = known;
      return known;
    }
    const place = writer.reserve(1);
    const told = writer.text(key);
    const number = key.length <= MAX_KEPT_KEY_CHARS ? this.#keys.add(key) : -1;
    writer.words[at] = told;
    writer.words[place] = number;
    return number;
  }

  #paramsNumber(params: BucketParams): number {
    if (params === this.#lastParams) return this.#lastNumber;
    const number = this.#params.get(params) ?? this.#tell(params);
    this.#lastParams = params;
    this.#lastNumber = number;
    return number;
  }

  #tell(params: BucketParams): number {
    const number = this.#params.size;
    this.#params.set(params, number);
    const { algorithm, limit, windowUs, capacity, rateUtPerS, version } = params;
    const figures = [ALGORITHMS.indexOf(algorithm), limit, windowUs, capacity, rateUtPerS, version];
    const at = this.writer.reserve(2 + figures.length);
    this.writer.words.set([ASK.PARAMS, number, ...figures], at);
    return number;
  }

  /** Begins numbering parameters anew before a record would name too many. */
  #makeRoom(calls: number): void {
    if (this.#params.size + calls <= MAX_CALLS) return;
    this.#params.clear();
    this.#lastParams = undefined;
  }
}

/** The side of a link that holds the buckets: settles what one worker asks, at once, in the order asked. */
import { bucketParams } from '../../bucket/params';
import { transferFault } from '../../bucket/transfer';
import {
  ALGORITHMS,
  type BucketParams,
  type BucketRequest,
  type BucketResult,
  CHARGE_DENIED,
  type Role,
} from '../../core/buckets';
import { TidegateError } from '../../core/errors';
import type { LeaseReply, LeaseSource } from '../../core/leases';
import type { TokenTransfer, TransferResult } from '../../core/pool-link';
import { writeFailed, writeGrant, writeMoved, writeResults } from './answers';
import { ASK, CALL_FLAG, MAX_CALLS, MAX_KEPT_KEY_CHARS, MAX_KEYS, REQUEST_FLAG, ROLES } from './format';
import { FrameReader, malformed } from './frame-reader';
import { FrameWriter, type LinkOutput } from './frame-writer';

/** Buckets that answer at once. What is asked of them is theirs until they have answered, and no longer. */
export interface LinkedBuckets extends LeaseSource {
  decide(request: BucketRequest): readonly BucketResult[];
  move(transfer: Omit<TokenTransfer, 'id'>): TransferResult | TidegateError;
}

/** Sets of parameters kept so that equal ones of several workers are one object. */
const MAX_KEPT = 10_000;

/** Makes equal parameters one object, so that buckets know them by identity. */
export class SharedParams {
  readonly #known = new Map<string, BucketParams>();

  /** @throws TidegateError for parameters that cannot be. */
  of(params: BucketParams): BucketParams {
    const { algorithm, limit, windowUs, capacity, rateUtPerS, version } = params;
    const identity = `${algorithm} ${limit} ${windowUs} ${capacity} ${rateUtPerS} ${version}`;
    const known = this.#known.get(identity);
    if (known !== undefined) return known;
    if (this.#known.size >= MAX_KEPT) this.#known.clear();
    const checked = bucketParams(params);
    this.#known.set(identity, checked);
    return checked;
  }
}

/** A call whose fields are written over for the next one. */
interface MutableCall {
  key: string;
  group: string;
  params: BucketParams;
  hits: number;
  role: Role;
  assumeOnFailure: boolean;
  /** Where its bucket was found last. */
  slot: number;
  /** The number that its key is remembered by; -1 for none. */
  number: number;
}

/** One worker's link. */
export class LinkServer {
  readonly #params: BucketParams[] = [];
  readonly #keys: string[] = [];
  /** Where the bucket of each key was found last: a guess, which the buckets check. */
  readonly #slots = new Int32Array(MAX_KEYS).fill(-1);
  /** The number of the key that was read last; -1 when it has none. */
  #number = -1;
  readonly #reader = new FrameReader(() => this.#read());
  readonly #writer = new FrameWriter();
  /** The call of requests that have one, which are nearly all. */
  readonly #single: MutableCall[] = [];

  constructor(
    private readonly buckets: LinkedBuckets,
    private readonly shared: SharedParams,
    private readonly output: LinkOutput,
  ) {}

  /** Settles what came, and answers. @throws TidegateError for what is no ask; the link is of no use then. */
  receive(chunk: Uint8Array): void {
    this.#reader.receive(chunk);
    if (!this.#writer.isEmpty) this.#writer.flush(this.output);
  }

  #read(): void {
    const reader = this.#reader;
    while (reader.hasMore) {
      const kind = reader.next();
      if (kind === ASK.DECIDE) this.#decide();
      else if (kind === ASK.LEASE) this.#lease();
      else if (kind === ASK.PARAMS) this.#learn();
      else if (kind === ASK.MOVE) this.#move();
      else throw malformed('an unknown ask');
      if (this.#writer.isFull) this.#writer.flush(this.output);
    }
  }

  #decide(): void {
    const reader = this.#reader;
    const flags = reader.count(REQUEST_FLAG.ALL);
    const count = reader.count(MAX_CALLS);
    const calls = count === 1 ? this.#single : [];
    for (let i = 0; i < count; i += 1) this.#readCall(calls, i);
    const request: BucketRequest = {
      calls,
      chargeDenied: named(CHARGE_DENIED, flags & REQUEST_FLAG.CHARGE_MASK),
      quotaSatisfied: (flags & REQUEST_FLAG.QUOTA_SATISFIED) !== 0,
      deadlineMs: Infinity,
    };
    const silent = (flags & REQUEST_FLAG.SILENT) !== 0;
    try {
      const results = this.buckets.decide(request);
      if (!silent) writeResults(this.#writer, results);
      for (const { number, slot } of calls) if (number !== -1) this.#slots[number] = slot;
    } catch (thrown) {
      if (!silent) writeFailed(this.#writer, TidegateError.from(thrown));
    }
  }

  #readCall(calls: MutableCall[], place: number): void {
    const reader = this.#reader;
    const hits = reader.next();
    const params = this.#paramsOf(reader.next());
    const flags = reader.count(CALL_FLAG.ALL);
    const key = this.#key();
    const role = named(ROLES, flags & CALL_FLAG.ROLE_MASK);
    const assumeOnFailure = (flags & CALL_FLAG.ASSUME_ON_FAILURE) !== 0;
    const number = this.#number;
    const slot = number === -1 ? -1 : (this.#slots[number] ?? -1);
    const call = calls[place];
    if (call === undefined) {
      calls[place] = { key, group: key, params, hits, role, assumeOnFailure, slot, number };
      return;
    }
    call.key = key;
    call.group = key;
    call.params = params;
    call.hits = hits;
    call.role = role;
    call.assumeOnFailure = assumeOnFailure;
    call.slot = slot;
    call.number = number;
  }

  #lease(): void {
    const reader = this.#reader;
    const asked = {
      params: this.#paramsOf(reader.next()),
      holder: reader.next(),
      seq: reader.next(),
      window: reader.next(),
      held: reader.next(),
      back: reader.next(),
      confirmed: reader.next(),
      recorded: reader.next(),
      want: reader.next(),
      keepUs: reader.next(),
      epsilon: reader.next(),
    };
    const key = this.#key();
    const outcome = this.#settled(() => {
      let answer: LeaseReply | TidegateError | undefined;
      this.buckets.lease({ ...asked, key, group: key }, (given) => {
        answer = given;
      });
      return answer ?? new TidegateError('TG_INTERNAL', 'a lease was not settled at once');
    });
    if (outcome instanceof TidegateError) writeFailed(this.#writer, outcome);
    else writeGrant(this.#writer, outcome);
  }

  #move(): void {
    const reader = this.#reader;
    const lender = this.#paramsOf(reader.next());
    const borrower = this.#paramsOf(reader.next());
    const tokens = reader.next();
    const keep = reader.next();
    const from = { ...this.#named(), params: lender };
    const to = { ...this.#named(), params: borrower };
    const transfer = { id: 'link', from, to, tokens, keep };
    const outcome = this.#settled(() => transferFault(transfer) ?? this.buckets.move(transfer));
    if (outcome instanceof TidegateError) writeFailed(this.#writer, outcome);
    else writeMoved(this.#writer, outcome);
  }

  /** Remembers parameters. */
  #learn(): void {
    const reader = this.#reader;
    const number = reader.count(MAX_CALLS - 1);
    const params = this.#settled(() =>
      this.shared.of({
        algorithm: named(ALGORITHMS, reader.count(ALGORITHMS.length - 1)),
        limit: reader.next(),
        windowUs: reader.next(),
        capacity: reader.next(),
        rateUtPerS: reader.next(),
        version: reader.next(),
      }),
    );
    if (params instanceof TidegateError) throw params;
    this.#params[number] = params;
  }

  #settled<T>(settle: () => T): T | TidegateError {
    try {
      return settle();
    } catch (thrown) {
      return TidegateError.from(thrown);
    }
  }

  #named(): { readonly key: string; readonly group: string } {
    const key = this.#key();
    return { key, group: key };
  }

  #key(): string {
    const reader = this.#reader;
    const told = reader.next();
    if (told >= 0) {
      const known = this.#keys[told];
      if (known === undefined) throw malformed('a key that was not told');
      this.#number = told;
      return known;
    }
    const number = reader.next();
    const key = reader.text(told);
    this.#number = number;
    if (number === -1) return key;
    if (!(number >= 0 && number < MAX_KEYS) || !Number.isInteger(number))
      throw malformed('a number out of its bounds');
    if (key.length > MAX_KEPT_KEY_CHARS) throw malformed('a key that is too long to be remembered');
    this.#keys[number] = key;
    this.#slots[number] = -1;
    return key;
  }

  #paramsOf(number: number): BucketParams {
    const params = this.#params[number];
    if (params === undefined) throw malformed('parameters that were not told');
    return params;
  }
}

/** The name that a number stands for. */
function named<T>(names: readonly T[], number: number): T {
  const name = names[number];
  if (name === undefined) throw malformed('a number without a meaning');
  return name;
}

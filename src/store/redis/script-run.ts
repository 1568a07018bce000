/**
 * One run of decide.lua: its KEYS and ARGV as the parts of requests are added, and its reply as figures. The script's
 * header describes both. Numbers travel there as text and back as doubles, so none loses precision.
 */
import type { Algorithm, BucketParams, ChargeDenied, Role } from '../../core/buckets';
import type { TidegateError } from '../../core/errors';
import type { LeaseAsk } from '../../core/leases';

/** One bucket's part of what a script is asked. */
export interface ScriptCall {
  /** The storage key. */
  readonly key: string;
  readonly params: BucketParams;
  /** Whole tokens; for an undo the `taken` of the reply that it undoes. */
  readonly hits: number;
  readonly role: Role;
  readonly assumeOnFailure: boolean;
  /** Only for an undo: the `window` of the reply that it undoes. */
  readonly undoWindow?: number;
  /** Only for a lease, which is a part of its own: what is asked; the reply's figures then mean what {@link leaseReplyOf} says. */
  readonly lease?: LeaseAsk;
}

/** What the script answered for one call. */
export interface ScriptReply {
  /** Undefined when it could not be asked: the key holds something else, or the hits are no whole number. */
  readonly allowed: boolean | undefined;
  readonly usedBefore: number;
  readonly usedAfter: number;
  readonly remaining: number;
  readonly resetUs: number;
  readonly retryAfterUs: number;
  /** What the call took: micro-tokens of a token bucket, hits of a window. */
  readonly taken: number;
  /** The window it took it from; 0 for a token bucket. */
  readonly window: number;
  /** `resetUs` as it would be had the call not taken anything. */
  readonly resetWithoutUs: number;
}

/** Calls of one request in one slot, which the script settles together. */
export interface ScriptPart {
  readonly slot: number;
  readonly calls: readonly ScriptCall[];
  readonly chargeDenied: ChargeDenied;
  readonly quotaSatisfied: boolean;
  /** Whether the breaker and the bounds of calls in flight apply; not for an undo, whose take was in flight before. */
  readonly bounded: boolean;
  /** How often it was sent. */
  attempts: number;
  /** Whether the wait for it has been counted as its node's failure. */
  readonly blamed: boolean;
  /** Whether somebody still waits for it; one that nobody waits for is not sent. */
  wanted(): boolean;
  /** Told just before it is written to a node. */
  sent(node: string): void;
  /** Told its end, once. */
  settled(outcome: readonly ScriptReply[] | TidegateError): void;
}

const CHARGE_NUMBER: Readonly<Record<ChargeDenied, number>> = { none: 0, over: 1, all: 2 };
const ROLE_NUMBER: Readonly<Record<Role, number>> = { hard: 0, quota: 1, shadow: 2 };
const ALGORITHM_NUMBER: Readonly<Record<Algorithm, number>> = {
  token_bucket: 0,
  fixed_window: 1,
  sliding_window: 2,
};
const ASSUME_FLAG = 4;
const UNDO_FLAG = 8;
const FLAGS = 16;
const MAX_SETS = 16_384;
/** Behind the storage key of a bucket: where the records of its leases are. */
const LEDGER_SUFFIX = ':l';
const DOUBLES = 9;
const REPLY_BYTES = DOUBLES * 8;

const setTexts = new WeakMap<BucketParams, readonly string[]>();

function setText(params: BucketParams): readonly string[] {
  let texts = setTexts.get(params);
  if (texts === undefined) {
    const { limit, windowUs, capacity, rateUtPerS, version } = params;
    const figures = [ALGORITHM_NUMBER[params.algorithm], limit, windowUs, capacity, rateUtPerS, version];
    texts = figures.map(String);
    setTexts.set(params, texts);
  }
  return texts;
}

/** Collects parts for one run of the script. */
export class ScriptRun {
  readonly parts: ScriptPart[] = [];
  callCount = 0;
  readonly #keys = new Map<string, number>();
  readonly #sets = new Map<BucketParams, number>();
  readonly #setArgs: string[] = [];
  readonly #requestArgs: string[] = [];

  constructor(private readonly maxCalls: number) {}

  /** Adds a part; false, and nothing changed, when the run is full. A run takes at least one part, however large. */
  add(part: ScriptPart): boolean {
    if (this.parts.length > 0 && this.callCount + part.calls.length > this.maxCalls) return false;
    if (this.#sets.size + part.calls.length > MAX_SETS && this.parts.length > 0) return false;
    this.parts.push(part);
    this.callCount += part.calls.length;
    const args = this.#requestArgs;
    const [first] = part.calls;
    if (first?.lease !== undefined) {
      this.#addLease(first, first.lease);
      return true;
    }
    const quota = part.quotaSatisfied ? 1 : 0;
    args.push(String(part.calls.length * 8 + CHARGE_NUMBER[part.chargeDenied] * 2 + quota));
    for (const call of part.calls) {
      const undo = call.undoWindow !== undefined;
      const flags =
        ROLE_NUMBER[call.role] + (call.assumeOnFailure ? ASSUME_FLAG : 0) + (undo ? UNDO_FLAG : 0);
      const place = this.#keyIndex(call.key) * MAX_SETS + this.#setIndex(call.params);
      args.push(String(place * FLAGS + flags), String(call.hits));
      if (undo) args.push(String(call.undoWindow));
    }
    return true;
  }

  #addLease(call: ScriptCall, ask: LeaseAsk): void {
    const place = this.#keyIndex(call.key) * MAX_SETS + this.#setIndex(call.params);
    const ledger = this.#keyIndex(`${call.key}${LEDGER_SUFFIX}`);
    const figures = [ask.holder, ask.seq, ask.window, ask.held, ask.back, ask.recorded, ask.want];
    this.#requestArgs.push('0', String(place * FLAGS), String(ledger), ...figures.map(String));
    this.#requestArgs.push(String(ask.keepUs), String(ask.epsilon), String(ask.confirmed));
  }

  /** The arguments of EVALSHA, from the script's hash on. `timeUs` is 0 for Redis TIME. */
  commandArgs(sha: string, timeUs: number, expiryExtraMs: number): string[] {
    return [
      sha,
      String(this.#keys.size),
      ...this.#keys.keys(),
      String(timeUs),
      String(expiryExtraMs),
      String(this.#sets.size),
      ...this.#setArgs,
      ...this.#requestArgs,
    ];
  }

  /** Splits a reply among the parts; undefined when it is not as long as it must be. */
  readReply(reply: Buffer): ScriptReply[][] | undefined {
    if (reply.length !== this.callCount * REPLY_BYTES) return undefined;
    let at = 0;
    return this.parts.map((part) =>
      part.calls.map(() => {
        const figures = readFigures(reply, at);
        at += REPLY_BYTES;
        return figures;
      }),
    );
  }

  #keyIndex(key: string): number {
    const known = this.#keys.get(key);
    if (known !== undefined) return known;
    const index = this.#keys.size;
    this.#keys.set(key, index);
    return index;
  }

  #setIndex(params: BucketParams): number {
    const known = this.#sets.get(params);
    if (known !== undefined) return known;
    const index = this.#sets.size;
    this.#sets.set(params, index);
    this.#setArgs.push(...setText(params));
    return index;
  }
}

function readFigures(reply: Buffer, at: number): ScriptReply {
  const status = reply.readDoubleLE(at);
  return {
    allowed: status === 2 ? undefined : status === 1,
    usedBefore: reply.readDoubleLE(at + 8),
    usedAfter: reply.readDoubleLE(at + 16),
    remaining: reply.readDoubleLE(at + 24),
    resetUs: reply.readDoubleLE(at + 32),
    retryAfterUs: reply.readDoubleLE(at + 40),
    taken: reply.readDoubleLE(at + 48),
    window: reply.readDoubleLE(at + 56),
    resetWithoutUs: reply.readDoubleLE(at + 64),
  };
}

/**
 * One run of decide.lua: what its parts ask, in the form that the script's head describes, and its reply split among them.
 * Figures travel as doubles both ways, so none loses precision; they are one argument, which neither side has to format or
 * parse.
 */
import type { Algorithm, BucketCall, BucketParams, ChargeDenied, Role } from '../../core/buckets';
import { TidegateError } from '../../core/errors';
import type { LeaseAsk } from '../../core/leases';
import type { ScriptPart, ScriptQuestions } from './script-part';
import { REPLY_BYTES, type Take } from './script-reply';
import { bulkString, type StoragePlace } from './storage-place';

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
/** Up to here parameter sets are found by looking through them. */
const FEW_SETS = 8;
/** Behind the storage key of a bucket: where the records of its leases are. */
const LEDGER_SUFFIX = ':l';

// One for all runs: a command is put together in one go.
let figures = new Float64Array(4_096);
let figureBytes = Buffer.from(figures.buffer);

/** Collects parts for one run of the script. */
export class ScriptRun implements ScriptQuestions {
  readonly parts: ScriptPart[] = [];
  callCount = 0;
  #keyCount = 0;
  #lastKey: string | undefined;
  /** Keys by their number, once there are several. */
  #keys: Map<string, number> | undefined;
  /** The keys as arguments of the command. */
  #keyArguments = '';
  readonly #sets: BucketParams[] = [];
  #setNumbers: Map<BucketParams, number> | undefined;
  readonly #requests: number[] = [];

  constructor(private readonly maxCalls: number) {}

  /** Adds a part; false, and nothing changed, when the run is full. A run takes at least one part, however large. */
  add(part: ScriptPart): boolean {
    const { callCount } = part;
    if (this.parts.length > 0) {
      if (this.callCount + callCount > this.maxCalls) return false;
      if (this.#sets.length + callCount > MAX_SETS) return false;
    }
    this.parts.push(part);
    this.callCount += callCount;
    part.ask(this);
    return true;
  }

  request(callCount: number, chargeDenied: ChargeDenied, quotaSatisfied: boolean): void {
    this.#requests.push(callCount * 8 + CHARGE_NUMBER[chargeDenied] * 2 + (quotaSatisfied ? 1 : 0));
  }

  call(place: StoragePlace, { params, hits, role, assumeOnFailure }: BucketCall): void {
    const flags = ROLE_NUMBER[role] + (assumeOnFailure ? ASSUME_FLAG : 0);
    this.#requests.push(this.#placeNumber(place, params) * FLAGS + flags, hits);
  }

  undo(place: StoragePlace, params: BucketParams, { taken, window }: Take): void {
    this.request(1, 'none', false);
    this.#requests.push(this.#placeNumber(place, params) * FLAGS + UNDO_FLAG, taken, window);
  }

  lease(place: StoragePlace, ask: LeaseAsk): void {
    const head = this.#placeNumber(place, ask.params) * FLAGS;
    const ledgerKey = `${place.key}${LEDGER_SUFFIX}`;
    const ledger = this.#keyNumber(ledgerKey, bulkString(ledgerKey));
    const { holder, seq, window, held, back, recorded, want, keepUs, epsilon, confirmed } = ask;
    this.#requests.push(
      0,
      head,
      ledger,
      holder,
      seq,
      window,
      held,
      back,
      recorded,
      want,
      keepUs,
      epsilon,
      confirmed,
    );
  }

  /** The command EVALSHA, ready to be written. `timeUs` is 0 for Redis TIME. */
  command(sha: string, timeUs: number, expiryExtraMs: number): Buffer {
    const count = this.#writeFigures(timeUs, expiryExtraMs);
    const keyCount = String(this.#keyCount);
    const head = `*${this.#keyCount + 4}\r\n$7\r\nEVALSHA\r\n$${sha.length}\r\n${sha}\r\n$${keyCount.length}\r\n${keyCount}\r\n`;
    const text = `${head}${this.#keyArguments}$${count * 8}\r\n`;
    const bytes = Buffer.allocUnsafe(text.length + count * 8 + 2);
    bytes.write(text, 'latin1');
    figureBytes.copy(bytes, text.length, 0, count * 8);
    bytes[bytes.length - 2] = 13;
    bytes[bytes.length - 1] = 10;
    return bytes;
  }

  /** Splits a reply among the parts, which are told that they failed when it is not as long as it must be. */
  answered(reply: Buffer | undefined, node: string): void {
    if (reply?.length !== this.callCount * REPLY_BYTES) {
      this.failed(new TidegateError('TG_STORE_REPLY', `Redis at ${node} answered something unexpected`));
      return;
    }
    let at = 0;
    for (const part of this.parts) {
      part.answered(reply, at);
      at += part.callCount * REPLY_BYTES;
    }
  }

  /** Tells all parts that they failed. */
  failed(error: TidegateError): void {
    for (const part of this.parts) part.failed(error);
  }

  /** @returns how many there are. */
  #writeFigures(timeUs: number, expiryExtraMs: number): number {
    const sets = this.#sets;
    const requests = this.#requests;
    const count = 3 + 6 * sets.length + requests.length;
    if (count > figures.length) {
      figures = new Float64Array(2 ** Math.ceil(Math.log2(count)));
      figureBytes = Buffer.from(figures.buffer);
    }
    figures[0] = timeUs;
    figures[1] = expiryExtraMs;
    figures[2] = sets.length;
    let at = 3;
    for (const { algorithm, limit, windowUs, capacity, rateUtPerS, version } of sets) {
      figures[at] = ALGORITHM_NUMBER[algorithm];
      figures[at + 1] = limit;
      figures[at + 2] = windowUs;
      figures[at + 3] = capacity;
      figures[at + 4] = rateUtPerS;
      figures[at + 5] = version;
      at += 6;
    }
    for (let index = 0; index < requests.length; index += 1) figures[at + index] = requests[index] ?? 0;
    return count;
  }

  #placeNumber(place: StoragePlace, params: BucketParams): number {
    return this.#keyNumber(place.key, place.argument) * MAX_SETS + this.#setNumber(params);
  }

  #keyNumber(key: string, argument: string): number {
    if (this.#lastKey !== undefined) {
      if (key === this.#lastKey) return this.#keyCount - 1;
      this.#keys ??= new Map([[this.#lastKey, 0]]);
      const known = this.#keys.get(key);
      if (known !== undefined) return known;
    }
    const number = this.#keyCount;
    this.#keys?.set(key, number);
    this.#lastKey = key;
    this.#keyCount += 1;
    this.#keyArguments += argument;
    return number;
  }

  #setNumber(params: BucketParams): number {
    const sets = this.#sets;
    if (sets.length <= FEW_SETS) {
      const known = sets.indexOf(params);
      if (known >= 0) return known;
    } else {
      this.#setNumbers ??= new Map(sets.map((set, number) => [set, number]));
      const known = this.#setNumbers.get(params);
      if (known !== undefined) return known;
      this.#setNumbers.set(params, sets.length);
    }
    sets.push(params);
    return sets.length - 1;
  }
}

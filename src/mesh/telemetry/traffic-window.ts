/**
 * Requests by route, cluster and host over the last seconds, in slots of a second. What comes is written down; it is counted
 * when its second is over, and taken back when that leaves the window. Series are bounded: a busy one that has no place takes
 * that of the least busy one, and what has none is counted together.
 */
import { Column, type AccessLogMessage } from './access-log-message';
import { BusyCandidates, type Candidate } from './busy-candidates';
import { EventLog } from './event-log';
import { bucketOf } from './latency-buckets';
import { outcomeOf } from './response-flags';
import { hashOf, keyBytes, MAX_KEY_BYTES, SeriesKey, type SeriesNames } from './series-key';
import { TrafficTally } from './traffic-tally';

/** What bounds a window. */
export interface WindowBounds {
  /** Whole seconds. */
  readonly seconds: number;
  readonly maxSeries: number;
  /** Of the log of the window: one for a request, two where it has flags. */
  readonly maxWords: number;
}

/** A series, or what is left of one that gave way: its number stands in the log until all of it has left the window. */
interface Owner {
  tally: TrafficTally;
  /** Undefined: of `other`. */
  key: SeriesKey | undefined;
  /** How many requests of the log have its number. */
  logged: number;
}

/** A word of the log: the bucket in bits 0-7, the outcome in 8-9, whether flags follow in 10, the series' number above. */
const OUTCOME_SHIFT = 8;
const FLAGGED = 1 << 10;
const NUMBER_SHIFT = 11;
/** The number of what has no series. */
const OTHER = 0;
/** Series whose hashes are equal; more than that is no chance. */
const MAX_CHAIN = 8;

/** See the file's head. */
export class TrafficWindow {
  readonly #bounds: WindowBounds;
  readonly #log: EventLog;
  readonly #owners: (Owner | undefined)[] = [{ tally: new TrafficTally(), key: undefined, logged: 0 }];
  readonly #freeNumbers: number[] = [];
  readonly #byHash = new Map<number, number[]>();
  readonly #candidates = new BusyCandidates();
  /** Series that were given a place, and have to use it within a second. */
  #fresh: number[] = [];
  #series = 0;
  #closed = 0;
  /** While the log is read: the word whose flags come next; -1: none. */
  #pending = -1;

  constructor(bounds: WindowBounds) {
    this.#bounds = bounds;
    this.#log = new EventLog(bounds.seconds + 1, bounds.maxWords);
  }

  /** What has no series of its own. */
  get other(): TrafficTally {
    return this.#owners[OTHER]!.tally;
  }

  /** The window, whole seconds. */
  get seconds(): number {
    return this.#bounds.seconds;
  }

  /** How much of the window is filled, whole seconds. */
  get coveredSeconds(): number {
    return Math.min(this.#closed, this.#bounds.seconds);
  }

  /** Every series with requests in the window. */
  *series(): Generator<{ readonly names: SeriesNames; readonly tally: TrafficTally }> {
    for (const owner of this.#owners) {
      if (owner?.key !== undefined && owner.tally.requests > 0)
        yield { names: owner.key.names, tally: owner.tally };
    }
  }

  /** Writes an entry down. Returns whether it has a series of its own; undefined: there was no room for it. */
  add(message: AccessLogMessage, entry: number): boolean | undefined {
    const number = this.#numberOf(message, entry);
    const flags = message.number(entry, Column.FLAGS);
    const grpcStatus = message.number(entry, Column.GRPC_STATUS);
    const outcome = outcomeOf(flags, message.number(entry, Column.STATUS), grpcStatus);
    const about =
      bucketOf(message.latencyMs(entry)) | (outcome << OUTCOME_SHIFT) | (flags === 0 ? 0 : FLAGGED);
    if (!this.#log.push(((number << NUMBER_SHIFT) | about) >>> 0, flags)) return undefined;
    this.#owners[number]!.logged += 1;
    return number !== OTHER;
  }

  /** Ends a second: what was written down counts now. */
  advance(): void {
    this.#log.readCurrent(this.#countWord);
    this.#log.advance(this.#takeBackWord);
    this.#closed += 1;
    for (const number of this.#fresh.splice(0)) this.#letGo(number);
    this.#makePlaces(this.#candidates.take());
  }

  readonly #countWord = (word: number): void => {
    if (this.#pending < 0 && (word & FLAGGED) !== 0) this.#pending = word;
    else this.#settle(word, 1);
  };

  readonly #takeBackWord = (word: number): void => {
    if (this.#pending < 0 && (word & FLAGGED) !== 0) this.#pending = word;
    else this.#settle(word, -1);
  };

  #settle(word: number, sign: number): void {
    const about = this.#pending < 0 ? word : this.#pending;
    const flags = this.#pending < 0 ? 0 : word;
    this.#pending = -1;
    const number = about >>> NUMBER_SHIFT;
    const owner = this.#owners[number]!;
    owner.tally.count(sign, (about >>> OUTCOME_SHIFT) & 3, about & 0xff, flags);
    if (sign > 0) return;
    owner.logged -= 1;
    this.#letGo(number);
  }

  #numberOf(message: AccessLogMessage, entry: number): number {
    const hash = hashOf(message, entry);
    const chain = this.#byHash.get(hash);
    if (chain !== undefined) {
      for (const number of chain) if (this.#owners[number]!.key!.matches(message, entry)) return number;
    }
    if (keyBytes(message, entry) > MAX_KEY_BYTES || (chain?.length ?? 0) >= MAX_CHAIN) return OTHER;
    if (this.#series >= this.#bounds.maxSeries) {
      this.#candidates.note(message, entry, hash);
      return OTHER;
    }
    return this.#open(new SeriesKey(message, entry, hash));
  }

  #open(key: SeriesKey): number {
    const number = this.#freeNumbers.pop() ?? this.#owners.length;
    this.#owners[number] = { tally: new TrafficTally(), key, logged: 0 };
    const chain = this.#byHash.get(key.hash);
    if (chain === undefined) this.#byHash.set(key.hash, [number]);
    else chain.push(number);
    this.#series += 1;
    return number;
  }

  /** Forgets a series, or what was one, when the log has nothing of it any more. */
  #letGo(number: number): void {
    const owner = this.#owners[number];
    if (owner === undefined || owner.logged > 0 || number === OTHER) return;
    if (owner.key !== undefined) this.#unlist(number, owner.key);
    this.#owners[number] = undefined;
    this.#freeNumbers.push(number);
  }

  #unlist(number: number, key: SeriesKey): void {
    const rest = (this.#byHash.get(key.hash) ?? []).filter((one) => one !== number);
    if (rest.length === 0) this.#byHash.delete(key.hash);
    else this.#byHash.set(key.hash, rest);
    this.#series -= 1;
  }

  /** Gives candidates the places of series that have fewer requests a second. */
  #makePlaces(candidates: readonly Candidate[]): void {
    if (candidates.length === 0) return;
    const bySize = this.#owners
      .flatMap((owner, number) => (owner?.key === undefined ? [] : [{ number, logged: owner.logged }]))
      .sort((a, b) => a.logged - b.logged);
    const seconds = Math.max(1, this.coveredSeconds);
    let next = 0;
    for (const { key, requests } of candidates) {
      if (this.#series >= this.#bounds.maxSeries) {
        const least = bySize[next];
        if (least === undefined || requests <= least.logged / seconds) return;
        next += 1;
        this.#giveWay(least.number);
      }
      this.#fresh.push(this.#open(key));
    }
  }

  #giveWay(number: number): void {
    const owner = this.#owners[number]!;
    this.#unlist(number, owner.key!);
    this.other.merge(owner.tally);
    owner.tally = this.other;
    owner.key = undefined;
    this.#letGo(number);
  }
}

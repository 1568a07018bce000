/**
 * Plans by the bytes of the request's message: services ask the same few thousand questions over and over, and decoding,
 * matching and key building are most of a local decision's cost. A plan is found by a hash of the message and given out only
 * when all bytes are the same, so that no two requests can meet, whatever their hashes do; the hash is seeded, so that nobody
 * outside knows which messages share one, and of those that do only a few are kept. Bounded in plans and in bytes; a new
 * table empties it.
 *
 * A message is kept the second time it is seen within a while: of the long tail of keys that come once, nothing stays, which
 * would cost more to keep and to drop than the planning.
 *
 * It keeps two halves: when the young half is full it becomes the old one, and what is still asked for moves back. That
 * is close to least-recently-used at the cost of one Map look-up, without a list to keep.
 */
import type { LimitTable } from './limit-table';
import { hashOfBytes } from './message-hash';
import type { RequestPlan } from './plan';

/** Bounds of a cache. */
export interface PlanCacheOptions {
  /** Plans kept at most; 0 keeps none. */
  readonly maxPlans: number;
  /** Longer messages are planned each time. */
  readonly maxMessageBytes: number;
  /** A whole number of 32 bits that callers do not know; 0 when absent. */
  readonly seed?: number;
}

const SEEN_BITS = 1 << 18;
/** Plans of one hash; of more messages than that with the same hash, those that came last are kept. */
const MAX_OF_HASH = 4;

/** A message, its plan, and the next one of the same hash. */
class KeptPlan {
  next: KeptPlan | undefined;

  constructor(
    readonly hash: number,
    readonly message: Uint8Array,
    readonly plan: RequestPlan,
  ) {}

  /** The one of that message, of this and those after it. */
  find(bytes: Uint8Array, start: number, end: number): KeptPlan | undefined {
    if (isEqual(this.message, bytes, start, end)) return this;
    for (let other = this.next; other !== undefined; other = other.next) {
      if (isEqual(other.message, bytes, start, end)) return other;
    }
    return undefined;
  }
}

/** Plans of one half, those of one hash chained. */
class Half {
  size = 0;
  readonly #byHash = new Map<number, KeptPlan>();

  get(hash: number): KeptPlan | undefined {
    return this.#byHash.get(hash);
  }

  /** Puts a plan before the others of its hash, of which the last may go. */
  put(kept: KeptPlan): void {
    const first = this.#byHash.get(kept.hash);
    this.#byHash.set(kept.hash, kept);
    kept.next = first;
    this.size += 1;
    let last = kept;
    for (let count = 1; last.next !== undefined; count += 1, last = last.next) {
      if (count < MAX_OF_HASH) continue;
      last.next = undefined;
      this.size -= 1;
      return;
    }
  }

  remove(kept: KeptPlan): void {
    const first = this.#byHash.get(kept.hash);
    if (first === undefined) return;
    this.size -= 1;
    if (first === kept) {
      if (kept.next === undefined) this.#byHash.delete(kept.hash);
      else this.#byHash.set(kept.hash, kept.next);
      return;
    }
    let before = first;
    while (before.next !== undefined && before.next !== kept) before = before.next;
    before.next = kept.next;
  }
}

/** See the file's head. */
export class PlanCache {
  private young = new Half();
  private old = new Half();
  private table: LimitTable | undefined;
  private readonly seed: number;
  /** Hashes of messages seen lately, one bit each; a collision keeps a plan that was not worth it, no more. */
  private readonly seen = new Uint8Array(SEEN_BITS / 8);
  private newlySeen = 0;

  constructor(private readonly options: PlanCacheOptions) {
    this.seed = options.seed ?? 0;
  }

  /** Plans held now. */
  get size(): number {
    return this.young.size + this.old.size;
  }

  /** Whether a message of this length is worth a place. */
  takes(messageBytes: number): boolean {
    return this.options.maxPlans > 0 && messageBytes <= this.options.maxMessageBytes;
  }

  /**
   * The plan kept for a message, which `bytes` has from `start` to `end`.
   * @param table the table that decides now; plans of another one are dropped.
   */
  get(
    table: LimitTable | undefined,
    bytes: Uint8Array,
    start = 0,
    end = bytes.length,
  ): RequestPlan | undefined {
    if (table !== this.table) this.use(table);
    const hash = hashOfBytes(bytes, start, end, this.seed);
    const kept = this.young.get(hash)?.find(bytes, start, end);
    return kept === undefined ? this.older(hash, bytes, start, end) : kept.plan;
  }

  /** Offers a message's plan, made with the table of the last {@link get}; it is kept when the message was offered lately. */
  offer(plan: RequestPlan, bytes: Uint8Array, start = 0, end = bytes.length): void {
    const hash = hashOfBytes(bytes, start, end, this.seed);
    if (!this.seenLately(hash)) return;
    const known = this.young.get(hash)?.find(bytes, start, end);
    if (known !== undefined) this.young.remove(known);
    const message = new Uint8Array(end - start);
    for (let at = start; at < end; at += 1) message[at - start] = bytes[at]!;
    this.put(new KeptPlan(hash, message, plan));
  }

  /** Looks into the old half; what is found there moves. */
  private older(hash: number, bytes: Uint8Array, start: number, end: number): RequestPlan | undefined {
    const kept = this.old.get(hash)?.find(bytes, start, end);
    if (kept === undefined) return undefined;
    this.old.remove(kept);
    this.put(kept);
    return kept.plan;
  }

  /** Marks a message. @returns whether it was marked already. Marks are wiped when an eighth of them is set. */
  private seenLately(hash: number): boolean {
    const mark = hash & (SEEN_BITS - 1);
    const bit = 1 << (mark & 7);
    const marks = this.seen[mark >> 3] ?? 0;
    if ((marks & bit) !== 0) return true;
    this.newlySeen += 1;
    if (this.newlySeen > SEEN_BITS / 8) {
      this.seen.fill(0);
      this.newlySeen = 1;
    }
    this.seen[mark >> 3] = (this.seen[mark >> 3] ?? 0) | bit;
    return false;
  }

  private put(kept: KeptPlan): void {
    if (this.young.size >= Math.ceil(this.options.maxPlans / 2)) {
      this.old = this.young;
      this.young = new Half();
    }
    this.young.put(kept);
  }

  private use(table: LimitTable | undefined): void {
    this.table = table;
    this.young = new Half();
    this.old = new Half();
  }
}

/** From the end on, where the messages of one service differ. */
function isEqual(message: Uint8Array, bytes: Uint8Array, start: number, end: number): boolean {
  const { length } = message;
  if (length !== end - start) return false;
  for (let at = length - 1; at >= 0; at -= 1) if (message[at] !== bytes[start + at]) return false;
  return true;
}

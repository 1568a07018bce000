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
 * is close to least-recently-used at the cost of one look-up, without a list to keep.
 */
import type { LimitTable } from './limit-table';
import { hashOfBytes } from './message-hash';
import { PlanShelf } from './plan-shelf';
import type { RequestPlan } from './request-plan';

/** Bounds of a cache. */
export interface PlanCacheOptions {
  /** Plans kept at most; 0 keeps none. */
  readonly maxPlans: number;
  /** Longer messages are planned each time. */
  readonly maxMessageBytes: number;
  /** What plans may take at most, their messages included, as far as is known; no bound when absent. */
  readonly maxBytes?: number;
  /** A whole number of 32 bits that callers do not know; 0 when absent. */
  readonly seed?: number;
}

const SEEN_BITS = 1 << 18;

/** See the file's head. */
export class PlanCache {
  private young = new PlanShelf();
  private old = new PlanShelf();
  /** What the plans of the young half take, as far as is known. */
  private youngBytes = 0;
  /** Where in the young half the plan was that was found there last: mostly the next message is the same. */
  private last = -1;
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
    const { young, last } = this;
    return (
      (young.holds(last, bytes, start, end) ? young.plan(last) : undefined) ?? this.find(bytes, start, end)
    );
  }

  /** Offers a message's plan, made with the table of the last {@link get}; it is kept when the message was offered lately. */
  offer(plan: RequestPlan, bytes: Uint8Array, start = 0, end = bytes.length): void {
    const hash = hashOfBytes(bytes, start, end, this.seed);
    if (this.seenLately(hash)) this.put(hash, bytes, start, end, plan);
  }

  private find(bytes: Uint8Array, start: number, end: number): RequestPlan | undefined {
    const hash = hashOfBytes(bytes, start, end, this.seed);
    const at = this.young.find(hash, bytes, start, end);
    this.last = at;
    const plan = at === -1 ? undefined : this.young.plan(at);
    return plan ?? this.older(hash, bytes, start, end);
  }

  /** Looks into the old half; what is found there moves. */
  private older(hash: number, bytes: Uint8Array, start: number, end: number): RequestPlan | undefined {
    const at = this.old.find(hash, bytes, start, end);
    const plan = at === -1 ? undefined : this.old.take(at);
    if (plan !== undefined) this.put(hash, bytes, start, end, plan);
    return plan;
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

  private put(hash: number, bytes: Uint8Array, start: number, end: number, plan: RequestPlan): void {
    const { maxPlans, maxBytes = Infinity } = this.options;
    if (this.young.size >= Math.ceil(maxPlans / 2) || this.youngBytes >= maxBytes / 2) {
      const { old } = this;
      old.clear();
      this.old = this.young;
      this.young = old;
      this.youngBytes = 0;
    }
    this.young.put(hash, bytes, start, end, plan);
    this.youngBytes += end - start + plan.bytes;
  }

  private use(table: LimitTable | undefined): void {
    this.table = table;
    this.young.clear();
    this.old.clear();
    this.youngBytes = 0;
  }
}

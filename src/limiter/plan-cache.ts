/**
 * Plans by the bytes of the request's message: services ask the same few thousand questions over and over, and decoding,
 * matching and key building are most of a local decision's cost. Keys are whole messages as text, so that no two
 * requests can meet, whatever their hashes do. Bounded in plans and in bytes; a new table empties it.
 *
 * A message is kept the second time it is seen within a while: of the long tail of keys that come once, nothing stays, which
 * would cost more to keep and to drop than the planning.
 *
 * It keeps two halves: when the young half is full it becomes the old one, and what is still asked for moves back. That
 * is close to least-recently-used at the cost of one Map look-up, without a list to keep.
 */
import type { LimitTable } from './limit-table';
import type { RequestPlan } from './plan';

/** Bounds of a cache. */
export interface PlanCacheOptions {
  /** Plans kept at most; 0 keeps none. */
  readonly maxPlans: number;
  /** Longer messages are planned each time. */
  readonly maxMessageBytes: number;
}

const SEEN_BITS = 1 << 18;

/** 32-bit FNV-1a (http://www.isthe.com/chongo/tech/comp/fnv/). */
function fnv1a(text: string): number {
  let hash = 0x811c9dc5;
  for (let at = 0; at < text.length; at += 1) hash = Math.imul(hash ^ text.charCodeAt(at), 0x01000193);
  return hash >>> 0;
}

/** See the file's head. */
export class PlanCache {
  private young = new Map<string, RequestPlan>();
  private old = new Map<string, RequestPlan>();
  private table: LimitTable | undefined;
  /** Hashes of messages seen lately, one bit each; a collision keeps a plan that was not worth it, no more. */
  private readonly seen = new Uint8Array(SEEN_BITS / 8);
  private newlySeen = 0;

  constructor(private readonly options: PlanCacheOptions) {}

  /** Plans held now. */
  get size(): number {
    return this.young.size + this.old.size;
  }

  /** Whether a message of this length is worth a key. */
  takes(messageBytes: number): boolean {
    return this.options.maxPlans > 0 && messageBytes <= this.options.maxMessageBytes;
  }

  /**
   * @param table the table that decides now; plans of another one are dropped.
   * @param message the message's bytes as text, one character a byte.
   */
  get(table: LimitTable | undefined, message: string): RequestPlan | undefined {
    if (table !== this.table) this.use(table);
    const plan = this.young.get(message);
    if (plan !== undefined) return plan;
    const older = this.old.get(message);
    if (older === undefined) return undefined;
    this.old.delete(message);
    this.put(message, older);
    return older;
  }

  /** Offers a plan made with the table of the last {@link get}; it is kept when the message was offered lately. */
  offer(message: string, plan: RequestPlan): void {
    if (this.seenLately(message)) this.put(message, plan);
  }

  /** Marks a message. @returns whether it was marked already. Marks are wiped when an eighth of them is set. */
  private seenLately(message: string): boolean {
    const hash = fnv1a(message) % SEEN_BITS;
    const bit = 1 << (hash & 7);
    const marks = this.seen[hash >> 3] ?? 0;
    if ((marks & bit) !== 0) return true;
    this.newlySeen += 1;
    if (this.newlySeen > SEEN_BITS / 8) {
      this.seen.fill(0);
      this.newlySeen = 1;
    }
    this.seen[hash >> 3] = (this.seen[hash >> 3] ?? 0) | bit;
    return false;
  }

  private put(message: string, plan: RequestPlan): void {
    if (this.young.size >= Math.ceil(this.options.maxPlans / 2)) {
      this.old = this.young;
      this.young = new Map();
    }
    this.young.set(message, plan);
  }

  private use(table: LimitTable | undefined): void {
    this.table = table;
    this.young = new Map();
    this.old = new Map();
  }
}

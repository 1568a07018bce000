/**
 * Plans by the bytes of the request's message: services ask the same few thousand questions over and over, and decoding,
 * matching and key building are most of a local decision's cost. Keys are whole messages as text, so that no two
 * requests can meet, whatever their hashes do. Bounded in plans and in bytes; a new table empties it.
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

/** See the file's head. */
export class PlanCache {
  private young = new Map<string, RequestPlan>();
  private old = new Map<string, RequestPlan>();
  private table: LimitTable | undefined;

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

  /** Keeps a plan made with the table of the last {@link get}. */
  put(message: string, plan: RequestPlan): void {
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

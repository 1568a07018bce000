/** The ports of control: where a pool's table and its people's orders are, and operations on buckets other than decisions. */
import type { BucketParams } from './buckets';
import type { ModeOrder, Override, PoolTable } from './control';
import type { TidegateError } from './errors';
import type { GroupRole } from './group';
import type { LearningOrder } from './learning';

/** What people ordered for a pool. */
export interface PoolOrders {
  readonly overrides: readonly Override[];
  readonly mode: ModeOrder | undefined;
  /** About learning; absent for none. */
  readonly learning?: LearningOrder | undefined;
}

/** The most a table may hold, bytes of its JSON text. */
export const MAX_TABLE_BYTES = 8_388_608;
/** The most overrides of a pool at a time; one more is refused with TG_CONTROL_BAD_OVERRIDE. */
export const MAX_OVERRIDES = 1_000;

/**
 * A process's place in the control of one pool. One process leads a pool; pools can have different leaders. Nothing here
 * throws or rejects for what the store does but where it says so: it is counted, and tried again.
 */
export interface PoolLink {
  readonly pool: string;
  /** Begins to follow, and to stand for leader. */
  start(): void;
  role(): GroupRole;
  /**
   * Publishes, unless another has led since. Epoch, sequence and version are given here.
   * @returns the table as it was published; undefined when this process leads no more, or the store did not take it.
   */
  publish(table: Omit<PoolTable, 'pool' | 'epoch' | 'sequence' | 'version'>): Promise<PoolTable | undefined>;
  /** The newest table that is known here. */
  table(): PoolTable | undefined;
  /** Told of each newer table: pushed, and polled at least every 2 s. */
  onTable(listener: (table: PoolTable) => void): void;
  /** The newest orders that are known here, without what has run out. */
  orders(): PoolOrders;
  /** Rejects with a TidegateError when it is not kept. */
  putOverride(override: Override): Promise<void>;
  /** @returns whether there was one. Rejects with a TidegateError when the store cannot tell. */
  dropOverride(member: string): Promise<boolean>;
  /** Rejects with a TidegateError when it is not kept. */
  putMode(order: ModeOrder): Promise<void>;
  /** Rejects with a TidegateError when it is not kept. */
  putLearning(order: LearningOrder): Promise<void>;
  /** Leaves, so that another can lead at once. Never rejects. */
  close(): Promise<void>;
}

/** A bucket to be looked at or moved tokens of. */
export interface BucketRef {
  readonly key: string;
  readonly group: string;
  readonly params: BucketParams;
}

/** How a bucket is. */
export interface BucketLevel {
  /** Whole tokens. */
  readonly tokens: number;
  readonly capacity: number;
}

/** Tokens to be moved between two token buckets. */
export interface TokenTransfer {
  /** Unique; the same id twice moves nothing the second time and answers as the first time did. */
  readonly id: string;
  readonly from: BucketRef;
  readonly to: BucketRef;
  /** Whole tokens; fewer may move. */
  readonly tokens: number;
  /** What `from` keeps at least. */
  readonly keep: number;
}

/** What was moved: `moved` arrived; `lost` was taken and did not (no room, a crash): tokens are never doubled. */
export interface TransferResult {
  readonly moved: number;
  readonly lost: number;
}

/** Operations on buckets beside decisions. Nothing rejects: an error stands in an answer's place. */
export interface BucketOperator {
  levels(buckets: readonly BucketRef[]): Promise<readonly (BucketLevel | TidegateError)[]>;
  transfer(transfer: TokenTransfer): Promise<TransferResult | TidegateError>;
}

/**
 * Control's hold on the data path: published tables become parameters of buckets, without a rule or a plan being made anew.
 * What a plan holds of a rule in a pool is compared by one integer; a rule in no pool pays nothing.
 */
import type { BucketParams } from '../core/buckets';
import type { PoolTable } from '../core/control';
import type { BucketRef } from '../core/pool-link';
import type { RlsCurrentLimit } from '../core/rls';
import type { RulePlace } from './demand';
import { isReserve, PoolSizes, type TuningCounts } from './pool-sizes';
import { nominalSize, tunedSize, type TunedSize, type TuningBounds } from './tuned-size';

export { bucketKeyOfRule } from './bucket-key';
export type { TuningCounts } from './pool-sizes';
export type { TunedSize, TuningBounds } from './tuned-size';

/** Which pool a rule belongs to, and what its sizes never leave. */
export interface PoolMembership extends TuningBounds {
  readonly pool: string;
}

/** What tuning depends on. */
export interface TuningOptions {
  /** Undefined for a rule that belongs to no pool. */
  readonly boundsOf: (ruleId: string, nominal: BucketParams) => PoolMembership | undefined;
  /** Whether buckets of a domain share a Redis Cluster slot, as the limiter is told. */
  readonly colocate: 'bucket' | 'domain';
}

/** A bucket that may lend at once. */
export interface Lender {
  readonly ref: BucketRef;
  /** What it keeps at least, whole tokens. */
  readonly keep: number;
}

/** A bucket's size, and what it was made of. */
interface KeptSize {
  readonly size: TunedSize;
  readonly ratePerS: number;
  readonly capacity: number;
  /** Of the pool, when it was looked at last. */
  sequence: number;
}

/**
 * A version that is no older is kept with sizes that stay the same: plans and leases that hold them stay too. Versions are times,
 * ms; buckets keep older ones out for much longer than this and two publications take.
 */
const KEPT_VERSION_MS = 30_000;

/** A rule in a pool: what its buckets are to be now. */
export class RuleTuning {
  private sizedAt = -1;
  private nominalNow: TunedSize;
  /** What `sizes` and `nominalNow` were made for: other keys, or another fading, and they are made anew. */
  private keys: PoolSizes['keys'] | undefined;
  private held = 0;
  /** By bucket key: those that were published and asked for since. */
  private readonly sizes = new Map<string, KeptSize>();

  constructor(
    readonly place: RulePlace,
    private readonly nominal: TunedSize,
    private readonly bounds: TuningBounds,
    private readonly pool: PoolSizes,
  ) {
    this.nominalNow = nominal;
  }

  /** Another one: what {@link sizeOf} gave may be another. */
  get sequence(): number {
    return this.pool.sequence;
  }

  /** The size of one of the rule's buckets; the same object as long as nothing of it changes, for a while. */
  sizeOf(bucketKey: string): TunedSize {
    const { pool } = this;
    if (this.sizedAt !== pool.sequence) this.begin();
    const known = this.sizes.get(bucketKey);
    if (known?.sequence === pool.sequence) return known.size;
    const wanted = pool.get(bucketKey);
    if (wanted === undefined || wanted.ruleId !== this.place.id) return this.nominalNow;
    const { ratePerS, capacity } = wanted;
    if (known?.ratePerS === ratePerS && known.capacity === capacity && this.isNew(known.size)) {
      known.sequence = pool.sequence;
      return known.size;
    }
    const size = tunedSize(this.nominal, wanted, this.bounds, pool.held, pool.version);
    this.sizes.set(bucketKey, { size, ratePerS, capacity, sequence: pool.sequence });
    return size;
  }

  private isNew(size: TunedSize): boolean {
    return this.pool.version - size.params.version < KEPT_VERSION_MS;
  }

  private begin(): void {
    const { pool } = this;
    const same = this.keys === pool.keys && this.held === pool.held;
    this.sizedAt = pool.sequence;
    this.keys = pool.keys;
    this.held = pool.held;
    if (!same) this.sizes.clear();
    if (same && this.isNew(this.nominalNow)) return;
    this.nominalNow = nominalSize(this.nominal, Math.max(this.nominal.params.version, pool.version));
  }
}

/** What is read of a rule. */
export interface TunedRule {
  readonly id: string;
  readonly tuning: RuleTuning | undefined;
}

/** Who may lend to a bucket, as of a publication. */
interface KeptLenders {
  readonly pool: PoolSizes;
  readonly sequence: number;
  readonly lenders: readonly Lender[];
}

const NO_LENDERS: readonly Lender[] = [];
/** Pools that are known of at most; tables of further ones are ignored. */
const MAX_POOLS = 1_000;

/** See the file's head. */
export class Tuning {
  private readonly pools = new Map<string, PoolSizes>();
  /** The pool of a published bucket. */
  private readonly owners = new Map<string, string>();
  /** Made once a publication, for those that were asked for: decisions ask at every call. */
  private readonly lenders = new Map<string, KeptLenders>();
  private readonly keysOf = new Map<string, PoolSizes['keys']>();
  private rules: ReadonlyMap<string, RuleTuning> = new Map();
  private readonly counted: TuningCounts = { applied: 0, ignored: 0, skipped: 0 };

  constructor(private readonly options: TuningOptions) {}

  /** What became of tables so far. */
  counts(): Readonly<TuningCounts> {
    return { ...this.counted };
  }

  /** A rule's tuning, for the limits' compiler; undefined for a rule in no pool. Nothing is kept of it before {@link use}. */
  readonly tuningFor = (
    place: RulePlace,
    params: BucketParams,
    currentLimit: RlsCurrentLimit,
  ): RuleTuning | undefined => {
    const membership = this.options.boundsOf(place.id, params);
    const pool = membership === undefined ? undefined : this.poolOf(membership.pool);
    if (membership === undefined || pool === undefined) return undefined;
    return new RuleTuning(place, { params, currentLimit }, membership, pool);
  };

  /** The limits in use: whose buckets may lend. */
  use(table: { readonly rules: readonly TunedRule[] }): void {
    const rules = new Map<string, RuleTuning>();
    for (const { id, tuning } of table.rules) if (tuning !== undefined) rules.set(id, tuning);
    this.rules = rules;
    this.lenders.clear();
  }

  /**
   * Takes a table, unless a newer one is known.
   * @param nowMs monotonic: its life is counted from here, not from the leader's clock.
   */
  apply(table: PoolTable, nowMs: number): void {
    const pool = this.poolOf(table.pool);
    if (pool?.apply(table, nowMs) !== true) {
      this.counted.ignored += 1;
      return;
    }
    this.counted.applied += 1;
    this.own(table.pool, pool.keys);
  }

  /** Lets what has run out fade to what is configured; to be called about once a second. @param nowMs monotonic. */
  fade(nowMs: number): void {
    for (const pool of this.pools.values()) pool.fade(nowMs);
  }

  /** A pool is no more: its buckets are as configured. */
  drop(pool: string): void {
    const sizes = this.pools.get(pool);
    if (sizes === undefined) return;
    sizes.drop();
    this.own(pool, sizes.keys);
  }

  /** Who may lend to a bucket at once, best first; none once its table has run out. */
  lendersOf(bucketKey: string): readonly Lender[] {
    const known = this.lenders.get(bucketKey);
    if (known !== undefined && known.sequence === known.pool.sequence) return known.lenders;
    const owner = this.owners.get(bucketKey);
    const pool = owner === undefined ? undefined : this.pools.get(owner);
    if (pool === undefined) return NO_LENDERS;
    const lenders = pool.held < 1 ? NO_LENDERS : this.lendersIn(pool, bucketKey);
    this.lenders.set(bucketKey, { pool, sequence: pool.sequence, lenders });
    return lenders;
  }

  private lendersIn(pool: PoolSizes, bucketKey: string): readonly Lender[] {
    const borrower = pool.get(bucketKey);
    if (borrower === undefined || borrower.lenders.length === 0) return NO_LENDERS;
    const lenders: Lender[] = [];
    for (const { bucketKey: key, keep } of borrower.lenders) {
      const ref = key === bucketKey || !isReserve(keep) ? undefined : this.refOf(pool, key);
      if (ref !== undefined) lenders.push({ ref, keep: Math.ceil(keep) });
    }
    return lenders;
  }

  /** A published token bucket of a pool, as the data path asks for it. */
  private refOf(pool: PoolSizes, key: string): BucketRef | undefined {
    const rule = this.rules.get(pool.get(key)?.ruleId ?? '');
    const params = rule?.sizeOf(key).params;
    if (rule === undefined || params?.algorithm !== 'token_bucket') return undefined;
    return { key, group: this.options.colocate === 'domain' ? rule.place.domain : key, params };
  }

  private own(pool: string, keys: PoolSizes['keys']): void {
    const before = this.keysOf.get(pool);
    if (keys === before) return;
    for (const key of before?.keys() ?? []) {
      if (this.owners.get(key) !== pool) continue;
      this.owners.delete(key);
      this.lenders.delete(key);
    }
    for (const key of keys.keys()) this.owners.set(key, pool);
    this.keysOf.set(pool, keys);
  }

  private poolOf(name: string): PoolSizes | undefined {
    let pool = this.pools.get(name);
    if (pool === undefined && this.pools.size < MAX_POOLS)
      this.pools.set(name, (pool = new PoolSizes(this.counted)));
    return pool;
  }
}

/**
 * A pool's table as it goes to those who decide: in columns. A message is read by the thread that serves before it does
 * anything else, and ten thousand rows of objects take it some ten times as long.
 */
import type { PoolTable, TunedBucket } from '../../core/control';

/** See the file's head. What is for the next leader alone is not part of it. */
export interface PackedTable {
  readonly table: Omit<PoolTable, 'buckets' | 'state'>;
  readonly ids: readonly string[];
  readonly ruleIds: readonly string[];
  readonly bucketKeys: readonly string[];
  readonly rates: Float64Array;
  readonly capacities: Float64Array;
  /** Mostly one for all; which of them is a bucket's. */
  readonly lenders: readonly TunedBucket['lenders'][];
  readonly lendersAt: Uint32Array;
}

/** Packs a table. */
export function packTable({ buckets, state: _, ...table }: PoolTable): PackedTable {
  const known = new Map<TunedBucket['lenders'], number>();
  const lenders: TunedBucket['lenders'][] = [];
  const lendersAt = Uint32Array.from(buckets, ({ lenders: own }) => {
    let at = known.get(own);
    if (at === undefined) {
      at = lenders.push(own) - 1;
      known.set(own, at);
    }
    return at;
  });
  return {
    table,
    ids: buckets.map(({ id }) => id),
    ruleIds: buckets.map(({ ruleId }) => ruleId),
    bucketKeys: buckets.map(({ bucketKey }) => bucketKey),
    rates: Float64Array.from(buckets, ({ ratePerS }) => ratePerS),
    capacities: Float64Array.from(buckets, ({ capacity }) => capacity),
    lenders,
    lendersAt,
  };
}

/** The table, without a state. */
export function unpackTable(packed: PackedTable): PoolTable {
  const { table, ids, ruleIds, bucketKeys, rates, capacities, lenders, lendersAt } = packed;
  const buckets = ids.map((id, at): TunedBucket => ({
    id,
    ruleId: ruleIds[at] ?? '',
    bucketKey: bucketKeys[at] ?? '',
    ratePerS: rates[at] ?? NaN,
    capacity: capacities[at] ?? NaN,
    lenders: lenders[lendersAt[at] ?? 0] ?? [],
  }));
  return { ...table, buckets, state: '' };
}

/** Counts a decision as the reference's dashboards expect it: hits that straddle a threshold split between the figures. */
import type { BucketOutcome, ChargeDenied } from '../core/buckets';
import type { LimitedItem } from './plan';

/** What the figures depend on. */
export interface StatisticsOptions {
  readonly nearLimitRatio: number;
  readonly chargeDenied: ChargeDenied;
}

/** Adds one bucket's outcome to its rule's counters. */
export function countOutcome(item: LimitedItem, outcome: BucketOutcome, options: StatisticsOptions): void {
  const hits = item.call.hits;
  if (hits <= 0) return;
  const { counters } = item;
  const { usedBefore, usedAfter } = outcome;
  const limit =
    item.call.params.algorithm === 'token_bucket' ? item.call.params.capacity : item.call.params.limit;
  // The reference multiplies in 32-bit floats; near the edges the difference shows.
  const near = Math.floor(Math.fround(Math.fround(limit) * Math.fround(options.nearLimitRatio)));
  if (outcome.allowed) {
    counters.withinLimit(hits);
    if (usedAfter > near) counters.nearLimit(usedBefore >= near ? hits : Math.round(usedAfter - near));
    return;
  }
  // Where a denied call is charged nothing, none of its hits passed; where it is charged, those under the limit count as near.
  const whole = options.chargeDenied === 'none' || usedBefore >= limit;
  const over = whole ? hits : Math.round(usedAfter - limit);
  counters.overLimit(over);
  if (!whole) counters.nearLimit(Math.round(limit - Math.max(near, usedBefore)));
  if (item.shadowMode) counters.shadowMode(over);
}

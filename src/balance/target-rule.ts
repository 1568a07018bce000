/** Which rule gave a target its share, and which bounds cut it. */
import type { GroupStanding } from './group-planner';
import { BACKUP, NONE } from './share/group-shape';

/** Shares nearer than this are alike. */
const ALIKE = 1e-8;
const NO_CLAMPS: readonly string[] = [];

/** See `TargetReason.rule`. */
export function ruleOf(standing: GroupStanding, t: number): string {
  const { state, shape, targets, wished, present } = standing;
  if (state === 'stale') return 'stale';
  if (shape.role[t] === NONE) return 'configured';
  const base = shape.base[t] ?? 0;
  let off = 0;
  let isHeld = false;
  for (const [c, row] of present.entries()) {
    const gap = (row[t] ?? 0) - base;
    if (Math.abs(gap) > Math.abs(off)) off = gap;
    if (standing.bounds[c] === 'dead_band' && Math.abs((wished[c]?.[t] ?? 0) - (row[t] ?? 0)) > ALIKE)
      isHeld = true;
  }
  if (state === 'unhealthy') return 'spread';
  if (targets[t]?.steady.held.factor === 0) return 'drained';
  if (state === 'overloaded') return 'spread';
  if (Math.abs(off) <= ALIKE) return isHeld ? 'hold' : 'configured';
  if (shape.role[t] === BACKUP) return 'backup';
  return off < 0 ? 'moved_off' : 'moved_to';
}

/** See `TargetReason.clamps`. */
export function clampsOf(standing: GroupStanding, t: number): readonly string[] {
  const { shape, wished, bounds, present } = standing;
  const low = shape.low[t] ?? 0;
  const high = shape.high[t] ?? 1;
  const base = shape.base[t] ?? 0;
  const found = { floor: false, max: false, rate: false, band: false };
  for (const [c, wish] of wished.entries()) {
    const share = wish[t] ?? 0;
    if (low > 0 && low < base && share <= low + ALIKE) found.floor = true;
    if (high < 1 && share > base + ALIKE && share >= high - ALIKE) found.max = true;
    if (Math.abs(share - (present[c]?.[t] ?? 0)) <= ALIKE) continue;
    if (bounds[c] === 'rate') found.rate = true;
    if (bounds[c] === 'dead_band') found.band = true;
  }
  if (!found.floor && !found.max && !found.rate && !found.band) return NO_CLAMPS;
  const clamps: string[] = [];
  if (found.floor) clamps.push('floor');
  if (found.max) clamps.push('max_share');
  if (found.rate) clamps.push('rate');
  if (found.band) clamps.push('dead_band');
  return clamps;
}

/** What the configuration says of a group's shares: the configured ones, and their bounds. */
import { waterFill } from '../../control/allocate/water-fill';
import type { TrafficTarget } from '../../core/traffic';
import { roundRow, SHARE_UNIT, unitAbove, unitBelow } from './whole-row';

/** One place a target. Shares are multiples of a unit (see `whole-row`). */
export interface GroupShape {
  /** The configured shares, within the bounds; a backup has none unless the others' bounds leave some. */
  readonly base: Float64Array;
  /** Never less, and never more. */
  readonly low: Float64Array;
  readonly high: Float64Array;
  /** 1: takes traffic always; 2: takes what the others cannot; 0: takes none, its weight is 0. */
  readonly role: Uint8Array;
  /** Whether the greatest shares of all are under 1 together, and were lifted. */
  readonly lifted: boolean;
}

/** The roles of {@link GroupShape}. */
export const NONE = 0;
export const PRIMARY = 1;
export const BACKUP = 2;

/**
 * The shape of a group. A weight that is none counts as 0; where no weight counts all are alike, and where all are backups none
 * is. A target keeps `floor`, or its configured share where that is less, and has at most its `maxShare`; where greatest
 * shares together do not make 1, they are not kept.
 */
export function groupShape(targets: readonly TrafficTarget[], floor: number): GroupShape {
  const count = targets.length;
  const weight = Float64Array.from(targets, (target) => sane(target.weight, 0, Number.MAX_VALUE, 0));
  const allBackup = targets.every((target) => target.backup);
  const isPrimary = (t: number) => allBackup || targets[t]?.backup === false;
  const share = normalised(weight, isPrimary);
  const role = Uint8Array.from(targets, (_, t) => {
    if (!isPrimary(t)) return BACKUP;
    return (share[t] ?? 0) > 0 ? PRIMARY : NONE;
  });
  const low = new Float64Array(count);
  const high = new Float64Array(count);
  for (const [t, target] of targets.entries()) {
    if (role[t] === NONE) continue;
    high[t] = unitBelow(sane(target.maxShare, 0, 1, 1));
    if (role[t] === BACKUP) continue;
    low[t] = Math.min(unitAbove(sane(floor, 0, 1, 0)), unitBelow(share[t] ?? 0), high[t] ?? 0);
  }
  // Each was cut to whole units: together they may miss 1 by as many.
  const lifted = sumOf(high) < 1 - (count + 1) * SHARE_UNIT;
  if (lifted) for (let t = 0; t < count; t += 1) if (role[t] !== NONE) high[t] = 1;
  const base = baseOf(share, weight, low, high, role);
  roundRow(base, low, high);
  for (let t = 0; t < count; t += 1) low[t] = Math.min(low[t] ?? 0, base[t] ?? 0);
  return { base, low, high, role, lifted };
}

/** Fits shares into the shape: in proportion, within its bounds; the configured ones where there are none. In place. */
export function fitRow(row: Float64Array, shape: GroupShape): void {
  const { base, low, high, role } = shape;
  const weight = row.map((share, t) => (role[t] === NONE ? 0 : share));
  const fitted = sumOf(weight) > 0 ? waterFill(1, low, high, weight) : base;
  row.set(fitted);
  roundRow(row, low, high);
}

function baseOf(
  share: Float64Array,
  weight: Float64Array,
  low: Float64Array,
  high: Float64Array,
  role: Uint8Array,
): Float64Array {
  const only = (which: number) => high.map((most, t) => (role[t] === which ? most : 0));
  const base = waterFill(1, low, only(PRIMARY), share);
  const left = 1 - sumOf(base);
  if (left <= 1e-9) return base;
  const backups = normalised(weight, (t) => role[t] === BACKUP);
  const more = waterFill(left, new Float64Array(base.length), only(BACKUP), backups);
  return base.map((own, t) => own + (more[t] ?? 0));
}

/** Weights as parts of 1, of those that count; all of these alike where none has a weight. */
function normalised(weight: Float64Array, counts: (t: number) => boolean): Float64Array {
  let most = 0;
  for (let t = 0; t < weight.length; t += 1) if (counts(t)) most = Math.max(most, weight[t] ?? 0);
  const parts = weight.map((own, t) => (!counts(t) ? 0 : most > 0 ? own / most : 1));
  const sum = sumOf(parts);
  return sum > 0 ? parts.map((part) => part / sum) : parts;
}

function sane(value: number, least: number, most: number, otherwise: number): number {
  return Number.isFinite(value) ? Math.min(most, Math.max(least, value)) : otherwise;
}

/** The sum of a row. */
export function sumOf(values: Float64Array): number {
  let sum = 0;
  for (const value of values) sum += value;
  return sum;
}

/** How the demand of one class is spread over targets that can take so much and no more. */
import { total, waterFill } from '../../control/allocate/water-fill';
import { BACKUP, type GroupShape, NONE, PRIMARY } from './group-shape';

/** What targets can take, a second, one place a target. */
export interface Room {
  /** What they can still take; Infinity where nothing bounds them. Never NaN or negative. */
  readonly left: Float64Array;
  /** By what each takes of a surplus, and of what is too much for all; finite. */
  readonly weight: Float64Array;
}

/** What is left of a demand by rounding, as a part of it. */
const ROUNDING = 1e-9;

/**
 * Spreads `demand` (above 0): first by the configured shares up to what is left of each, then over the others that take traffic
 * always, then over backups, by what is left of each; at last, where that is not enough, over all by what they can take. The
 * shape's bounds hold throughout. Takes what it gives from `room.left`.
 * @param row receives the shares, which sum to 1 but for rounding.
 * @returns what nobody can take, a part of the demand.
 */
export function spreadClass(demand: number, shape: GroupShape, room: Room, row: Float64Array): number {
  const { base, low, role } = shape;
  const { left } = room;
  for (let t = 0; t < row.length; t += 1) {
    const own = demand * (base[t] ?? 0);
    row[t] = role[t] === NONE ? 0 : Math.max(demand * (low[t] ?? 0), Math.min(own, left[t] ?? 0));
  }
  let surplus = demand - total(row);
  for (const role of [PRIMARY, BACKUP]) {
    if (surplus > ROUNDING * demand) surplus = pour(surplus, demand, role, shape, room, row);
  }
  const short = surplus > ROUNDING * demand ? surplus / demand : 0;
  if (short > 0) overflow(surplus, demand, shape, room, row);
  for (let t = 0; t < row.length; t += 1) {
    const given = row[t] ?? 0;
    left[t] = Math.max(0, (left[t] ?? 0) - given);
    row[t] = given / demand;
  }
  return short;
}

/** Gives a surplus to the targets of one role that have room. @returns what is left of it. */
function pour(
  surplus: number,
  demand: number,
  role: number,
  shape: GroupShape,
  room: Room,
  row: Float64Array,
): number {
  let bounded = 0;
  let isEndless = false;
  for (let t = 0; t < row.length; t += 1) {
    if (shape.role[t] !== role) continue;
    bounded += moreOf(t, demand, shape, room, row);
    isEndless = isEndless || room.left[t] === Infinity;
  }
  if (bounded === 0) return surplus;
  if (isEndless && surplus < bounded) return pourEndless(surplus, demand, role, shape, room, row);
  // By what is left of each, nobody gets more than that.
  const part = Math.min(1, surplus / bounded);
  for (let t = 0; t < row.length; t += 1) {
    if (shape.role[t] === role) row[t] = (row[t] ?? 0) + part * moreOf(t, demand, shape, room, row);
  }
  return Math.max(0, surplus - bounded);
}

/** What a target can take beyond what it has of this class, within its greatest share. */
function moreOf(t: number, demand: number, shape: GroupShape, room: Room, row: Float64Array): number {
  const most = Math.min(room.left[t] ?? 0, demand * (shape.high[t] ?? 0));
  return Math.max(0, most - (row[t] ?? 0));
}

/** The same where some have no bound but their greatest share: those take by their weight. */
function pourEndless(
  surplus: number,
  demand: number,
  role: number,
  shape: GroupShape,
  room: Room,
  row: Float64Array,
): number {
  const caps = row.map((_, t) => (shape.role[t] === role ? moreOf(t, demand, shape, room, row) : 0));
  const weights = caps.map((cap, t) => (room.left[t] === Infinity ? (room.weight[t] ?? 0) : cap));
  const given = waterFill(surplus, new Float64Array(row.length), caps, weights);
  for (let t = 0; t < row.length; t += 1) row[t] = (row[t] ?? 0) + (given[t] ?? 0);
  return 0;
}

/** Gives what is too much to all, by what they can take; by the configured shares where that is nothing. */
function overflow(surplus: number, demand: number, shape: GroupShape, room: Room, row: Float64Array): void {
  const caps = row.map((given, t) => Math.max(0, demand * (shape.high[t] ?? 0) - given));
  let weights = room.weight;
  const canTake = caps.some((cap, t) => cap > 0 && (weights[t] ?? 0) > 0);
  if (!canTake) weights = shape.base;
  const given = waterFill(surplus, new Float64Array(row.length), caps, weights);
  for (let t = 0; t < row.length; t += 1) row[t] = (row[t] ?? 0) + (given[t] ?? 0);
}

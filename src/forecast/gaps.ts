/** Makes a series whole before a model reads it: gaps filled, absurd figures bounded, what is not a figure dropped. */
import { LARGEST_FIGURE } from './scale';

/** Gaps up to this many steps are filled by a straight line. */
const SHORT_GAP_STEPS = 6;
/** Steps on each side of a long gap that tell the local level. */
const EDGE_STEPS = 12;
/** Seasons away that a long gap's fill is averaged over, on each side. */
const SEASONS_EACH_WAY = 2;
/** A figure is absurd when it is this many times what one in a hundred exceeds. */
const ABSURD_TIMES = 1000;
/** A local level is at most this many times off the other seasons'. */
const LEVEL_RATIO_MAX = 8;

/** The figure above which a value of this series is absurd, at least {@link ABSURD_TIMES}. */
export function absurdAbove(values: Float64Array): number {
  const known = values.filter((value) => Number.isFinite(value)).sort();
  const high = known[Math.floor((known.length - 1) * 0.99)] ?? 0;
  return Math.min(LARGEST_FIGURE, ABSURD_TIMES * (1 + Math.max(0, high)));
}

/** A copy with figures from 0 to `largest`; what is not finite becomes a gap (NaN). */
export function boundFigures(values: Float64Array, largest: number): Float64Array {
  return values.map((value) => (Number.isFinite(value) ? Math.min(largest, Math.max(0, value)) : NaN));
}

/**
 * A copy without gaps: short ones by a straight line; longer ones by the same phase of the nearest seasons, the longest
 * season first, brought to the level around the gap. Without a season, or when nothing is known at the phase, by a
 * straight line; at an end, by the nearest known value; zeros when nothing is known at all.
 */
export function fillGaps(values: Float64Array, seasons: readonly number[]): Float64Array {
  const filled = Float64Array.from(values);
  const longestFirst = [...seasons].filter((season) => season >= 2).sort((a, b) => b - a);
  for (let at = 0; at < values.length; at += 1) {
    if (Number.isFinite(values[at])) continue;
    const from = at;
    while (at < values.length && !Number.isFinite(values[at])) at += 1;
    fillOne({ values, filled, from, to: at, seasons: at - from > SHORT_GAP_STEPS ? longestFirst : [] });
  }
  return filled;
}

/** Figures bounded, then gaps filled: what a model fits to. */
export function wholeSeries(values: Float64Array, seasons: readonly number[]): Float64Array {
  return fillGaps(boundFigures(values, absurdAbove(values)), seasons);
}

interface Gap {
  readonly values: Float64Array;
  readonly filled: Float64Array;
  /** The gap's first step, and the first after it. */
  readonly from: number;
  readonly to: number;
  readonly seasons: readonly number[];
}

function fillOne(gap: Gap): void {
  const { values, filled, from, to } = gap;
  const before = finiteOr(values[from - 1], NaN);
  const after = finiteOr(values[to], NaN);
  const left = finiteOr(before, finiteOr(after, 0));
  const right = finiteOr(after, left);
  const ratio = gap.seasons.length === 0 ? 1 : levelRatio(gap);
  for (let at = from; at < to; at += 1) {
    const line = left + ((right - left) * (at - from + 1)) / (to - from + 1);
    const seasonal = gap.seasons.length === 0 ? NaN : atPhase(gap, at) * ratio;
    filled[at] = finiteOr(seasonal, line);
  }
}

/** The mean of the known values at the same phase of the nearest seasons; NaN when there is none. */
function atPhase({ values, seasons }: Gap, at: number): number {
  for (const season of seasons) {
    let sum = 0;
    let known = 0;
    for (let away = -SEASONS_EACH_WAY; away <= SEASONS_EACH_WAY; away += 1) {
      const value = values[at + away * season];
      if (away === 0 || value === undefined || !Number.isFinite(value)) continue;
      sum += value;
      known += 1;
    }
    if (known > 0) return sum / known;
  }
  return NaN;
}

/** By how much the level around a gap differs from the same phases of other seasons. */
function levelRatio(gap: Gap): number {
  let here = 0;
  let elsewhere = 0;
  const add = (at: number): void => {
    const value = gap.values[at];
    const other = atPhase(gap, at);
    if (value === undefined || !Number.isFinite(value) || !Number.isFinite(other)) return;
    here += value;
    elsewhere += other;
  };
  for (let away = 1; away <= EDGE_STEPS; away += 1) {
    add(gap.from - away);
    add(gap.to - 1 + away);
  }
  if (here <= 0 || elsewhere <= 0) return 1;
  return Math.min(LEVEL_RATIO_MAX, Math.max(1 / LEVEL_RATIO_MAX, here / elsewhere));
}

function finiteOr(value: number | undefined, otherwise: number): number {
  return value !== undefined && Number.isFinite(value) ? value : otherwise;
}

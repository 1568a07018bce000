/** Puts rows onto an even grid: order restored, the last of doubles kept, gaps left as NaN, and each of these told. */
import { TidegateError } from '../../core/errors';
import type { Series } from '../../core/series';
import type { SeriesRows } from './series-rows';

/** A series and what had to be done to make it one. */
export interface GriddedSeries {
  readonly series: Series;
  /** By how much the file's times are after the steps' begins, ms: steps begin at multiples of their length. */
  readonly offsetMs: number;
  /** In words, with counts. */
  readonly warnings: readonly string[];
}

/** More steps than this are not laid out. */
export const STEPS_MAX = 5_000_000;
/** From so many steps on, */
const SPARSE_FROM = 1_000;
/** rows that fill less than this part of the steps have a time among them that is not of the series. */
const FILLED_MIN = 0.01;
/** A row this part of a step away from the grid still counts as on it: schedulers jitter. */
const JITTER = 0.1;
/** More rows than this part off the grid, and the rows are not evenly spaced. */
const OFF_GRID_MAX = 0.02;
/** So many rows tell the step. */
const SAMPLED_MAX = 20_000;

/** @throws TidegateError TG_SERIES_BAD_FILE when there is no even step to be found, or too many of them. */
export function gridOf(rows: SeriesRows, file: string): GriddedSeries {
  const order = timeOrder(rows.timesMs);
  const timesMs = order.map((row) => rows.timesMs[row] ?? NaN);
  const stepMs = commonStep(timesMs);
  if (stepMs === undefined) {
    const message = `the file holds rows of ${new Set(timesMs).size} times; a series takes two at least`;
    throw new TidegateError('TG_SERIES_BAD_FILE', message, { at: { file } });
  }
  const firstMs = gridStart(timesMs, stepMs);
  const length = Math.round(((timesMs.at(-1) ?? 0) - firstMs) / stepMs) + 1;
  refuseSparse(rows, file, order, stepMs, length);
  const { values, taken, doubles, offGrid, firstOff } = layOut(rows, order, firstMs, stepMs, length);
  if (offGrid > OFF_GRID_MAX * order.length) {
    const message = `${offGrid} of ${order.length} rows are not evenly spaced at ${stepMs} ms, the most common step; this is the first`;
    throw new TidegateError('TG_SERIES_BAD_FILE', message, { at: { file, line: rows.lines[firstOff] ?? 0 } });
  }
  const disorder = order.filter((row, at) => at > 0 && row < (order[at - 1] ?? 0)).length;
  const empty = taken.filter((one) => one === 0).length;
  const valueless = values.filter((value) => Number.isNaN(value)).length - empty;
  const found: readonly (readonly [number, string, string])[] = [
    [disorder, 'row', 'out of order: put into order'],
    [doubles, 'row', 'of a time that had one already: the last counts'],
    [offGrid, 'row', 'between two steps: put to the nearer one'],
    [empty, 'step', 'without a row: gaps'],
    [valueless, 'row', 'without a value: gaps'],
  ];
  const startMs = Math.floor(firstMs / stepMs) * stepMs;
  return {
    series: { startMs, stepMs, values },
    offsetMs: firstMs - startMs,
    warnings: found
      .filter(([count]) => count > 0)
      .map(([count, noun, what]) => `${count} ${noun}${count === 1 ? '' : 's'} ${what}`),
  };
}

/** One time that is far off would make a series of gaps: the row after the widest one is told. */
function refuseSparse(
  rows: SeriesRows,
  file: string,
  order: readonly number[],
  stepMs: number,
  length: number,
): void {
  const few = length > SPARSE_FROM && order.length < FILLED_MIN * length;
  if (length <= STEPS_MAX && !few) return;
  const time = (at: number): number => rows.timesMs[order[at] ?? 0] ?? NaN;
  const wide = order.reduce(
    (best, _, at) => (at > 0 && time(at) - time(at - 1) > time(best) - time(best - 1) ? at : best),
    1,
  );
  const line = (at: number): number => rows.lines[order[at] ?? 0] ?? 0;
  const what = few ? `of which ${order.length} rows fill less than 1 %` : `more than ${STEPS_MAX}`;
  const message = `at ${stepMs} ms a step the rows span ${length} steps, ${what}; the widest gap ends here, and begins at line ${line(wide - 1)}`;
  const remedy = 'look for a time that is far from the others, or give it coarser steps';
  throw new TidegateError('TG_SERIES_BAD_FILE', message, { at: { file, line: line(wide) }, remedy });
}

interface LaidOut {
  readonly values: Float64Array;
  readonly taken: Uint8Array;
  readonly doubles: number;
  readonly offGrid: number;
  readonly firstOff: number;
}

function layOut(
  rows: SeriesRows,
  order: readonly number[],
  firstMs: number,
  stepMs: number,
  length: number,
): LaidOut {
  const values = new Float64Array(length).fill(NaN);
  const taken = new Uint8Array(length);
  let [doubles, offGrid, firstOff] = [0, 0, -1];
  for (const row of order) {
    const place = ((rows.timesMs[row] ?? 0) - firstMs) / stepMs;
    const step = Math.min(length - 1, Math.max(0, Math.round(place)));
    if (Math.abs(place - step) > JITTER) {
      offGrid += 1;
      if (firstOff < 0) firstOff = row;
    }
    doubles += taken[step] ?? 0;
    taken[step] = 1;
    values[step] = rows.values[row] ?? NaN;
  }
  return { values, taken, doubles, offGrid, firstOff };
}

/** Rows by time; rows of one time stay in the file's order. */
function timeOrder(timesMs: readonly number[]): readonly number[] {
  const rows = timesMs.map((_, row) => row);
  const sorted = timesMs.every((time, row) => row === 0 || time >= (timesMs[row - 1] ?? 0));
  return sorted ? rows : rows.sort((a, b) => (timesMs[a] ?? 0) - (timesMs[b] ?? 0) || a - b);
}

/** The most common distance of neighbours, ms; the shorter one of two that are as common. */
function commonStep(timesMs: readonly number[]): number | undefined {
  const distances = timesMs
    .slice(1, SAMPLED_MAX)
    .map((time, at) => time - (timesMs[at] ?? 0))
    .filter((distance) => distance > 0);
  return mostCommon(distances);
}

/** The first time that the grid has: the first row's, moved to where most rows stand when it is off by some jitter. */
function gridStart(timesMs: readonly number[], stepMs: number): number {
  const firstMs = timesMs[0] ?? 0;
  const shift = mostCommon(
    timesMs.slice(0, SAMPLED_MAX).map((time) => {
      const place = (time - firstMs) / stepMs;
      return Math.round((place - Math.round(place)) * stepMs);
    }),
  );
  return firstMs + (shift ?? 0);
}

function mostCommon(figures: readonly number[]): number | undefined {
  const counts = new Map<number, number>();
  for (const figure of figures) counts.set(figure, (counts.get(figure) ?? 0) + 1);
  const [best] = [...counts].sort(([a, countA], [b, countB]) => countB - countA || a - b);
  return best?.[0];
}

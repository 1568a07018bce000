/**
 * The regression of a Prophet-like model (Taylor and Letham, "Forecasting at scale", 2018): a piecewise linear trend, the
 * harmonics of each season and an effect per holiday, by penalised least squares. Phases count from the Unix epoch, so
 * that a day begins at midnight UTC. Changes of the trend pay by their size (their prior is Laplace's), so that few are
 * made: the penalty is weighted again by each solution.
 */
import { factorise, solveFactored } from '../numeric/least-squares';
import { seenSeasons, type Holiday, type SeriesContext } from './model';

/** Possible changes of the trend, over the first part of the series. */
const CHANGES_MAX = 25;
const CHANGES_PART = 0.8;
/** The usual size of a change of slope, where time and values have the size 1. */
const CHANGE_SIZE = 0.05;
/** The usual size of other effects: hardly a bound. */
const EFFECT_SIZE = 10;
/** Harmonics of a season at most. */
const HARMONICS_MAX = 10;
/** Holiday names that are told apart at most. */
const HOLIDAYS_MAX = 40;
/** How often the penalty of changes is weighted again. */
const PASSES = 4;

/** The variance of errors, before any is known, where values have the size 1: small, so that all changes show. */
const FIRST_VARIANCE = 1e-4;

/** One season's sum of harmonics, by phase since the epoch. */
export interface SeasonCurve {
  readonly phases: Float64Array;
}

/** What a holiday adds. */
export interface HolidayEffect {
  readonly name: string;
  readonly effect: number;
}

/** A fitted regression. */
export interface CalendarFit {
  /** The trend at step 0, and its slope a step before any change. */
  readonly base: number;
  readonly slope: number;
  /** Where the slope changes, in steps from the first value, and by how much. */
  readonly changes: readonly { readonly at: number; readonly by: number }[];
  readonly seasons: readonly SeasonCurve[];
  readonly holidays: readonly HolidayEffect[];
}

/** The trend at a step. */
export function trendAt(fit: CalendarFit, step: number): number {
  let trend = fit.base + fit.slope * step;
  for (const { at, by } of fit.changes) if (step > at) trend += by * (step - at);
  return trend;
}

/** The number of steps from the epoch to the first value. */
export function epochSteps(context: SeriesContext): number {
  return Math.floor(context.startMs / context.stepMs);
}

/** What the seasons add at a number of steps since the epoch. */
export function seasonsAt(seasons: readonly SeasonCurve[], epochStep: number): number {
  let sum = 0;
  for (const { phases } of seasons) sum += phases[modulo(epochStep, phases.length)] ?? 0;
  return sum;
}

/** Fits to a series without gaps. */
export function fitCalendar(values: Float64Array, context: SeriesContext): CalendarFit {
  const design = designOf(values.length, context);
  const mean = values.reduce((sum, value) => sum + value, 0) / Math.max(1, values.length);
  const size = Math.max(
    1e-9,
    values.reduce((most, value) => Math.max(most, Math.abs(value - mean)), 0),
  );
  const targets = values.map((value) => (value - mean) / size);
  const solved = solve(design, targets).map((coefficient) => coefficient * size);
  return readFit(design, solved, mean);
}

interface Design {
  readonly rows: number;
  /** The columns one after the other: constant, slope, changes, harmonics, holidays. */
  readonly columns: readonly Float64Array[];
  readonly changes: readonly number[];
  readonly harmonics: readonly { readonly season: number; readonly orders: readonly number[] }[];
  readonly names: readonly string[];
}

function designOf(rows: number, context: SeriesContext): Design {
  const epoch = epochSteps(context);
  const count = Math.max(0, Math.min(CHANGES_MAX, Math.floor(rows * CHANGES_PART) - 1));
  const changes = Array.from({ length: count }, (_, index) =>
    Math.round(((index + 1) * rows * CHANGES_PART) / (count + 1)),
  );
  const column = (value: (step: number) => number): Float64Array =>
    Float64Array.from({ length: rows }, (_, step) => value(step));
  const columns = [
    column(() => 1),
    column((step) => step / rows),
    ...changes.map((at) => column((step) => Math.max(0, step - at) / rows)),
  ];
  const harmonics = harmonicsOf(seenSeasons(context.seasons, rows));
  for (const { season, orders } of harmonics) {
    for (const order of orders) {
      for (const wave of [Math.cos, Math.sin]) {
        const curve = waveCurve(wave, order, season);
        columns.push(column((step) => curve[modulo(epoch + step, season)] ?? 0));
      }
    }
  }
  const names = [...new Set((context.holidays ?? []).map(({ name }) => name))].slice(0, HOLIDAYS_MAX);
  for (const name of names) {
    const spans = (context.holidays ?? []).filter((holiday) => holiday.name === name);
    columns.push(column((step) => (within(spans, context.startMs + step * context.stepMs) ? 1 : 0)));
  }
  return { rows, columns, changes, harmonics, names };
}

/** Harmonics per season; those that a shorter season has already are not taken again. */
function harmonicsOf(seasons: readonly number[]): Design['harmonics'] {
  return seasons.map((season, which) => {
    const shorter = seasons.slice(0, which);
    const orders: number[] = [];
    for (let order = 1; order <= HARMONICS_MAX && 2 * order < season; order += 1) {
      if (!shorter.some((other) => (order * other) % season === 0)) orders.push(order);
    }
    return { season, orders };
  });
}

function waveCurve(wave: (angle: number) => number, order: number, season: number): Float64Array {
  return Float64Array.from({ length: season }, (_, phase) =>
    wave((2 * Math.PI * ((order * phase) % season)) / season),
  );
}

/** Whether a time lies in one of the spans. */
export function within(spans: readonly Holiday[], atMs: number): boolean {
  return spans.some(({ startMs, endMs }) => atMs >= startMs && atMs < endMs);
}

/** Coefficients by penalised least squares. */
function solve(design: Design, targets: Float64Array): Float64Array {
  const { columns, changes } = design;
  const size = columns.length;
  const products = new Float64Array(size * size);
  const right = new Float64Array(size);
  columns.forEach((column, row) => {
    right[row] = dot(column, targets);
    for (let other = 0; other <= row; other += 1) {
      products[row * size + other] = dot(column, columns[other] ?? column);
    }
  });
  let solution = new Float64Array(size);
  let variance = FIRST_VARIANCE;
  for (let pass = 0; pass < PASSES; pass += 1) {
    const matrix = products.slice();
    for (let at = 0; at < size; at += 1) {
      const isChange = at >= 2 && at < 2 + changes.length;
      // A ridge whose weight is one over the size found before is the Laplace prior's penalty.
      const found = pass === 0 ? CHANGE_SIZE : Math.max(CHANGE_SIZE / 10, Math.abs(solution[at] ?? 0));
      const usualSquare = isChange ? CHANGE_SIZE * found : EFFECT_SIZE ** 2;
      matrix[at * size + at] = (matrix[at * size + at] ?? 0) + Math.max(1e-9, variance / usualSquare);
    }
    factorise(matrix, size);
    solution = Float64Array.from(solveFactored(matrix, size, right.slice()));
    variance = residualVariance(columns, targets, solution);
  }
  return solution;
}

/**
 * The variance of what is left, times how many values say the same: neighbouring errors are alike, so a series of them
 * knows less of the trend than as many independent ones.
 */
function residualVariance(
  columns: readonly Float64Array[],
  targets: Float64Array,
  solution: Float64Array,
): number {
  const left = targets.slice();
  columns.forEach((column, which) => {
    const coefficient = solution[which] ?? 0;
    for (let row = 0; row < left.length; row += 1)
      left[row] = (left[row] ?? 0) - coefficient * (column[row] ?? 0);
  });
  const square = dot(left, left);
  if (square <= 0) return 1e-12;
  const alike = Math.min(0.98, Math.max(0, dot(left.subarray(1), left) / square));
  return Math.max(1e-12, ((square / left.length) * (1 + alike)) / (1 - alike));
}

function readFit(design: Design, solved: Float64Array, mean: number): CalendarFit {
  const { rows, changes, harmonics, names } = design;
  let at = 2 + changes.length;
  const seasons = harmonics.map(({ season, orders }): SeasonCurve => {
    const phases = new Float64Array(season);
    for (const order of orders) {
      for (const wave of [Math.cos, Math.sin]) {
        const coefficient = solved[at] ?? 0;
        at += 1;
        waveCurve(wave, order, season).forEach((value, phase) => {
          phases[phase] = (phases[phase] ?? 0) + coefficient * value;
        });
      }
    }
    return { phases };
  });
  return {
    base: (solved[0] ?? 0) + mean,
    slope: (solved[1] ?? 0) / rows,
    changes: changes.map((step, which) => ({ at: step, by: (solved[2 + which] ?? 0) / rows })),
    seasons,
    holidays: names.map((name, which) => ({ name, effect: solved[at + which] ?? 0 })),
  };
}

function dot(left: Float64Array, right: Float64Array): number {
  let sum = 0;
  const length = Math.min(left.length, right.length);
  for (let at = 0; at < length; at += 1) sum += (left[at] ?? 0) * (right[at] ?? 0);
  return sum;
}

function modulo(value: number, by: number): number {
  return ((value % by) + by) % by;
}

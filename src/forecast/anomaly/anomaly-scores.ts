/**
 * Scores of how odd a step is, each of one kind of oddity, at least 0 and larger the odder; what a large one is, is left
 * to the tails of each (see `peak-tail`).
 */
import { ResidualScale, memoryRates } from '../interval/residual-scale';
import { zeros } from '../numeric/figures';
import type { ModelState } from '../model/model';
import { countIn, figuresIn, stateIn } from '../model/state';
import { SlowReference, type SlotDeviation } from './slow-reference';

/**
 * The kinds of score, in the order of their figures: one error, some errors together, slots against what is usual of
 * them (both ways each), the sizes of errors, equal values, and values that were not seen before.
 */
export const SCORE_KINDS = [
  'spike',
  'drop',
  'surge',
  'sag',
  'rise',
  'fall',
  'variance',
  'calm',
  'flatline',
  'high',
  'low',
] as const;
/** One of {@link SCORE_KINDS}. */
export type ScoreKind = (typeof SCORE_KINDS)[number];

/** What a step brings. */
export interface ScoredStep {
  readonly step: number;
  /** NaN when it is missing. */
  readonly actual: number;
  readonly expected: number;
  /** The usual size of one-step errors just now. */
  readonly size: number;
}

/** The memories of error sizes: a day and four, in days. */
const SIZE_MEMORIES_DAYS = [1, 4] as const;
/** Steps of the short window of error sizes. */
const VARIANCE_STEPS = 24;

/** Runs of equal values that are shorter are no matter. */
const LEAST_RUN = 6;
/** How fast the part of equal neighbours is learnt, and the least that is believed. */
const EQUAL_RATE = 0.005;
const LEAST_EQUAL = 0.05;

const ABSOLUTE = 0;
const EQUAL_TO_ZERO = 1;
const RUN = 2;
const LAST = 3;
const FLATNESS = 4;
const EQUAL_PART = 5;
const LEVEL = 6;
const GATHERED = 7;
/** Windows of errors that are looked at together, steps. */
const WINDOWS = [4, 16] as const;
const CELLS = GATHERED + WINDOWS.length;
/** Errors count at most this many sizes there. */
const MOST_SIZES = 6;
const LEVEL_RATE = 0.0005;
/** The part of the level that values are shifted by, so that zeros have a place. */
const LEVEL_PART = 0.1;

const SURGE = SCORE_KINDS.indexOf('surge');
const RISE = SCORE_KINDS.indexOf('rise');
const VARIANCE = SCORE_KINDS.indexOf('variance');
const FLATLINE = SCORE_KINDS.indexOf('flatline');
const HIGH = SCORE_KINDS.indexOf('high');

/** See the file's head. */
export class AnomalyScores {
  /** The figures of the last step, by {@link SCORE_KINDS}. */
  readonly figures = zeros(SCORE_KINDS.length);
  readonly reference: SlowReference;
  private readonly usual: ResidualScale;
  private readonly cells: number[];
  /** The last error in sizes that are usual over days; NaN when the value was missing. */
  sized = NaN;
  private seen = 0;

  /** @throws TidegateError TG_FORECAST_BAD_STATE. */
  constructor(stepsADay: number, slotSteps: number, seasonal: boolean, state?: ModelState) {
    this.reference = new SlowReference(slotSteps, seasonal, state && stateIn(state, 'reference'));
    this.usual = new ResidualScale(
      memoryRates(SIZE_MEMORIES_DAYS.map((days) => Math.max(50, days * stepsADay))),
      state && stateIn(state, 'usual'),
    );
    this.cells = state ? [...figuresIn(state, 'cells', CELLS)] : zeros(CELLS);
    if (state !== undefined) this.seen = countIn(state, 'seen');
  }

  /** Takes a step; `figures` are its scores. @returns how the slot did that ended with it. */
  observe({ step, actual, expected, size }: ScoredStep): SlotDeviation | undefined {
    const { figures } = this;
    const slot = this.reference.observe(step, actual);
    figures.fill(0);
    this.sized = NaN;
    if (slot !== undefined) {
      const deviation = Math.abs(slot.long) > Math.abs(slot.short) ? slot.long : slot.short;
      figures[RISE] = Math.max(0, deviation);
      figures[RISE + 1] = Math.max(0, -deviation);
    }
    if (!Number.isFinite(actual)) return slot;
    this.seen += 1;
    const error = actual - expected;
    const usual = this.usual.count > 0 ? this.usual.at(expected) : Math.abs(error);
    this.sized = error / Math.max(usual, 1e-12);
    const sized = error / Math.max(usual, size, 1e-12);
    figures[0] = Math.max(0, sized);
    figures[1] = Math.max(0, -sized);
    this.variance(Math.abs(this.sized));
    this.gather(sized);
    this.place(actual);
    figures[FLATLINE] = this.flatness(actual, expected);
    this.usual.observe(expected, error);
    return slot;
  }

  save(): ModelState {
    const { seen } = this;
    return {
      reference: this.reference.save(),
      usual: this.usual.save(),
      cells: Float64Array.from(this.cells),
      seen,
    };
  }

  /** The sum of the last errors, in sizes of such a sum if they were independent; of a short and a longer window. */
  private gather(sized: number): void {
    const { cells, figures } = this;
    const bounded = Math.max(-MOST_SIZES, Math.min(MOST_SIZES, sized));
    let most = 0;
    for (let index = 0; index < WINDOWS.length; index += 1) {
      const rate = 2 / (WINDOWS[index]! + 1);
      const mean = cells[GATHERED + index]! * (1 - rate) + rate * bounded;
      cells[GATHERED + index] = mean;
      const sum = mean * Math.sqrt((2 - rate) / rate);
      if (Math.abs(sum) > Math.abs(most)) most = sum;
    }
    figures[SURGE] = Math.max(0, most);
    figures[SURGE + 1] = Math.max(0, -most);
  }

  /** The value itself, on a scale on which parts of the usual level are alike. */
  private place(actual: number): void {
    const { cells, figures } = this;
    const level = cells[LEVEL] ?? 0;
    const rate = Math.max(LEVEL_RATE, 1 / this.seen);
    const log = Math.log((actual + LEVEL_PART * level) / ((1 + LEVEL_PART) * level) + 1e-12);
    cells[LEVEL] = level + rate * (actual - level);
    if (!(level > 0)) return;
    figures[HIGH] = log;
    figures[HIGH + 1] = -log;
  }

  /** How far the sizes of the last errors are from usual, as a logarithm. */
  private variance(sized: number): void {
    const { cells, figures } = this;
    const rate = Math.max(1 / VARIANCE_STEPS, 1 / this.seen);
    const bounded = Math.min(sized, 4);
    cells[ABSOLUTE] = (cells[ABSOLUTE] ?? 0) + rate * (bounded - (cells[ABSOLUTE] ?? 0));
    if (this.seen < VARIANCE_STEPS) return;
    const log = Math.log((cells[ABSOLUTE] ?? 0) + 1e-3);
    figures[VARIANCE] = Math.max(0, log);
    figures[VARIANCE + 1] = Math.max(0, -log);
  }

  /** How unlikely so long a run of one value is: minus the logarithm of the probability, as it mostly is here. */
  private flatness(actual: number, expected: number): number {
    const { cells } = this;
    const equal = this.seen > 1 && actual === cells[LAST];
    const cell = (cells[LAST] ?? 0) === 0 ? EQUAL_TO_ZERO : EQUAL_PART;
    if (this.seen > 1) {
      const part = cells[cell] ?? 0;
      cells[cell] = part + EQUAL_RATE * ((equal ? 1 : 0) - part);
    }
    const run = equal ? (cells[RUN] ?? 0) + 1 : 0;
    const likely = Math.min(0.999, Math.max(cells[cell] ?? 0, LEAST_EQUAL));
    const unlikely = actual === 0 ? Math.min(expected, -Math.log(likely)) : -Math.log(likely);
    cells[FLATNESS] = equal ? (cells[FLATNESS] ?? 0) + unlikely : 0;
    cells[RUN] = run;
    cells[LAST] = actual;
    return run < LEAST_RUN ? 0 : (cells[FLATNESS] ?? 0);
  }
}

/**
 * Scores of how odd a step is, each of one kind of oddity, at least 0 and larger the odder; what a large one is, is left
 * to the tails of each (see `peak-tail`).
 */
import { ResidualScale } from '../interval/residual-scale';
import type { ModelState } from '../model/model';
import { countIn, figuresIn, stateIn } from '../model/state';
import { SlowReference, type SlotDeviation } from './slow-reference';

/** The kinds of score, in the order of their figures. */
export const SCORE_KINDS = ['spike', 'drop', 'rise', 'fall', 'unusual variance', 'calm', 'flatline'] as const;
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

const ABSOLUTE = 0;
const SQUARES = 1;
const RUN = 2;
const LAST = 3;
const PREVIOUS_EQUAL = 4;
const EQUAL_PART = 5;
const CELLS = 6;

/** See the file's head. */
export class AnomalyScores {
  /** The figures of the last step, by {@link SCORE_KINDS}. */
  readonly figures = new Float64Array(SCORE_KINDS.length);
  readonly reference: SlowReference;
  private readonly usual: ResidualScale;
  private readonly cells: Float64Array;
  private seen = 0;

  /** @throws TidegateError TG_FORECAST_BAD_STATE. */
  constructor(stepsADay: number, slotSteps: number, seasonal: boolean, state?: ModelState) {
    this.reference = new SlowReference(slotSteps, seasonal, state && stateIn(state, 'reference'));
    this.usual = new ResidualScale(
      SIZE_MEMORIES_DAYS.map((days) => Math.max(50, days * stepsADay)),
      state && stateIn(state, 'usual'),
    );
    this.cells = state ? figuresIn(state, 'cells', CELLS) : new Float64Array(CELLS);
    if (state !== undefined) this.seen = countIn(state, 'seen');
  }

  /** Takes a step; `figures` are its scores. @returns how the slot did that ended with it. */
  observe({ step, actual, expected, size }: ScoredStep): SlotDeviation | undefined {
    const { figures } = this;
    const slot = this.reference.observe(step, actual);
    figures.fill(0);
    if (slot !== undefined) {
      const deviation = Math.abs(slot.long) > Math.abs(slot.short) ? slot.long : slot.short;
      figures[2] = Math.max(0, deviation);
      figures[3] = Math.max(0, -deviation);
    }
    if (!Number.isFinite(actual)) return slot;
    this.seen += 1;
    const error = actual - expected;
    const usual = this.usual.count > 0 ? this.usual.at(expected) : Math.abs(error);
    const sized = error / Math.max(usual, size, 1e-12);
    figures[0] = Math.max(0, sized);
    figures[1] = Math.max(0, -sized);
    this.variance(Math.min(20, Math.abs(error) / Math.max(usual, 1e-12)));
    figures[6] = this.flatness(actual);
    this.usual.observe(expected, error);
    return slot;
  }

  save(): ModelState {
    const { seen } = this;
    return { reference: this.reference.save(), usual: this.usual.save(), cells: this.cells.slice(), seen };
  }

  /** How far the sizes of the last errors are from usual, as a logarithm. */
  private variance(sized: number): void {
    const { cells, figures } = this;
    const rate = Math.max(1 / VARIANCE_STEPS, 1 / this.seen);
    const bounded = Math.min(sized, 4);
    cells[ABSOLUTE] = (cells[ABSOLUTE] ?? 0) + rate * (bounded - (cells[ABSOLUTE] ?? 0));
    cells[SQUARES] = 0;
    if (this.seen < VARIANCE_STEPS) return;
    const log = Math.log((cells[ABSOLUTE] ?? 0) + 1e-3);
    figures[4] = Math.max(0, log);
    figures[5] = Math.max(0, -log);
  }

  /** How unlikely so long a run of one value is: minus the logarithm of the probability. */
  private flatness(actual: number): number {
    const { cells } = this;
    const equal = this.seen > 1 && actual === cells[LAST];
    const rate = Math.max(0.001, 1 / this.seen);
    const run = equal ? (cells[RUN] ?? 0) + 1 : 0;
    const part = cells[EQUAL_PART] ?? 0;
    cells[EQUAL_PART] = part + rate * ((equal ? 1 : 0) - part);
    cells[PREVIOUS_EQUAL] = equal ? 1 : 0;
    cells[RUN] = run;
    cells[LAST] = actual;
    return run < LEAST_RUN ? 0 : run * -Math.log(Math.min(0.999, Math.max(part, 0.02)));
  }
}

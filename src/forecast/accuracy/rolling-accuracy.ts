/**
 * How well a class was forecast lately: errors, bias and coverage over the last hour or day, as sums that fade so that
 * their mean age is that of the span (a fading sum needs no memory of single errors).
 */
import type { ModelState } from '../model/model';
import { zeros } from '../numeric/figures';
import { figuresIn } from '../model/state';

/** What is known of accuracy over a span; NaN where nothing was scored. */
export interface Accuracy {
  /** Forecasts scored, all in all. */
  readonly scored: number;
  /** Mean absolute error, per step. */
  readonly mae: number;
  /** The mean absolute error, divided by that of repeating the last value known when the forecast was made. */
  readonly relativeMae: number;
  /** The mean absolute error, divided by the seasonal-naive one of the values that the model was fitted to. */
  readonly mase: number;
  /** The mean of forecast less actual, per step. */
  readonly bias: number;
  readonly coverage80: number;
  readonly coverage95: number;
}

/** One forecast whose time came. */
export interface ScoredStep {
  /** Actual less forecast. */
  readonly error: number;
  /** Actual less the last value known when the forecast was made; NaN when none was. */
  readonly naiveError: number;
  readonly inside80: boolean;
  readonly inside95: boolean;
}

const WEIGHT = 0;
const ABSOLUTE = 1;
const SIGNED = 2;
const NAIVE = 3;
const PAIRED = 4;
const INSIDE_80 = 5;
const INSIDE_95 = 6;
const SCORED = 7;
const CELLS = 8;

/** See the file's head. */
export class RollingAccuracy {
  private readonly cells: number[];
  private readonly keep: number;

  /** @param span scored forecasts that the span holds. @throws TidegateError TG_FORECAST_BAD_STATE. */
  constructor(span: number, state?: ModelState) {
    this.keep = 1 - 2 / (Math.max(3, span) + 1);
    this.cells = state === undefined ? zeros(CELLS) : [...figuresIn(state, 'cells', CELLS)];
  }

  add(step: ScoredStep): void {
    const size = Math.abs(step.error);
    const paired = Number.isFinite(step.naiveError);
    this.fade(WEIGHT, 1);
    this.fade(ABSOLUTE, size);
    this.fade(SIGNED, -step.error);
    this.fade(NAIVE, paired ? Math.abs(step.naiveError) : 0);
    this.fade(PAIRED, paired ? size : 0);
    this.fade(INSIDE_80, step.inside80 ? 1 : 0);
    this.fade(INSIDE_95, step.inside95 ? 1 : 0);
    this.cells[SCORED] = (this.cells[SCORED] ?? 0) + 1;
  }

  /** @param maseScale the seasonal-naive error inside the fitted values; NaN when it is not known. */
  read(maseScale: number): Accuracy {
    const { cells } = this;
    const mean = (cell: number): number => (cells[cell] ?? 0) / (cells[WEIGHT] ?? 0);
    const naive = cells[NAIVE] ?? 0;
    return {
      scored: cells[SCORED] ?? 0,
      mae: mean(ABSOLUTE),
      relativeMae: naive > 0 ? (cells[PAIRED] ?? 0) / naive : NaN,
      mase: maseScale > 0 ? mean(ABSOLUTE) / maseScale : NaN,
      bias: mean(SIGNED),
      coverage80: mean(INSIDE_80),
      coverage95: mean(INSIDE_95),
    };
  }

  save(): ModelState {
    return { cells: Float64Array.from(this.cells) };
  }

  private fade(cell: number, by: number): void {
    this.cells[cell] = this.keep * this.cells[cell]! + by;
  }
}

/**
 * How many independent errors those in a window are worth, and what that means for their quantiles. Errors of
 * overlapping forecasts follow one another; the largest of few that are independent is passed more often than its rank
 * among all of them says, so a rarer quantile has to be asked for.
 */
import { figuresIn } from '../model/state';
import { zeros } from '../numeric/figures';
import type { ModelState } from '../model/model';

const COUNT = 0;
const PREVIOUS = 1;
const SQUARES = 2;
const PRODUCTS = 3;
const CELLS = 4;
/** Errors are worth at least so many independent ones. */
const LEAST_WORTH = 3;
/** A quantile is asked for that is at most so much rarer. */
const LEAST_PART = 1 / 8;
/** Errors count at most so much, so that one of them does not hide how the others follow one another. */
const MOST_SIZES = 6;

/** See the file's head. */
export class ErrorsWorth {
  private readonly cells: number[];
  /** What few independent errors add to the probability with which their quantile in the middle of ranks is passed. */
  private shortfall = 0;

  /** @param capacity errors in the window. @throws TidegateError TG_FORECAST_BAD_STATE. */
  constructor(
    private readonly capacity: number,
    state?: ModelState,
  ) {
    this.cells = state === undefined ? zeros(CELLS) : [...figuresIn(state, 'cells', CELLS)];
    this.weigh();
  }

  /** Takes a normalised error that the window took. */
  observe(error: number): void {
    const { cells } = this;
    const bounded = Math.max(-MOST_SIZES, Math.min(MOST_SIZES, error));
    const count = cells[COUNT]! + 1;
    const rate = Math.max(1 / this.capacity, 1 / count);
    cells[COUNT] = count;
    cells[SQUARES] = cells[SQUARES]! + rate * (bounded * bounded - cells[SQUARES]!);
    cells[PRODUCTS] = cells[PRODUCTS]! + rate * (bounded * cells[PREVIOUS]! - cells[PRODUCTS]!);
    cells[PREVIOUS] = bounded;
    this.weigh();
  }

  /**
   * The probability to ask the window for, so that another error passes with this one. Of n independent figures the
   * one of rank (n + 1) p is passed with probability p; in a window of n m figures that are m alike, that is rank
   * (n + 1) m p - (m - 1) / 2.
   */
  ask(probability: number): number {
    return Math.max(LEAST_PART * probability, probability - (0.5 - probability) * this.shortfall);
  }

  save(): ModelState {
    return { cells: Float64Array.from(this.cells) };
  }

  private weigh(): void {
    const { cells } = this;
    const held = Math.min(this.capacity, cells[COUNT]!);
    if (held === 0) return;
    const following = cells[SQUARES]! > 0 ? cells[PRODUCTS]! / cells[SQUARES]! : 0;
    // Sums of m shared parts each have the correlation 1 - 1 / m with the next.
    const alike = 1 / (1 - Math.max(0, Math.min(0.99, following)));
    this.shortfall = 1 / Math.max(Math.min(held, LEAST_WORTH), held / alike) - 1 / held;
  }
}

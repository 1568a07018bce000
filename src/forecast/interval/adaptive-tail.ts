/**
 * The tail probability to ask a window of errors for, so that the share of values beyond really is the nominal one:
 * adaptive conformal inference (Gibbs and Candes, "Adaptive conformal inference under distribution shift", 2021), run at
 * several learning rates and mixed by pinball loss (after Zaffran et al., "Adaptive conformal predictions for time
 * series", 2022). Steps are taken on the logarithm, so that a probability stays one.
 */
import { figuresIn } from '../model/state';
import type { ModelState } from '../model/model';
import type { ErrorsWorth } from './errors-worth';
import type { SortedWindow } from './sorted-window';
import { zeros } from '../numeric/figures';

const RATES = [0.003, 0.012, 0.05] as const;
const LOSS_MEMORY = 0.98;
const LEARNING_RATE = 2;
/** A tail is asked for down to this part of the nominal one. */
const LEAST_PART = 1 / 30;
const MOST_PART = 5;

/** Bounds of each tail that are to be scored when a forecast's time comes. */
export const BOUNDS_OF_TAIL = RATES.length;
/** The logarithm of the part of the nominal probability, then the losses, one for each rate. */
const CELLS = 2 * RATES.length;
const LOWEST = Math.log(LEAST_PART);

/** Which tail: above the forecast, or below it. */
export type Side = 'upper' | 'lower';

/** One tail that is followed. */
export interface TailSpec {
  /** The share of values to lie beyond, in (0, 0.5). */
  readonly nominal: number;
  readonly side: Side;
}

/** Some tails of one kind of error; see the file's head. */
export class AdaptiveTails {
  private readonly cells: number[];
  private readonly parts: number[];

  /** @param specs kept, not copied. @param states a state of each, to continue. */
  constructor(
    private readonly specs: readonly TailSpec[],
    states?: readonly ModelState[],
  ) {
    this.cells =
      states === undefined
        ? zeros(CELLS * specs.length)
        : states.flatMap((state) => [...figuresIn(state, 'cells', CELLS)]);
    this.parts = zeros(specs.length);
    for (let tail = 0; tail < specs.length; tail += 1) this.mix(tail);
  }

  /** The probability to ask the window for, as a part of the nominal one. */
  ratio(tail: number): number {
    return this.parts[tail]!;
  }

  /** Writes what each rate would bound a forecast's normalised error by, from what is known when it is made. */
  bound(window: SortedWindow, worth: ErrorsWorth, into: number[], from: number): void {
    const { cells, specs } = this;
    let to = from;
    for (let tail = 0; tail < specs.length; tail += 1) {
      const { nominal, side } = specs[tail]!;
      for (let expert = 0; expert < RATES.length; expert += 1, to += 1) {
        const asked = worth.ask(nominal * Math.exp(cells[tail * CELLS + expert]!));
        into[to] = side === 'upper' ? window.exceeded(asked) : window.fallenShort(asked);
      }
    }
  }

  /** Takes the normalised error that came of a forecast, and the bounds that were written when it was made. */
  observe(bounds: readonly number[], from: number, error: number): void {
    const { cells, specs } = this;
    let scored = from;
    for (let tail = 0; tail < specs.length; tail += 1) {
      const { nominal, side } = specs[tail]!;
      const highest = Math.log(Math.min(MOST_PART, 0.49 / nominal));
      const root = Math.sqrt(nominal);
      for (let expert = 0; expert < RATES.length; expert += 1, scored += 1) {
        const at = tail * CELLS + expert;
        const excess = side === 'upper' ? error - bounds[scored]! : bounds[scored]! - error;
        const missed = excess > 0;
        const loss = missed ? (1 - nominal) * excess : -nominal * excess;
        cells[at + RATES.length] = LOSS_MEMORY * cells[at + RATES.length]! + Math.min(loss, 10) / root;
        const step = (RATES[expert]! * (nominal - (missed ? 1 : 0))) / root;
        cells[at] = Math.min(highest, Math.max(LOWEST, cells[at]! + step));
      }
      this.mix(tail);
    }
  }

  save(tail: number): ModelState {
    return { cells: Float64Array.from(this.cells.slice(tail * CELLS, (tail + 1) * CELLS)) };
  }

  private mix(tail: number): void {
    const { cells } = this;
    const from = tail * CELLS;
    let best = Infinity;
    for (let at = from + RATES.length; at < from + CELLS; at += 1) best = Math.min(best, cells[at]!);
    let total = 0;
    let sum = 0;
    for (let at = from; at < from + RATES.length; at += 1) {
      const weight = Math.exp(-LEARNING_RATE * (cells[at + RATES.length]! - best));
      total += weight;
      sum += weight * cells[at]!;
    }
    this.parts[tail] = Math.exp(sum / total);
  }
}

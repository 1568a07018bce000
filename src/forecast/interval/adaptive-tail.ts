/**
 * The tail probability to ask a window of errors for, so that the share of values beyond really is the nominal one:
 * adaptive conformal inference (Gibbs and Candes, "Adaptive conformal inference under distribution shift", 2021), run at
 * several learning rates and mixed by pinball loss (after Zaffran et al., "Adaptive conformal predictions for time
 * series", 2022). Steps are taken on the logarithm, so that a probability stays one.
 */
import { figuresIn } from '../model/state';
import type { ModelState } from '../model/model';
import type { SortedWindow } from './sorted-window';
import { zeros } from './zeros';

const RATES = [0.003, 0.012, 0.05] as const;
const LOSS_MEMORY = 0.98;
const LEARNING_RATE = 2;
/** A tail is asked for down to this part of the nominal one. */
const LEAST_PART = 1 / 30;
const MOST_PART = 5;

/** Which tail: above the forecast, or below it. */
export type Side = 'upper' | 'lower';

/** See the file's head. */
export class AdaptiveTail {
  /** The logarithm of the part of the nominal probability, then the losses, one for each rate. */
  private readonly cells: number[];
  private part = 1;

  /** @param nominal the share of values to lie beyond, in (0, 0.5). */
  constructor(
    readonly nominal: number,
    private readonly side: Side,
    state?: ModelState,
  ) {
    this.cells =
      state === undefined ? zeros(2 * RATES.length) : [...figuresIn(state, 'cells', 2 * RATES.length)];
    this.mix();
  }

  /** The probability to ask the window for, as a part of the nominal one. */
  get ratio(): number {
    return this.part;
  }

  /** Takes a normalised error, before the window does. @param unit a usual size of errors, of the same kind. */
  observe(window: SortedWindow, error: number, unit: number): void {
    const { cells, nominal } = this;
    const lowest = Math.log(LEAST_PART);
    const highest = Math.log(Math.min(MOST_PART, 0.49 / nominal));
    for (let expert = 0; expert < RATES.length; expert += 1) {
      const log = cells[expert] ?? 0;
      const bound = this.bound(window, nominal * Math.exp(log));
      const excess = this.side === 'upper' ? error - bound : bound - error;
      const missed = excess > 0;
      const loss = (missed ? (1 - nominal) * excess : -nominal * excess) / unit;
      const at = RATES.length + expert;
      cells[at] = LOSS_MEMORY * (cells[at] ?? 0) + Math.min(loss, 10) / Math.sqrt(nominal);
      const step = ((RATES[expert] ?? 0) * (nominal - (missed ? 1 : 0))) / Math.sqrt(nominal);
      cells[expert] = Math.min(highest, Math.max(lowest, log + step));
    }
    this.mix();
  }

  save(): ModelState {
    return { cells: Float64Array.from(this.cells) };
  }

  private bound(window: SortedWindow, probability: number): number {
    return this.side === 'upper' ? window.exceeded(probability) : window.fallenShort(probability);
  }

  private mix(): void {
    const { cells } = this;
    let best = Infinity;
    for (let at = RATES.length; at < cells.length; at += 1) best = Math.min(best, cells[at] ?? 0);
    let total = 0;
    let sum = 0;
    for (let expert = 0; expert < RATES.length; expert += 1) {
      const weight = Math.exp(-LEARNING_RATE * ((cells[RATES.length + expert] ?? 0) - best));
      total += weight;
      sum += weight * (cells[expert] ?? 0);
    }
    this.part = Math.exp(sum / total);
  }
}

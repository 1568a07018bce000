/**
 * A Page-Hinkley test (Page, "Continuous inspection schemes", 1954) on a whitened figure: standardised by its own mean
 * and spread, and freed of what the figure before foretells, since a test on figures that depend on each other alarms
 * far more often than it says.
 */
import type { ModelState } from '../model/model';
import { zeros } from '../numeric/figures';
import { figuresIn } from '../model/state';

/** The change that is tolerated, in deviations. */
const TOLERANCE = 0.5;
/** Deviations beyond the tolerance that have to gather: by chance about once in e^(2 x TOLERANCE x THRESHOLD) figures. */
const THRESHOLD = 10;
/** Figures count at most so many deviations. */
const MOST_DEVIATIONS = 3;
/** Figures before the test begins, and those that a new mean is taken from after an alarm. */
const SETTLING = 72;

const MEAN = 0;
const VARIANCE = 1;
const CORRELATION = 2;
const PREVIOUS = 3;
const SPREAD = 4;
const UP = 5;
const DOWN = 6;
const SEEN = 7;
const CELLS = 8;

/** See the file's head. */
export class PageHinkley {
  private readonly cells: number[];

  /**
   * @param memory figures over which mean and spread are taken.
   * @param twoSided whether a fall counts too.
   * @throws TidegateError TG_FORECAST_BAD_STATE.
   */
  constructor(
    private readonly memory: number,
    private readonly twoSided: boolean,
    state?: ModelState,
  ) {
    this.cells = state === undefined ? zeros(CELLS) : [...figuresIn(state, 'cells', CELLS)];
  }

  /** Takes a finite figure. @returns how far the test is on the way to an alarm; 1 is one. */
  observe(figure: number): number {
    const { cells } = this;
    const seen = (cells[SEEN] ?? 0) + 1;
    cells[SEEN] = seen;
    const rate = Math.max(1 / this.memory, 1 / seen);
    const spread = Math.sqrt(cells[VARIANCE] ?? 0);
    const raw = figure - (cells[MEAN] ?? 0);
    const bound = seen < SETTLING / 2 || spread === 0 ? Infinity : MOST_DEVIATIONS * spread;
    const deviation = Math.max(-bound, Math.min(bound, raw));
    cells[MEAN] = (cells[MEAN] ?? 0) + rate * deviation;
    this.learn(VARIANCE, rate, deviation * deviation);
    const variance = Math.max(cells[VARIANCE] ?? 0, 1e-18);
    this.learn(CORRELATION, rate, (deviation * (cells[PREVIOUS] ?? 0)) / variance);
    const correlation = Math.max(0, Math.min(0.95, cells[CORRELATION] ?? 0));
    const innovation = deviation - correlation * (cells[PREVIOUS] ?? 0);
    cells[PREVIOUS] = deviation;
    this.learn(SPREAD, rate, innovation * innovation);
    if (seen < SETTLING) return 0;
    return this.gather(innovation / Math.sqrt(Math.max(cells[SPREAD] ?? 0, 1e-18)));
  }

  /** Begins anew: what is usual now is learnt afresh. */
  reset(): void {
    this.cells.fill(0);
  }

  save(): ModelState {
    return { cells: Float64Array.from(this.cells) };
  }

  private learn(cell: number, rate: number, figure: number): void {
    const old = this.cells[cell] ?? 0;
    this.cells[cell] = old + rate * (figure - old);
  }

  private gather(whitened: number): number {
    const { cells } = this;
    const bounded = Math.max(-MOST_DEVIATIONS, Math.min(MOST_DEVIATIONS, whitened));
    const up = Math.max(0, (cells[UP] ?? 0) + bounded - TOLERANCE);
    const down = this.twoSided ? Math.max(0, (cells[DOWN] ?? 0) - bounded - TOLERANCE) : 0;
    cells[UP] = up;
    cells[DOWN] = down;
    return Math.max(up, down) / THRESHOLD;
  }
}

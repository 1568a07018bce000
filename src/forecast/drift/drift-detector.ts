/**
 * Tells that a class no longer behaves as it did: a two-sided Page-Hinkley test (Page, "Continuous inspection schemes",
 * 1954) on whitened one-step errors, of their mean and of their size. Whitened: ranked among the errors of late, made
 * normal, and freed of what the error before foretells; raw errors of seasonal traffic drift every day.
 */
import type { ModelState } from '../model/model';
import { countIn, figuresIn } from '../model/state';

/** What has changed. */
export type DriftKind = 'level' | 'variance' | 'pattern';

/** A change that was found. */
export interface Drift {
  readonly atMs: number;
  readonly kind: DriftKind;
  /** How far the test passed its threshold; 1 or more. */
  readonly score: number;
}

/** The change that is tolerated, in deviations. */
const TOLERANCE = 0.25;
const THRESHOLD = 30;
/** Errors before the test begins. */
const SETTLING = 200;

const MEAN = 0;
const SPREAD = 1;
const PREVIOUS = 2;
const CORRELATION = 3;
const UP = 4;
const DOWN = 5;
const WIDER = 6;
const CALMER = 7;
const CELLS = 8;

/** See the file's head. */
export class DriftDetector {
  private readonly cells: Float64Array;
  private seen = 0;

  /** @param memory errors over which usual figures are taken. @throws TidegateError TG_FORECAST_BAD_STATE. */
  constructor(
    private readonly memory: number,
    state?: ModelState,
  ) {
    this.cells = state === undefined ? new Float64Array(CELLS) : figuresIn(state, 'cells', CELLS);
    if (state !== undefined) this.seen = countIn(state, 'seen');
  }

  /** Takes an error in sizes that are usual of it. */
  observe(atMs: number, sized: number): Drift | undefined {
    if (!Number.isFinite(sized)) return undefined;
    const { cells } = this;
    const error = Math.max(-4, Math.min(4, sized));
    this.seen += 1;
    const rate = Math.max(1 / this.memory, 1 / this.seen);
    const innovation = error - (cells[CORRELATION] ?? 0) * (cells[PREVIOUS] ?? 0);
    const product = error * (cells[PREVIOUS] ?? 0);
    const spread = Math.max(1e-6, cells[SPREAD] ?? 1);
    cells[CORRELATION] = Math.max(
      -0.95,
      Math.min(0.95, (cells[CORRELATION] ?? 0) + rate * (product / spread - (cells[CORRELATION] ?? 0))),
    );
    cells[PREVIOUS] = error;
    cells[SPREAD] = (cells[SPREAD] ?? 0) + rate * (error * error - (cells[SPREAD] ?? 0));
    const whitened = (innovation - (cells[MEAN] ?? 0)) / Math.sqrt(spread);
    cells[MEAN] = (cells[MEAN] ?? 0) + rate * (innovation - (cells[MEAN] ?? 0));
    if (this.seen < SETTLING) return undefined;
    return this.test(atMs, whitened);
  }

  /** Forgets what the tests have gathered: the model has changed. */
  reset(): void {
    this.cells.fill(0, UP);
  }

  save(): ModelState {
    return { cells: this.cells.slice(), seen: this.seen };
  }

  private test(atMs: number, whitened: number): Drift | undefined {
    const { cells } = this;
    const size = (Math.abs(whitened) - 0.75) / 0.6;
    const gather = (cell: number, by: number): number => {
      const sum = Math.max(0, (cells[cell] ?? 0) + by - TOLERANCE);
      cells[cell] = sum;
      return sum / THRESHOLD;
    };
    const level = Math.max(gather(UP, whitened), gather(DOWN, -whitened));
    const variance = Math.max(gather(WIDER, size), gather(CALMER, -size));
    const score = Math.max(level, variance);
    if (score < 1) return undefined;
    this.reset();
    return { atMs, kind: level >= variance ? 'level' : 'variance', score };
  }
}

/**
 * Keeps single absurd values from teaching a recursion: an error beyond the usual counts as one at the edge of the usual
 * (Gelper, Fried and Croux, "Robust forecasting with exponential and Holt-Winters smoothing", 2010), but what goes on for
 * some steps is no slip and is believed.
 */
import type { ModelState } from './model';
import { numberIn } from './state';

/** How many usual deviations are the edge. */
const EDGE_DEVIATIONS = 4;
/** Errors beyond the edge, on one side and in a row, after which they are believed. */
const BELIEVED_AFTER = 3;
/** The edge where nothing ever changed: none. */
const NO_EDGE = Number.MAX_VALUE;

/** The size of an error beyond which a series of values is surprised: from its changes from step to step. */
export function errorEdge(values: Float64Array): number {
  if (values.length < 2) return NO_EDGE;
  const changes = values.subarray(1).map((value, at) => Math.abs(value - (values[at] ?? 0)));
  const mean = changes.reduce((sum, change) => sum + change, 0) / changes.length;
  const median = changes.sort()[changes.length >> 1] ?? 0;
  const usual = Math.max(1.4826 * median, mean);
  return usual > 0 ? EDGE_DEVIATIONS * usual : NO_EDGE;
}

/** Bounds errors in the order in which they come. */
export class ErrorGuard {
  /** @param run errors beyond the edge in a row; negative when they were below. */
  constructor(
    readonly edge: number,
    private run = 0,
  ) {}

  /** The error to learn from. */
  taught(error: number): number {
    if (error <= this.edge && error >= -this.edge) {
      this.run = 0;
      return error;
    }
    this.run = error > 0 ? Math.max(0, this.run) + 1 : Math.min(0, this.run) - 1;
    if (Math.abs(this.run) > BELIEVED_AFTER) return error;
    return error > 0 ? this.edge : -this.edge;
  }

  /** Whether the last error was beyond the edge and believed: the series is elsewhere now. */
  get believing(): boolean {
    return Math.abs(this.run) > BELIEVED_AFTER;
  }

  /** What an error costs an estimate: its square up to the edge, a line beyond (Huber). */
  cost(error: number): number {
    const size = Math.abs(error);
    return size <= this.edge ? error * error : this.edge * (2 * size - this.edge);
  }

  save(): ModelState {
    return { edge: this.edge, run: this.run };
  }

  /** @throws TidegateError TG_FORECAST_BAD_STATE. */
  static restore(state: ModelState): ErrorGuard {
    return new ErrorGuard(numberIn(state, 'edge'), numberIn(state, 'run'));
  }
}

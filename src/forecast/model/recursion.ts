/** The classical models' common shape: a recursion that takes a value a step, on a scale where errors add. */
import type { ModelState, SeriesContext } from './model';

/** A model's running state. Everything is on the method's scale; values there may be negative. */
export interface Recursion {
  /** Takes the next value, NaN for a missing one. @returns the value less what was forecast; NaN when missing. */
  step(value: number): number;
  /** Forecasts of steps 1 to `horizon`. */
  ahead(horizon: number): Float64Array;
  save(): ModelState;
}

/** How a recursion is found. `P` is what is estimated, to be used again on a part of the same series. */
export interface Method<P> {
  /** Estimates parameters. `values` has no gaps. */
  estimate(values: Float64Array, context: SeriesContext): P;
  /** A recursion with these parameters that has taken all of `values`; its start is found from them alone. */
  run(values: Float64Array, context: SeriesContext, parameters: P): Recursion;
  /** @throws TidegateError TG_FORECAST_BAD_STATE. */
  restore(state: ModelState): Recursion;
}

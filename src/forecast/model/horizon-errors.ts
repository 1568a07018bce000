/**
 * What a recursion's forecasts were off by, horizon by horizon, as quantiles: the width of intervals comes from the
 * model's own errors and not from a distribution, whose tails explode on the log scale a day ahead.
 */
import type { ModelState } from './model';
import type { Recursion } from './recursion';
import { quantileOfSorted } from '../numeric/quantile';
import { badState, figuresIn, numberIn } from './state';

/** The probabilities whose quantiles are kept. */
const PROBABILITIES = [0.005, 0.025, 0.05, 0.1, 0.25, 0.5, 0.75, 0.9, 0.95, 0.975, 0.995] as const;
const COLUMNS = PROBABILITIES.length;
/** Standard normal quantiles of {@link PROBABILITIES}, for when there are too few errors. */
const NORMAL = [-2.576, -1.96, -1.645, -1.282, -0.674, 0, 0.674, 1.282, 1.645, 1.96, 2.576] as const;
/** Fewest errors that quantiles are read from. */
const FEWEST_ERRORS = 8;
/** What counts as no error at all, on any scale. */
const LEAST_ERROR = 1e-9;
/** Origins from which longer horizons are tried. */
const ORIGINS = 96;

/** Quantiles of a forecast's errors by horizon, on the method's scale. */
export class HorizonErrors {
  /** @param table row by row for `horizons`: one figure for each of {@link PROBABILITIES}. */
  private constructor(
    private readonly horizons: Float64Array,
    private readonly table: Float64Array,
    /** The mean size of one-step errors, never 0. */
    readonly usual: number,
  ) {}

  /** Reads the errors that `recursion` makes on values that it has not seen, and takes them. */
  static of(recursion: Recursion, unseen: Float64Array): HorizonErrors {
    const horizons = horizonsUpTo(Math.floor(unseen.length / 2));
    const farthest = horizons[horizons.length - 1] ?? 1;
    const errors: number[][] = horizons.map(() => []);
    const stride = Math.max(1, Math.floor(unseen.length / ORIGINS));
    for (let at = 0; at < unseen.length; at += 1) {
      if (at % stride === 0 && farthest > 1) {
        const ahead = recursion.ahead(Math.min(farthest, unseen.length - at));
        horizons.forEach((horizon, row) => {
          if (horizon === 1 || horizon > ahead.length) return;
          errors[row]?.push((unseen[at + horizon - 1] ?? 0) - (ahead[horizon - 1] ?? 0));
        });
      }
      errors[0]?.push(recursion.step(unseen[at] ?? NaN));
    }
    return HorizonErrors.fromSamples(horizons, errors);
  }

  private static fromSamples(horizons: readonly number[], errors: readonly number[][]): HorizonErrors {
    const rows = horizons.filter(
      (_, row) => row === 0 || (errors[row]?.filter(Number.isFinite).length ?? 0) >= FEWEST_ERRORS,
    );
    const table = new Float64Array(rows.length * COLUMNS);
    rows.forEach((horizon, row) => {
      const known = Float64Array.from(errors[horizons.indexOf(horizon)] ?? [])
        .filter(Number.isFinite)
        .sort();
      const spread = Math.sqrt(
        known.reduce((sum, error) => sum + error * error, 0) / Math.max(1, known.length),
      );
      PROBABILITIES.forEach((probability, column) => {
        table[row * COLUMNS + column] =
          known.length < FEWEST_ERRORS
            ? (NORMAL[column] ?? 0) * spread
            : quantileOfSorted(known, probability);
      });
    });
    const oneStep = (errors[0] ?? []).filter(Number.isFinite);
    const usual = oneStep.reduce((sum, error) => sum + Math.abs(error), 0) / Math.max(1, oneStep.length);
    return new HorizonErrors(Float64Array.from(rows), table, Math.max(LEAST_ERROR, usual));
  }

  /** @throws TidegateError TG_FORECAST_BAD_STATE. */
  static restore(state: ModelState): HorizonErrors {
    const horizons = figuresIn(state, 'horizons');
    if (horizons[0] !== 1) throw badState('its horizons do not begin at 1');
    return new HorizonErrors(
      horizons,
      figuresIn(state, 'table', horizons.length * COLUMNS),
      numberIn(state, 'usual'),
    );
  }

  /**
   * The error that is not exceeded with a probability, for each step up to `horizon`: straight lines between known
   * horizons and probabilities; beyond the last horizon errors grow by the square root of time.
   */
  quantiles(probability: number, horizon: number): Float64Array {
    const known = Array.from(this.horizons, (_, row) => this.inRow(row, probability));
    const out = new Float64Array(horizon);
    let row = 0;
    for (let step = 1; step <= horizon; step += 1) {
      while (row + 1 < known.length && step >= (this.horizons[row + 1] ?? Infinity)) row += 1;
      const from = this.horizons[row] ?? 1;
      const to = this.horizons[row + 1];
      const value = known[row] ?? 0;
      out[step - 1] =
        to === undefined
          ? value * Math.sqrt(step / from)
          : value + (((known[row + 1] ?? 0) - value) * (step - from)) / (to - from);
    }
    return out;
  }

  save(): ModelState {
    return { horizons: this.horizons.slice(), table: this.table.slice(), usual: this.usual };
  }

  private inRow(row: number, probability: number): number {
    const after = PROBABILITIES.findIndex((known) => known >= probability);
    const at = (column: number): number => this.table[row * COLUMNS + column] ?? 0;
    if (after === 0) return at(0);
    if (after < 0) return at(COLUMNS - 1);
    const low = PROBABILITIES[after - 1] ?? 0;
    const high = PROBABILITIES[after] ?? 1;
    return at(after - 1) + ((at(after) - at(after - 1)) * (probability - low)) / (high - low);
  }
}

/** 1, 2, 3, 4, 6, 8, 12, 16, 24, ... up to a horizon: even steps on the log scale. */
function horizonsUpTo(farthest: number): readonly number[] {
  const horizons = [1];
  for (let power = 2; power <= farthest; power *= 2) {
    horizons.push(power);
    if (power * 1.5 <= farthest) horizons.push(power * 1.5);
  }
  return horizons;
}

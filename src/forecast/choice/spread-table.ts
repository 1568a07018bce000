/** How far values fell from forecasts of them, as quantiles by horizon: where intervals come from. */
import type { ModelState } from '../model/model';
import { badState, figuresIn } from '../model/state';
import { quantileOfSorted } from '../numeric/quantile';

/** Probabilities whose quantiles are kept. */
const PROBABILITIES = [0.005, 0.025, 0.05, 0.1, 0.2, 0.35, 0.5, 0.65, 0.8, 0.9, 0.95, 0.975, 0.995] as const;
const COLUMNS = PROBABILITIES.length;
/** Fewest errors that quantiles are read from. */
const FEWEST_ERRORS = 10;

/** Errors of forecasts a number of steps ahead. */
export interface HorizonSample {
  readonly ahead: number;
  /** What came less what was forecast, on the root scale. */
  readonly errors: Float64Array;
  /** How many of them say something that the others do not: errors of overlapping forecasts repeat one another. */
  readonly independent: number;
}

/** Quantiles by horizon, on the root scale. */
export class SpreadTable {
  private constructor(
    private readonly aheads: Float64Array,
    private readonly table: Float64Array,
  ) {}

  /** @param samples by horizon, ascending; those with too few errors are left out. */
  static of(samples: readonly HorizonSample[]): SpreadTable {
    const known = samples.filter((sample) => sample.errors.length >= FEWEST_ERRORS);
    const table = new Float64Array(known.length * COLUMNS);
    known.forEach(({ errors, independent }, row) => {
      const sorted = errors.slice().sort();
      // A blend that is right for n independent errors is off by about one part in n on the next.
      const wider = 1 + 1 / Math.max(2, independent);
      PROBABILITIES.forEach((probability, column) => {
        table[row * COLUMNS + column] = wider * quantileOfSorted(sorted, probability);
      });
    });
    return new SpreadTable(
      Float64Array.from(known, (sample) => sample.ahead),
      table,
    );
  }

  /** @throws TidegateError TG_FORECAST_BAD_STATE. */
  static restore(state: ModelState): SpreadTable {
    const aheads = figuresIn(state, 'aheads');
    if (aheads.some((ahead, row) => ahead < 1 || ahead <= (aheads[row - 1] ?? 0))) {
      throw badState('its horizons do not ascend');
    }
    return new SpreadTable(aheads, figuresIn(state, 'table', aheads.length * COLUMNS));
  }

  /** Whether nothing is known of errors. */
  get empty(): boolean {
    return this.aheads.length === 0;
  }

  /**
   * The error, on the root scale, that is not exceeded with a probability, `ahead` steps ahead: between horizons by the
   * root of time, beyond the last growing by it.
   */
  quantile(probability: number, ahead: number): number {
    const { aheads } = this;
    let row = 0;
    while (row + 1 < aheads.length && aheads[row + 1]! <= ahead) row += 1;
    const from = aheads[row]!;
    const low = this.inRow(row, probability);
    if (row + 1 < aheads.length && ahead > from) {
      const part = Math.log(ahead / from) / Math.log(aheads[row + 1]! / from);
      return low + (this.inRow(row + 1, probability) - low) * part;
    }
    return ahead <= from ? low : low * Math.min(2, Math.sqrt(ahead / from));
  }

  save(): ModelState {
    return { aheads: this.aheads.slice(), table: this.table.slice() };
  }

  private inRow(row: number, probability: number): number {
    const at = (column: number): number => this.table[row * COLUMNS + column]!;
    let column = 0;
    while (column < COLUMNS && PROBABILITIES[column]! < probability) column += 1;
    if (column === 0) return at(0);
    if (column === COLUMNS) return at(COLUMNS - 1);
    const low = PROBABILITIES[column - 1]!;
    const part = (probability - low) / (PROBABILITIES[column]! - low);
    return at(column - 1) + (at(column) - at(column - 1)) * part;
  }
}

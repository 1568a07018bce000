/**
 * Least squares that forgets: coefficients follow each new row at a cost of its columns squared (Haykin, "Adaptive Filter
 * Theory", the exponentially weighted RLS algorithm).
 */
import { zeros } from './figures';

/** The mean of the diagonal above which nothing is forgotten: rows that bring nothing new would let it grow without end. */
const SPREAD_MAX = 1e4;
/** What the diagonal starts with. */
const SPREAD_START = 0.1;

/** What a row changes coefficients by, while it is learnt: nothing is kept in it. */
let gains = new Float64Array(16);

/** Exponentially weighted recursive least squares. */
export class RecursiveLeastSquares {
  readonly coefficients: number[];
  /** The inverse of the rows' weighted products, lower triangle row by row. */
  readonly inverse: number[];

  /**
   * @param columns of a row.
   * @param keep the weight that a row keeps each step, in (0, 1].
   */
  constructor(
    readonly columns: number,
    private readonly keep: number,
  ) {
    this.coefficients = zeros(columns);
    this.inverse = zeros((columns * (columns + 1)) / 2);
    if (gains.length < columns) gains = new Float64Array(columns);
    this.resetInverse();
  }

  forecast(row: ArrayLike<number>): number {
    let sum = 0;
    for (let column = 0; column < this.columns; column += 1) sum += this.coefficients[column]! * row[column]!;
    return sum;
  }

  /** Takes a row and the error of its forecast, which may be bounded. */
  learn(row: ArrayLike<number>, error: number): void {
    const { columns, inverse, coefficients } = this;
    const gain = gains;
    gain.fill(0);
    let at = 0;
    let spread = 0;
    for (let i = 0; i < columns; i += 1) {
      const own = row[i]!;
      let sum = 0;
      for (let j = 0; j < i; j += 1, at += 1) {
        const cell = inverse[at]!;
        sum += cell * row[j]!;
        gain[j]! += cell * own;
      }
      spread += inverse[at]!;
      gain[i]! += sum + inverse[at]! * own;
      at += 1;
    }
    const keep = spread > SPREAD_MAX * columns ? 1 : this.keep;
    let scale = keep;
    for (let i = 0; i < columns; i += 1) scale += row[i]! * gain[i]!;
    if (!(scale > 0 && scale < Infinity)) {
      this.resetInverse();
      return;
    }
    const step = error / scale;
    for (let i = 0; i < columns; i += 1) coefficients[i]! += gain[i]! * step;
    at = 0;
    for (let i = 0; i < columns; i += 1) {
      const part = gain[i]! / scale;
      for (let j = 0; j <= i; j += 1, at += 1) inverse[at] = (inverse[at]! - part * gain[j]!) / keep;
    }
  }

  private resetInverse(): void {
    this.inverse.fill(0);
    for (let i = 0, at = 0; i < this.columns; at += i + 2, i += 1) this.inverse[at] = SPREAD_START;
  }
}

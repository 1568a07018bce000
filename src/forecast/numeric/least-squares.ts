/** Ridge regression from sums: rows are added once, solved for as many penalties and as often as wanted. */

/** Keeps factors of nearly singular matrices finite. */
const LEAST_PIVOT = 1e-12;
/** The part of a penalty that the constant, column 0, pays: a mean is hardly shrunk. */
const CONSTANT_PART = 0.01;

/** Weighted sums of rows and targets, of which the lower triangle is kept. Column 0 is the constant. */
export class RidgeSums {
  private readonly products: Float64Array;
  private readonly targets: Float64Array;
  private readonly factor: Float64Array;

  /** @param columns of a row, the constant among them. */
  constructor(readonly columns: number) {
    this.products = new Float64Array(columns * columns);
    this.targets = new Float64Array(columns);
    this.factor = new Float64Array(columns * columns);
  }

  /** Adds the row that begins at `from` of `rows`. */
  add(rows: Float64Array, from: number, target: number, weight: number): void {
    const { columns, products, targets } = this;
    for (let row = 0; row < columns; row += 1) {
      const weighted = weight * rows[from + row]!;
      if (weighted === 0) continue;
      targets[row]! += weighted * target;
      const base = row * columns;
      for (let column = 0; column <= row; column += 1) {
        products[base + column]! += weighted * rows[from + column]!;
      }
    }
  }

  /** Adds all rows of other sums of as many columns. */
  addAll(other: RidgeSums): void {
    for (let at = 0; at < this.products.length; at += 1) this.products[at]! += other.products[at]!;
    for (let at = 0; at < this.columns; at += 1) this.targets[at]! += other.targets[at]!;
  }

  /**
   * The coefficients that minimise squared errors plus a penalty, which is a part of each column's own sum of squares:
   * it does not depend on the columns' units, nor on the number of rows.
   */
  solve(penalty: number): Float64Array {
    const { columns, products, factor } = this;
    factor.set(products);
    for (let column = 0; column < columns; column += 1) {
      const at = column * columns + column;
      factor[at] = factor[at]! * (1 + penalty * (column === 0 ? CONSTANT_PART : 1)) + LEAST_PIVOT;
    }
    factorise(factor, columns);
    return solveFactored(factor, columns, Float64Array.from(this.targets));
  }
}

/** Turns the lower triangle of a positive definite matrix into its Cholesky factor, in place. */
export function factorise(matrix: Float64Array, size: number): void {
  for (let column = 0; column < size; column += 1) {
    const across = column * size;
    let pivot = matrix[across + column]!;
    for (let k = 0; k < column; k += 1) pivot -= matrix[across + k]! * matrix[across + k]!;
    pivot = Math.sqrt(pivot > LEAST_PIVOT ? pivot : LEAST_PIVOT);
    matrix[across + column] = pivot;
    for (let row = column + 1; row < size; row += 1) {
      const down = row * size;
      let sum = matrix[down + column]!;
      for (let k = 0; k < column; k += 1) sum -= matrix[down + k]! * matrix[across + k]!;
      matrix[down + column] = sum / pivot;
    }
  }
}

/** Solves with a Cholesky factor, in place of the right side, which is returned. */
export function solveFactored(factor: Float64Array, size: number, right: Float64Array): Float64Array {
  for (let row = 0; row < size; row += 1) {
    let sum = right[row]!;
    for (let k = 0; k < row; k += 1) sum -= factor[row * size + k]! * right[k]!;
    right[row] = sum / factor[row * size + row]!;
  }
  for (let row = size - 1; row >= 0; row -= 1) {
    let sum = right[row]!;
    for (let k = row + 1; k < size; k += 1) sum -= factor[k * size + row]! * right[k]!;
    right[row] = sum / factor[row * size + row]!;
  }
  return right;
}

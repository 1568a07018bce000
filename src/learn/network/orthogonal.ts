/** Weights to start from. */
import type { Random } from '../../forecast/numeric/random';

/**
 * Rows or columns, whichever are fewer, that stand at right angles and have the length `gain` (A. Saxe et al., "Exact solutions
 * to the nonlinear dynamics of learning in deep linear neural networks", 2014; for PPO: S. Huang et al., "The 37 implementation
 * details of proximal policy optimization", 2022, the second).
 * @returns `rows` x `columns`, row by row.
 */
export function orthogonal(rows: number, columns: number, gain: number, random: Random): Float64Array {
  const wide = rows <= columns;
  const count = wide ? rows : columns;
  const length = wide ? columns : rows;
  const vectors: Float64Array[] = [];
  while (vectors.length < count) {
    const vector = Float64Array.from({ length }, () => random.normal());
    // Twice: what rounding leaves of the others after the first pass is gone after the second.
    for (const other of [...vectors, ...vectors]) {
      let along = 0;
      for (let at = 0; at < length; at += 1) along += vector[at]! * other[at]!;
      for (let at = 0; at < length; at += 1) vector[at] = vector[at]! - along * other[at]!;
    }
    const norm = Math.hypot(...vector);
    if (norm < 1e-6) continue;
    vectors.push(vector.map((figure) => figure / norm));
  }
  const weights = new Float64Array(rows * columns);
  for (let row = 0; row < rows; row += 1) {
    for (let column = 0; column < columns; column += 1) {
      weights[row * columns + column] = gain * (wide ? vectors[row]![column]! : vectors[column]![row]!);
    }
  }
  return weights;
}

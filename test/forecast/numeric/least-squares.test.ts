import { RidgeSums } from '../../../src/forecast/numeric/least-squares';
import { RecursiveLeastSquares } from '../../../src/forecast/numeric/recursive-least-squares';
import { seededRandom } from '../../../src/forecast/numeric/random';

/** Rows of 1, x and z, with the target 3 + 2x - z. */
function rowsAndTargets(count: number): { rows: Float64Array; targets: Float64Array } {
  const random = seededRandom(5);
  const rows = new Float64Array(count * 3);
  const targets = new Float64Array(count);
  for (let row = 0; row < count; row += 1) {
    const [x, z] = [random.normal(), random.normal()];
    rows.set([1, x, z], row * 3);
    targets[row] = 3 + 2 * x - z;
  }
  return { rows, targets };
}

describe('ridge sums', () => {
  it('finds the coefficients of an exact relation without a penalty', () => {
    const { rows, targets } = rowsAndTargets(50);
    const sums = new RidgeSums(3);
    targets.forEach((target, row) => sums.add(rows, row * 3, target, 1));
    const found = sums.solve(0);
    [3, 2, -1].forEach((expected, column) => expect(found[column]).toBeCloseTo(expected, 8));
  });

  it('shrinks a single column as the closed form says', () => {
    // Two rows whose constant is 0 leave one column: b = sum(xy) / (sum(xx) (1 + penalty)).
    const sums = new RidgeSums(2);
    sums.add(Float64Array.of(0, 2), 0, 6, 1);
    sums.add(Float64Array.of(0, 1), 0, 4, 1);
    expect(sums.solve(0.5)[1]).toBeCloseTo(16 / (5 * 1.5), 10);
  });

  it('counts a row of weight 3 like three rows, and adds up parts', () => {
    const { rows, targets } = rowsAndTargets(6);
    const weighted = new RidgeSums(3);
    const parts = [new RidgeSums(3), new RidgeSums(3), new RidgeSums(3)];
    targets.forEach((target, row) => weighted.add(rows, row * 3, target + row, 3));
    for (const part of parts) targets.forEach((target, row) => part.add(rows, row * 3, target + row, 1));
    parts[0]!.addAll(parts[1]!);
    parts[0]!.addAll(parts[2]!);
    weighted
      .solve(0.2)
      .forEach((value, column) => expect(parts[0]!.solve(0.2)[column]).toBeCloseTo(value, 9));
  });

  it('gives finite coefficients when columns are the same or zero', () => {
    const sums = new RidgeSums(3);
    for (let row = 0; row < 5; row += 1) sums.add(Float64Array.of(1, 1, 0), 0, 4, 1);
    expect(sums.solve(0).every(Number.isFinite)).toBe(true);
  });
});

describe('recursive least squares', () => {
  it('finds a relation, and its successor after a change', () => {
    const { rows, targets } = rowsAndTargets(600);
    const learner = new RecursiveLeastSquares(3, 0.97);
    const row = new Float64Array(3);
    targets.forEach((target, at) => {
      row.set(rows.subarray(at * 3, at * 3 + 3));
      // From the middle on everything is twice as large.
      const actual = at < 300 ? target : 2 * target;
      learner.learn(row, actual - learner.forecast(row));
      if (at === 299) expect(learner.coefficients[1]).toBeCloseTo(2, 2);
    });
    [6, 4, -2].forEach((expected, column) => expect(learner.coefficients[column]).toBeCloseTo(expected, 2));
  });

  it('stays finite when nothing new comes for a long time, and when figures are absurd', () => {
    const learner = new RecursiveLeastSquares(2, 0.9);
    const row = Float64Array.of(1, 0);
    for (let step = 0; step < 20_000; step += 1) learner.learn(row, 1 - learner.forecast(row));
    learner.learn(Float64Array.of(1e200, 1e200), 1e300);
    learner.learn(Float64Array.of(1, 2), 3);
    expect([...learner.coefficients, ...learner.inverse].every(Number.isFinite)).toBe(true);
  });
});

import fc from 'fast-check';
import { total, waterFill } from '../../../src/control/allocate/water-fill';

const fill = (amount: number, rows: readonly (readonly [low: number, high: number, weight: number])[]) => {
  const column = (at: 0 | 1 | 2) => Float64Array.from(rows, (row) => row[at]);
  return [...waterFill(amount, column(0), column(1), column(2))];
};

describe('water filling', () => {
  test.each([
    [
      'equals share alike',
      30,
      [
        [0, 20, 1],
        [0, 20, 1],
        [0, 20, 1],
      ],
      [10, 10, 10],
    ],
    [
      'what one does not want goes to the others',
      30,
      [
        [0, 4, 1],
        [0, 20, 1],
        [0, 20, 1],
      ],
      [4, 13, 13],
    ],
    [
      'shares follow weights',
      30,
      [
        [0, 100, 1],
        [0, 100, 2],
      ],
      [10, 20],
    ],
    [
      'nobody is under its floor',
      30,
      [
        [18, 100, 1],
        [0, 100, 1],
        [0, 100, 1],
      ],
      [18, 6, 6],
    ],
    [
      'all get all they want where there is enough',
      100,
      [
        [0, 20, 1],
        [5, 30, 9],
      ],
      [20, 30],
    ],
    [
      'floors over the amount are scaled',
      10,
      [
        [15, 20, 1],
        [5, 20, 1],
      ],
      [7.5, 2.5],
    ],
    ['nothing is shared of nothing', 0, [[0, 5, 1]], [0]],
    ['no number is nothing', NaN, [[2, 5, 1]], [0]],
    [
      'who weighs nothing gets what others leave',
      30,
      [
        [0, 100, 0],
        [0, 12, 1],
      ],
      [18, 12],
    ],
    ['nobody is nobody', 10, [], []],
  ] as const)('%s', (_name, amount, rows, shares) => {
    const filled = fill(amount, rows);
    expect(filled).toHaveLength(shares.length);
    for (const [i, share] of shares.entries()) expect(filled[i]).toBeCloseTo(share, 9);
  });

  const row = fc
    .tuple(
      fc.double({ min: 0, max: 1e6, noNaN: true }),
      fc.double({ min: 0, max: 1e6, noNaN: true }),
      fc.double({ min: 1e-3, max: 1e6, noNaN: true }),
    )
    .map(([low, more, weight]) => [low, low + more, weight] as const);

  it('gives out the amount, inside all bounds, at one level', () => {
    fc.assert(
      fc.property(
        fc.array(row, { minLength: 1, maxLength: 40 }),
        fc.double({ min: 0, max: 1, noNaN: true }),
        (rows, part) => {
          const low = rows.reduce((sum, [least]) => sum + least, 0);
          const high = rows.reduce((sum, [, most]) => sum + most, 0);
          const amount = low + part * (high - low);
          const shares = fill(amount, rows);
          const slack = 1e-9 * Math.max(1, high);
          expect(Math.abs(total(Float64Array.from(shares)) - amount)).toBeLessThanOrEqual(slack);
          let reached = 0;
          let open = Infinity;
          for (const [i, [least, most, weight]] of rows.entries()) {
            const share = shares[i] ?? NaN;
            expect(share).toBeGreaterThanOrEqual(least);
            expect(share).toBeLessThanOrEqual(most);
            // Who is above its floor is at the level or capped below it; who could take more is at the level or floored above it.
            if (share > least + slack) reached = Math.max(reached, (share - slack) / weight);
            if (share < most - slack) open = Math.min(open, (share + slack) / weight);
          }
          expect(reached).toBeLessThanOrEqual(open * (1 + 1e-6));
        },
      ),
    );
  });
});

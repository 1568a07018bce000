import { minimise, type Parameter } from '../../../src/forecast/numeric/nelder-mead';

const wide = (start: number): Parameter => ({ start, min: -100, max: 100, step: 1 });

describe('minimising without derivatives', () => {
  it.each([
    ['a bowl', (x: number, y: number) => (x - 3) ** 2 + 2 * (y + 1) ** 2, [3, -1]],
    ['a curved valley', (x: number, y: number) => (1 - x) ** 2 + 100 * (y - x * x) ** 2, [1, 1]],
    ['an edge without slope', (x: number, y: number) => Math.abs(x - 2) + Math.abs(y), [2, 0]],
  ])('finds the bottom of %s', (_, cost, [x = 0, y = 0]) => {
    const found = minimise(([a = 0, b = 0]) => cost(a, b), [wide(-1.2), wide(1)], {
      evaluations: 800,
      tolerance: 1e-14,
    });
    expect(found.at[0]).toBeCloseTo(x, 3);
    expect(found.at[1]).toBeCloseTo(y, 3);
  });

  it('stays inside the bounds when the bottom is outside', () => {
    const asked: number[] = [];
    const found = minimise(
      ([x = 0]) => {
        asked.push(x);
        return (x - 5) ** 2;
      },
      [{ start: 0.2, min: 0, max: 1, step: 0.5 }],
    );
    expect(found.at[0]).toBeCloseTo(1, 6);
    expect(asked.every((x) => x >= 0 && x <= 1)).toBe(true);
  });

  it('refuses points whose cost is not a number', () => {
    const found = minimise(([x = 0]) => (x < 0 ? NaN : (x - 0.5) ** 2), [wide(2)]);
    expect(found.at[0]).toBeCloseTo(0.5, 2);
  });

  it('evaluates once without parameters, and no more than about as often as allowed', () => {
    expect(minimise(() => 7, [])).toEqual({ at: [], value: 7, evaluations: 1 });
    let calls = 0;
    minimise(([x = 0, y = 0]) => Math.sin(++calls) + x + y, [wide(0), wide(0)], {
      evaluations: 50,
      tolerance: 0,
    });
    expect(calls).toBeLessThanOrEqual(55);
  });
});

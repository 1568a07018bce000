import { HorizonErrors } from '../../../src/forecast/model/horizon-errors';
import type { Recursion } from '../../../src/forecast/model/recursion';
import { seededRandom } from '../../../src/forecast/numeric/random';

/** Forecasts the last value for ever. */
function naive(first: number): Recursion {
  let last = first;
  return {
    step(value) {
      const error = value - last;
      last = value;
      return error;
    },
    ahead: (horizon) => new Float64Array(horizon).fill(last),
    save: () => ({}),
  };
}

describe('errors by horizon', () => {
  const random = seededRandom(17);
  let level = 0;
  const walk = Float64Array.from({ length: 20_000 }, () => (level += random.normal()));
  const errors = HorizonErrors.of(naive(0), walk);

  it('grow by the square root of time on a random walk', () => {
    const upper = errors.quantiles(0.9, 64);
    const lower = errors.quantiles(0.1, 64);
    // 1.28 deviations on each side; the farther horizon is seen from fewer independent origins.
    expect(upper[0]).toBeCloseTo(1.28, 1);
    expect(lower[0]).toBeCloseTo(-1.28, 1);
    const spread = (upper[15] ?? 0) - (lower[15] ?? 0);
    expect(spread).toBeGreaterThan(2 * 1.28 * 4 * 0.75);
    expect(spread).toBeLessThan(2 * 1.28 * 4 * 1.25);
  });

  it('lie on lines between known horizons and grow on beyond the last', () => {
    const short = HorizonErrors.of(naive(0), walk.slice(0, 64));
    const at = short.quantiles(0.975, 400);
    expect(at.every(Number.isFinite)).toBe(true);
    expect(at[399]).toBeCloseTo((at[99] ?? 0) * 2, 9);
    expect(at[4]).toBeCloseTo(((at[3] ?? 0) + (at[5] ?? 0)) / 2, 9);
  });

  it('say what a usual error is', () => {
    expect(errors.usual).toBeCloseTo(Math.sqrt(2 / Math.PI), 1);
    expect(HorizonErrors.of(naive(5), new Float64Array(20).fill(5)).usual).toBeGreaterThan(0);
  });

  it('are a normal spread when there are too few', () => {
    const few = HorizonErrors.of(naive(0), Float64Array.from([1, 0, 1, 0]));
    expect(few.quantiles(0.9, 1)[0]).toBeCloseTo(1.282, 3);
    expect(few.quantiles(0.025, 1)[0]).toBeCloseTo(-1.96, 3);
  });

  it('are the same after they were saved, and refuse what is not theirs', () => {
    const again = HorizonErrors.restore(structuredClone(errors.save()));
    expect(again.quantiles(0.77, 100)).toEqual(errors.quantiles(0.77, 100));
    expect(() => HorizonErrors.restore({ ...errors.save(), table: new Float64Array(3) })).toThrow(/table/);
    expect(() => HorizonErrors.restore({})).toThrow(/horizons/);
  });
});

import { ErrorGuard } from '../../../src/forecast/model/error-guard';
import type { SeriesContext } from '../../../src/forecast/model/model';
import { THETA, ThetaRecursion, thetaMethod } from '../../../src/forecast/model/theta';
import { seededRandom } from '../../../src/forecast/numeric/random';

const context: SeriesContext = { startMs: 0, stepMs: 60_000, seasons: [], seed: 1 };
const after = (values: readonly number[], alpha: number, theta: number): ThetaRecursion => {
  const recursion = new ThetaRecursion({ alpha, theta }, new ErrorGuard(Number.MAX_VALUE));
  for (const value of values) recursion.step(value);
  return recursion;
};

describe('the theta method', () => {
  it('with theta 1 is simple exponential smoothing', () => {
    // 10 -> 10 + 0.5 (14 - 10) = 12 -> 12 + 0.5 (8 - 12) = 10.
    expect(Array.from(after([10, 14, 8], 0.5, 1).ahead(2))).toEqual([10, 10]);
  });

  it.each([1.5, 2, 5])('continues a line with the part 1 - 1/theta of its slope, theta %d', (theta) => {
    const line = Array.from({ length: 200 }, (_, at) => 7 + 3 * at);
    const ahead = after(line, 0.4, theta).ahead(11);
    expect((ahead[10] ?? 0) - (ahead[0] ?? 0)).toBeCloseTo(10 * 3 * (1 - 1 / theta), 6);
  });

  it('continues a line exactly once theta is free to grow', () => {
    const line = Float64Array.from({ length: 300 }, (_, at) => 7 + 3 * at);
    const fit = thetaMethod.estimate(line, context);
    const ahead = thetaMethod.run(line, context, fit).ahead(10);
    expect(Math.abs((ahead[0] ?? 0) - (7 + 3 * 300))).toBeLessThan(0.5);
    expect((ahead[9] ?? 0) - (ahead[0] ?? 0)).toBeGreaterThan(9 * 3 * 0.9);
  });

  it('keeps the least-squares slope and the mean of all values as it goes', () => {
    const random = seededRandom(3);
    const values = Array.from({ length: 50 }, (_, at) => 2 * at + 5 * random.normal());
    const middle = (values.length - 1) / 2;
    const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
    const together = values.reduce((sum, value, at) => sum + (at - middle) * (value - mean), 0);
    const square = values.reduce((sum, _, at) => sum + (at - middle) ** 2, 0);
    const state = after(values, 0.3, 2).save();
    expect(state['mean']).toBeCloseTo(mean, 9);
    expect(state['slope']).toBeCloseTo(together / square, 9);
  });

  it('recovers how fast a simulated level moves', () => {
    const random = seededRandom(11);
    let level = 50;
    const values = Float64Array.from({ length: 3000 }, () => {
      const error = random.normal();
      const value = level + error;
      level += 0.4 * error;
      return value;
    });
    expect(thetaMethod.estimate(values, context).alpha).toBeGreaterThan(0.35);
    expect(thetaMethod.estimate(values, context).alpha).toBeLessThan(0.45);
  });

  it('is not led astray by one absurd value', () => {
    const random = seededRandom(2);
    const values = Float64Array.from({ length: 400 }, () => 1000 + 20 * random.normal());
    const clean = THETA.fit(values, context);
    const fouled = values.slice();
    fouled[398] = 0;
    const [usual = 0] = clean.predict(1, []).mean;
    const [after1 = 0] = THETA.fit(fouled, context).predict(1, []).mean;
    expect(Math.abs(after1 / usual - 1)).toBeLessThan(0.05);
  });
});

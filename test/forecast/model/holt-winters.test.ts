import { ErrorGuard } from '../../../src/forecast/model/error-guard';
import {
  HOLT_WINTERS,
  HOLT_WINTERS_MULTIPLICATIVE,
  holtWintersMethod,
} from '../../../src/forecast/model/holt-winters';
import { HoltWintersRecursion } from '../../../src/forecast/model/holt-winters-recursion';
import type { SeriesContext } from '../../../src/forecast/model/model';
import { seededRandom } from '../../../src/forecast/numeric/random';

const context = (seasons: readonly number[]): SeriesContext => ({
  startMs: 0,
  stepMs: 60_000,
  seasons,
  seed: 1,
});
const noGuard = (): ErrorGuard => new ErrorGuard(Number.MAX_VALUE);

describe('the Holt-Winters recursion', () => {
  it('adds seasons as worked out by hand', () => {
    const recursion = new HoltWintersRecursion(
      { multiplicative: false, alpha: 0.5, beta: 0.25, damping: 1, gammas: [0.5], correction: 0 },
      { level: 10, trend: 1, seasons: [Float64Array.from([2, -2])] },
      noGuard(),
    );
    // Expected 13, e = 4: l = 13, b = 2, s0 = 4. Then 15 - 2 = 13, e = -4: l = 13, b = 1, s1 = -4.
    expect([17, 9].map((value) => recursion.step(value))).toEqual([4, -4]);
    expect(Array.from(recursion.ahead(3))).toEqual([18, 11, 20]);
  });

  it('multiplies by seasons as worked out by hand', () => {
    const recursion = new HoltWintersRecursion(
      { multiplicative: true, alpha: 0.5, beta: 0, damping: 0, gammas: [0.25], correction: 0 },
      { level: 10, trend: 0, seasons: [Float64Array.from([2, 0.5])] },
      noGuard(),
    );
    // Expected 20, e = 8: l = 10 + 0.5 * 4 = 12, s0 = 2 + 0.25 * 8 / 10 = 2.2.
    expect(recursion.step(28)).toBe(8);
    const [first, second] = recursion.ahead(2);
    expect(first).toBeCloseTo(6, 12);
    expect(second).toBeCloseTo(26.4, 12);
  });

  it('corrects the next forecasts by what is left of an error', () => {
    const recursion = new HoltWintersRecursion(
      { multiplicative: false, alpha: 0, beta: 0, damping: 0, gammas: [], correction: 0.5 },
      { level: 10, trend: 0, seasons: [] },
      noGuard(),
    );
    expect(recursion.step(18)).toBe(8);
    expect(Array.from(recursion.ahead(3))).toEqual([14, 12, 11]);
    expect(recursion.step(14)).toBe(0);
  });

  it('damps the trend', () => {
    const recursion = new HoltWintersRecursion(
      { multiplicative: false, alpha: 0.5, beta: 0, damping: 0.5, gammas: [], correction: 0 },
      { level: 0, trend: 8, seasons: [] },
      noGuard(),
    );
    expect(Array.from(recursion.ahead(3))).toEqual([4, 6, 7]);
  });
});

describe('fitting Holt-Winters', () => {
  it('recovers how fast a simulated level moves, and how far errors last', () => {
    const random = seededRandom(21);
    let level = 20;
    let residual = 0;
    const values = Float64Array.from({ length: 4000 }, () => {
      residual = 0.6 * residual + random.normal();
      const value = level + residual;
      level += 0.05 * residual;
      return value;
    });
    const { parameters } = holtWintersMethod({ multiplicative: false, trends: ['none'] }).estimate(
      values,
      context([]),
    );
    expect(parameters.correction).toBeGreaterThan(0.5);
    expect(parameters.correction).toBeLessThan(0.7);
    expect(parameters.alpha).toBeGreaterThan(0.01);
    expect(parameters.alpha).toBeLessThan(0.12);
  });

  it.each([
    ['holt-winters', HOLT_WINTERS],
    ['holt-winters-multiplicative', HOLT_WINTERS_MULTIPLICATIVE],
  ])('%s forecasts a day and a week that multiply', (_, kind) => {
    const day = 48;
    const week = 7 * day;
    const rate = (at: number): number =>
      800 * (1 + 0.5 * Math.sin((2 * Math.PI * at) / day)) * (1 + 0.3 * Math.cos((2 * Math.PI * at) / week));
    const random = seededRandom(8);
    const values = Float64Array.from(
      { length: 4 * week },
      (_, at) => rate(at) * (1 + 0.05 * random.normal()),
    );
    const { mean } = kind.fit(values, context([day, week])).predict(week, []);
    const miss =
      mean.reduce((sum, value, step) => sum + Math.abs(value / rate(values.length + step) - 1), 0) / week;
    expect(miss).toBeLessThan(0.06);
  });
});

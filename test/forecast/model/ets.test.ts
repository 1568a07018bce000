import { TidegateError } from '../../../src/core/errors';
import { ErrorGuard } from '../../../src/forecast/model/error-guard';
import { ETS, ExponentialSmoothing, smoothingMethod } from '../../../src/forecast/model/ets';
import type { SeriesContext } from '../../../src/forecast/model/model';
import { seededRandom } from '../../../src/forecast/numeric/random';

const context = (seasons: readonly number[]): SeriesContext => ({
  startMs: 0,
  stepMs: 60_000,
  seasons,
  seed: 1,
});
const noGuard = (): ErrorGuard => new ErrorGuard(Number.MAX_VALUE);
const none = new Float64Array(0);

describe('the exponential smoothing recursion', () => {
  it('follows a level as worked out by hand', () => {
    const smoothing = new ExponentialSmoothing(
      { alpha: 0.5, beta: 0, damping: 0, gamma: 0 },
      { level: 10, trend: 0, season: none },
      noGuard(),
    );
    // l = 10 -> e = 2, l = 11 -> e = -3, l = 9.5.
    expect([12, 8].map((value) => smoothing.step(value))).toEqual([2, -3]);
    expect(Array.from(smoothing.ahead(2))).toEqual([9.5, 9.5]);
  });

  it('follows a damped trend as worked out by hand', () => {
    const smoothing = new ExponentialSmoothing(
      { alpha: 0.5, beta: 0.25, damping: 0.5, gamma: 0 },
      { level: 10, trend: 4, season: none },
      noGuard(),
    );
    // Expected 12, e = 4: l = 12 + 2, b = 2 + 1; then l + 1.5, + 0.75.
    expect(smoothing.step(16)).toBe(4);
    expect(Array.from(smoothing.ahead(2))).toEqual([15.5, 16.25]);
  });

  it('follows an additive season as worked out by hand', () => {
    const smoothing = new ExponentialSmoothing(
      { alpha: 0.5, beta: 0, damping: 0, gamma: 0.25 },
      { level: 10, trend: 0, season: Float64Array.from([1, -1]) },
      noGuard(),
    );
    // Expected 11, e = 4: l = 12, s0 = 2; then expected 11, e = -4: l = 10, s1 = -2.
    expect([15, 7].map((value) => smoothing.step(value))).toEqual([4, -4]);
    expect(Array.from(smoothing.ahead(3))).toEqual([12, 8, 12]);
  });

  it('goes on over a missing value without learning', () => {
    const smoothing = new ExponentialSmoothing(
      { alpha: 0.5, beta: 0.1, damping: 1, gamma: 0 },
      { level: 10, trend: 1, season: none },
      noGuard(),
    );
    expect(smoothing.step(NaN)).toBeNaN();
    expect(Array.from(smoothing.ahead(2))).toEqual([12, 13]);
  });
});

describe('choosing an exponential smoothing', () => {
  const random = seededRandom(5);

  it('recovers how fast a simulated level moves, and gives it no trend', () => {
    let level = 50;
    const values = Float64Array.from({ length: 3000 }, () => {
      const error = random.normal();
      const value = level + error;
      level += 0.3 * error;
      return value;
    });
    const fit = smoothingMethod.estimate(values, context([]));
    expect(fit.parameters.alpha).toBeGreaterThan(0.25);
    expect(fit.parameters.alpha).toBeLessThan(0.35);
    expect(fit.form.season).toBe(0);
    expect(fit.parameters.beta).toBeLessThan(0.02);
  });

  it('gives a steady trend to a series that has one', () => {
    const values = Float64Array.from({ length: 200 }, (_, at) => 100 + 3 * at + random.normal());
    const fit = smoothingMethod.estimate(values, context([]));
    expect(fit.form.trend).toBe('steady');
    const ahead = smoothingMethod.run(values, context([]), fit).ahead(50);
    expect(ahead[49]).toBeGreaterThan(100 + 3 * 249 - 10);
    expect(ahead[49]).toBeLessThan(100 + 3 * 249 + 10);
  });

  it('gives a season to a series that has a short one', () => {
    const values = Float64Array.from(
      { length: 240 },
      (_, at) => 100 + 20 * Math.sin((Math.PI * at) / 6) + random.normal(),
    );
    const fit = smoothingMethod.estimate(values, context([12]));
    expect(fit.form.season).toBe(12);
  });
});

describe('the kind ets', () => {
  it('forecasts a day and a week of a long season', () => {
    const rate = (at: number): number =>
      1000 * Math.exp(Math.sin((2 * Math.PI * at) / 48) + (Math.floor(at / 48) % 7 >= 5 ? -1 : 0));
    const values = Float64Array.from({ length: 48 * 28 }, (_, at) => rate(at));
    const { mean } = ETS.fit(values, context([48, 336])).predict(336, []);
    const misses = mean.map((value, step) => Math.abs(value / rate(values.length + step) - 1)).sort();
    // The edges between weekdays and weekends are smoothed over three hours each side.
    expect(misses[168]).toBeLessThan(0.1);
    expect(misses[300]).toBeLessThan(0.5);
  });

  it('refuses a series that is too short, with a code', () => {
    let thrown: unknown;
    try {
      ETS.fit(new Float64Array(3), context([]));
    } catch (error) {
      thrown = error;
    }
    expect(TidegateError.from(thrown).code).toBe('TG_FORECAST_TOO_SHORT');
  });
});

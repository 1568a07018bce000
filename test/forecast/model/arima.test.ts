import { ARIMA, ArimaRecursion } from '../../../src/forecast/model/arima';
import type { ArimaOrders } from '../../../src/forecast/model/arima-fit';
import type { SeriesContext } from '../../../src/forecast/model/model';
import { seededRandom } from '../../../src/forecast/numeric/random';

const CONTEXT: SeriesContext = { startMs: 0, stepMs: 300_000, seasons: [], seed: 1 };
const NONE: ArimaOrders = { p: 0, d: 0, q: 0, seasonalP: 0, seasonalD: 0, seasonalQ: 0, season: 1 };
const FREE = { ar: [], ma: [], seasonalAr: [], seasonalMa: [] };

function taken(recursion: ArimaRecursion, values: readonly number[]): ArimaRecursion {
  for (const value of values) recursion.step(value);
  return recursion;
}

describe('ARIMA forecasts in closed form', () => {
  it('an autoregression returns to its mean by powers', () => {
    const parameters = { orders: { ...NONE, p: 1 }, free: { ...FREE, ar: [Math.atanh(0.6)] }, mean: 10 };
    const ahead = taken(ArimaRecursion.of(parameters, 10), [11, 14]).ahead(4);
    [0, 1, 2, 3].forEach((step) => expect(ahead[step]).toBeCloseTo(10 + 4 * 0.6 ** (step + 1), 12));
  });

  it('a moving average reaches one step', () => {
    // theta = 0.5 is the negated tangent.
    const parameters = { orders: { ...NONE, q: 1 }, free: { ...FREE, ma: [Math.atanh(-0.5)] }, mean: 2 };
    const recursion = ArimaRecursion.of(parameters, 2);
    // Errors: 3 - 2 = 1, then 5 - (2 + 0.5) = 2.5.
    expect([recursion.step(3), recursion.step(5)]).toEqual([1, 2.5]);
    const ahead = recursion.ahead(3);
    expect(ahead[0]).toBeCloseTo(3.25, 12);
    expect([ahead[1], ahead[2]]).toEqual([2, 2]);
  });

  it('(0,1,1) is simple exponential smoothing', () => {
    const alpha = 0.3;
    const parameters = {
      orders: { ...NONE, d: 1, q: 1 },
      free: { ...FREE, ma: [Math.atanh(1 - alpha)] },
      mean: 0,
    };
    const values = [4, 6, 5, 9, 8, 7, 12];
    let level = 4;
    for (const value of values) level += alpha * (value - level);
    const ahead = taken(ArimaRecursion.of(parameters, 4), values).ahead(3);
    for (const value of ahead) expect(value).toBeCloseTo(level, 12);
  });

  it('seasonal differences alone repeat the last season', () => {
    const parameters = { orders: { ...NONE, seasonalD: 1, season: 3 }, free: FREE, mean: 0 };
    expect([...taken(ArimaRecursion.of(parameters, 1), [1, 5, 9, 2, 6, 7]).ahead(5)]).toEqual([
      2, 6, 7, 2, 6,
    ]);
  });

  it('a missing value counts as the one expected', () => {
    const parameters = { orders: { ...NONE, p: 1 }, free: { ...FREE, ar: [Math.atanh(0.5)] }, mean: 0 };
    const recursion = taken(ArimaRecursion.of(parameters, 0), [8]);
    expect(recursion.step(NaN)).toBeNaN();
    expect(recursion.ahead(1)[0]).toBeCloseTo(2, 12);
  });
});

/** Counts with a season, and slow noise around it. */
function seasonalCounts(count: number, season: number, seed: number): Float64Array {
  const random = seededRandom(seed);
  let slow = 0;
  return Float64Array.from({ length: count }, (_, at) => {
    slow = 0.9 * slow + 0.05 * random.normal();
    return Math.round(Math.exp(5 + Math.sin((2 * Math.PI * at) / season) + slow + 0.03 * random.normal()));
  });
}

function absoluteError(forecast: ArrayLike<number>, actual: Float64Array): number {
  return actual.reduce((sum, value, at) => sum + Math.abs(value - (forecast[at] ?? NaN)), 0) / actual.length;
}

describe('the model kind arima', () => {
  it.each([
    ['a short season, by seasonal terms', 24, 480],
    ['a long season, by its profile', 288, 2880],
  ])('forecasts %s far better than the last value', (_, season, count) => {
    const values = seasonalCounts(count + season, season, 3);
    const model = ARIMA.fit(values.slice(0, count), { ...CONTEXT, seasons: [season] });
    const actual = values.slice(count);
    const last = new Float64Array(season).fill(values[count - 1] ?? 0);
    expect(absoluteError(model.predict(season, []).mean, actual)).toBeLessThan(
      0.4 * absoluteError(last, actual),
    );
  });

  it('is the same after it was saved and restored, also in what it learns then', () => {
    const values = seasonalCounts(1300, 144, 5);
    const model = ARIMA.fit(values.slice(0, 1200), { ...CONTEXT, seasons: [144] });
    values.slice(1200, 1230).forEach((value) => model.update(value));
    const again = ARIMA.restore(model.save());
    expect(again.predict(50, [0.8, 0.95])).toEqual(model.predict(50, [0.8, 0.95]));
    values.slice(1230).forEach((value) => {
      model.update(value);
      again.update(value);
    });
    expect(again.predict(50, [0.8])).toEqual(model.predict(50, [0.8]));
    expect(again.save()).toEqual(model.save());
  });

  it.each([
    ['lags that are none', { arLags: Float64Array.of(0.5), arWeights: Float64Array.of(1) }],
    ['a lag that would take memory', { arLags: Float64Array.of(1e9), arWeights: Float64Array.of(1) }],
    ['weights that do not match', { arLags: Float64Array.of(1), arWeights: Float64Array.of(1, 2) }],
    ['a mean that is no number', { mean: 'a' }],
  ])('refuses a saved state with %s', (_, broken) => {
    const whole = ArimaRecursion.of(
      { orders: { ...NONE, p: 1 }, free: { ...FREE, ar: [0.5] }, mean: 0 },
      0,
    ).save();
    expect(() => ArimaRecursion.restore({ ...whole, ...broken })).toThrow(
      expect.objectContaining({ code: 'TG_FORECAST_BAD_STATE' }) as Error,
    );
  });

  it.each([
    ['ten points', Float64Array.from({ length: 10 }, (_, at) => at)],
    ['zeros', new Float64Array(700)],
    ['one level', new Float64Array(700).fill(1e6)],
    ['a spike among zeros', new Float64Array(700).map((_, at) => (at === 350 ? 1e12 : 0))],
    ['gaps', seasonalCounts(700, 288, 1).map((value, at) => (at % 7 < 3 ? NaN : value))],
    ['nothing but gaps', new Float64Array(700).fill(NaN)],
    ['negative figures', seasonalCounts(700, 288, 1).map((value) => -value)],
    ['absurd figures', new Float64Array(700).map((_, at) => (at % 2 === 0 ? 1e300 : -1e300))],
    ['a step', new Float64Array(700).map((_, at) => (at < 600 ? 5 : 50_000))],
    ['a ramp that goes on', new Float64Array(700).map((_, at) => Math.exp(at / 30))],
  ])('forecasts figures, finite and not negative, of %s', (_, values) => {
    for (const seasons of [[], [7], [24, 288], [288]]) {
      const model = ARIMA.fit(values, { ...CONTEXT, seasons });
      for (const value of [NaN, -5, Infinity, 1e300, 0, 3]) model.update(value);
      const { mean, intervals } = model.predict(600, [0.8, 0.95]);
      const all = [mean, ...intervals.flatMap(({ lower, upper }) => [lower, upper])];
      for (const figures of all) {
        expect(figures.every((figure) => Number.isFinite(figure) && figure >= 0)).toBe(true);
      }
    }
  });

  it('says when there is too little', () => {
    expect(() => ARIMA.fit(new Float64Array(9), CONTEXT)).toThrow(
      expect.objectContaining({ code: 'TG_FORECAST_TOO_SHORT' }) as Error,
    );
  });

  it('covers about what it says, of values it has not seen', () => {
    const values = seasonalCounts(6000, 144, 8);
    const model = ARIMA.fit(values.slice(0, 3000), { ...CONTEXT, seasons: [144] });
    let inside = 0;
    values.slice(3000).forEach((value) => {
      const [interval] = model.predict(1, [0.8]).intervals;
      if (value >= (interval?.lower[0] ?? NaN) && value <= (interval?.upper[0] ?? NaN)) inside += 1;
      model.update(value);
    });
    expect(inside / 3000).toBeGreaterThan(0.74);
    expect(inside / 3000).toBeLessThan(0.86);
  });
});

import { DEFAULT, RIDGE } from '../../../src/forecast/choice/default';
import { NAIVE, SEASONAL_NAIVE } from '../../../src/forecast/model/naive';
import type { ModelKind, SeriesContext } from '../../../src/forecast/model/model';
import {
  forecastAt,
  meanScore,
  scoreAt,
  type BacktestPlan,
} from '../../../src/forecast/backtest/rolling-origin';
import { seededRandom } from '../../../src/forecast/numeric/random';

const STEP_MS = 1_800_000;
const START_MS = Date.UTC(2024, 0, 1);
const SEASON = 48;

function daily(points: number, options: { noise: number; seed: number; weekend?: number }): Float64Array {
  const random = seededRandom(options.seed);
  return Float64Array.from({ length: points }, (_, at) => {
    const weekday = Math.floor(at / SEASON) % 7;
    const level = weekday >= 5 ? (options.weekend ?? 1) : 1;
    const shape = 300 + 200 * Math.sin((2 * Math.PI * at) / SEASON);
    return Math.max(0, level * shape * (1 + options.noise * random.normal()));
  });
}

function walk(points: number, seed: number): Float64Array {
  const random = seededRandom(seed);
  let level = 1000;
  return Float64Array.from({ length: points }, () => (level = Math.max(10, level + 20 * random.normal())));
}

function maseOf(
  kind: ModelKind,
  values: Float64Array,
  part: Partial<BacktestPlan> = {},
): { readonly mase: number; readonly coverage80: number; readonly coverage95: number } {
  const plan: BacktestPlan = {
    train: 14 * SEASON,
    scaleSeason: 1,
    seasons: [SEASON],
    origins: Array.from({ length: 8 }, (_, index) => 14 * SEASON + 31 * index),
    horizons: [SEASON],
    seed: 1,
    ...part,
  };
  const series = { startMs: START_MS, stepMs: STEP_MS, values };
  return meanScore(
    plan.origins.map(
      (origin) => scoreAt(forecastAt(kind, series, plan, origin).forecast, series, plan, origin)[0]!,
    ),
  );
}

describe('the default choice', () => {
  it('finds a season: a day ahead it errs less than the seasonal naive, and far less than the naive forecast', () => {
    const values = daily(22 * SEASON, { noise: 0.1, seed: 3 });
    const own = maseOf(DEFAULT, values).mase;
    expect(own).toBeLessThan(0.85 * maseOf(SEASONAL_NAIVE, values).mase);
    expect(own).toBeLessThan(0.4 * maseOf(NAIVE, values).mase);
  });

  it('learns from the weekend before that weekends are half as busy', () => {
    const values = daily(35 * SEASON, { noise: 0.05, seed: 4, weekend: 0.5 });
    // Forecasts of the third Saturday and Sunday after two weeks, from the midnights before.
    const plan = { origins: [19 * SEASON, 20 * SEASON], train: 19 * SEASON };
    const without = maseOf(DEFAULT, values, plan).mase;
    expect(maseOf(DEFAULT, values, { ...plan, seasons: [SEASON, 7 * SEASON] }).mase).toBeLessThan(
      0.6 * without,
    );
  });

  it.each([1, 2, 3])('loses little to the naive forecast on a random walk (seed %d)', (seed) => {
    const values = walk(22 * SEASON, seed);
    const naive = maseOf(NAIVE, values, { horizons: [12] }).mase;
    expect(maseOf(DEFAULT, values, { horizons: [12] }).mase).toBeLessThan(1.15 * naive);
    expect(maseOf(DEFAULT, values, { horizons: [12], seasons: [] }).mase).toBeLessThan(1.15 * naive);
  });

  it('needs no season below two of them', () => {
    const values = daily(Math.floor(1.9 * SEASON), { noise: 0.05, seed: 5 });
    const context: SeriesContext = { startMs: START_MS, stepMs: STEP_MS, seasons: [SEASON], seed: 1 };
    const seasonless = DEFAULT.fit(values, { ...context, seasons: [] }).predict(SEASON, [0.8]);
    expect(DEFAULT.fit(values, context).predict(SEASON, [0.8])).toEqual(seasonless);
  });

  it('covers what its intervals promise on a seasonal series', () => {
    const values = daily(40 * SEASON, { noise: 0.1, seed: 6 });
    const origins = Array.from({ length: 14 }, (_, index) => 14 * SEASON + 85 * index);
    const { coverage80, coverage95 } = maseOf(DEFAULT, values, { origins });
    expect(Math.abs(coverage80 - 0.8)).toBeLessThan(0.08);
    expect(Math.abs(coverage95 - 0.95)).toBeLessThan(0.04);
  });

  it('follows values it is updated with as if it had been fitted to them, but for what it learnt', () => {
    const values = daily(30 * SEASON, { noise: 0.02, seed: 7 });
    const context: SeriesContext = {
      startMs: START_MS,
      stepMs: STEP_MS,
      seasons: [SEASON, 7 * SEASON],
      seed: 1,
    };
    const model = DEFAULT.fit(values.slice(0, 14 * SEASON), context);
    // Long enough that the oldest values are dropped several times.
    for (const value of values.subarray(14 * SEASON)) model.update(value);
    const actual = daily(31 * SEASON, { noise: 0, seed: 7 }).subarray(30 * SEASON);
    const { mean } = model.predict(SEASON, []);
    const error = mean.reduce((sum, figure, step) => sum + Math.abs(figure - actual[step]!), 0) / SEASON;
    expect(error).toBeLessThan(15);
  });

  it('forecasts past a gap at the end by the season, not by the last value', () => {
    const values = daily(21 * SEASON, { noise: 0.02, seed: 8 });
    const model = RIDGE.fit(values.slice(0, 20 * SEASON), {
      startMs: START_MS,
      stepMs: STEP_MS,
      seasons: [SEASON],
      seed: 1,
    });
    for (let step = 0; step < SEASON / 2; step += 1) model.update(NaN);
    const { mean } = model.predict(SEASON / 2, []);
    const actual = values.subarray(20.5 * SEASON);
    const error = mean.reduce((sum, figure, step) => sum + Math.abs(figure - actual[step]!), 0) / mean.length;
    expect(error).toBeLessThan(40);
  });
});

/** Scores by hand, no look ahead, and forecasts that are none. */
import { evaluateAt, faultOf } from '../../../src/forecast/backtest/evaluation';
import { covers } from '../../../src/forecast/backtest/covers';
import { OnlineTally, runOnline, startOnline } from '../../../src/forecast/backtest/online';
import { StepTally } from '../../../src/forecast/backtest/step-tally';
import type { BacktestPlan } from '../../../src/forecast/backtest/rolling-origin';
import type { Series } from '../../../src/core/series';
import { spyKind } from './kinds';

const series: Series = {
  startMs: 0,
  stepMs: 60_000,
  //                        0   1   2   3   4   5 | 6   7   8    9
  values: Float64Array.from([10, 20, 10, 24, 10, 20, 22, 26, NaN, 50]),
};
const plan: BacktestPlan = {
  train: 4,
  scaleSeason: 2,
  seasons: [2],
  origins: [6],
  horizons: [1, 2, 4],
  seed: 7,
};
const kind = spyKind((level) => (level === 0.8 ? 3 : 8));

describe('a model at an origin', () => {
  it('is scored as worked out by hand', () => {
    // Trained on 10, 24, 10, 20: seasonal differences 0 and 4, so the scale is 2. The forecast is 20 throughout.
    const { scores } = evaluateAt(kind, series, plan, 6);
    expect(scores).toEqual([
      { mae: 2, mase: 1, coverage80: 1, coverage95: 1 },
      { mae: 4, mase: 2, coverage80: 0.5, coverage95: 1 },
      // The missing value is no step: errors 2, 6 and 30.
      { mae: 38 / 3, mase: 19 / 3, coverage80: 1 / 3, coverage95: 2 / 3 },
    ]);
  });

  it.each([6, 7, 8, 9])('sees at origin %i the training values before it and nothing else', (origin) => {
    const seen: number[][] = [];
    const spy = spyKind(
      () => 1,
      (values, context) => {
        seen.push([...values]);
        expect(context).toEqual({ startMs: (origin - 4) * 60_000, stepMs: 60_000, seasons: [2], seed: 7 });
        // What it does to them must not reach the next model.
        values.fill(0);
      },
    );
    evaluateAt(spy, series, { ...plan, horizons: [1] }, origin);
    expect(seen).toEqual([[...series.values.slice(origin - 4, origin)]]);
  });

  it('has no figure where nothing came', () => {
    const [score] = evaluateAt(kind, series, { ...plan, horizons: [1] }, 8).scores;
    expect(score?.mae).toBeNaN();
  });
});

describe('an interval', () => {
  const interval = (lower: number, upper: number) => ({
    level: 0.8,
    lower: Float64Array.of(lower),
    upper: Float64Array.of(upper),
  });
  it.each([
    ['within', 2, interval(1, 3), true],
    ['on a bound', 3, interval(1, 3), true],
    ['off a bound by rounding', 7, interval(7 + 7e-12, 7 + 7e-12), true],
    ['below', 0.99, interval(1, 3), false],
    ['above', 3.01, interval(1, 3), false],
    ['above nothing', 1e-12, interval(0, 0), false],
    ['without one', 1, undefined, false],
  ])('holds a value %s: %s', (_where, value, bounds, held) => {
    expect(covers(bounds, 0, value)).toBe(held);
  });
});

describe('a forecast that is none', () => {
  const good = { mean: [1, 2], lower: [0, 1], upper: [2, 3] };
  it.each([
    ['too short', { mean: [1] }, 'has 1 of 2 steps'],
    ['not finite', { mean: [1, NaN] }, 'is not finite at step 2'],
    ['infinite', { upper: [2, Infinity] }, 'is not finite at step 2'],
    ['negative', { lower: [-1, 1] }, 'is negative at step 1'],
    [
      'with its bounds the wrong way round',
      { lower: [0, 4] },
      'has a lower bound above the upper one at step 2',
    ],
    ['sound', {}, undefined],
  ])('%s is told', (_what, change, fault) => {
    const { mean, lower, upper } = { ...good, ...change };
    const interval = { lower: Float64Array.from(lower), upper: Float64Array.from(upper) };
    const intervals = [0.8, 0.95].map((level) => ({ level, ...interval }));
    expect(faultOf({ mean: Float64Array.from(mean), intervals }, 2)).toBe(fault);
  });

  it('without its intervals is told', () => {
    expect(faultOf({ mean: Float64Array.of(1), intervals: [] }, 1)).toBe('has 0 of 2 intervals');
  });
});

test('curves by step are means over origins of what came', () => {
  const tally = new StepTally(2);
  const { forecast } = evaluateAt(kind, series, { ...plan, horizons: [2] }, 6);
  tally.add(forecast, series, 6);
  tally.add(forecast, series, 7);
  const { mae, coverage } = tally.curves();
  // At 6: errors 2, 6. At 7: error 6, and a missing value.
  expect([...mae]).toEqual([4, 6]);
  expect(coverage.map((curve) => [...curve])).toEqual([
    [0.5, 0],
    [1, 1],
  ]);
});

describe('one step ahead', () => {
  it('is scored against repeating the last known value, gaps passed over', () => {
    const online = { start: 6, seasons: [2], seed: 1 };
    const told: number[] = [];
    const model = startOnline(kind, series, online);
    const tally = new OnlineTally(series.values.slice(0, 6));
    const watched = {
      predict: model.predict.bind(model),
      update: (value: number) => {
        told.push(value);
        model.update(Number.isNaN(value) ? 30 : value);
      },
    };
    runOnline(watched, series, 6, 10, tally);
    // Forecasts 20, 22, 26, 30 of 22, 26, -, 50; naive has 20, 22 and 26: errors 2, 4, 20 to 2, 4, 24.
    expect(tally.score()).toEqual({
      relMae: 26 / 30,
      mae: 26 / 3,
      coverage80: 1 / 3,
      coverage95: 2 / 3,
      steps: 3,
    });
    expect(told).toEqual([22, 26, NaN, 50]);
  });

  it('fits to the values before the start alone', () => {
    const seen: number[][] = [];
    startOnline(
      spyKind(
        () => 1,
        (values) => seen.push([...values]),
      ),
      series,
      { start: 3, seasons: [], seed: 1 },
    );
    expect(seen).toEqual([[10, 20, 10]]);
  });

  it('stops at a forecast that is none', () => {
    const model = { predict: () => ({ mean: Float64Array.of(NaN), intervals: [] }), update: () => undefined };
    expect(() => runOnline(model, series, 6, 7, new OnlineTally(series.values))).toThrow(
      expect.objectContaining({ code: 'TG_FORECAST_NO_FIT' }) as Error,
    );
  });
});

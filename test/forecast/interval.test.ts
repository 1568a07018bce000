import fc from 'fast-check';
import { TidegateError } from '../../src/core/errors';
import { AdaptiveTails, BOUNDS_OF_TAIL } from '../../src/forecast/interval/adaptive-tail';
import { ErrorsWorth } from '../../src/forecast/interval/errors-worth';
import { IntervalCalibrator } from '../../src/forecast/interval/interval-calibrator';
import { memoryRates, ResidualScale } from '../../src/forecast/interval/residual-scale';
import { SortedWindow } from '../../src/forecast/interval/sorted-window';
import { zeros } from '../../src/forecast/numeric/figures';
import { seededRandom } from '../../src/forecast/numeric/random';
import { coverage, daily, runAll, seasonalCounts, SmoothingModel, tracked } from './tracked-fixtures';

describe('a window of the last figures', () => {
  it('keeps the newest in order of size', () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: -99, max: 99 }), { minLength: 1, maxLength: 60 }), (figures) => {
        const window = new SortedWindow(16);
        for (const figure of figures) window.push(figure);
        const kept = figures.slice(-16).sort((a, b) => b - a);
        kept.forEach((figure, index) => {
          expect(window.exceeded((index + 1) / (kept.length + 1))).toBeCloseTo(figure, 5);
        });
        expect(window.fallenShort(1 / (kept.length + 1))).toBeCloseTo(kept.at(-1) ?? NaN, 5);
      }),
    );
  });

  it('forgets the oldest first, also after it was saved and read again', () => {
    const lists = fc.array(fc.integer({ min: -9, max: 9 }), { minLength: 1, maxLength: 60 });
    fc.assert(
      fc.property(lists, lists, (before, after) => {
        const first = new SortedWindow(8);
        for (const figure of before) first.push(figure);
        const window = SortedWindow.restore(8, first.save());
        for (const figure of after) window.push(figure);
        const all = [...before, ...after];
        const ring = new Float64Array(Math.min(8, all.length));
        all.forEach((figure, at) => (ring[at % 8] = figure));
        expect(window.save()).toEqual({ next: all.length % 8, figures: ring });
      }),
    );
  });

  it('goes on beyond its largest figure, further the rarer', () => {
    const window = new SortedWindow(64);
    const random = seededRandom(3);
    for (let at = 0; at < 64; at += 1) window.push(random.normal());
    const largest = window.exceeded(1 / 65);
    expect(window.exceeded(0.005)).toBeGreaterThan(largest);
    expect(window.exceeded(0.001)).toBeGreaterThan(window.exceeded(0.005));
    expect(window.fallenShort(0.001)).toBeLessThan(window.fallenShort(1 / 65));
  });

  it('comes back as it was saved, and refuses what it cannot be', () => {
    const window = new SortedWindow(8);
    for (const figure of [5, 1, 4, 2, 8, 7, 9, 3, 6, 0]) window.push(figure);
    const again = SortedWindow.restore(8, window.save());
    window.push(2.5);
    again.push(2.5);
    expect(again.save()).toEqual(window.save());
    expect(again.exceeded(0.3)).toBe(window.exceeded(0.3));
    expect(() => SortedWindow.restore(4, window.save())).toThrow(TidegateError);
  });
});

describe('the scale of errors', () => {
  it.each([
    ['do not grow with the level', 0],
    ['grow with its root', 0.5],
    ['grow with it', 1],
  ])('finds how errors %s', (_, power) => {
    const random = seededRandom(7);
    const scale = new ResidualScale(memoryRates([60, 400]));
    const size = (level: number): number => 3 * Math.pow(level / 100, power);
    for (let step = 0; step < 4_000; step += 1) {
      const level = 100 * daily(step);
      scale.observe(level, size(level) * random.normal());
    }
    const mean = Math.sqrt(2 / Math.PI);
    for (const level of [50, 100, 150]) {
      expect(scale.at(level) / (mean * size(level))).toBeGreaterThan(0.75);
      expect(scale.at(level) / (mean * size(level))).toBeLessThan(1.3);
    }
  });
});

describe('an adaptive tail', () => {
  it('reaches the nominal share where the window alone would miss it', () => {
    const random = seededRandom(11);
    const window = new SortedWindow(128);
    const tails = new AdaptiveTails([{ nominal: 0.1, side: 'upper' }]);
    const worth = new ErrorsWorth(64);
    const bounds = zeros(BOUNDS_OF_TAIL);
    let beyond = 0;
    for (let step = 0; step < 20_000; step += 1) {
      const error = random.normal() * Math.exp(step / 4_000);
      if (window.size >= 30) {
        if (error > window.exceeded(Math.min(0.49, 0.1 * tails.ratio(0)))) beyond += 1;
        tails.bound(window, worth, bounds, 0);
        tails.observe(bounds, 0, error);
      }
      window.push(error);
    }
    expect(beyond / 20_000).toBeGreaterThan(0.09);
    expect(beyond / 20_000).toBeLessThan(0.11);
  });
});

const STEPS = 5_400;
const HALF = STEPS / 2;

/** Changes of a stream from its middle on. */
const SHIFTS: readonly (readonly [string, (values: Float64Array) => Float64Array])[] = [
  ['nothing happens', (values) => values],
  ['the level jumps', (values) => values.map((value, step) => (step < HALF ? value : 3 * value))],
  [
    'the variance changes',
    (values) => {
      const random = seededRandom(5);
      return values.map((value, step) =>
        step < HALF ? value : Math.max(0, value * (1 + 0.5 * random.normal())),
      );
    },
  ],
  [
    'the season moves',
    (values) => values.map((value, step) => (step < HALF ? value : (values[step - 144] ?? value))),
  ],
];

describe('one-step intervals', () => {
  it.each(SHIFTS)('cover what they say when %s', (_, shift) => {
    const reports = runAll(tracked(), shift(seasonalCounts(STEPS, 21)));
    for (const part of [reports.slice(300), reports.slice(HALF)]) {
      const { at80, at95 } = coverage(part);
      expect(Math.abs(at80 - 0.8)).toBeLessThan(0.03);
      expect(Math.abs(at95 - 0.95)).toBeLessThan(0.02);
    }
  });

  it('are sharper than those of one size for all levels', () => {
    const random = seededRandom(4);
    const values = Float64Array.from({ length: STEPS }, (_, step) =>
      Math.max(0, 200 * daily(step) * (1 + 0.15 * random.normal())),
    );
    const reports = runAll(tracked(), values).slice(600);
    const widths = reports.map((report) => report.upper95 - report.lower95);
    const errors = reports.map((report) => Math.abs(report.actual - report.forecast)).sort((a, b) => a - b);
    const constant = 2 * (errors[Math.floor(0.95 * errors.length)] ?? NaN);
    expect(widths.reduce((sum, width) => sum + width, 0) / widths.length).toBeLessThan(0.95 * constant);
  });

  it('say that they are not warm before they are', () => {
    const reports = runAll(tracked(), seasonalCounts(100, 2));
    expect(reports[5]?.warm).toBe(false);
    expect(reports[99]?.warm).toBe(true);
  });
});

describe('intervals further ahead', () => {
  it.each([12, 72])('cover what they say %d steps ahead', (horizon) => {
    const forecaster = tracked(new SmoothingModel(daily), { horizons: [1, horizon] });
    runAll(forecaster, seasonalCounts(6_000, 9));
    const far = forecaster.accuracy()[1];
    expect(far?.horizon).toBe(horizon);
    let inside = 0;
    let all = 0;
    const values = seasonalCounts(10_000, 9);
    for (let step = 6_000; step + horizon < 10_000; step += 7) {
      const interval = forecaster.predict(horizon, [0.8]).intervals[0];
      const actual = values[step + horizon - 1] ?? NaN;
      all += 1;
      if (actual >= (interval?.lower.at(-1) ?? NaN) && actual <= (interval?.upper.at(-1) ?? NaN)) inside += 1;
      for (let on = 0; on < 7; on += 1) forecaster.step((step + on) * 300_000, values[step + on] ?? NaN);
    }
    expect(Math.abs(inside / all - 0.8)).toBeLessThan(0.06);
  });

  it('are nested, hold the mean and are never negative, whatever came', () => {
    const value = fc.oneof(
      fc.double({ min: 0, max: 1e4, noNaN: true }),
      fc.constantFrom(0, NaN, -5, 1e300, Infinity, 7),
    );
    fc.assert(
      fc.property(fc.array(value, { maxLength: 150 }), (values) => {
        const forecaster = tracked(new SmoothingModel(), { horizons: [1, 6, 20] });
        runAll(forecaster, values);
        const { mean, intervals } = forecaster.predict(30, [0.95, 0.5, 0.8, 0.99]);
        const [wide, half, middle, widest] = intervals;
        mean.forEach((at, step) => {
          const lower = [widest, wide, middle, half].map((one) => one?.lower[step] ?? NaN);
          const upper = [half, middle, wide, widest].map((one) => one?.upper[step] ?? NaN);
          const order = [0, ...lower, at, ...upper, Number.MAX_VALUE];
          expect(order).toEqual([...order].sort((a, b) => a - b));
        });
      }),
      { numRuns: 30 },
    );
  });

  it('do not explode: they stay near what was seen', () => {
    const forecaster = tracked(new SmoothingModel(), { horizons: [1] });
    const random = seededRandom(1);
    const values = Array.from({ length: 800 }, () => Math.exp(1.5 * random.normal()));
    runAll(forecaster, values);
    const upper = forecaster.predict(288, [0.95]).intervals[0]?.upper.at(-1) ?? NaN;
    expect(upper).toBeLessThanOrEqual(4 * Math.max(...values));
  });
});

describe('a saved calibration', () => {
  it('goes on as if nothing had happened', () => {
    const calibrator = new IntervalCalibrator([1, 6]);
    const random = seededRandom(8);
    const forecast = { mean: new Float64Array(6).fill(50), intervals: [] };
    const step = (one: IntervalCalibrator, at: number, value: number): void => {
      one.see(value);
      one.horizons.forEach((_, index) => one.settle(index, at, value));
      one.remember(at, forecast, value);
    };
    for (let at = 0; at < 200; at += 1) step(calibrator, at, 50 + 5 * random.normal());
    const again = new IntervalCalibrator([1, 6], calibrator.save());
    for (let at = 200; at < 260; at += 1) {
      const value = 50 + 9 * random.normal();
      step(calibrator, at, value);
      step(again, at, value);
    }
    expect(again.save()).toEqual(calibrator.save());
    expect(again.calibrate(forecast, [0.8])).toEqual(calibrator.calibrate(forecast, [0.8]));
  });
});

describe('what errors are worth', () => {
  const fed = (memory: number): ErrorsWorth => {
    const random = seededRandom(4);
    const worth = new ErrorsWorth(160);
    let error = 0;
    for (let step = 0; step < 400; step += 1) {
      error = memory * error + Math.sqrt(1 - memory * memory) * random.normal();
      worth.observe(error);
    }
    return worth;
  };

  it('is each its own where none follows another', () => {
    expect(fed(0).ask(0.1)).toBeGreaterThan(0.095);
  });

  it('is less where they do: rarer quantiles are asked for, the more the more they do', () => {
    expect(fed(0.8).ask(0.1)).toBeLessThan(0.095);
    expect(fed(0.95).ask(0.1)).toBeLessThan(fed(0.8).ask(0.1));
    expect(fed(0.95).ask(0.025)).toBeGreaterThan(0);
  });
});

describe('intervals far ahead', () => {
  it('hold what they say though errors of overlapping forecasts follow one another', () => {
    const inside = [0, 0];
    let scored = 0;
    for (const seed of [21, 22, 23]) {
      const random = seededRandom(seed);
      const calibrator = new IntervalCalibrator([12]);
      let value = 1_000;
      for (let step = 0; step < 3_000; step += 1) {
        calibrator.see(value);
        calibrator.settle(0, step, value);
        const settled = calibrator.settle(1, step, value);
        if (settled !== undefined && step > 400) {
          scored += 1;
          inside[0]! += settled.inside80 ? 1 : 0;
          inside[1]! += settled.inside95 ? 1 : 0;
        }
        calibrator.remember(step, { mean: new Float64Array(12).fill(value), intervals: [] }, value);
        value += random.normal();
      }
    }
    expect(inside[0]! / scored).toBeGreaterThan(0.775);
    expect(inside[0]! / scored).toBeLessThan(0.825);
    expect(inside[1]! / scored).toBeGreaterThan(0.935);
    expect(inside[1]! / scored).toBeLessThan(0.97);
  });
});

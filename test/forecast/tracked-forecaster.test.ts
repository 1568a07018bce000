import fc from 'fast-check';
import { TidegateError } from '../../src/core/errors';
import { RollingAccuracy } from '../../src/forecast/accuracy/rolling-accuracy';
import type { FittedModel } from '../../src/forecast/model/model';
import { TrackedForecaster } from '../../src/forecast/tracked-forecaster';
import { DAY, daily, runAll, seasonalCounts, SmoothingModel, STEP_MS, tracked } from './tracked-fixtures';

describe('rolling accuracy', () => {
  it('is that of the errors that came', () => {
    const accuracy = new RollingAccuracy(100);
    for (let at = 0; at < 1_000; at += 1) {
      const error = at % 2 === 0 ? 3 : -1;
      accuracy.add({ error, naiveError: 4, inside80: at % 5 !== 0, inside95: true });
    }
    const read = accuracy.read(8);
    expect(read.scored).toBe(1_000);
    expect(read.mae).toBeCloseTo(2, 1);
    expect(read.relativeMae).toBeCloseTo(0.5, 1);
    expect(read.mase).toBeCloseTo(0.25, 1);
    expect(read.bias).toBeCloseTo(-1, 1);
    expect(read.coverage80).toBeCloseTo(0.8, 1);
    expect(read.coverage95).toBe(1);
  });

  it('forgets what is older than its span', () => {
    const accuracy = new RollingAccuracy(50);
    const add = (error: number): void => {
      accuracy.add({ error, naiveError: NaN, inside80: false, inside95: false });
    };
    for (let at = 0; at < 500; at += 1) add(100);
    for (let at = 0; at < 200; at += 1) add(1);
    expect(accuracy.read(NaN).mae).toBeLessThan(1.2);
    expect(accuracy.read(NaN).relativeMae).toBeNaN();
  });
});

describe('a tracked forecaster', () => {
  it('scores each horizon it follows', () => {
    const forecaster = tracked(new SmoothingModel(daily), { horizons: [1, 6, 144] });
    forecaster.setMaseScale(30);
    runAll(forecaster, seasonalCounts(5 * DAY, 3));
    const accuracy = forecaster.accuracy();
    expect(accuracy.map(({ horizon }) => horizon)).toEqual([1, 6, 144]);
    for (const { hour, day } of accuracy) {
      expect(day.scored).toBeGreaterThan(40);
      expect(hour.mae).toBeGreaterThan(0);
      expect(day.relativeMae).toBeGreaterThan(0);
      expect(day.mase).toBeCloseTo(day.mae / 30, 6);
    }
    expect(accuracy[0]?.day.relativeMae).toBeLessThan(1.2);
  });

  it('goes on after a restore as if nothing had happened', () => {
    const values = seasonalCounts(4 * DAY, 17);
    const model = new SmoothingModel(daily);
    const options = { stepMs: STEP_MS, seasons: [DAY], horizons: [1, 6] };
    const one = new TrackedForecaster(model, options);
    runAll(one, values.slice(0, 3 * DAY));
    const twin = new SmoothingModel(daily);
    for (const told of model.told) twin.update(told);
    const other = TrackedForecaster.restore(twin, options, one.save());
    const rest = values.slice(3 * DAY);
    expect(runAll(other, rest, 3 * DAY)).toEqual(runAll(one, rest, 3 * DAY));
    expect(other.accuracy()).toEqual(one.accuracy());
  });

  it.each([
    ['nothing', {}],
    ['a part that is missing', { calibrator: {} }],
    ['what is not a number', { step: 'x' }],
  ])('refuses to restore %s', (_, broken) => {
    const forecaster = tracked();
    const state = Object.keys(broken).length === 0 ? {} : { ...forecaster.save(), ...broken };
    expect(() => TrackedForecaster.restore(new SmoothingModel(), forecaster.options, state)).toThrow(
      TidegateError,
    );
  });

  it('fills a jump of the clock with missing steps, and ignores a step back', () => {
    const model = new SmoothingModel();
    const forecaster = tracked(model);
    runAll(forecaster, [5, 5, 5]);
    expect(forecaster.step(7 * STEP_MS, 5).taken).toBe(true);
    expect(model.told).toEqual([5, 5, 5, NaN, NaN, NaN, NaN, 5]);
    expect(forecaster.step(2 * STEP_MS, 900).taken).toBe(false);
    expect(forecaster.step(NaN, 900).taken).toBe(false);
    expect(model.told.length).toBe(8);
    forecaster.step(1e12, 5);
    expect(model.told.length).toBeLessThan(1_000);
    expect(forecaster.expectedAtMs).toBe(1e12 + STEP_MS);
  });

  it('takes another model and keeps its calibration', () => {
    const forecaster = tracked();
    runAll(forecaster, seasonalCounts(DAY, 5));
    const model = new SmoothingModel(daily);
    for (const value of seasonalCounts(DAY, 5)) model.update(value);
    forecaster.replaceModel(model);
    expect(forecaster.warm).toBe(true);
    expect(forecaster.predict(1, []).mean[0]).toBe(model.predict(1, []).mean[0]);
  });

  it('stands in for a model that fails, and says so', () => {
    const failing: FittedModel = {
      update: () => {
        throw new Error('no');
      },
      predict: () => {
        throw new Error('no');
      },
      save: () => ({}),
    };
    const forecaster = tracked(failing);
    const [, second] = runAll(forecaster, [40, 41]);
    expect(second?.modelFailed).toBe(true);
    expect(second?.forecast).toBe(40);
  });

  it('answers with finite figures whatever it is told', () => {
    const value = fc.oneof(
      fc.double(),
      fc.constantFrom(NaN, Infinity, -Infinity, -1, 0, 1e308, Number.MIN_VALUE, 1e15),
    );
    const jump = fc.constantFrom(1, 1, 1, 1, 2, 30, -3, NaN);
    fc.assert(
      fc.property(fc.array(fc.tuple(value, jump), { maxLength: 120 }), (steps) => {
        const forecaster = tracked(new SmoothingModel(), { horizons: [1, 4] });
        let at = 0;
        for (const [told, by] of steps) {
          const next = at + by * STEP_MS;
          const report = forecaster.step(next, told);
          if (report.taken) at = next;
          for (const figure of [report.forecast, report.lower95, report.upper95]) {
            expect(Number.isFinite(figure) && figure >= 0).toBe(true);
          }
        }
        const { mean, intervals } = forecaster.predict(10, [0.8, 0.95]);
        for (const figures of [mean, ...intervals.flatMap(({ lower, upper }) => [lower, upper])]) {
          expect(figures.every((figure) => Number.isFinite(figure) && figure >= 0)).toBe(true);
        }
        expect(() => structuredClone(forecaster.save())).not.toThrow();
      }),
      { numRuns: 80 },
    );
  });
});

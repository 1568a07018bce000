import fc from 'fast-check';
import { TidegateError } from '../../../src/core/errors';
import { ETS } from '../../../src/forecast/model/ets';
import {
  HOLT_WINTERS,
  HOLT_WINTERS_ADDITIVE,
  HOLT_WINTERS_MULTIPLICATIVE,
} from '../../../src/forecast/model/holt-winters';
import type { Forecast, SeriesContext } from '../../../src/forecast/model/model';
import { MSTL } from '../../../src/forecast/model/mstl';
import { PROPHET } from '../../../src/forecast/model/prophet';
import { THETA } from '../../../src/forecast/model/theta';
import { seededRandom } from '../../../src/forecast/numeric/random';
import { LARGEST_FIGURE } from '../../../src/forecast/scale';

const KINDS = [ETS, THETA, HOLT_WINTERS, HOLT_WINTERS_ADDITIVE, HOLT_WINTERS_MULTIPLICATIVE, MSTL, PROPHET];
const context: SeriesContext = { startMs: 0, stepMs: 60_000, seasons: [4, 12], seed: 1 };

function expectSound({ mean, intervals }: Forecast): void {
  const sound = (figure: number): boolean => figure >= 0 && figure <= LARGEST_FIGURE;
  expect(mean.every(sound)).toBe(true);
  for (const { lower, upper } of intervals) {
    expect(lower.every((figure, step) => sound(figure) && figure <= (mean[step] ?? NaN))).toBe(true);
    expect(upper.every((figure, step) => sound(figure) && figure >= (mean[step] ?? NaN))).toBe(true);
  }
}

function codeOf(act: () => unknown): string {
  try {
    act();
  } catch (thrown) {
    return TidegateError.from(thrown).code;
  }
  return 'nothing was thrown';
}

describe.each(KINDS.map((kind) => [kind.name, kind] as const))('the kind %s', (_, kind) => {
  it('forecasts sound figures from any series, whatever comes next, and the same after it was saved', () => {
    const figure = fc.oneof(
      fc.double({ min: 0, max: 1000, noNaN: true }),
      fc.constantFrom(0, NaN, Infinity, -5, 1e300),
    );
    fc.assert(
      fc.property(
        fc.array(figure, { minLength: 4, maxLength: 60 }),
        fc.array(figure, { maxLength: 30 }),
        (values, next) => {
          const model = kind.fit(Float64Array.from(values), context);
          expectSound(model.predict(30, [0.8, 0.95]));
          for (const value of next) model.update(value);
          expectSound(model.predict(30, [0.8, 0.95]));
          const again = kind.restore(structuredClone(model.save()));
          model.update(7);
          again.update(7);
          expect(again.predict(30, [0.8])).toEqual(model.predict(30, [0.8]));
        },
      ),
      { numRuns: 40 },
    );
  });

  it('follows a level that moved for good, and no single absurd value', () => {
    const random = seededRandom(1);
    const values = Float64Array.from({ length: 300 }, () => 100 + 5 * random.normal());
    const model = kind.fit(values, context);
    model.update(1e12);
    for (let step = 0; step < 8; step += 1) model.update(100 + 5 * random.normal());
    expect(model.predict(1, []).mean[0]).toBeLessThan(140);
    for (let step = 0; step < 600; step += 1) model.update(400 + 5 * random.normal());
    expect(model.predict(1, []).mean[0]).toBeGreaterThan(300);
    expect(model.predict(1, []).mean[0]).toBeLessThan(500);
  });

  it('has intervals that hold about what they say', () => {
    const random = seededRandom(77);
    const next = (): number => 100 * Math.exp(0.2 * random.normal());
    const model = kind.fit(Float64Array.from({ length: 800 }, next), context);
    let inside = 0;
    for (let step = 0; step < 400; step += 1) {
      const { intervals } = model.predict(1, [0.8]);
      const value = next();
      if (value >= (intervals[0]?.lower[0] ?? 0) && value <= (intervals[0]?.upper[0] ?? 0)) inside += 1;
      model.update(value);
    }
    expect(inside / 400).toBeGreaterThan(0.72);
    expect(inside / 400).toBeLessThan(0.88);
  });

  it('forecasts no more than a few times the highest figure seen', () => {
    const values = Float64Array.from({ length: 200 }, (__, at) => Math.exp(at / 20));
    const { mean, intervals } = kind.fit(values, context).predict(2000, [0.95]);
    const highest = 4.01 * Math.max(...values);
    expect(Math.max(...mean, ...(intervals[0]?.upper ?? []))).toBeLessThan(highest);
  });

  it('refuses what is too short, and what is not its own state, with codes', () => {
    expect(codeOf(() => kind.fit(new Float64Array(kind.minPoints(context) - 1), context))).toBe(
      'TG_FORECAST_TOO_SHORT',
    );
    const state = kind.fit(new Float64Array(40).fill(3), context).save();
    for (const bad of [
      {},
      { ...state, kind: 'another' },
      { ...state, scale: 'cube' },
      { ...state, recursion: {} },
    ]) {
      expect(codeOf(() => kind.restore(bad))).toBe('TG_FORECAST_BAD_STATE');
    }
  });
});

/** What every kind of model keeps to, whatever it is given. */
import fc from 'fast-check';
import { MODEL_KINDS } from '../../src/forecast/choice/kinds';
import type { FittedModel, Forecast, ModelKind, SeriesContext } from '../../src/forecast/model/model';
import { seededRandom } from '../../src/forecast/numeric/random';

const CONTEXT: SeriesContext = {
  startMs: Date.UTC(2024, 0, 1),
  stepMs: 3_600_000,
  seasons: [24],
  seed: 7,
};
const LEVELS = [0.8, 0.95];
const POINTS = 120;

function seasonal(points: number, seed = 1): Float64Array {
  const random = seededRandom(seed);
  return Float64Array.from({ length: points }, (_, at) =>
    Math.max(0, Math.round(100 + 60 * Math.sin((2 * Math.PI * at) / 24) + 8 * random.normal())),
  );
}

const BAD_INPUTS: readonly (readonly [string, Float64Array])[] = [
  ['one point', Float64Array.of(5)],
  ['two points', Float64Array.of(5, 7)],
  ['a constant', new Float64Array(POINTS).fill(42)],
  ['zeros', new Float64Array(POINTS)],
  ['one spike among zeros', new Float64Array(POINTS).map((_, at) => (at === 70 ? 1e6 : 0))],
  ['spikes', seasonal(POINTS).map((value, at) => (at % 17 === 0 ? value * 500 : value))],
  ['gaps', seasonal(POINTS).map((value, at) => (at % 5 === 0 || (at > 40 && at < 70) ? NaN : value))],
  ['a gap at the end', seasonal(POINTS).map((value, at) => (at > 100 ? NaN : value))],
  ['nothing but gaps', new Float64Array(POINTS).fill(NaN)],
  ['negative values', seasonal(POINTS).map((value) => value - 120)],
  ['an absurd value', seasonal(POINTS).map((value, at) => (at === 90 ? 1e300 : value))],
  ['absurd values only', new Float64Array(POINTS).fill(1e300)],
  ['infinity', seasonal(POINTS).map((value, at) => (at === 30 ? Infinity : value))],
  ['tiny values', seasonal(POINTS).map((value) => value * 1e-9)],
  ['two seasons and no more', seasonal(48)],
  ['one value short of two seasons', seasonal(47)],
];

/** The model, or undefined when there are too few values for it. */
function fitOf(kind: ModelKind, values: Float64Array): FittedModel | undefined {
  return values.length < kind.minPoints(CONTEXT) ? undefined : kind.fit(values, CONTEXT);
}

function expectSound(forecast: Forecast, horizon: number): void {
  const sound = (figures: Float64Array): boolean =>
    figures.length === horizon && figures.every((figure) => Number.isFinite(figure) && figure >= 0);
  expect(sound(forecast.mean)).toBe(true);
  expect(forecast.intervals.map((interval) => interval.level)).toEqual(LEVELS);
  for (const { lower, upper } of forecast.intervals) {
    expect(sound(lower) && sound(upper)).toBe(true);
    expect(lower.every((low, step) => low <= upper[step]!)).toBe(true);
  }
}

describe.each([...MODEL_KINDS])('the kind %s', (name, kind) => {
  it('has the name it is known by', () => {
    expect(kind.name).toBe(name);
  });

  it.each(BAD_INPUTS)(
    'forecasts finite figures of at least 0 from %s, before and after updates',
    (_what, values) => {
      const model = fitOf(kind, values);
      if (model === undefined) {
        expect(() => kind.fit(values, CONTEXT)).toThrow(
          expect.objectContaining({ code: 'TG_FORECAST_TOO_SHORT' }) as Error,
        );
        return;
      }
      expectSound(model.predict(30, LEVELS), 30);
      for (const value of [NaN, -5, 1e300, Infinity, -Infinity, 0, 3.5]) model.update(value);
      expectSound(model.predict(30, LEVELS), 30);
    },
  );

  it('gives the same forecasts for the same values and seed', () => {
    const forecasts = [0, 1].map(() => kind.fit(seasonal(POINTS), CONTEXT).predict(24, LEVELS));
    expect(forecasts[0]).toEqual(forecasts[1]);
  });

  it('forecasts and learns the same after it was saved and restored', () => {
    const model = kind.fit(seasonal(POINTS), CONTEXT);
    for (const value of seasonal(30, 2)) model.update(value);
    const restored = kind.restore(structuredClone(model.save()));
    expect(restored.predict(24, LEVELS)).toEqual(model.predict(24, LEVELS));
    for (const value of [80, NaN, 120, 0]) {
      model.update(value);
      restored.update(value);
    }
    expect(restored.predict(24, LEVELS)).toEqual(model.predict(24, LEVELS));
  });

  it('is not changed by what is done with a state it saved', () => {
    const model = kind.fit(seasonal(POINTS), CONTEXT);
    const before = model.predict(5, LEVELS);
    const restored = kind.restore(model.save());
    for (const value of seasonal(30, 3)) restored.update(value * 10);
    expect(model.predict(5, LEVELS)).toEqual(before);
  });

  it('does not change the values it is fitted to', () => {
    const values = seasonal(POINTS);
    kind.fit(values, CONTEXT).update(1);
    expect(values).toEqual(seasonal(POINTS));
  });

  it.each([
    ['nothing', {}],
    ['another kind', { kind: 'another' }],
    ['the kind and nothing else', { kind: name }],
  ])('refuses a saved state of %s', (_what, state) => {
    expect(() => kind.restore(state)).toThrow(
      expect.objectContaining({ code: 'TG_FORECAST_BAD_STATE' }) as Error,
    );
  });
});

describe.each(['naive', 'seasonal-naive', 'ridge', 'recursive-ridge', 'default', 'online'])(
  'the quick kind %s',
  (name) => {
    const kind = MODEL_KINDS.get(name)!;

    it('forecasts finite figures of at least 0 whatever comes', () => {
      const figure = fc.oneof(
        fc.double({ min: 0, max: 1000, noNaN: true }),
        fc.double(),
        fc.constant(0),
        fc.constant(NaN),
      );
      fc.assert(
        fc.property(
          fc.array(figure, { minLength: 1, maxLength: 90 }),
          fc.array(figure, { maxLength: 20 }),
          fc.array(fc.integer({ min: 1, max: 40 }), { maxLength: 3 }),
          (values, later, seasons) => {
            const context = { ...CONTEXT, seasons: [...seasons].sort((a, b) => a - b) };
            const model = kind.fit(Float64Array.from(values), context);
            for (const value of later) model.update(value);
            expectSound(model.predict(7, LEVELS), 7);
          },
        ),
        { numRuns: 150 },
      );
    });
  },
);

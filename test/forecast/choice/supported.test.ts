import { DEFAULT, DIRECT } from '../../../src/forecast/choice/default';
import { supportedKind } from '../../../src/forecast/choice/supported';
import { TidegateError } from '../../../src/core/errors';
import { THETA } from '../../../src/forecast/model/theta';
import { badState } from '../../../src/forecast/model/state';
import type { ModelKind, SeriesContext } from '../../../src/forecast/model/model';
import { seededRandom } from '../../../src/forecast/numeric/random';

const SEASON = 48;
const CONTEXT: SeriesContext = {
  startMs: Date.UTC(2024, 0, 1),
  stepMs: 1_800_000,
  seasons: [SEASON],
  seed: 1,
};

function daily(points: number, seed: number): Float64Array {
  const random = seededRandom(seed);
  return Float64Array.from({ length: points }, (_, at) => {
    return Math.max(0, 300 + 200 * Math.sin((2 * Math.PI * at) / SEASON) + 30 * random.normal());
  });
}

/** Forecasts always the same. */
function stubborn(figure: number): ModelKind {
  return {
    name: `stubborn-${figure}`,
    minPoints: () => 1,
    fit: () => ({
      update: () => undefined,
      predict: (horizon) => ({ mean: new Float64Array(horizon).fill(figure), intervals: [] }),
      save: () => ({}),
    }),
    restore: () => {
      throw badState('it is never saved');
    },
  };
}

const UNFIT: ModelKind = {
  name: 'unfit',
  minPoints: () => 1,
  fit: () => {
    throw new TidegateError('TG_FORECAST_NO_FIT', 'it never fits');
  },
  restore: () => {
    throw badState('it is never saved');
  },
};

describe('a leader and its supporters', () => {
  const values = daily(14 * SEASON, 1);
  const alone = DIRECT.fit(values, CONTEXT).predict(SEASON, [0.8]);

  it('drops a supporter that was worse than the naive forecasts', () => {
    const kind = supportedKind('supported', DIRECT, [stubborn(5_000)]);
    expect(kind.fit(values, CONTEXT).predict(SEASON, [0.8])).toEqual(alone);
  });

  it('keeps the good one when it drops the bad one', () => {
    const both = supportedKind('supported', DIRECT, [stubborn(5_000), THETA]).fit(values, CONTEXT);
    const { mean } = both.predict(SEASON, []);
    const theta = THETA.fit(values, CONTEXT).predict(SEASON, []).mean;
    mean.forEach((figure, step) => {
      // The prior parts are a half and a quarter.
      expect(figure).toBeCloseTo((2 * alone.mean[step]! + theta[step]!) / 3, 6);
    });
    expect((both.save()['supporters'] as readonly unknown[]).length).toBe(1);
  });

  it('goes on with the leader when a supporter finds no fit', () => {
    const kind = supportedKind('supported', DIRECT, [UNFIT]);
    expect(kind.fit(values, CONTEXT).predict(SEASON, [0.8])).toEqual(alone);
  });

  it('goes on with those that fit when one finds no fit', () => {
    const fit = (supporters: readonly ModelKind[]): Float64Array =>
      supportedKind('supported', DIRECT, supporters).fit(values, CONTEXT).predict(SEASON, []).mean;
    expect(fit([UNFIT, THETA])).toEqual(fit([THETA]));
  });

  it('has no supporter where none could be tried: too few seasons to hold any out', () => {
    const few = values.slice(0, 2 * SEASON + 10);
    const leader = DIRECT.fit(few, CONTEXT).predict(SEASON, [0.8]);
    expect(DEFAULT.fit(few, CONTEXT).predict(SEASON, [0.8])).toEqual(leader);
  });

  it('is never wider than the leader where its mean errs less', () => {
    const { intervals } = DEFAULT.fit(values, CONTEXT).predict(SEASON, [0.8]);
    const width = (one: (typeof intervals)[number]): number =>
      one.upper.reduce((sum, upper, step) => sum + Math.sqrt(upper) - Math.sqrt(one.lower[step]!), 0);
    expect(width(intervals[0]!)).toBeLessThanOrEqual(width(alone.intervals[0]!) * 1.001);
  });

  it('forecasts the same after it was saved and restored', () => {
    const model = DEFAULT.fit(values, CONTEXT);
    const restored = DEFAULT.restore(structuredClone(model.save()));
    for (const each of [model, restored]) for (const value of [310, NaN, 280]) each.update(value);
    expect(restored.predict(100, [0.8])).toEqual(model.predict(100, [0.8]));
  });

  it.each(['aheads', 'parts', 'widths'])('is not restored without its %s', (key) => {
    const state = { ...DEFAULT.fit(values, CONTEXT).save(), [key]: undefined };
    expect(() => DEFAULT.restore(state)).toThrow(
      expect.objectContaining({ code: 'TG_FORECAST_BAD_STATE' }) as Error,
    );
  });
});

/** What a backtest looks at when it is not told, and what it refuses. */
import fc from 'fast-check';
import { onlinePlanFor, planFor, type PlanWishes } from '../../../src/forecast/backtest/plan';
import { seasonsOf } from '../../../src/forecast/backtest/season-search';
import type { Series } from '../../../src/core/series';

const MINUTE_MS = 60_000;
const DAY_MS = 1_440 * MINUTE_MS;
const of = (length: number, stepMs: number, value = (at: number) => at % 7): Series => ({
  startMs: 0,
  stepMs,
  values: Float64Array.from({ length }, (_, at) => value(at)),
});

describe('what is chosen', () => {
  it.each([
    ['four weeks of 5 minutes', of(8_064, 5 * MINUTE_MS), 4_032, [288, 2_016], [1, 12, 288], 24],
    ['two weeks of 5 minutes', of(4_032, 5 * MINUTE_MS), 2_016, [288, 2_016], [1, 12, 288], 24],
    ['three days of 5 minutes', of(864, 5 * MINUTE_MS), 288, [288], [1, 12, 288], 24],
    ['four weeks of minutes', of(40_320, MINUTE_MS), 20_160, [1_440, 10_080], [1, 60, 1_440], 24],
    ['a year of days', of(365, DAY_MS), 98, [7], [1, 7], 24],
    ['some minutes', of(40, MINUTE_MS, (at) => at), 24, [], [1], 16],
  ])('for %s', (_what, series, train, seasons, horizons, count) => {
    const plan = planFor(series);
    expect(plan).toMatchObject({ train, seasons, horizons });
    expect(plan.origins).toHaveLength(count);
  });

  it('meets every phase of the season, without look beyond the end', () => {
    const lengths = fc.integer({ min: 30, max: 6_000 });
    fc.assert(
      fc.property(lengths, fc.constantFrom(1, 5, 10, 30, 60), (length, minutes) => {
        const series = of(length, minutes * MINUTE_MS);
        const { origins, horizons, train, scaleSeason } = planFor(series);
        expect(origins[0]).toBeGreaterThanOrEqual(train);
        expect((origins.at(-1) ?? 0) + (horizons.at(-1) ?? 0)).toBeLessThanOrEqual(length);
        expect(scaleSeason).toBeLessThan(train);
        expect(new Set(origins).size).toBe(origins.length);
      }),
    );
  });

  it('is overruled by what is asked for', () => {
    const wishes: PlanWishes = {
      train: 2_016,
      seasons: [2_016, 288],
      origins: { first: 2_016, step: 77, count: 23 },
      horizons: [288, 1, 12],
      seed: 5,
    };
    const plan = planFor(of(4_040, 5 * MINUTE_MS), wishes);
    expect(plan).toMatchObject({
      train: 2_016,
      scaleSeason: 288,
      seasons: [288, 2_016],
      horizons: [1, 12, 288],
      seed: 5,
    });
    expect([plan.origins[0], plan.origins[1], plan.origins.at(-1)]).toEqual([2_016, 2_093, 3_710]);
  });
});

describe('what is refused', () => {
  it.each<[string, PlanWishes, string]>([
    [
      'an origin before the training',
      { train: 50, origins: { first: 40, step: 1, count: 1 } },
      'the first origin, 40',
    ],
    ['an origin beyond the end', { origins: { first: 90, step: 20, count: 2 } }, 'the last origin, 110'],
    [
      'a horizon beyond the end',
      { origins: { first: 90, step: 1, count: 1 }, horizons: [11] },
      '11 steps from',
    ],
    ['training on nearly nothing', { train: 2 }, 'the first origin, 2'],
    ['training on everything', { train: 100 }, 'the last origin, 100'],
  ])('%s', (_what, wishes, message) => {
    expect(() => planFor(of(100, MINUTE_MS), wishes)).toThrow(
      expect.objectContaining({
        code: 'TG_BACKTEST_BAD_PLAN',
        message: expect.stringContaining(message) as string,
      }) as Error,
    );
  });

  it.each([[2], [3]])('a series of %i values', (length) => {
    expect(() => planFor(of(length, MINUTE_MS))).toThrow(
      expect.objectContaining({ code: 'TG_BACKTEST_BAD_PLAN' }) as Error,
    );
    expect(() => onlinePlanFor(of(length, MINUTE_MS))).toThrow(
      expect.objectContaining({ code: 'TG_BACKTEST_BAD_PLAN' }) as Error,
    );
  });
});

describe('one step ahead', () => {
  it('starts after two days, or in the middle of what there is', () => {
    expect(onlinePlanFor(of(8_064, 5 * MINUTE_MS)).start).toBe(576);
    expect(onlinePlanFor(of(700, 5 * MINUTE_MS)).start).toBe(350);
    expect(onlinePlanFor(of(8_064, 5 * MINUTE_MS), { train: 1_000 }).start).toBe(1_000);
  });
});

describe('seasons', () => {
  it.each([
    [
      'of a step that no day is made of',
      of(1_000, 7_000, (at) => 50 + 40 * Math.sin((2 * Math.PI * at) / 60)),
      [60],
    ],
    ['of a trend', of(1_000, 7_000, (at) => at), []],
    ['of a constant', of(1_000, 7_000, () => 3), []],
    ['of gaps', of(1_000, 7_000, () => NaN), []],
    ['of one day', of(300, 5 * MINUTE_MS, (at) => at), []],
  ])('%s', (_what, series, seasons) => {
    expect(seasonsOf(series)).toEqual(seasons);
  });
});

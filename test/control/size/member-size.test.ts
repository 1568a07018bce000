import fc from 'fast-check';
import { burstScale } from '../../../src/control/size/burst-scale';
import { MemberSize, type SizeSeen, type WantedSize } from '../../../src/control/size/member-size';
import type { MemberPolicy, PoolPolicy } from '../../../src/core/control';
import { memberPolicy, poolPolicy } from '../pool-samples';

const T = 1_700_006_400_000;

function seen(changes: Partial<SizeSeen> = {}): SizeSeen {
  const usual = { ratePerS: 100, capacity: 100, usedPerS: 50, effectivePerS: 50, forecastPerS: null };
  return { ...usual, demandSd: NaN, ...changes };
}

/** Calls `next` once a second, for as many seconds as there are observations. */
function follow(
  observations: readonly SizeSeen[],
  pool: Partial<PoolPolicy> = {},
  member: Partial<MemberPolicy> = {},
): WantedSize[] {
  const size = new MemberSize(poolPolicy(pool), memberPolicy('m', member));
  return observations.map((now, at) => size.next(T + at * 1_000, now));
}

function repeat(count: number, now: SizeSeen): SizeSeen[] {
  return Array.from({ length: count }, () => now);
}

function changes(figures: readonly number[]): number {
  return figures.filter((figure, at) => at > 0 && figure !== figures[at - 1]).length;
}

describe('a rate', () => {
  test.each<[string, Partial<SizeSeen>, number, string]>([
    ['is forecast demand and the margin', { forecastPerS: 120, effectivePerS: 120 }, 144, 'forecast'],
    ['is demand where the forecast is far lower', { forecastPerS: 10, effectivePerS: 150 }, 150, 'demand'],
    ['is left within the dead band', { forecastPerS: 84, effectivePerS: 84 }, 100, 'hold'],
    ['ends at the upper bound', { forecastPerS: 1e300, effectivePerS: 1e300 }, 200, 'forecast'],
    ['grows by the factor when use is high', { usedPerS: 90, effectivePerS: 90 }, 150, 'growth'],
    ['does not grow at the threshold itself', { usedPerS: 80, effectivePerS: 80 }, 100, 'hold'],
    ['grows to demand that is more', { usedPerS: 100, effectivePerS: 180 }, 180, 'demand'],
    [
      'does not grow on what was foreseen',
      { usedPerS: 90, effectivePerS: 84, forecastPerS: 84 },
      100,
      'hold',
    ],
    [
      'grows when live demand is above its forecast',
      { usedPerS: 90, effectivePerS: 90, forecastPerS: 40 },
      150,
      'growth',
    ],
    [
      'stays when nothing is known',
      { usedPerS: NaN, effectivePerS: NaN, forecastPerS: NaN, demandSd: NaN },
      100,
      'hold',
    ],
    ['takes no negative forecast', { forecastPerS: -5 }, 100, 'hold'],
    ['starts at the configured rate where none is known', { ratePerS: NaN }, 100, 'hold'],
  ])('%s', (_, now, ratePerS, rule) => {
    const size = new MemberSize(poolPolicy(), memberPolicy('m'));
    expect(size.next(T, seen(now))).toMatchObject({ ratePerS, rule });
  });

  test('shrinks by the factor when use has been low for a while, again and again down to the bound', () => {
    const low = seen({ usedPerS: 5, effectivePerS: 5 });
    const sizes = follow(repeat(400, low), {}, { minPerS: 45 });
    expect(sizes[59]?.ratePerS).toBe(100);
    expect(sizes[60]).toMatchObject({ ratePerS: 80, rule: 'shrink' });
    expect(sizes[121]?.ratePerS).toBe(64);
    expect(sizes.at(-1)?.ratePerS).toBe(45);
  });

  test('never shrinks under demand that counts, nor past the middle of the thresholds', () => {
    const low = seen({ usedPerS: 25, effectivePerS: 70 });
    expect(follow(repeat(90, low), { shrinkFactor: 0.01 }).at(-1)?.ratePerS).toBe(70);
    const lower = seen({ usedPerS: 25, effectivePerS: 25 });
    expect(follow(repeat(90, lower), { shrinkFactor: 0.01 }).at(-1)?.ratePerS).toBeCloseTo(51.03, 2);
  });

  test('falls to the highest of the forecasts of the last while, and rises at once', () => {
    const forecasts = [20, 30, 25];
    const sizes = follow(
      Array.from({ length: 80 }, (_, at) => {
        const forecastPerS = at === 79 ? 90 : (forecasts[at % 3] ?? 0);
        return seen({ usedPerS: 10, effectivePerS: forecastPerS, forecastPerS });
      }),
    );
    expect(sizes[59]?.ratePerS).toBe(100);
    expect(sizes[60]?.ratePerS).toBe(36);
    expect(sizes[78]?.ratePerS).toBe(36);
    expect(sizes[79]?.ratePerS).toBe(108);
  });

  test('changes once a cool-down', () => {
    const busy = seen({ usedPerS: 190, effectivePerS: 190 });
    const sizes = follow([...repeat(1, seen({ usedPerS: 90, effectivePerS: 90 })), ...repeat(5, busy)]);
    expect(sizes.map(({ ratePerS }) => ratePerS)).toEqual([150, 150, 150, 150, 150, 200]);
    expect(sizes[1]?.rule).toBe('cooldown');
  });

  test('goes on being wanted when less was given', () => {
    const given = seen({ ratePerS: 70, usedPerS: 70, effectivePerS: 140 });
    const sizes = follow([seen({ usedPerS: 90, effectivePerS: 140 }), ...repeat(100, given)]);
    expect(new Set(sizes.map(({ ratePerS }) => ratePerS))).toEqual(new Set([150]));
  });

  test.each([
    ['use', (at: number) => seen({ usedPerS: at % 2 ? 81 : 79, effectivePerS: at % 2 ? 81 : 79 })],
    ['low use', (at: number) => seen({ usedPerS: at % 2 ? 31 : 29, effectivePerS: at % 2 ? 31 : 29 })],
    ['both', (at: number) => seen({ usedPerS: at % 2 ? 81 : 29, effectivePerS: at % 2 ? 81 : 29 })],
    ['forecasts', (at: number) => seen({ forecastPerS: at % 2 ? 80 : 120, effectivePerS: 120 })],
  ])('does not flap when %s alternates about a threshold', (_, now) => {
    const sizes = follow(Array.from({ length: 600 }, (_each, at) => now(at)));
    expect(changes(sizes.map(({ ratePerS }) => ratePerS))).toBeLessThanOrEqual(2);
  });

  test('takes a jump of the clock for no evidence of low use, and a step back for no time', () => {
    const size = new MemberSize(poolPolicy(), memberPolicy('m'));
    const low = seen({ usedPerS: 5, effectivePerS: 5 });
    for (const nowMs of [T, T + 3_600_000, T - 3_600_000, NaN, T - 3_599_000]) {
      expect(size.next(nowMs, low).ratePerS).toBe(100);
    }
  });
});

describe('a capacity', () => {
  test.each<[string, number, number]>([
    ['is as configured for independent callers', 10, 100],
    ['grows with uneven demand', 50, Math.round((100 * 2.5) / 1.3)],
    ['ends at its upper bound', 100_000, 400],
    ['is left while the change is small', 11, 100],
    ['is left when nothing is known', NaN, 100],
  ])('%s', (_, demandSd, capacity) => {
    const now = seen({ usedPerS: 100, effectivePerS: 100 + demandSd, demandSd });
    expect(follow([now])[0]?.capacity).toBe(capacity);
  });

  test('falls for even demand after a while, apart from the rate', () => {
    const even = seen({ usedPerS: 60, effectivePerS: 60, demandSd: 0 });
    const sizes = follow(repeat(70, even));
    expect(sizes[59]?.capacity).toBe(100);
    expect(sizes.at(-1)).toMatchObject({
      ratePerS: 100,
      capacity: Math.round(100 / (1 + 3 / Math.sqrt(60))),
    });
  });

  test('does not flap when the deviation alternates', () => {
    const sizes = follow(Array.from({ length: 600 }, (_, at) => seen({ demandSd: at % 2 ? 5 : 25 })));
    expect(changes(sizes.map(({ capacity }) => capacity))).toBeLessThanOrEqual(1);
  });

  test('is scaled by 1 for a Poisson process over any span', () => {
    for (const [mean, span] of [
      [100, 1],
      [3, 0.1],
      [1e6, 10],
    ] as const) {
      expect(burstScale(mean, Math.sqrt(mean / span), span)).toBeCloseTo(1, 10);
    }
    expect(burstScale(0, 1, 1)).toBeNaN();
  });
});

const anyFigure = fc.oneof(
  fc.double({ min: 0, max: 500, noNaN: true }),
  fc.constantFrom(NaN, Infinity, -Infinity, -1, 0, 1e300, 5e-324),
);

test('no size ever leaves its bounds, whatever is seen and whatever the clock does', () => {
  const looks = fc.array(
    fc.record({
      nowMs: fc.oneof(fc.integer({ min: 0, max: 1e7 }), fc.constantFrom(NaN, Infinity, -1, 1e15)),
      now: fc.record({
        ratePerS: anyFigure,
        capacity: anyFigure,
        usedPerS: anyFigure,
        effectivePerS: anyFigure,
        forecastPerS: fc.option(anyFigure),
        demandSd: anyFigure,
      }),
    }),
    { minLength: 1, maxLength: 60 },
  );
  const bounds = fc.record({
    min: fc.integer({ min: 0, max: 100 }),
    more: fc.integer({ min: 0, max: 300 }),
    shrinkAfterMs: fc.constantFrom(0, 1_000, 60_000),
    growthFactor: fc.constantFrom(1, 1.5, 10),
  });
  fc.assert(
    fc.property(looks, bounds, (steps, { min, more, ...policy }) => {
      const max = min + more;
      const member = { minPerS: min, maxPerS: max, minCapacity: min, maxCapacity: max };
      const size = new MemberSize(poolPolicy({ ...policy, cooldownMs: 0 }), memberPolicy('m', member));
      for (const { nowMs, now } of steps) {
        const wanted = size.next(nowMs, now);
        expect(wanted.ratePerS).toBeGreaterThanOrEqual(min);
        expect(wanted.ratePerS).toBeLessThanOrEqual(max);
        expect(Number.isInteger(wanted.capacity)).toBe(true);
        expect(wanted.capacity).toBeGreaterThanOrEqual(min);
        expect(wanted.capacity).toBeLessThanOrEqual(max);
      }
    }),
    { numRuns: 200 },
  );
});

import { ErrorGuard } from '../../../src/forecast/model/error-guard';
import type { SeriesContext } from '../../../src/forecast/model/model';
import { MSTL, SwingRecursion, swingMethod } from '../../../src/forecast/model/mstl';
import { seededRandom } from '../../../src/forecast/numeric/random';

const context = (seasons: readonly number[]): SeriesContext => ({
  startMs: 0,
  stepMs: 60_000,
  seasons,
  seed: 1,
});

describe('the remainder of a decomposition', () => {
  it('keeps a level, and lets its swing and its correction die away, as worked out by hand', () => {
    const recursion = new SwingRecursion(
      { levelGain: 0.25, swingGain: 0.5, damping: 0.5, correction: 0.25 },
      10,
      new ErrorGuard(Number.MAX_VALUE),
    );
    // e = 16: level 14, swing 8, residual 4; ahead 14 + 4 + 1, 14 + 2 + 0.25.
    expect(recursion.step(26)).toBe(16);
    expect(Array.from(recursion.ahead(2))).toEqual([19, 16.25]);
  });

  it('returns to the level of a simulated swing', () => {
    const random = seededRandom(31);
    let swing = 0;
    const values = Float64Array.from({ length: 4000 }, () => {
      swing = 0.95 * swing + random.normal();
      return 100 + swing;
    });
    const fit = swingMethod.estimate(values, context([]));
    const recursion = swingMethod.run(values, context([]), fit);
    const ahead = recursion.ahead(200);
    const last = (values[values.length - 1] ?? 0) - 100;
    expect(Math.abs((ahead[0] ?? 0) - 100 - 0.95 * last)).toBeLessThan(1);
    // The swing's spread is 3.2: a day of it later only the level is left.
    expect(Math.abs((ahead[199] ?? 0) - 100)).toBeLessThan(2);
  });
});

describe('the kind mstl', () => {
  it('recovers what a series was made of: level, day and week', () => {
    const day = 48;
    const week = 7 * day;
    const log = (at: number): number =>
      6 + 0.8 * Math.sin((2 * Math.PI * at) / day) + 0.4 * Math.cos((2 * Math.PI * at) / week);
    const random = seededRandom(14);
    const values = Float64Array.from({ length: 4 * week }, (_, at) =>
      Math.exp(log(at) + 0.1 * random.normal()),
    );
    const { mean, intervals } = MSTL.fit(values, context([day, week])).predict(week, [0.8]);
    const misses = mean.map((value, step) => Math.abs(Math.log(value) - log(values.length + step)));
    expect(misses.reduce((sum, miss) => sum + miss, 0) / week).toBeLessThan(0.06);
    let covered = 0;
    mean.forEach((_, step) => {
      const actual = Math.exp(log(values.length + step) + 0.1 * random.normal());
      if (actual >= (intervals[0]?.lower[step] ?? 0) && actual <= (intervals[0]?.upper[step] ?? 0))
        covered += 1;
    });
    expect(covered / week).toBeGreaterThan(0.7);
    expect(covered / week).toBeLessThan(0.92);
  });
});

import fc from 'fast-check';
import { absurdAbove, boundFigures, fillGaps, wholeSeries } from '../../src/forecast/gaps';
import { LARGEST_FIGURE } from '../../src/forecast/scale';

const gap = NaN;

describe('filling gaps', () => {
  it.each([
    ['nothing to fill', [1, 2, 3], [1, 2, 3]],
    ['a short gap by a line', [10, gap, gap, 40], [10, 20, 30, 40]],
    ['the beginning by the first known value', [gap, gap, 7, 8], [7, 7, 7, 8]],
    ['the end by the last known value', [7, 8, gap], [7, 8, 8]],
    ['nothing known by zeros', [gap, gap], [0, 0]],
    ['an empty series by nothing', [], []],
  ])('%s', (_, values, expected) => {
    expect(Array.from(fillGaps(Float64Array.from(values), []))).toEqual(expected);
  });

  it('fills a long gap from the same phase of other seasons, at the level around it', () => {
    const season = 24;
    const shape = (at: number): number => 10 + 5 * Math.sin((2 * Math.PI * at) / season);
    // From the third season on the level is twice what it was.
    const whole = Float64Array.from({ length: 6 * season }, (_, at) =>
      at >= 2 * season ? 2 * shape(at) : shape(at),
    );
    const holed = whole.slice();
    holed.fill(NaN, 3 * season + 1, 3 * season + 12);
    const filled = fillGaps(holed, [season]);
    for (let at = 0; at < whole.length; at += 1) {
      expect(Math.abs((filled[at] ?? 0) - (whole[at] ?? 0))).toBeLessThan(0.1 * (whole[at] ?? 0));
    }
    const straight = fillGaps(holed, []);
    const off = (made: Float64Array): number =>
      made.reduce((sum, value, at) => sum + Math.abs(value - (whole[at] ?? 0)), 0);
    expect(off(filled)).toBeLessThan(0.3 * off(straight));
  });

  it('fills a long gap by a line when nothing is known at its phases', () => {
    const values = new Float64Array(20).fill(NaN);
    values[0] = 0;
    values[19] = 19;
    expect(Array.from(fillGaps(values, [40]))).toEqual(Array.from({ length: 20 }, (_, at) => at));
  });

  it('bounds what is absurd and drops what is no figure', () => {
    expect(Array.from(boundFigures(Float64Array.from([-1, 5, 1e9, Infinity, NaN]), 100))).toEqual([
      0,
      5,
      100,
      NaN,
      NaN,
    ]);
    expect(absurdAbove(Float64Array.from([0, 0, 0]))).toBe(1000);
    expect(absurdAbove(Float64Array.from([1e300, 1e300]))).toBe(LARGEST_FIGURE);
  });

  it('leaves finite figures of at least 0 whatever it is given, and known figures as they are', () => {
    fc.assert(
      fc.property(
        fc.array(fc.double(), { maxLength: 60 }),
        fc.integer({ min: 2, max: 20 }),
        (raw, season) => {
          const values = Float64Array.from(raw);
          const whole = wholeSeries(values, [season]);
          expect(whole.length).toBe(values.length);
          expect(whole.every((value) => value >= 0 && value <= LARGEST_FIGURE)).toBe(true);
          const largest = absurdAbove(values);
          values.forEach((value, at) => {
            if (value >= 0 && value <= largest) expect(whole[at]).toBe(value + 0);
          });
        },
      ),
    );
  });
});

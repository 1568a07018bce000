import fc from 'fast-check';
import { median, quantileOfSorted } from '../../src/forecast/numeric/quantile';

describe('quantiles', () => {
  it.each([
    [[4], 0.9, 4],
    [[1, 2], 0.5, 1.5],
    [[1, 2, 3, 4, 5], 0.25, 2],
    [[1, 2, 3, 4], 0.1, 1.3],
    [[1, 2, 3], -1, 1],
    [[1, 2, 3], 2, 3],
  ])('of %j at %d is %d', (sorted, probability, expected) => {
    expect(quantileOfSorted(sorted, probability)).toBeCloseTo(expected, 12);
  });

  it('of nothing are not known', () => {
    expect(quantileOfSorted([], 0.5)).toBeNaN();
    expect(median([])).toBeNaN();
  });

  it('keep as much below as asked for, and leave the figures alone', () => {
    fc.assert(
      fc.property(fc.array(fc.double({ min: -1e6, max: 1e6, noNaN: true }), { minLength: 1 }), (figures) => {
        const before = [...figures];
        const middle = median(figures);
        expect(figures).toEqual(before);
        expect(figures.filter((one) => one <= middle).length).toBeGreaterThanOrEqual(figures.length / 2);
        expect(figures.filter((one) => one >= middle).length).toBeGreaterThanOrEqual(figures.length / 2);
      }),
    );
  });
});

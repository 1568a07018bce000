import fc from 'fast-check';
import { LARGEST_FIGURE, SCALE_NAMES, isScaleName, scaleNamed, scaledValues } from '../../src/forecast/scale';

const figure = fc.double({ min: 0, max: LARGEST_FIGURE, noNaN: true });

describe.each(SCALE_NAMES)('the %s scale', (name) => {
  const scale = scaleNamed(name);

  it('brings every figure back', () => {
    fc.assert(
      fc.property(figure, (value) => {
        expect(Math.abs(scale.inverse(scale.forward(value)) - value)).toBeLessThanOrEqual(
          1e-9 + 1e-12 * value,
        );
      }),
    );
  });

  it('keeps the order of figures', () => {
    fc.assert(
      fc.property(figure, figure, (a, b) => {
        expect(scale.forward(Math.min(a, b))).toBeLessThanOrEqual(scale.forward(Math.max(a, b)));
      }),
    );
  });

  it('gives figures that are not negative and finite for anything', () => {
    fc.assert(
      fc.property(fc.double({ noNaN: true }), (scaled) => {
        expect(scale.inverse(scaled)).toBeGreaterThanOrEqual(0);
        expect(scale.inverse(scaled)).toBeLessThanOrEqual(LARGEST_FIGURE);
        expect(Number.isFinite(scale.forward(scaled))).toBe(true);
      }),
    );
    expect(scale.forward(NaN)).toBeNaN();
    expect(scale.inverse(NaN)).toBeNaN();
  });
});

describe('scales', () => {
  it.each([
    ['log', Math.E - 1, 1],
    ['sqrt', 9, 3],
    ['identity', 9, 9],
    ['log', -5, 0],
    ['identity', -5, 0],
  ] as const)('%s of %d is %d', (name, value, scaled) => {
    expect(scaleNamed(name).forward(value)).toBeCloseTo(scaled, 12);
  });

  it('are known by name alone', () => {
    expect(isScaleName('log')).toBe(true);
    expect(isScaleName('cube')).toBe(false);
    expect(isScaleName(undefined)).toBe(false);
  });

  it('take a series and keep its gaps', () => {
    expect(Array.from(scaledValues(Float64Array.from([4, NaN, 0]), scaleNamed('sqrt')))).toEqual([2, NaN, 0]);
  });
});

import fc from 'fast-check';
import {
  differenced,
  inLags,
  product,
  stationary,
  tapsOf,
} from '../../../src/forecast/numeric/lag-polynomial';

describe('lag polynomials', () => {
  it('gives an autoregression of order 2 with the partial autocorrelations asked for', () => {
    // Partial autocorrelations 0.5 and -0.3: phi2 = -0.3, phi1 = 0.5 (1 + 0.3).
    const [first, second] = stationary([Math.atanh(0.5), Math.atanh(-0.3)]);
    expect(first).toBeCloseTo(0.65, 12);
    expect(second).toBeCloseTo(-0.3, 12);
  });

  it('keeps any free parameters stationary: what is started dies out', () => {
    fc.assert(
      fc.property(fc.array(fc.double({ min: -1.5, max: 1.5, noNaN: true }), { maxLength: 5 }), (free) => {
        const coefficients = stationary(free);
        const past = new Array<number>(coefficients.length).fill(1);
        const size = (): number => Math.max(0, ...past.map(Math.abs));
        // The slowest need tens of thousands of steps.
        for (let step = 0; step < 400_000 && size() > 1e-3; step += 1) {
          past.unshift(coefficients.reduce((sum, value, at) => sum + value * (past[at] ?? 0), 0));
          past.pop();
        }
        expect(size()).toBeLessThan(1e-3 + 1e-12);
      }),
      {
        numRuns: 30,
        examples: [[[1.2529884451054596, 0, 1.4999999999999398, 0, 1.4999999999999971]]],
      },
    );
  });

  it('multiplies seasonal and plain parts', () => {
    // (1 - 0.5 B)(1 - 0.4 B^3)
    const polynomial = product(inLags([0.5], -1), inLags([0.4], -1, 3));
    expect(polynomial).toEqual([1, -0.5, 0, -0.4, 0.2]);
    const { lags, weights } = tapsOf(polynomial, -1);
    expect([...lags]).toEqual([1, 3, 4]);
    expect([...weights]).toEqual([0.5, 0.4, -0.2]);
  });

  it('differences at a lag', () => {
    expect([...differenced(Float64Array.of(1, 2, 4, 8, 16), 2)]).toEqual([3, 6, 12]);
    expect([...differenced(Float64Array.of(1), 2)]).toEqual([]);
  });
});

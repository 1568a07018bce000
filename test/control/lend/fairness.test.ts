import fc from 'fast-check';
import { jainIndex, servedFairness } from '../../../src/control/lend/fairness';

describe("Jain's index", () => {
  it.each<[string, number[], number | null]>([
    ['nobody', [], null],
    ['one', [0.3], 1],
    ['all alike', [2, 2, 2, 2], 1],
    ['one has all', [4, 0, 0, 0], 0.25],
    ['all have nothing', [0, 0], 1],
    ['the figures of a hand calculation', [1, 2, 3], 36 / 42],
    ['figures that are none', [NaN, -1, Infinity, 1], 1],
  ])('of %s', (_what, shares, index) => {
    if (index === null) expect(jainIndex(shares)).toBeNull();
    else expect(jainIndex(shares)).toBeCloseTo(index, 12);
  });

  it('is from 1/n to 1 and knows no scale', () => {
    const shares = fc.array(fc.double({ min: 1e-3, max: 1e6, noNaN: true }), { minLength: 1, maxLength: 30 });
    fc.assert(
      fc.property(shares, fc.double({ min: 0.01, max: 100, noNaN: true }), (all, scale) => {
        const index = jainIndex(all) ?? NaN;
        expect(index).toBeGreaterThanOrEqual(1 / all.length - 1e-9);
        expect(index).toBeLessThanOrEqual(1);
        expect(jainIndex(all.map((share) => share * scale))).toBeCloseTo(index, 9);
      }),
    );
  });
});

it('fairness is over members with demand; nobody is served more than all', () => {
  expect(servedFairness([{ demandPerS: 0, admittedPerS: 0 }])).toBeNull();
  expect(servedFairness([{ demandPerS: NaN, admittedPerS: 3 }])).toBeNull();
  const members = [
    { demandPerS: 10, admittedPerS: 12 },
    { demandPerS: 100, admittedPerS: 50 },
    { demandPerS: 0, admittedPerS: 0 },
  ];
  expect(servedFairness(members)).toBeCloseTo(2.25 / (2 * 1.25), 12);
});

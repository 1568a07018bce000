import fc from 'fast-check';
import { type Claim, wholeShares } from '../../../src/control/lend/whole-shares';

const claims = (wants: readonly (readonly [number, number])[]): Claim[] =>
  wants.map(([want, weight], at) => ({ id: `c${String(at)}`, want, weight }));

describe('whole shares', () => {
  it.each<[string, number, [number, number][], number[]]>([
    ['none', 0, [[5, 1]], [0]],
    [
      'enough for all',
      20,
      [
        [5, 1],
        [7, 3],
      ],
      [5, 7],
    ],
    [
      'by weight',
      12,
      [
        [100, 1],
        [100, 3],
      ],
      [3, 9],
    ],
    [
      'what one does not want goes to the others',
      12,
      [
        [2, 1],
        [100, 1],
        [100, 1],
      ],
      [2, 5, 5],
    ],
    [
      'a claim on nothing',
      3,
      [
        [0, 9],
        [9, 1],
      ],
      [0, 3],
    ],
  ])('%s', (_what, total, wants, shares) => {
    expect(wholeShares(total, claims(wants), new Map())).toEqual(shares);
  });

  const claim = fc.tuple(fc.nat(1_000), fc.double({ min: 1e-3, max: 1e3, noNaN: true }));

  it('sum to the total or to all that is wanted, are whole, and nobody gets more than it wants', () => {
    fc.assert(
      fc.property(fc.nat(20_000), fc.array(claim, { maxLength: 40 }), (total, wants) => {
        const shares = wholeShares(total, claims(wants), new Map());
        const wanted = wants.reduce((sum, [want]) => sum + want, 0);
        expect(shares.reduce((sum, share) => sum + share, 0)).toBe(Math.min(total, wanted));
        shares.forEach((share, at) => {
          expect(Number.isInteger(share)).toBe(true);
          expect(share).toBeGreaterThanOrEqual(0);
          expect(share).toBeLessThanOrEqual(wants[at]?.[0] ?? -1);
        });
      }),
    );
  });

  it('are max-min: who gets less than it wants has, for its weight, no less than anybody, but for rounding', () => {
    fc.assert(
      fc.property(fc.nat(20_000), fc.array(claim, { minLength: 2, maxLength: 20 }), (total, wants) => {
        const shares = wholeShares(total, claims(wants), new Map());
        shares.forEach((share, at) => {
          const [want = 0, weight = 1] = wants[at] ?? [];
          if (share >= want) return;
          shares.forEach((other, to) => {
            const otherWeight = wants[to]?.[1] ?? 1;
            expect((other - 1) / otherWeight).toBeLessThanOrEqual((share + 1) / weight + 1e-6);
          });
        });
      }),
    );
  });

  it('starve nobody: over many rounds each has its part, though there is one token a round', () => {
    const weights = [1, 1, 2, 4];
    const carry = new Map<string, number>();
    const had = weights.map(() => 0);
    for (let round = 0; round < 800; round += 1) {
      wholeShares(1, claims(weights.map((weight) => [5, weight] as const)), carry).forEach((share, at) => {
        had[at] = (had[at] ?? 0) + share;
      });
    }
    had.forEach((tokens, at) => expect(Math.abs(tokens - (weights[at] ?? 0) * 100)).toBeLessThanOrEqual(2));
  });
});

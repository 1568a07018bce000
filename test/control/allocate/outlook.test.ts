import fc from 'fast-check';
import { PRIORITIES, type Priority } from '../../../src/core/priority';
import { allocate, type Claimant } from '../../../src/control/allocate/allocate';
import { claimAt, STEPS } from '../../../src/control/allocate/outlook';
import { LOSS_WEIGHTS } from '../../../src/control/loss-weights';
import { memberPolicy } from '../pool-samples';

const claimant = (id: string, priority: Priority, meanPerS: number, sdPerS: number): Claimant => ({
  policy: memberPolicy(id, { priority, maxPerS: 1e6, borrowable: 1e4, lendable: 1 }),
  demandPerS: meanPerS + 1.28 * sdPerS,
  wantedPerS: meanPerS + 1.28 * sdPerS,
  outlook: { meanPerS, sdPerS },
  escalation: 1,
  orderedPerS: undefined,
});
const ratesOf = (totalPerS: number, claimants: readonly Claimant[]) => [
  ...allocate(totalPerS, claimants, 1).ratesPerS,
];

/** The expected shortfall of normal demand beyond a rate (Silver, Pyke, Peterson, "Inventory Management", 1998). */
function shortfall(rate: number, mean: number, sd: number): number {
  const z = (rate - mean) / sd;
  const density = Math.exp((-z * z) / 2) / Math.sqrt(2 * Math.PI);
  return sd * (density - z * (1 - normalPart(z)));
}

/** Abramowitz and Stegun, 26.2.17. */
function normalPart(z: number): number {
  const t = 1 / (1 + 0.231_641_9 * Math.abs(z));
  const poly =
    t *
    (0.319_381_53 + t * (-0.356_563_782 + t * (1.781_477_937 + t * (-1.821_255_978 + t * 1.330_274_429))));
  const upper = (Math.exp((-z * z) / 2) / Math.sqrt(2 * Math.PI)) * poly;
  return z >= 0 ? 1 - upper : upper;
}

const FOUR = PRIORITIES.map((priority, at) => claimant(`m${at}`, priority, 100, 20));
const lossOf = (rates: readonly number[]) =>
  rates.reduce((sum, rate, at) => sum + LOSS_WEIGHTS[PRIORITIES[at] ?? 'LOW'] * shortfall(rate, 100, 20), 0);

describe('sharing by what a call is worth', () => {
  it('gives an important member headroom before it gives an unimportant one its mean', () => {
    const [critical = 0, high = 0, medium = 0, low = 0] = ratesOf(380, FOUR);
    expect(critical).toBeGreaterThan(115);
    expect(high).toBeGreaterThan(108);
    expect(medium).toBeLessThan(high);
    expect(low).toBeLessThan(70);
  });

  it('gives what varies more the more headroom among equals', () => {
    const [steady = 0, wild = 0] = ratesOf(240, [
      claimant('a', 'HIGH', 100, 5),
      claimant('b', 'HIGH', 100, 30),
    ]);
    expect(wild - 100).toBeGreaterThan(3 * (steady - 100));
    expect(steady).toBeGreaterThan(100);
  });

  it.each([300, 350, 400, 440])(
    'loses within a tenth of what moving calls about can lose least, of %d/s',
    (totalPerS) => {
      const best = ratesOf(totalPerS, FOUR);
      for (let round = 0; round < 2_000; round += 1) {
        for (const [from, to] of [
          [0, 1],
          [1, 2],
          [2, 3],
          [0, 3],
        ] as const) {
          for (const by of [1, -1, 0.1, -0.1]) {
            const moved = [...best];
            moved[from]! -= by;
            moved[to]! += by;
            if (moved.every((rate) => rate >= 0) && lossOf(moved) < lossOf(best)) best.splice(0, 4, ...moved);
          }
        }
      }
      expect(lossOf(ratesOf(totalPerS, FOUR))).toBeLessThanOrEqual(1.1 * lossOf(best));
    },
  );

  it('claims no less at a later step, and nothing before a call is worth its turn', () => {
    fc.assert(
      fc.property(
        fc.constantFrom(...PRIORITIES),
        fc.double({ min: 0, max: 1e6, noNaN: true }),
        fc.double({ min: 0, max: 1e6, noNaN: true }),
        (priority, meanPerS, sdPerS) => {
          let before = 0;
          for (let step = 0; step < STEPS; step += 1) {
            const claim = claimAt(step, priority, { meanPerS, sdPerS });
            expect(claim).toBeGreaterThanOrEqual(before);
            before = claim;
          }
          if (priority !== 'CRITICAL') expect(claimAt(0, priority, { meanPerS, sdPerS })).toBe(0);
        },
      ),
    );
  });

  it('shares the whole total, whatever the outlooks', () => {
    const one = fc.record({
      priority: fc.constantFrom(...PRIORITIES),
      mean: fc.double({ min: 0, max: 1e4, noNaN: true }),
      sd: fc.double({ min: 0, max: 1e4, noNaN: true }),
    });
    fc.assert(
      fc.property(
        fc.array(one, { minLength: 1, maxLength: 20 }),
        fc.double({ min: 1, max: 1e5, noNaN: true }),
        (rows, totalPerS) => {
          const rates = ratesOf(
            totalPerS,
            rows.map(({ priority, mean, sd }, at) => claimant(`m${at}`, priority, mean, sd)),
          );
          const sum = rates.reduce((all, rate) => all + rate, 0);
          expect(Math.abs(sum - totalPerS)).toBeLessThanOrEqual(1e-9 * totalPerS);
          expect(Math.min(...rates)).toBeGreaterThanOrEqual(0);
        },
      ),
    );
  });
});

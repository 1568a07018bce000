import fc from 'fast-check';
import { PeakTails } from '../../src/forecast/anomaly/peak-tail';

const FIT = { priorSlope: 0.5, priorWeight: 4, leastSlope: 0.25 };
const KEPT = 12;
const SCORES = fc.array(fc.tuple(fc.integer({ min: 0, max: 40 }), fc.integer({ min: 0, max: 40 })), {
  minLength: 1,
  maxLength: 90,
});

function take(tails: PeakTails, scores: readonly (readonly [number, number])[]): void {
  for (const [one, other] of scores) {
    tails.observe(0, one);
    tails.observe(1, other);
    tails.endStep();
  }
}

const opened = (states?: ConstructorParameters<typeof PeakTails>[4]): PeakTails =>
  new PeakTails(2, KEPT, 0.05, [FIT, FIT], states);

describe('the tails of block maxima', () => {
  it('are those of the newest blocks, in whatever order they came', () => {
    fc.assert(
      fc.property(SCORES, (scores) => {
        const tails = opened();
        take(tails, scores);
        for (const kind of [0, 1] as const) {
          const maxima = Array.from({ length: scores.length >> 1 }, (_, block) =>
            Math.max(scores[2 * block]?.[kind] ?? 0, scores[2 * block + 1]?.[kind] ?? 0),
          );
          const known = maxima.slice(-KEPT).sort((a, b) => a - b);
          if (maxima.length < 8) {
            expect(tails.ready).toBe(false);
            continue;
          }
          const tail = Math.max(3, Math.round(0.4 * known.length));
          const base = known.at(-tail - 1) ?? NaN;
          const excess = known.slice(-tail).reduce((sum, score) => sum + score - base, 0);
          const slope = Math.max((excess + 4 * 0.5) / (tail + 4), 0.25);
          expect(tails.base(kind)).toBe(base);
          expect(tails.level(kind)).toBeCloseTo(base + slope * Math.log(0.4 / 0.05), 9);
        }
      }),
    );
  });

  it('go on after they were saved as if nothing had happened', () => {
    fc.assert(
      fc.property(SCORES, SCORES, (before, after) => {
        const tails = opened();
        take(tails, before);
        const again = opened([0, 1].map((kind) => tails.save(kind)));
        take(tails, after);
        take(again, after);
        for (const kind of [0, 1]) {
          expect(again.save(kind)).toEqual(tails.save(kind));
          expect(again.level(kind)).toBe(tails.level(kind));
        }
      }),
    );
  });
});

import fc from 'fast-check';
import { bucketParams } from '../../src/bucket/params';
import { evaluateFixedWindow, newFixedWindow } from '../../src/bucket/fixed-window';
import {
  evaluateSlidingWindow,
  newSlidingWindow,
  slidingWindowEntries,
} from '../../src/bucket/sliding-window';

const T = 1_700_006_400_000_000;

const windowArb = fc.oneof(
  fc.integer({ min: 1_000, max: 5_000 }),
  fc.constantFrom(1_000_000, 86_400_000_000),
);
const paceArb = fc.array(
  fc.record({ part: fc.double({ min: 0, max: 0.6, noNaN: true }), hits: fc.integer({ min: -2, max: 5 }) }),
  { minLength: 1, maxLength: 80 },
);

interface Admitted {
  readonly atUs: number;
  readonly hits: number;
}

function mostInAnyInterval(admitted: readonly Admitted[], lengthUs: number): number {
  const sums = admitted.map(({ atUs }) =>
    admitted
      .filter((each) => each.atUs >= atUs && each.atUs < atUs + lengthUs)
      .reduce((sum, each) => sum + each.hits, 0),
  );
  return Math.max(0, ...sums);
}

describe('a fixed window', () => {
  it('never admits more than its limit in a window, less what was given back', () => {
    fc.assert(
      fc.property(windowArb, fc.integer({ min: 0, max: 12 }), paceArb, (windowUs, limit, pace) => {
        const params = bucketParams({ algorithm: 'fixed_window', limit, windowUs });
        const state = newFixedWindow(params, T);
        const net = new Map<number, number>();
        let nowUs = T;
        for (const { part, hits } of pace) {
          nowUs += Math.floor(part * windowUs);
          const outcome = evaluateFixedWindow(state, params, hits, nowUs, 'allowed');
          const window = Math.floor(nowUs / windowUs);
          if (outcome.allowed) net.set(window, Math.max(0, (net.get(window) ?? 0) + hits));
          expect(net.get(window) ?? 0).toBeLessThanOrEqual(limit);
          expect(outcome.resetUs).toBe((window + 1) * windowUs - nowUs);
        }
      }),
    );
  });

  it('hands out no second limit when the clock steps back by less than a window', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 999_999 }),
        fc.integer({ min: 0, max: 999_999 }),
        (backUs, intoUs) => {
          const params = bucketParams({ algorithm: 'fixed_window', limit: 5, windowUs: 1_000_000 });
          const state = newFixedWindow(params, T + intoUs);
          evaluateFixedWindow(state, params, 5, T + intoUs, 'allowed');
          const outcome = evaluateFixedWindow(state, params, 1, T + intoUs - backUs, 'allowed');
          expect(outcome.allowed).toBe(false);
          expect(outcome.resetUs).toBeGreaterThan(0);
          expect(outcome.resetUs).toBeLessThanOrEqual(1_000_000);
        },
      ),
    );
  });
});

describe('a sliding window', () => {
  const takes = paceArb.map((pace) => pace.map(({ part, hits }) => ({ part, hits: Math.abs(hits) })));

  it('never admits more than its limit in any interval of its length', () => {
    fc.assert(
      fc.property(windowArb, fc.integer({ min: 0, max: 12 }), takes, (windowUs, limit, pace) => {
        const params = bucketParams({ algorithm: 'sliding_window', limit, windowUs });
        const state = newSlidingWindow(params);
        const admitted: Admitted[] = [];
        let nowUs = T;
        for (const { part, hits } of pace) {
          nowUs += Math.floor(part * windowUs);
          if (evaluateSlidingWindow(state, params, hits, nowUs, 'allowed').allowed)
            admitted.push({ atUs: nowUs, hits });
        }
        expect(mostInAnyInterval(admitted, windowUs)).toBeLessThanOrEqual(limit);
      }),
      { numRuns: 300 },
    );
  });

  it('agrees with a plain list of sub-windows, refunds and charged denials included', () => {
    fc.assert(
      fc.property(
        windowArb,
        fc.integer({ min: 0, max: 12 }),
        paceArb,
        fc.boolean(),
        (windowUs, limit, pace, always) => {
          const params = bucketParams({ algorithm: 'sliding_window', limit, windowUs });
          const state = newSlidingWindow(params);
          let entries: [number, number][] = [];
          let nowUs = T;
          for (const { part, hits } of pace) {
            nowUs += Math.floor(part * windowUs);
            const index = Number((BigInt(nowUs) * 32n) / BigInt(windowUs));
            const live = entries.filter(([old]) => old >= index - 32);
            const total = live.reduce((sum, [, count]) => sum + count, 0);
            const outcome = evaluateSlidingWindow(state, params, hits, nowUs, always ? 'always' : 'allowed');
            expect(outcome).toMatchObject({ usedBefore: total, allowed: hits < 0 || total + hits <= limit });
            if (hits === 0 || (!always && !outcome.allowed)) continue;
            entries = hits > 0 ? added(live, index, hits) : givenBack(live, -hits);
            expect(slidingWindowEntries(state)).toEqual(entries);
          }
        },
      ),
    );
  });

  it('passes again after retryAfterUs and is empty after resetUs, to the microsecond', () => {
    fc.assert(
      fc.property(windowArb, fc.integer({ min: 1, max: 12 }), takes, (windowUs, limit, pace) => {
        const params = bucketParams({ algorithm: 'sliding_window', limit, windowUs });
        const state = newSlidingWindow(params);
        let nowUs = T;
        for (const { part, hits } of pace) {
          nowUs += Math.floor(part * windowUs);
          const { allowed, retryAfterUs, resetUs } = evaluateSlidingWindow(
            state,
            params,
            hits,
            nowUs,
            'allowed',
          );
          const at = (us: number, n: number) => evaluateSlidingWindow(state, params, n, us, 'never');
          expect(at(nowUs + resetUs, 0).usedBefore).toBe(0);
          if (resetUs > 0) expect(at(nowUs + resetUs - 1, 0).usedBefore).toBeGreaterThan(0);
          if (allowed || hits > limit) continue;
          expect(at(nowUs + retryAfterUs, hits).allowed).toBe(true);
          expect(at(nowUs + retryAfterUs - 1, hits).allowed).toBe(false);
        }
      }),
      {
        examples: [
          [
            2_867,
            2,
            [
              { part: 0, hits: 2 },
              { part: 0, hits: 1 },
            ],
          ],
        ],
      },
    );
  });
});

function added(entries: readonly [number, number][], index: number, hits: number): [number, number][] {
  const last = entries.at(-1);
  if (last?.[0] === index) return [...entries.slice(0, -1), [index, last[1] + hits]];
  return [...entries, [index, hits]];
}

function givenBack(entries: readonly [number, number][], hits: number): [number, number][] {
  const left = [...entries];
  for (let n = hits; n > 0; n -= 1) {
    const last = left.pop();
    if (last === undefined) break;
    if (last[1] > 1) left.push([last[0], last[1] - 1]);
  }
  return left;
}

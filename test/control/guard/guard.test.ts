import fc from 'fast-check';
import { guard, type Held, type Proposal } from '../../../src/control/guard/guard';
import type { MemberPolicy, PoolPolicy } from '../../../src/core/control';
import { PRIORITIES, type Priority } from '../../../src/core/priority';
import { memberPolicy, poolPolicy } from '../pool-samples';

const HELD: Held = { ratePerS: 100, capacity: 100, rateAtMs: -Infinity, capacityAtMs: -Infinity };
const NOW_MS = 100_000;

function proposal(
  ratePerS: number,
  rest: Partial<Proposal> = {},
  policy: Partial<MemberPolicy> = {},
): Proposal {
  return {
    policy: memberPolicy('m', { maxPerS: 1_000, ...policy }),
    held: HELD,
    ratePerS,
    capacity: 100,
    orderedRate: false,
    orderedCapacity: false,
    ...rest,
  };
}
const one = (each: Proposal, pool: Partial<PoolPolicy> = {}, totalPerS = 1e6) => {
  const [result] = guard(NOW_MS, poolPolicy({ maxStep: 1, ...pool }), totalPerS, [each]);
  return {
    rate: result?.held.ratePerS,
    capacity: result?.held.capacity,
    clamps: result?.clamps,
    held: result?.held,
  };
};
const just = { ...HELD, rateAtMs: NOW_MS - 1_000, capacityAtMs: NOW_MS - 1_000 };

describe('a guarded rate', () => {
  test.each<[string, Proposal, number, string[]]>([
    ['passes', proposal(150), 150, []],
    ['stays, of NaN', proposal(NaN), 100, ['nan']],
    ['stays in the dead band', proposal(101), 100, ['dead_band']],
    ['stays while it was changed just now', proposal(150, { held: just }), 100, ['cooldown']],
    ['rises by one step', proposal(500), 200, ['step']],
    ['falls by one step', proposal(0, { held: { ...HELD, ratePerS: 300 } }), 200, ['step']],
    ['is not over its maximum', proposal(900, { orderedRate: true }, { maxPerS: 700 }), 700, ['max']],
    ['is not under its minimum', proposal(5, {}, { minPerS: 30 }), 30, ['min']],
    [
      'rises to its guarantee whatever was just now',
      proposal(500, { held: just }, { guaranteePerS: 300 }),
      300,
      ['cooldown'],
    ],
    [
      'is what was ordered, at once and however far',
      proposal(700, { held: just, orderedRate: true }),
      700,
      [],
    ],
    ['is brought to its bounds, endless', proposal(Infinity, { orderedRate: true }), 1_000, ['max']],
  ])('%s', (_name, each, rate, clamps) => {
    expect(one(each)).toMatchObject({ rate, clamps });
  });

  it('remembers when it changed, and only then', () => {
    expect(one(proposal(150)).held?.rateAtMs).toBe(NOW_MS);
    expect(one(proposal(101, { held: just })).held?.rateAtMs).toBe(just.rateAtMs);
  });
});

describe('a guarded capacity', () => {
  test.each<[string, Partial<Proposal>, number]>([
    ['moves apart from the rate, in whole tokens', { capacity: 150.7 }, 150],
    ['stays, of NaN', { capacity: NaN }, 100],
    ['stays in the dead band', { capacity: 101 }, 100],
    ['stays while it was changed just now', { capacity: 150, held: just }, 100],
    ['is what was ordered at once', { capacity: 150, held: just, orderedCapacity: true }, 150],
    ['is not over its maximum', { capacity: 1e9 }, 400],
    ['is not under its minimum', { capacity: 0 }, 1],
  ])('%s', (_name, rest, capacity) => expect(one(proposal(100, rest)).capacity).toBe(capacity));
});

describe('the total', () => {
  const rates = (totalPerS: number, proposals: readonly Proposal[]) =>
    guard(NOW_MS, poolPolicy(), totalPerS, proposals).map(({ held }) => held.ratePerS);
  const rising = (priority: Priority) => proposal(150, {}, { priority });

  it('cuts increases of the least priority first, while another may not fall yet', () => {
    const held = proposal(50, { held: just });
    const [low = 0, critical = 0, slow = 0] = rates(370, [rising('LOW'), rising('CRITICAL'), held]);
    expect([low, critical, slow].map(Math.round)).toEqual([120, 150, 100]);
  });

  it('is above pauses: when it falls, rates go to their proposals at once', () => {
    const falling = [50, 20].map((perS) => proposal(perS, { held: just }));
    expect(rates(70, falling).map(Math.round)).toEqual([50, 20]);
  });

  it('cuts orders too, when they alone exceed it, but not under minima', () => {
    const orders = [
      proposal(300, { orderedRate: true }, { minPerS: 90 }),
      proposal(300, { orderedRate: true }),
    ];
    const [a = 0, b = 0] = rates(190, orders);
    expect(a).toBeGreaterThan(90);
    expect(a + b).toBeLessThanOrEqual(190);
    expect(a + b).toBeCloseTo(190, 6);
  });

  it('is above minima', () => {
    expect(
      rates(60, [proposal(90, {}, { minPerS: 90 }), proposal(30, {}, { minPerS: 30 })]).map(Math.round),
    ).toEqual([45, 15]);
  });

  const perS = fc.oneof(
    fc.double({ min: 0, max: 1e4, noNaN: true }),
    fc.constantFrom(NaN, -1, Infinity, 1e300),
  );
  const bound = fc.double({ min: 0, max: 1e3, noNaN: true });
  const any = fc
    .record({
      ratePerS: perS,
      capacity: perS,
      heldPerS: bound,
      atMs: fc.constantFrom(-Infinity, NOW_MS - 1, NOW_MS),
      min: bound,
      more: bound,
      guaranteePerS: bound,
      priority: fc.constantFrom<Priority>(...PRIORITIES),
      ordered: fc.boolean(),
    })
    .map(({ ratePerS, capacity, heldPerS, atMs, min, more, guaranteePerS, priority, ordered }) => {
      const maxPerS = min + more;
      const ratePerSHeld = Math.min(maxPerS, Math.max(min, heldPerS));
      return proposal(
        ratePerS,
        { capacity, orderedRate: ordered, held: { ...HELD, ratePerS: ratePerSHeld, rateAtMs: atMs } },
        { minPerS: min, maxPerS, guaranteePerS: Math.min(maxPerS, guaranteePerS), priority },
      );
    });

  it('holds, and so do all bounds, whatever is proposed', () => {
    fc.assert(
      fc.property(
        fc.array(any, { minLength: 1, maxLength: 20 }),
        fc.double({ min: 0, max: 2e4, noNaN: true }),
        (proposals, totalPerS) => {
          const results = guard(NOW_MS, poolPolicy(), totalPerS, proposals);
          const minima = proposals.reduce((sum, { policy }) => sum + policy.minPerS, 0);
          const sum = results.reduce((all, { held }) => all + held.ratePerS, 0);
          expect(sum).toBeLessThanOrEqual(totalPerS);
          for (const [i, { held }] of results.entries()) {
            const { policy } = proposals[i]!;
            const slack = 1e-9 * (1 + policy.maxPerS);
            if (minima <= totalPerS) expect(held.ratePerS).toBeGreaterThanOrEqual(policy.minPerS - slack);
            expect(held.ratePerS).toBeLessThanOrEqual(policy.maxPerS);
            expect(held.ratePerS).toBeGreaterThanOrEqual(0);
            expect(Number.isInteger(held.capacity)).toBe(true);
            expect(held.capacity).toBeGreaterThanOrEqual(policy.minCapacity);
            expect(held.capacity).toBeLessThanOrEqual(policy.maxCapacity);
          }
        },
      ),
      { numRuns: 400 },
    );
  });
});

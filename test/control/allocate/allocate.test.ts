import fc from 'fast-check';
import type { MemberPolicy } from '../../../src/core/control';
import { PRIORITIES, type Priority } from '../../../src/core/priority';
import { allocate, type Claimant } from '../../../src/control/allocate/allocate';
import { memberPolicy } from '../pool-samples';

function claim(
  id: string,
  demandPerS: number,
  policy: Partial<MemberPolicy> = {},
  rest: Partial<Claimant> = {},
) {
  const member = memberPolicy(id, { maxPerS: 1e6, borrowable: 100, ...policy });
  return {
    policy: member,
    demandPerS,
    wantedPerS: demandPerS,
    escalation: 1,
    orderedPerS: undefined,
    ...rest,
  };
}
const ratesOf = (totalPerS: number, claimants: readonly Claimant[], maxShare = 1) => [
  ...allocate(totalPerS, claimants, maxShare).ratesPerS,
];
const sum = (rates: readonly number[]) => rates.reduce((all, rate) => all + rate, 0);
const FOUR = PRIORITIES.map((priority) => claim(priority, 100, { priority }));

describe('an allocation', () => {
  it('meets all demand and spreads the rest where there is enough', () => {
    const rates = ratesOf(600, FOUR);
    expect(sum(rates)).toBeCloseTo(600, 6);
    for (const rate of rates) expect(rate).toBeGreaterThanOrEqual(100);
  });

  it('degrades from LOW upwards as the total falls', () => {
    const served = [400, 330, 250, 150, 80].map((totalPerS) => ratesOf(totalPerS, FOUR));
    for (const [at, rates] of served.entries()) {
      for (let p = 1; p < rates.length; p += 1) {
        expect(rates[p - 1]).toBeGreaterThanOrEqual((rates[p] ?? 0) - 1e-9);
      }
      if (at > 0) expect(rates[3]).toBeLessThanOrEqual(served[at - 1]?.[3] ?? 0);
    }
    expect(served[1]?.slice(0, 3)).toEqual([100, 100, 100]);
    expect(served[2]?.slice(0, 2)).toEqual([100, 100]);
    expect(served[3]?.[0]).toBe(100);
    expect(served[1]?.[3]).toBeCloseTo(30, 6);
    expect(served[4]?.[3]).toBeGreaterThan(0);
  });

  it('serves guarantees before priorities, and scales them to a total that they exceed', () => {
    const low = claim('low', 100, { priority: 'LOW', guaranteePerS: 60 });
    const high = claim('high', 500, { priority: 'CRITICAL', nominalPerS: 500 });
    expect(ratesOf(200, [low, high])[0]).toBeGreaterThanOrEqual(60);
    expect(allocate(200, [low, high], 1).rules[0]).toBe('guarantee');
    const both = [low, claim('other', 500, { guaranteePerS: 180 })];
    const [a = 0, b = 0] = ratesOf(200, both);
    expect(a).toBeCloseTo(50, 6);
    expect(b).toBeCloseTo(150, 6);
  });

  it('gives a guarantee only to who has demand for it', () => {
    const idle = claim('idle', 0, { guaranteePerS: 60 });
    expect(ratesOf(100, [idle, claim('busy', 500)])[0]).toBeLessThanOrEqual(1);
  });

  it('keeps for each what others may not use', () => {
    const kept = claim('kept', 100, { priority: 'LOW', lendable: 0.6 });
    expect(ratesOf(150, [kept, claim('busy', 1_000, { priority: 'CRITICAL' })])[0]).toBeCloseTo(40, 6);
  });

  test.each([
    ['its maximum', { maxPerS: 130 }, 130],
    ['what it may borrow', { borrowable: 0.5 }, 150],
  ] as const)('gives nobody more than %s', (_name, policy, most) => {
    expect(ratesOf(1_000, [claim('a', 900, policy), claim('b', 10)])[0]).toBeCloseTo(most, 6);
  });

  it('gives no service more than its share, whatever its priorities, and its important members first', () => {
    const mixed = [
      claim('a', 300, { service: 's', priority: 'LOW' }),
      claim('b', 300, { service: 's', priority: 'CRITICAL' }),
      claim('c', 10, { service: 't' }),
    ];
    const [a = 0, b = 0, c = 0] = ratesOf(400, mixed, 0.8);
    expect(a + b).toBeCloseTo(320, 6);
    expect(b).toBeCloseTo(300, 6);
    expect(c).toBeCloseTo(80, 6);
  });

  it('gives the only service all', () => {
    expect(sum(ratesOf(100, [claim('a', 300)], 0.8))).toBeCloseTo(100, 6);
  });

  it('serves equals the same part of what they were configured for', () => {
    const [small = 0, large = 0] = ratesOf(110, [claim('a', 1e3, { nominalPerS: 10 }), claim('b', 1e3)]);
    expect(large / small).toBeCloseTo(10, 6);
  });

  it('weighs by the member and by its escalation', () => {
    const rates = ratesOf(400, [
      claim('a', 1e3),
      claim('b', 1e3, { weight: 2 }),
      claim('c', 1e3, {}, { escalation: 4 }),
      claim('d', 1e3),
    ]);
    for (const [i, rate] of [50, 100, 200, 50].entries()) expect(rates[i]).toBeCloseTo(rate, 6);
  });

  it('places orders above guarantees and demand, under minima and the total', () => {
    const asked = claim('a', 5, { priority: 'LOW', minPerS: 20 }, { orderedPerS: 150 });
    const others = [
      claim('b', 1e3, { priority: 'CRITICAL', guaranteePerS: 200 }),
      claim('c', 1e3, { minPerS: 40 }),
    ];
    const result = allocate(200, [asked, ...others], 1);
    expect(result.ratesPerS[0]).toBeCloseTo(150, 6);
    expect(result.ratesPerS[2]).toBeCloseTo(40, 6);
    expect(result.rules[0]).toBe('override');
  });

  it('scales minima that exceed the total, and says so', () => {
    const result = allocate(100, [claim('a', 0, { minPerS: 150 }), claim('b', 9, { minPerS: 50 })], 1);
    expect([...result.ratesPerS]).toEqual([75, 25]);
    expect(result.shortOfMinima).toBe(true);
  });

  const perS = fc.double({ min: 0, max: 1e5, noNaN: true });
  const claimant = fc
    .record({
      service: fc.constantFrom('s', 't', 'u', 'v'),
      priority: fc.constantFrom<Priority>(...PRIORITIES),
      nominalPerS: perS,
      minPerS: fc.double({ min: 0, max: 100, noNaN: true }),
      maxPerS: perS,
      guaranteePerS: perS,
      lendable: fc.double({ min: 0, max: 1, noNaN: true }),
      borrowable: fc.double({ min: 0, max: 3, noNaN: true }),
      demand: perS,
      ordered: fc.option(perS, { freq: 8 }),
    })
    .map(({ demand, ordered, ...policy }) => {
      const maxPerS = Math.max(policy.minPerS, policy.maxPerS);
      const within = (value: number) => Math.min(maxPerS, Math.max(policy.minPerS, value));
      return claim(
        'm',
        demand,
        { ...policy, maxPerS, guaranteePerS: Math.min(maxPerS, policy.guaranteePerS) },
        { wantedPerS: demand * 1.2, orderedPerS: ordered === null ? undefined : within(ordered) },
      );
    });

  it('never gives out more than the total, keeps bounds, and uses all that demand asks for', () => {
    fc.assert(
      fc.property(
        fc.array(claimant, { minLength: 1, maxLength: 30 }),
        fc.double({ min: 1, max: 1e6, noNaN: true }),
        (claims, totalPerS) => {
          const { ratesPerS, shortOfMinima } = allocate(totalPerS, claims, 1);
          const given = sum([...ratesPerS]);
          const slack = 1e-9 * totalPerS;
          expect(given).toBeLessThanOrEqual(totalPerS + slack);
          let wanted = 0;
          for (const [i, { policy, demandPerS, orderedPerS }] of claims.entries()) {
            const rate = ratesPerS[i] ?? NaN;
            if (!shortOfMinima) expect(rate).toBeGreaterThanOrEqual(policy.minPerS - slack);
            expect(rate).toBeLessThanOrEqual(policy.maxPerS + slack);
            const borrows = Math.max(policy.guaranteePerS, policy.nominalPerS * (1 + policy.borrowable));
            wanted += orderedPerS ?? Math.max(policy.minPerS, Math.min(demandPerS, policy.maxPerS, borrows));
          }
          if (!shortOfMinima)
            expect(given).toBeGreaterThanOrEqual(Math.min(totalPerS, wanted) * (1 - 1e-9) - 1e-9);
        },
      ),
    );
  });
});

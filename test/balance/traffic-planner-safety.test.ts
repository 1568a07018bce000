import fc from 'fast-check';
import { TrafficPlanner } from '../../src/balance/traffic-planner';
import type {
  GroupDecision,
  GroupSeen,
  TargetSeen,
  TrafficGroup,
  TrafficPolicy,
} from '../../src/core/traffic';
import { group, seenGroup, seenTarget, target, trafficPolicy, VIP_AND_DEFAULT } from './traffic-samples';

const IDS = ['a', 'b', 'c', 'd', 'e'];
const odd = fc.constantFrom(NaN, Infinity, -Infinity, -1, 0, 1e300, Number.MIN_VALUE);
const figure = (max: number) =>
  fc.oneof({ weight: 5, arbitrary: fc.double({ min: 0, max, noNaN: true }) }, { weight: 1, arbitrary: odd });

const health = fc.option(
  fc.record({
    errorShare: figure(1),
    latencyP50Ms: figure(100),
    latencyP99Ms: figure(1_000),
    cpu: figure(1),
    memory: figure(1),
    out: fc.constantFrom(NaN, 0, 0, 1),
  }),
  { nil: undefined },
);
const forecast = fc.option(
  fc.record({
    madeAtMs: fc.constantFrom(0, 1_000_000, NaN),
    meanPerS: figure(400),
    upperPerS: figure(800),
    anomalous: fc.boolean(),
  }),
  { nil: undefined },
);
const seenRow: fc.Arbitrary<TargetSeen> = fc.record({
  id: fc.constantFrom(...IDS, 'nobody'),
  seenAtMs: fc.oneof(
    { weight: 5, arbitrary: fc.integer({ min: 990_000, max: 1_020_000 }) },
    { weight: 1, arbitrary: odd },
  ),
  tokens: figure(500),
  capacity: figure(500),
  refillPerS: figure(300),
  leased: figure(50),
  demandPerS: figure(400),
  forecast,
  health,
  healthAhead: health,
});
const seenRows = fc.record({
  group: fc.constantFrom('g', 'g', 'g', 'h'),
  targets: fc.array(seenRow, { maxLength: 7 }),
  classDemandPerS: fc.array(figure(300), { maxLength: 3 }),
});
const step = fc.record({
  byMs: fc.oneof(
    { weight: 8, arbitrary: fc.constant(100) },
    { weight: 1, arbitrary: fc.constantFrom(0, -5_000, 1e12, NaN) },
    { weight: 2, arbitrary: fc.integer({ min: 1, max: 2_000 }) },
  ),
  seen: fc.array(seenRows, { maxLength: 2 }),
  times: fc.integer({ min: 1, max: 12 }),
});
const targets = fc.array(
  fc.record({ id: fc.constantFrom(...IDS), weight: figure(100), backup: fc.boolean(), maxShare: figure(1) }),
  { minLength: 1, maxLength: 5 },
);
const policies: fc.Arbitrary<TrafficPolicy> = fc
  .record({
    horizonMs: fc.constantFrom(1_000, 30_000),
    leadMs: fc.constantFrom(0, 2_000),
    deadBand: fc.constantFrom(0, 0.01, 0.2),
    leavePerS: fc.constantFrom(0.001, 0.2, 10),
    returnPerS: fc.constantFrom(0.001, 0.02, 10),
    floor: fc.constantFrom(0, 0.01, 0.5, 1),
    headroom: fc.constantFrom(0, 0.9, 1),
  })
  .map((over) => trafficPolicy(over));
const groups: fc.Arbitrary<readonly TrafficGroup[]> = fc
  .tuple(targets, fc.boolean(), targets)
  .map(([first, twoClasses, second]) => [
    group(first, twoClasses ? VIP_AND_DEFAULT : undefined),
    group(second, undefined, 'h'),
  ]);

/** What is wrong with a decision; empty for nothing. */
function faultsOf(decision: GroupDecision, of: TrafficGroup): readonly string[] {
  const faults: string[] = [];
  const must = (holds: boolean, what: string) => {
    if (!holds) faults.push(`${what}: ${JSON.stringify(decision)}`);
  };
  must(decision.group === of.name, 'name');
  must(decision.shares.length === of.classes.length, 'a row a class');
  for (const row of decision.shares) {
    must(row.length === of.targets.length, 'a share a target');
    must(
      row.every((share) => share >= 0 && share <= 1),
      'shares are parts',
    );
    must(row.reduce((sum, share) => sum + share, 0) === 1, 'shares sum to 1');
  }
  must(
    decision.targets.map(({ id }) => id).join() === of.targets.map(({ id }) => id).join(),
    'a reason a target',
  );
  for (const reason of decision.targets) {
    const { bucketPerS, effectivePerS, configuredDemandPerS, demandPerS, depletionMs, healthFactor } = reason;
    for (const figure of [bucketPerS, effectivePerS, configuredDemandPerS, demandPerS, depletionMs]) {
      must(figure === null || (Number.isFinite(figure) && figure >= 0), 'figures are none or finite');
    }
    must(healthFactor >= 0 && healthFactor <= 1, 'health is a part');
  }
  if (decision.state === 'stale' || decision.state === 'unhealthy') must(decision.why !== '', 'says why');
  must(!/NaN|Infinity|undefined/.test(decision.why), 'says it in words');
  return faults;
}

/** Where a row leaves its bounds. */
function strayOf(
  decision: GroupDecision,
  bounds: readonly { low: number; high: number }[],
): readonly string[] {
  return decision.shares.flatMap((row) =>
    bounds.flatMap(({ low, high }, t) => {
      const share = row[t] ?? NaN;
      return share >= low - 2e-8 && share <= high + 2e-8 ? [] : [`${share} is not within ${low} and ${high}`];
    }),
  );
}

/** Runs the steps. */
function course(
  policy: TrafficPolicy,
  all: readonly TrafficGroup[],
  steps: readonly { readonly byMs: number; readonly seen: readonly GroupSeen[]; readonly times: number }[],
): readonly (readonly GroupDecision[])[] {
  const planner = new TrafficPlanner(policy, all);
  const decided: (readonly GroupDecision[])[] = [];
  let nowMs = 1_000_000;
  for (const { byMs, seen, times } of steps) {
    for (let k = 0; k < times; k += 1) {
      if (Number.isNaN(byMs)) decided.push(planner.tick(NaN, seen));
      else decided.push(planner.tick((nowMs += byMs), seen));
    }
  }
  return decided;
}

const steps = fc.array(step, { minLength: 1, maxLength: 8 });

/** The configured share of a target, its floor, and its greatest share; undefined where greatest shares cannot all be kept. */
function boundsOf(of: TrafficGroup, floor: number): { low: number; high: number }[] | undefined {
  const sane = (value: number, otherwise: number) =>
    Number.isFinite(value) ? Math.max(0, value) : otherwise;
  const weights = of.targets.map(({ weight }) => sane(weight, 0));
  const most = of.targets.map(({ maxShare }) => Math.min(1, sane(maxShare, 1)));
  const isPrimary = of.targets.map(({ backup }) => !backup || of.targets.every((one) => one.backup));
  const sum = weights.reduce((total, weight, t) => total + (isPrimary[t] === true ? weight : 0), 0);
  const primaries = isPrimary.filter((one) => one).length;
  const share = weights.map((weight, t) =>
    isPrimary[t] !== true ? 0 : sum > 0 ? weight / sum : 1 / primaries,
  );
  const high = most.map((one, t) => (isPrimary[t] === true && share[t] === 0 ? 0 : one));
  if (high.reduce((total, one) => total + one, 0) < 1) return undefined;
  return share.map((own, t) => ({ low: Math.min(floor, own, high[t] ?? 0), high: high[t] ?? 1 }));
}

describe('whatever comes in', () => {
  test('every group has one sound decision, in order', () => {
    fc.assert(
      fc.property(policies, groups, steps, (policy, all, taken) => {
        for (const decisions of course(policy, all, taken)) {
          expect(decisions).toHaveLength(all.length);
          for (const [g, of] of all.entries()) expect(faultsOf(decisions[g]!, of)).toEqual([]);
        }
      }),
      { numRuns: 120 },
    );
  });

  test('every target keeps its floor, and no target has more than its greatest share', () => {
    fc.assert(
      fc.property(policies, groups, steps, (policy, all, taken) => {
        const bounds = all.map((of) => boundsOf(of, policy.floor));
        for (const decisions of course(policy, all, taken)) {
          for (const [g, decision] of decisions.entries()) {
            expect(strayOf(decision, bounds[g] ?? [])).toEqual([]);
          }
        }
      }),
      { numRuns: 120 },
    );
  });

  test('no share moves faster than it may in a tick', () => {
    fc.assert(
      fc.property(policies, groups, steps, (policy, all, taken) => {
        const tickS = policy.tickMs / 1_000;
        const home = Math.max(policy.returnPerS * tickS * 2, policy.deadBand + policy.returnPerS * tickS);
        const most = policy.leavePerS * tickS + home + 2e-8;
        const decided = course(policy, all, taken);
        let fastest = 0;
        for (const [k, decisions] of decided.entries()) {
          for (const [g, { shares }] of decisions.entries()) {
            const before = decided[k - 1]?.[g]?.shares ?? shares;
            for (const [c, row] of shares.entries()) {
              for (const [t, share] of row.entries()) {
                fastest = Math.max(fastest, Math.abs(share - (before[c]?.[t] ?? 0)));
              }
            }
          }
        }
        expect(fastest).toBeLessThanOrEqual(most);
      }),
      { numRuns: 120 },
    );
  });

  test('the same course gives the same decisions, and `changed` is the truth', () => {
    fc.assert(
      fc.property(policies, groups, steps, (policy, all, taken) => {
        const first = course(policy, all, taken);
        expect(course(policy, all, taken)).toEqual(first);
        for (const [k, decisions] of first.entries()) {
          for (const [g, { changed, shares }] of decisions.entries()) {
            const before = first[k - 1]?.[g]?.shares;
            expect(changed).toBe(JSON.stringify(before) !== JSON.stringify(shares));
          }
        }
      }),
      { numRuns: 100 },
    );
  });

  test('other groups in between keep shares within the new bounds', () => {
    fc.assert(
      fc.property(policies, groups, steps, policies, groups, (policy, all, taken, later, others) => {
        const planner = new TrafficPlanner(policy, all);
        let nowMs = 1_000_000;
        for (const { seen, times } of taken) {
          for (let k = 0; k < times; k += 1) planner.tick((nowMs += 100), seen);
        }
        planner.use(later, others);
        for (const [g, decision] of planner.tick(nowMs + 100, taken[0]?.seen ?? []).entries()) {
          const of = others[g]!;
          expect(faultsOf(decision, of)).toEqual([]);
          expect(strayOf(decision, boundsOf(of, later.floor) ?? [])).toEqual([]);
        }
      }),
      { numRuns: 120 },
    );
  });
});

describe('a fault in a group', () => {
  const bad = new Proxy(seenTarget('a', 0, 1), {
    get: () => {
      throw new Error('broken');
    },
  });

  test('gives it its configured weights, says so, and leaves the others alone', () => {
    const all = [group([target('a'), target('b', 3)]), group([target('a')], undefined, 'h')];
    const planner = new TrafficPlanner(trafficPolicy(), all);
    const decisions = planner.tick(1_000, [
      seenGroup([bad]),
      seenGroup([seenTarget('a', 1_000, 5)], [NaN], 'h'),
    ]);
    expect(decisions[0]).toMatchObject({
      state: 'stale',
      why: 'it cannot be planned (broken): the configured weights hold',
      shares: [[0.25, 0.75]],
    });
    expect(decisions[1]).toMatchObject({ state: 'configured', shares: [[1]] });
  });

  test('is over when it is over', () => {
    const planner = new TrafficPlanner(trafficPolicy(), [group([target('a'), target('b')])]);
    planner.tick(1_000, [seenGroup([bad])]);
    const [decision] = planner.tick(1_100, [seenGroup([seenTarget('a', 1_100, 5)])]);
    expect(decision?.state).toBe('configured');
  });

  test('a row that cannot be read at all is no row', () => {
    const planner = new TrafficPlanner(trafficPolicy(), [group([target('a')])]);
    const row = new Proxy(seenGroup([]), {
      get: () => {
        throw new Error('broken');
      },
    });
    expect(planner.tick(1_000, [row])[0]?.state).toBe('stale');
  });
});

import fc from 'fast-check';
import { PoolController } from '../../src/control/pool-controller';
import type { MemberPolicy, MemberSeen, Override, PoolPolicy } from '../../src/core/control';
import { PRIORITIES, type Priority } from '../../src/core/priority';
import { memberPolicy, memberSeen, poolPolicy } from './pool-samples';

const IDS = ['a', 'b', 'c', 'd', 'e', 'f'];
const id = fc.constantFrom(...IDS);
const figure = fc.oneof(
  { weight: 6, arbitrary: fc.double({ min: 0, max: 500, noNaN: true }) },
  { weight: 1, arbitrary: fc.constantFrom(NaN, -1, Infinity, 1e300, 0) },
);

const member: fc.Arbitrary<MemberPolicy> = fc
  .record({
    id,
    service: fc.constantFrom('s', 't', 'u'),
    priority: fc.constantFrom<Priority>(...PRIORITIES),
    nominalPerS: fc.double({ min: 0, max: 300, noNaN: true }),
    minPerS: fc.double({ min: 0, max: 60, noNaN: true }),
    more: fc.double({ min: 0, max: 400, noNaN: true }),
    guaranteePerS: fc.double({ min: 0, max: 300, noNaN: true }),
    lendable: fc.double({ min: 0, max: 1, noNaN: true }),
  })
  .map(({ more, ...rest }) => memberPolicy(rest.id, { ...rest, maxPerS: rest.minPerS + more }));

const settings = fc.record({
  totalPerS: fc.double({ min: 50, max: 1_500, noNaN: true }),
  intervalMs: fc.constantFrom(1_000, 3_000),
  cooldownMs: fc.constantFrom(0, 2_000),
  maxStep: fc.constantFrom(0.1, 1, 3),
});
const members = fc.uniqueArray(member, { minLength: 1, maxLength: 6, selector: (each) => each.id });

const seen: fc.Arbitrary<MemberSeen> = fc
  .record({
    id,
    demand: figure,
    admittedPerS: figure,
    deniedPerS: figure,
    queuedPerS: figure,
    tokens: fc.oneof(fc.nat(400), fc.constant(NaN)),
    forecast: fc.option(
      fc.record({
        madeAtMs: fc.constantFrom(0, 1e15),
        meanPerS: figure,
        upperPerS: figure,
        anomalous: fc.boolean(),
      }),
      { nil: undefined },
    ),
  })
  .map(({ demand, ...rest }) => memberSeen(rest.id, demand, rest));

const override: fc.Arbitrary<Override> = fc.record({
  pool: fc.constant('pool'),
  member: id,
  ratePerS: figure,
  capacity: figure,
  lending: fc.boolean(),
  priority: fc.constantFrom<Priority>(...PRIORITIES),
  untilMs: fc.constantFrom(0, 20_000, 1e15),
  author: fc.constant('ann'),
  reason: fc.constant('a sale'),
  setAtMs: fc.constant(0),
});

const health = fc.record({
  service: fc.constantFrom('s', 't', 'u'),
  cpu: fc.constantFrom(NaN, 0.1, 1, 70),
  memory: fc.constant(NaN),
  errorShare: fc.constantFrom(NaN, 0, 1),
  latencyMs: fc.constantFrom(NaN, 5, 5_000),
});

type Step =
  | { readonly kind: 'reload'; readonly settings: Partial<PoolPolicy>; readonly members: MemberPolicy[] }
  | { readonly kind: 'orders'; readonly overrides: Override[] }
  | { readonly kind: 'takeover' }
  | {
      readonly kind: 'tick';
      readonly byMs: number;
      readonly seen: MemberSeen[];
      readonly health: {
        service: string;
        cpu: number;
        memory: number;
        errorShare: number;
        latencyMs: number;
      }[];
      readonly moves: number;
    };

const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('reload' as const), settings, members }) },
  {
    weight: 1,
    arbitrary: fc.record({
      kind: fc.constant('orders' as const),
      overrides: fc.array(override, { maxLength: 4 }),
    }),
  },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('takeover' as const) }) },
  {
    weight: 12,
    arbitrary: fc.record({
      kind: fc.constant('tick' as const),
      byMs: fc.oneof({ weight: 8, arbitrary: fc.constant(1_000) }, fc.constantFrom(0, -50_000, 1e9, NaN)),
      seen: fc.array(seen, { maxLength: 8 }),
      health: fc.array(health, { maxLength: 2 }),
      moves: fc.double({ min: 0, max: 1, noNaN: true }),
    }),
  },
);

/** Does all steps, and hands over every decision with the settings that it was made by. */
function play(
  first: { settings: Partial<PoolPolicy>; members: MemberPolicy[] },
  steps: readonly Step[],
  look: (
    decision: ReturnType<PoolController['tick']>,
    policy: PoolPolicy,
    members: readonly MemberPolicy[],
  ) => void,
): void {
  let now = 0;
  let policy = poolPolicy(first.settings);
  let own = first.members;
  let controller = new PoolController(policy, own);
  let orders: Override[] = [];
  let outputs = controller.tick(now, { members: [], health: [] }).outputs;
  for (const each of steps) {
    if (each.kind === 'reload') {
      policy = poolPolicy(each.settings);
      own = each.members;
      controller.use(policy, own, now);
    } else if (each.kind === 'orders') {
      orders = each.overrides;
      controller.setOverrides(orders);
    } else if (each.kind === 'takeover') {
      const state = controller.save();
      controller = new PoolController(policy, own);
      const table = outputs.map((output) => ({
        ...output,
        ruleId: output.id,
        bucketKey: output.id,
        lenders: [],
      }));
      controller.restore(state, table, now);
      controller.setOverrides(orders);
    } else {
      const atMs = now + each.byMs;
      if (Number.isFinite(atMs)) now = atMs;
      const decision = controller.tick(atMs, { members: each.seen, health: each.health });
      outputs = decision.outputs;
      look(decision, policy, own);
      for (const loan of decision.loans) {
        controller.settled(
          { loanId: loan.loanId, moved: Math.floor(loan.tokens * each.moves), lost: 0 },
          now,
        );
      }
    }
  }
}

describe('whatever is seen, ordered, reloaded or taken over, and whatever the clock says', () => {
  const first = fc.record({ settings, members });

  it('the sum of rates is at most the total, and every output is inside its bounds', () => {
    fc.assert(
      fc.property(first, fc.array(step, { maxLength: 40 }), (start, steps) => {
        play(start, steps, (decision, policy, own) => {
          expect(decision.why).not.toContain('fault');
          expect(decision.totalPerS).toBeLessThanOrEqual(policy.totalPerS);
          expect(decision.outputs.map((output) => output.id)).toEqual(own.map((each) => each.id));
          const sum = decision.outputs.reduce((all, { ratePerS }) => all + ratePerS, 0);
          expect(sum).toBeLessThanOrEqual(decision.totalPerS);
          const scaled = own.reduce((all, { minPerS }) => all + minPerS, 0) > decision.totalPerS;
          for (const [i, { ratePerS, capacity }] of decision.outputs.entries()) {
            const { minPerS, maxPerS, minCapacity, maxCapacity } = own[i]!;
            expect(ratePerS).toBeLessThanOrEqual(maxPerS);
            expect(ratePerS).toBeGreaterThanOrEqual(
              scaled || decision.state === 'fallback' ? 0 : minPerS - 1e-6,
            );
            expect(Number.isInteger(capacity)).toBe(true);
            expect(capacity).toBeGreaterThanOrEqual(minCapacity);
            expect(capacity).toBeLessThanOrEqual(maxCapacity);
          }
        });
      }),
      { numRuns: 80 },
    );
  });

  it('the same steps give the same decisions', () => {
    fc.assert(
      fc.property(first, fc.array(step, { maxLength: 15 }), (start, steps) => {
        const told: string[][] = [[], []];
        for (const each of told) play(start, steps, (decision) => void each.push(JSON.stringify(decision)));
        expect(told[1]).toEqual(told[0]);
      }),
      { numRuns: 20 },
    );
  });
});

import type { MemberPolicy, Override, PoolDecision, PoolSeen, TunedBucket } from '../../src/core/control';
import { PoolController } from '../../src/control/pool-controller';
import { memberPolicy, memberSeen, poolPolicy, poolSeen } from './pool-samples';

const TICK_MS = 1_000;
const FOUR = ['a', 'b', 'c', 'd'].map((id) => memberPolicy(id));
const CALM = poolSeen({ a: 100, b: 100, c: 100, d: 100 });
const NOBODY: PoolSeen = { members: [], health: [] };

function run(controller: PoolController, fromS: number, toS: number, seen: PoolSeen): PoolDecision {
  let decision = controller.tick(fromS * TICK_MS, seen);
  for (let s = fromS + 1; s < toS; s += 1) decision = controller.tick(s * TICK_MS, seen);
  return decision;
}
const outputOf = (decision: PoolDecision, id: string) => {
  const output = decision.outputs.find((each) => each.id === id);
  if (output === undefined) throw new Error(`no output of ${id}`);
  return output;
};
const rateOf = (decision: PoolDecision, id: string) => outputOf(decision, id).ratePerS;
const ratesOf = (decision: PoolDecision) => decision.outputs.map(({ ratePerS }) => ratePerS);
const sumOf = (decision: PoolDecision) => ratesOf(decision).reduce((sum, rate) => sum + rate, 0);
const order = (member: string, changes: Partial<Override>): Override => ({
  pool: 'pool',
  member,
  untilMs: 1e9,
  author: 'ann',
  reason: 'a sale',
  setAtMs: 0,
  ...changes,
});
const tableOf = (rates: Readonly<Record<string, number>>): TunedBucket[] =>
  Object.entries(rates).map(([id, ratePerS]) => ({
    id,
    ruleId: id,
    bucketKey: id,
    ratePerS,
    capacity: 77,
    lenders: [],
  }));

describe('the allocation of a pool', () => {
  it('gives what one does not use to others within an interval, and gives it back within one', () => {
    const controller = new PoolController(poolPolicy(), FOUR);
    const calm = run(controller, 0, 20, CALM);
    expect(rateOf(calm, 'a')).toBeCloseTo(100, 6);
    const lent = run(controller, 20, 41, poolSeen({ a: 195, b: 0, c: 100, d: 100 }));
    expect(rateOf(lent, 'a')).toBeGreaterThan(150);
    expect(sumOf(lent)).toBeCloseTo(400, 3);
    const back = run(controller, 41, 62, CALM);
    expect(rateOf(back, 'b')).toBeGreaterThan(95);
  });

  it('tells what it would have shared out under other advice, and goes on as if nobody had asked', () => {
    const controller = new PoolController(poolPolicy(), FOUR);
    const seen = poolSeen({ a: 70, b: 70, c: 70, d: 70 });
    const before = run(controller, 0, 21, seen);
    const usual = controller.sharesUnder([1, 1, 1, 1]);
    const other = controller.sharesUnder([2, 1, 1, 1]);
    for (const shares of [usual, other])
      expect(shares.reduce((sum, one) => sum + one, 0)).toBeCloseTo(400, 6);
    expect(other[0]).toBeGreaterThan((usual[0] ?? NaN) + 10);
    expect(other[1]).toBeLessThan(usual[1] ?? NaN);
    expect(controller.sharesUnder([])).toEqual(usual);
    expect(controller.tick(21_000, seen).outputs).toEqual(before.outputs);
  });

  it('holds between intervals', () => {
    const controller = new PoolController(poolPolicy(), FOUR);
    const first = run(controller, 0, 11, CALM);
    const next = run(controller, 11, 19, poolSeen({ a: 199, b: 0, c: 0, d: 0 }));
    expect(next.outputs).toBe(first.outputs);
    expect(next.changed).toBe(false);
  });

  it('uses at least 92 % of the total when demand reaches it', () => {
    const seen = poolSeen({ a: 190, b: 150, c: 30, d: 40 });
    expect(sumOf(run(new PoolController(poolPolicy(), FOUR), 0, 31, seen))).toBeGreaterThanOrEqual(
      0.92 * 400,
    );
  });

  it('sizes ahead: what is foreseen gets its rate before it comes', () => {
    const controller = new PoolController(poolPolicy(), FOUR);
    const forecast = { madeAtMs: 0, meanPerS: 150, upperPerS: 160, anomalous: false };
    const members = [memberSeen('a', 50, { forecast }), ...['b', 'c', 'd'].map((id) => memberSeen(id, 50))];
    const decision = run(controller, 0, 21, { members, health: [] });
    expect(rateOf(decision, 'a')).toBeGreaterThanOrEqual(160);
    expect(outputOf(decision, 'a').reason).toMatchObject({ forecastPerS: 160, effectivePerS: 160 });
  });

  it('gives more to who went short again and again', () => {
    const policy = poolPolicy({ lending: { enabled: false, lowWater: 0.2, part: 0.9, atOnce: false } });
    const controller = new PoolController(policy, FOUR);
    const short = { admittedPerS: 40, deniedPerS: 160 };
    const members = [
      memberSeen('a', 200, short),
      ...['b', 'c', 'd'].map((id) => memberSeen(id, 200, { admittedPerS: 100, deniedPerS: 100 })),
    ];
    const decision = run(controller, 0, 61, { members, health: [] });
    expect(rateOf(decision, 'a')).toBeGreaterThan(rateOf(decision, 'b') * 1.2);
    expect(sumOf(decision)).toBeLessThanOrEqual(400);
  });

  it('lowers the total at once while a service suffers, and says so', () => {
    const controller = new PoolController(poolPolicy(), FOUR);
    run(controller, 0, 12, CALM);
    const health = [{ service: 'a', cpu: 0.99, memory: NaN, errorShare: NaN, latencyMs: NaN }];
    const decision = run(controller, 12, 18, { ...CALM, health });
    expect(decision.totalPerS).toBeLessThan(350);
    expect(sumOf(decision)).toBeLessThanOrEqual(decision.totalPerS);
    expect(decision.why).toContain('CPU');
  });

  it('scales minima that exceed the total, and says so', () => {
    const members = ['a', 'b'].map((id) => memberPolicy(id, { minPerS: 150 }));
    const decision = run(new PoolController(poolPolicy({ totalPerS: 200 }), members), 0, 3, NOBODY);
    expect(sumOf(decision)).toBeLessThanOrEqual(200);
    expect(ratesOf(decision).map(Math.round)).toEqual([100, 100]);
    expect(decision.why).toContain('minima exceed the total');
  });

  it.each([0, NaN, -5, Infinity])(
    'shares the sum of the nominal rates where the total is %p',
    (totalPerS) => {
      const decision = run(new PoolController(poolPolicy({ totalPerS }), FOUR), 0, 3, CALM);
      expect(decision.totalPerS).toBe(400);
    },
  );
});

describe('falling back', () => {
  it('has the nominal shares when nobody tells anything, and comes back when they do', () => {
    const controller = new PoolController(poolPolicy({ totalPerS: 200 }), FOUR);
    const busy = poolSeen({ a: 190, b: 10, c: 10, d: 10 });
    expect(rateOf(run(controller, 0, 21, busy), 'a')).toBeGreaterThan(100);
    const silent = run(controller, 21, 35, NOBODY);
    expect(silent).toMatchObject({ state: 'fallback', why: 'no telemetry for 10 ticks' });
    expect(ratesOf(silent)).toEqual([50, 50, 50, 50]);
    expect(outputOf(silent, 'a').reason).toMatchObject({ rule: 'fallback', clamps: ['total'] });
    const back = run(controller, 35, 60, busy);
    expect(back).toMatchObject({ state: 'normal', why: '' });
    expect(rateOf(back, 'a')).toBeGreaterThan(100);
  });

  it('does so at a fault, which it tells, and plans again three ticks after the last', () => {
    const controller = new PoolController(poolPolicy(), FOUR);
    run(controller, 0, 12, poolSeen({ a: 190, b: 10, c: 10, d: 10 }));
    const broken = {
      members: CALM.members,
      get health(): never {
        throw new Error('boom');
      },
    };
    const decision = controller.tick(12_000, broken);
    expect(decision.state).toBe('fallback');
    expect(decision.why).toContain('boom');
    expect(ratesOf(decision)).toEqual([100, 100, 100, 100]);
    expect(decision.loans).toEqual([]);
    expect(run(controller, 13, 17, CALM).state).toBe('normal');
  });

  it('keeps orders in force', () => {
    const controller = new PoolController(poolPolicy(), FOUR);
    controller.setOverrides([order('a', { ratePerS: 10, capacity: 5 })]);
    const decision = run(controller, 0, 14, NOBODY);
    expect(outputOf(decision, 'a')).toMatchObject({
      ratePerS: 10,
      capacity: 5,
      reason: { rule: 'override' },
    });
  });

  it('takes one silent member for its nominal demand, and leaves the others alone', () => {
    const decision = run(
      new PoolController(poolPolicy(), FOUR),
      0,
      31,
      poolSeen({ a: NaN, b: 90, c: 90, d: 90 }),
    );
    expect(decision.state).toBe('normal');
    expect(outputOf(decision, 'a').reason.rule).toBe('nominal');
    expect(rateOf(decision, 'a')).toBeGreaterThanOrEqual(100);
  });
});

describe('orders of people', () => {
  it('are above what is computed, inside the hard bounds, at the next tick, and end at their time', () => {
    const controller = new PoolController(poolPolicy(), FOUR);
    run(controller, 0, 13, CALM);
    controller.setOverrides([
      order('a', { ratePerS: 9_999, untilMs: 30_000 }),
      order('b', { ratePerS: 20 }),
      order('nobody', { ratePerS: 5 }),
      order('c', { ratePerS: 5, pool: 'other' }),
      order('d', { ratePerS: NaN }),
    ]);
    const decision = controller.tick(13_000, CALM);
    expect(rateOf(decision, 'a')).toBeCloseTo(200, 6);
    expect(rateOf(decision, 'b')).toBeCloseTo(20, 6);
    expect(outputOf(decision, 'a').reason.rule).toBe('override');
    expect(sumOf(decision)).toBeLessThanOrEqual(400);
    expect(rateOf(run(controller, 14, 45, CALM), 'a')).toBeLessThan(150);
  });

  it('give a priority, and take a member out of lending', () => {
    const controller = new PoolController(poolPolicy({ totalPerS: 200 }), FOUR);
    const busy = poolSeen({ a: 150, b: 150, c: 150, d: 150 });
    controller.setOverrides([order('d', { priority: 'CRITICAL' })]);
    const decision = run(controller, 0, 41, busy);
    expect(rateOf(decision, 'd')).toBeGreaterThan(1.5 * rateOf(decision, 'a'));
    const idle = new PoolController(poolPolicy(), FOUR);
    const needy: PoolSeen = {
      members: [memberSeen('a', 150, { tokens: 0, deniedPerS: 90 }), memberSeen('b', 0, { tokens: 100 })],
      health: [],
    };
    expect(idle.tick(0, needy).loans.length).toBeGreaterThan(0);
    idle.setOverrides([order('a', { lending: false })]);
    const after = idle.tick(1_000, needy);
    expect(after.loans.filter(({ borrower, why }) => borrower === 'a' && why !== 'reclaim')).toEqual([]);
  });
});

describe('reloads, take-overs and clocks', () => {
  it('writes off loans of members that vanish, keeps what is known of those that stay', () => {
    const controller = new PoolController(poolPolicy(), FOUR);
    run(controller, 0, 12, CALM);
    const needy = [memberSeen('a', 190, { tokens: 0, deniedPerS: 90 }), memberSeen('b', 0, { tokens: 100 })];
    const [loan] = controller.tick(12_000, { members: needy, health: [] }).loans;
    if (loan === undefined) throw new Error('no loan');
    controller.settled({ loanId: loan.loanId, moved: loan.tokens, lost: 0 }, 12_050);
    expect(controller.balanceOf('b')).toBe(loan.tokens);
    const demand = controller.demandOf('a');
    controller.use(poolPolicy(), [...FOUR.filter(({ id }) => id !== 'b'), memberPolicy('e')], 12_100);
    expect(controller.balanceOf('a')).toBe(0);
    expect(controller.loans().filter(({ state }) => state === 'open')).toEqual([]);
    expect(controller.demandOf('a')).toBe(demand);
    const decision = controller.tick(13_000, CALM);
    expect(decision.outputs.map(({ id }) => id)).toEqual(['a', 'c', 'd', 'e']);
    expect(sumOf(decision)).toBeLessThanOrEqual(400);
  });

  it('is inside a smaller total at the tick after a reload', () => {
    const controller = new PoolController(poolPolicy(), FOUR);
    run(controller, 0, 12, CALM);
    controller.use(poolPolicy({ totalPerS: 100, intervalMs: 20_000 }), FOUR, 12_000);
    const decision = controller.tick(12_000, CALM);
    expect(decision.totalPerS).toBe(100);
    expect(sumOf(decision)).toBeLessThanOrEqual(100);
  });

  it('changes no limit by a take-over, and goes on from what was known', () => {
    const first = new PoolController(poolPolicy(), FOUR);
    const busy = poolSeen({ a: 190, b: 10, c: 100, d: 90 });
    const last = run(first, 0, 31, busy);
    const table = tableOf(Object.fromEntries(last.outputs.map(({ id, ratePerS }) => [id, ratePerS])));
    const second = new PoolController(poolPolicy(), FOUR);
    second.restore(first.save(), table, 31_000);
    const decision = second.tick(31_000, busy);
    expect(decision.changed).toBe(false);
    expect(ratesOf(decision)).toEqual(ratesOf(last));
    expect(outputOf(decision, 'a').capacity).toBe(77);
    expect(ratesOf(run(second, 32, 40, busy))).toEqual(ratesOf(last));
    expect(second.demandOf('a')).toBeCloseTo(first.demandOf('a'), 3);
  });

  it('keeps a total that the health of services has lowered, by a take-over', () => {
    const first = new PoolController(poolPolicy(), FOUR);
    const ill = [{ service: 'a', cpu: 0.99, memory: 0.95, errorShare: 0.5, latencyMs: NaN }];
    const seen = { ...poolSeen({ a: 190, b: 90, c: 100, d: 90 }), health: ill };
    const last = run(first, 0, 31, seen);
    expect(last.totalPerS).toBeLessThan(200);
    const table = tableOf(Object.fromEntries(last.outputs.map(({ id, ratePerS }) => [id, ratePerS])));
    const second = new PoolController(poolPolicy(), FOUR);
    second.restore(first.save(), table, 31_000);
    const decision = second.tick(31_000, { ...seen, health: [] });
    expect(decision.totalPerS).toBeCloseTo(last.totalPerS, 6);
    expect(ratesOf(decision)).toEqual(ratesOf(last));
  });

  it.each([
    '',
    'null',
    '[]',
    '{"format":1}',
    '{"format":1,"members":[[1],["a",0,"x",1,1]],"lending":7}',
    '{"format":9}',
    '{"format":1,"members":[],"lending":"","health":[["a"],["b",1,1,1,1,1,1,1,1,1,null],7]}',
  ])('takes over without a state where it is %p', (state) => {
    const controller = new PoolController(poolPolicy(), FOUR);
    controller.restore(state, tableOf({ a: 1e9, b: NaN, c: 50, d: -5 }), 5_000);
    const decision = controller.tick(5_000, CALM);
    expect(decision.state).toBe('normal');
    expect(sumOf(decision)).toBeLessThanOrEqual(400);
    expect(rateOf(decision, 'd')).toBe(0);
  });

  it('holds when the clock steps back, and goes on from there', () => {
    const controller = new PoolController(poolPolicy(), FOUR);
    const before = run(controller, 1_000, 1_015, CALM);
    const moved = run(controller, 500, 505, poolSeen({ a: 190, b: 10, c: 100, d: 90 }));
    expect(ratesOf(moved)).toEqual(ratesOf(before));
    expect(
      rateOf(run(controller, 505, 530, poolSeen({ a: 190, b: 10, c: 100, d: 90 })), 'a'),
    ).toBeGreaterThan(150);
  });

  it('lets one interval pass when the clock leaps ahead, and none when it says no number', () => {
    const controller = new PoolController(poolPolicy({ maxStep: 0.2 }), FOUR);
    const busy = poolSeen({ a: 190, b: 10, c: 100, d: 90 });
    run(controller, 0, 12, CALM);
    const before = run(controller, 12, 19, busy);
    for (let t = 0; t < 30; t += 1) {
      expect(ratesOf(controller.tick(NaN, busy))).toEqual(ratesOf(before));
    }
    const leapt = controller.tick(1e12, busy);
    expect(rateOf(leapt, 'a')).toBeLessThanOrEqual(rateOf(before, 'a') + 20 + 1e-9);
    expect(rateOf(leapt, 'a')).toBeGreaterThan(rateOf(before, 'a'));
  });

  it('reckons with settings that make no sense, and with one id twice', () => {
    const odd: Partial<MemberPolicy> = {
      weight: NaN,
      nominalPerS: NaN,
      minPerS: -4,
      maxPerS: NaN,
      lendable: 9,
    };
    const members = [
      memberPolicy('a', odd),
      memberPolicy('a'),
      memberPolicy('b', { minPerS: 50, maxPerS: 20 }),
    ];
    const decision = run(new PoolController(poolPolicy(), members), 0, 21, poolSeen({ a: 50, b: 500 }));
    expect(decision.state).toBe('normal');
    expect(ratesOf(decision)).toEqual([0, 50]);
  });
});

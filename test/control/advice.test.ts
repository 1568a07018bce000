import fc from 'fast-check';
import type { MemberAdvice, PoolAdvice, PoolDecision, PoolSeen } from '../../src/core/control';
import { PoolController } from '../../src/control/pool-controller';
import { memberPolicy, memberSeen, poolPolicy, poolSeen } from './pool-samples';

const IDS = ['a', 'b', 'c', 'd'];
const members = () => IDS.map((id) => memberPolicy(id, { maxPerS: 400, borrowable: 3 }));
const pool = poolPolicy();
const BUSY = poolSeen({ a: 150, b: 150, c: 150, d: 150 });

const row = (id: string, demandFactor: number, keepFactor = 1): MemberAdvice => ({
  id,
  demandFactor,
  keepFactor,
});
const adviceOf = (madeAtMs: number, ...rows: MemberAdvice[]): PoolAdvice => ({
  model: 'm1',
  madeAtMs,
  members: rows,
});

function run(controller: PoolController, fromS: number, toS: number, seen: PoolSeen = BUSY): PoolDecision {
  let decision = controller.tick(fromS * 1_000, seen);
  for (let s = fromS + 1; s < toS; s += 1) decision = controller.tick(s * 1_000, seen);
  return decision;
}
const outputOf = (decision: PoolDecision, id: string) => {
  const output = decision.outputs.find((each) => each.id === id);
  if (output === undefined) throw new Error(`no output of ${id}`);
  return output;
};
const sumOf = ({ outputs }: PoolDecision) => outputs.reduce((sum, { ratePerS }) => sum + ratePerS, 0);

/** A controller in the middle of its third interval, everyone asking for more than there is. */
function busy(): PoolController {
  const controller = new PoolController(pool, members());
  run(controller, 0, 30);
  return controller;
}

describe('advice on demand', () => {
  it('shifts the shares of the next interval, and the reason tells what the solver alone would have given', () => {
    const controller = busy();
    expect(controller.advise(adviceOf(29_000, row('a', 0.6), row('b', 1)))).toEqual({
      members: 2,
      refused: 0,
      why: [],
    });
    const decision = run(controller, 30, 31);
    expect(outputOf(decision, 'a').ratePerS).toBeCloseTo(90, 0);
    expect(outputOf(decision, 'c').ratePerS).toBeGreaterThan(100);
    expect(outputOf(decision, 'a').reason.advice).toEqual({
      model: 'm1',
      demandFactor: 0.6,
      keepFactor: 1,
      solverPerS: expect.closeTo(100, 6) as number,
    });
    expect(outputOf(decision, 'c').reason).not.toHaveProperty('advice');
    expect(sumOf(decision)).toBeCloseTo(400, 6);
  });

  it('holds for one interval; then the solver decides alone', () => {
    const controller = busy();
    controller.advise(adviceOf(29_000, row('a', 0.6)));
    const held = run(controller, 30, 40);
    expect(outputOf(held, 'a').ratePerS).toBeCloseTo(90, 0);
    const after = run(controller, 40, 41);
    expect(outputOf(after, 'a').ratePerS).toBeCloseTo(100, 6);
    expect(outputOf(after, 'a').reason).not.toHaveProperty('advice');
  });

  it('is gone at the next tick once it is withdrawn', () => {
    const controller = new PoolController(poolPolicy({ cooldownMs: 0 }), members());
    run(controller, 0, 30);
    controller.advise(adviceOf(29_000, row('a', 0.6)));
    run(controller, 30, 33);
    controller.advise(undefined);
    const after = run(controller, 33, 34);
    expect(outputOf(after, 'a').ratePerS).toBeCloseTo(100, 6);
  });

  it('changes nothing where all factors are 1', () => {
    const [plain, advised] = [busy(), busy()];
    advised.advise(adviceOf(29_000, ...IDS.map((id) => row(id, 1))));
    expect(run(advised, 30, 31).outputs.map(({ ratePerS }) => ratePerS)).toEqual(
      run(plain, 30, 31).outputs.map(({ ratePerS }) => ratePerS),
    );
  });
});

describe('advice that is amiss', () => {
  it.each([
    ['NaN', row('a', NaN), 'a: factors are not positive numbers'],
    ['no end', row('a', Infinity), 'a: factors are not positive numbers'],
    ['nothing', row('a', 0), 'a: factors are not positive numbers'],
    ['a negative keep', row('a', 1, -1), 'a: factors are not positive numbers'],
    ['a stranger', row('x', 0.6), 'x: no member of the pool'],
    ['a member twice', row('b', 1.5), 'b: advised twice'],
  ])('is left out where it says %s, and the rest counts', (_, bad, why) => {
    const controller = busy();
    expect(controller.advise(adviceOf(29_000, row('b', 0.6), bad))).toEqual({
      members: 1,
      refused: 1,
      why: [why],
    });
    const decision = run(controller, 30, 31);
    expect(outputOf(decision, 'b').ratePerS).toBeCloseTo(90, 0);
    expect(outputOf(decision, 'a').reason).not.toHaveProperty('advice');
  });

  it.each([0, 60_000, NaN])('is refused whole when it was made for another interval, at %d', (madeAtMs) => {
    const controller = busy();
    const taken = controller.advise(adviceOf(madeAtMs, row('a', 0.6)));
    expect(taken).toMatchObject({ members: 0, refused: 1 });
    expect(taken.why[0]).toContain('another interval');
    expect(outputOf(run(controller, 30, 31), 'a').ratePerS).toBeCloseTo(100, 6);
  });

  it('tells of a few refusals in words however many there are', () => {
    const strangers = Array.from({ length: 1_000 }, (_, at) => row(`stranger ${at}`, 1));
    const taken = busy().advise(adviceOf(29_000, ...strangers));
    expect(taken.refused).toBe(1_000);
    expect(taken.why).toHaveLength(8);
  });

  it.each([
    ['2, the default', undefined, 2],
    ['1.25', 1.25, 1.25],
    ['1 where the bound is none', NaN, 1],
  ])('is bounded by %s', (_, most, expected) => {
    const controller = busy();
    controller.advise(adviceOf(29_000, row('a', 100, 100), row('b', 1e-9, 1e-9)), most);
    const decision = run(controller, 30, 31);
    expect(outputOf(decision, 'a').reason.advice).toMatchObject({
      demandFactor: expected,
      keepFactor: expected,
    });
    expect(outputOf(decision, 'b').reason.advice).toMatchObject({
      demandFactor: 1 / expected,
      keepFactor: 1 / expected,
    });
  });
});

describe('advice on what lenders keep', () => {
  const lent = (keepFactor: number) => {
    const controller = new PoolController(pool, members());
    const calm = poolSeen({ a: 20, b: 100, c: 100, d: 100 });
    run(controller, 0, 30, calm);
    controller.advise(adviceOf(29_000, ...IDS.map((id) => row(id, 1, keepFactor))));
    const seen = {
      ...calm,
      members: calm.members.map((each) =>
        each.id === 'b'
          ? memberSeen('b', 250, { admittedPerS: 150, deniedPerS: 100, tokens: 0 })
          : { ...each, tokens: each.id === 'a' ? 60 : 0 },
      ),
    };
    const { loans } = controller.tick(30_000, seen);
    return loans.reduce((sum, { tokens }) => sum + tokens, 0);
  };

  it('makes them lend more, or less', () => {
    expect(lent(0.5)).toBeGreaterThan(lent(1));
    expect(lent(2)).toBeLessThan(lent(1));
  });
});

describe('any advice whatever', () => {
  const figure = fc.oneof(
    fc.double({ min: 0.01, max: 100, noNaN: true }),
    fc.constantFrom(NaN, Infinity, -1, 0),
  );
  const advised = fc.record({
    id: fc.constantFrom(...IDS, 'x'),
    demandFactor: figure,
    keepFactor: figure,
  });

  it('leaves the sum at most the total, guarantees where there is demand, and every rate in its bounds', () => {
    fc.assert(
      fc.property(
        fc.array(fc.array(advised, { maxLength: 6 }), { minLength: 1, maxLength: 6 }),
        fc.array(fc.double({ min: 0, max: 400, noNaN: true }), { minLength: 4, maxLength: 4 }),
        (intervals, asked) => {
          const policies = [
            memberPolicy('a', { priority: 'LOW', guaranteePerS: 60 }),
            memberPolicy('b', { priority: 'CRITICAL' }),
            memberPolicy('c', { priority: 'HIGH', minPerS: 20 }),
            memberPolicy('d', { maxPerS: 150 }),
          ];
          const controller = new PoolController(pool, policies);
          const seen = poolSeen(Object.fromEntries(IDS.map((id, at) => [id, asked[at] ?? 0])));
          run(controller, 0, 30, seen);
          intervals.forEach((rows, interval) => {
            const atS = 30 + 10 * interval;
            controller.advise({ model: 'm', madeAtMs: (atS - 1) * 1_000, members: rows });
            for (let s = atS; s < atS + 10; s += 1) {
              const { outputs } = controller.tick(s * 1_000, seen);
              expect(outputs.reduce((sum, { ratePerS }) => sum + ratePerS, 0)).toBeLessThanOrEqual(400);
              outputs.forEach(({ ratePerS }, at) => {
                const { minPerS = 0, maxPerS = 0, guaranteePerS = 0 } = policies[at] ?? {};
                expect(ratePerS).toBeGreaterThanOrEqual(
                  Math.max(minPerS, Math.min(guaranteePerS, asked[at] ?? 0)) * (1 - 1e-9),
                );
                expect(ratePerS).toBeLessThanOrEqual(maxPerS);
              });
            }
          });
        },
      ),
      { numRuns: 60 },
    );
  });
});

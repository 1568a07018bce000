import { TrafficPlanner } from '../../src/balance/traffic-planner';
import type { GroupSeen, TargetSeen } from '../../src/core/traffic';
import { pair, Run, SMALL_PER_S, uneven } from './traffic-run';
import {
  group,
  health,
  seenGroup,
  seenTarget,
  target,
  trafficPolicy,
  VIP_AND_DEFAULT,
} from './traffic-samples';

describe('classes', () => {
  const shop = group([target('a'), target('b')], VIP_AND_DEFAULT);
  const seen =
    (perS: number, classes: readonly number[], over: Partial<TargetSeen> = {}) =>
    (nowMs: number): GroupSeen => ({ ...uneven(perS, perS, over)(nowMs), classDemandPerS: classes });

  test('the first stays while the others make room', () => {
    const decision = new Run(shop).for(30, seen(100, [80, 120]));
    // Of what `a` lasts with, VIP traffic takes its 40, the rest has what is left.
    expect(decision.shares[0]?.[0]).toBeCloseTo(0.5, 8);
    expect(decision.shares[1]?.[0]).toBeCloseTo((SMALL_PER_S - 40) / 120, 6);
  });

  test('the first goes when it alone is too much', () => {
    const decision = new Run(shop).for(30, seen(100, [160, 40]));
    expect(decision.shares[0]?.[0]).toBeCloseTo(SMALL_PER_S / 160, 6);
    expect(decision.shares[1]?.[0]).toBeCloseTo(0.01, 6);
    expect(decision.targets[0]?.clamps).toContain('floor');
  });

  test.each<[string, readonly number[]]>([
    ['not known', [NaN, NaN]],
    ['known in part', [80, NaN]],
    ['none', [0, 0]],
    ['no figures at all', []],
  ])('whose demand is %s: all is in default', (_, classes) => {
    const decision = new Run(shop).for(30, seen(100, classes));
    expect(decision.shares[0]?.[0]).toBeCloseTo(0.5, 8);
    expect(decision.shares[1]?.[0]).toBeCloseTo(SMALL_PER_S / 200, 6);
  });

  test('whose demand is not known leave a target that is not well at all', () => {
    const out = { health: health({ out: 1 }) };
    const decision = new Run(shop).for(30, seen(100, [NaN, NaN], out));
    expect(decision.shares.map((row) => row[0])).toEqual([expect.closeTo(0.01, 6), expect.closeTo(0.01, 6)]);
  });
});

describe('what is not known', () => {
  const blind = (nowMs: number) => seenGroup([seenTarget('a', nowMs, NaN), seenTarget('b', nowMs, NaN)]);

  test.each<[string, (nowMs: number) => GroupSeen]>([
    ['nothing', blind],
    ['no target', () => seenGroup([])],
    ['another group', () => seenGroup([], [], 'other')],
    ['what is long past', (nowMs) => uneven(100)(nowMs - 10_001)],
    ['what is far ahead', (nowMs) => uneven(100)(nowMs + 10_001)],
  ])('%s: the configured weights, stale', (_, seen) => {
    const decision = new Run(pair).for(5, seen);
    expect(decision).toMatchObject({ state: 'stale', shares: [[0.5, 0.5]] });
    expect(decision.why).toBe('nothing is known of its targets: the configured weights hold');
    expect(decision.targets.map(({ rule }) => rule)).toEqual(['stale', 'stale']);
  });

  test('moved shares go back slowly, to exactly the configured ones', () => {
    const run = new Run(pair);
    const from = run.for(20, uneven(100)).shares[0]?.[0] ?? NaN;
    const soon = run.for(2, blind);
    expect(soon.state).toBe('stale');
    expect((soon.shares[0]?.[0] ?? NaN) - from).toBeGreaterThan(0.02);
    expect((soon.shares[0]?.[0] ?? NaN) - from).toBeLessThanOrEqual(0.04 + 1e-8);
    expect(run.for(15, blind).shares).toEqual([[0.5, 0.5]]);
  });

  test('without demand only health counts', () => {
    const seen = (out: number) => uneven(NaN, NaN, { tokens: 0, health: health({ out }) });
    expect(new Run(pair).for(20, seen(0)).state).toBe('configured');
    expect(new Run(pair).for(20, seen(1)).shares[0]?.[0]).toBeCloseTo(0.01, 6);
  });

  test('a target that is not seen keeps its part, and is given no more', () => {
    const three = group([target('a'), target('b'), target('c')]);
    const decision = new Run(three).for(20, uneven(100));
    expect(decision.shares[0]?.[2]).toBeCloseTo(1 / 3, 6);
    expect(decision.shares[0]?.[1]).toBeGreaterThan(0.4);
  });
});

describe('moves', () => {
  test('away are at most leavePerS fast', () => {
    const run = new Run(pair);
    run.for(5, uneven(20));
    let before = 0.5;
    for (let k = 0; k < 100; k += 1) {
      const share = run.tick(uneven(200)).shares[0]?.[0] ?? NaN;
      expect(before - share).toBeLessThanOrEqual(0.02 + 1e-8);
      before = share;
    }
    expect(before).toBeLessThan(0.2);
  });

  test('back are at most returnPerS fast, in steps of the dead band', () => {
    const run = new Run(pair);
    run.for(20, uneven(200));
    run.for(10, uneven(20));
    const from = run.tick(uneven(20));
    const to = run.for(5, uneven(20));
    const moved = (to.shares[0]?.[0] ?? NaN) - (from.shares[0]?.[0] ?? NaN);
    expect(moved).toBeGreaterThan(0.08);
    expect(moved).toBeLessThanOrEqual(0.11 + 1e-8);
    expect(to.targets[0]).toMatchObject({ rule: 'moved_off', clamps: ['rate'] });
    expect(to.why).toBe('moves back to the configured weights');
  });

  test.each([-3_600_000, 3_600_000])('pass a tick at most when the clock jumps by %d ms', (byMs) => {
    const run = new Run(pair);
    run.for(5, uneven(20));
    run.for(0.6, uneven(200));
    const before = run.tick(uneven(200)).shares[0]?.[0] ?? NaN;
    expect(before).toBeGreaterThan(0.3);
    const after = run.tick(uneven(200), byMs).shares[0]?.[0] ?? NaN;
    expect(before - after).toBeLessThanOrEqual(0.02 + 1e-8);
  });

  test('under the dead band are left', () => {
    const decision = new Run(pair).for(20, uneven(SMALL_PER_S + 0.5));
    expect(decision).toMatchObject({ state: 'configured', shares: [[0.5, 0.5]] });
    expect(decision.targets[0]).toMatchObject({ rule: 'hold', clamps: ['dead_band'] });
  });

  test('under the dead band are made where they lead home', () => {
    const run = new Run(pair, trafficPolicy({ deadBand: 0.02 }));
    run.for(20, uneven(100));
    const near = run.for(40, uneven(SMALL_PER_S / 0.98)).shares[0]?.[0] ?? NaN;
    expect(near).toBeLessThan(0.499);
    expect(near).toBeGreaterThan(0.481);
    expect(run.for(20, uneven(20))).toMatchObject({ state: 'configured', shares: [[0.5, 0.5]] });
  });

  test('stop at the floor', () => {
    const decision = new Run(pair).for(20, uneven(50, 50, { health: health({ out: 1 }) }));
    expect(decision.shares[0]?.[0]).toBeCloseTo(0.01, 6);
    expect(decision.shares[0]?.[0]).toBeGreaterThanOrEqual(0.01);
    expect(decision.targets[0]).toMatchObject({ rule: 'drained', clamps: ['floor'] });
  });

  test('from an ill target are not slowed by another that is to be left slowly', () => {
    const three = group([target('a'), target('b'), target('c')]);
    const at = (aOut: number, bOut: number) => (nowMs: number) =>
      seenGroup([
        seenTarget('a', nowMs, 30, { health: health({ out: aOut }) }),
        seenTarget('b', nowMs, 30, { health: health({ out: bOut }) }),
        seenTarget('c', nowMs, 30),
      ]);
    const run = new Run(three);
    run.for(20, at(1, 0));
    // `a` is coming home slowly when `b`, which has more than its part, falls out.
    run.for(8, at(0, 0));
    const before = run.tick(at(0, 1)).shares[0]?.[1] ?? NaN;
    const after = run.for(1, at(0, 1)).shares[0]?.[1] ?? NaN;
    expect(before - after).toBeCloseTo(0.2, 3);
  });
});

describe('other settings', () => {
  test('keep the shares of targets and classes that stay', () => {
    const run = new Run(pair);
    const before = run.for(20, uneven(100)).shares;
    run.planner.use(trafficPolicy({ leavePerS: 0.1 }), [pair]);
    const after = run.tick(uneven(100));
    expect(after.shares).toEqual(before);
    expect(after.changed).toBe(false);
  });

  test('keep the shares of every group, and give one of a name that is there twice its own', () => {
    const other = { ...pair, name: 'h' };
    const planner = new TrafficPlanner(trafficPolicy(), [pair, other]);
    const tick = (nowMs: number) => {
      const seen = uneven(100)(nowMs);
      return planner.tick(nowMs, [seen, { ...seen, group: 'h' }]);
    };
    for (let nowMs = 0; nowMs < 20_000; nowMs += 100) tick(nowMs);
    const before = tick(20_000).map(({ shares }) => shares);
    planner.use(trafficPolicy(), [pair, other, pair]);
    const after = tick(20_000).map(({ shares }) => shares);
    expect(after).toEqual([...before, [[0.5, 0.5]]]);
  });

  test('take a new target in at its configured share', () => {
    const run = new Run(pair);
    const before = run.for(20, uneven(100)).shares[0] ?? [];
    run.planner.use(trafficPolicy(), [group([target('a'), target('b'), target('c')])]);
    const after = run.tick(uneven(100)).shares[0] ?? [];
    const ratio = (row: readonly number[]) => (row[0] ?? NaN) / (row[1] ?? NaN);
    expect(ratio(after)).toBeCloseTo(ratio(before), 6);
    expect(after[2]).toBeCloseTo(1 / 3 / (1 + 1 / 3), 6);
  });

  test('hold their new greatest shares at once', () => {
    const run = new Run(pair);
    run.for(20, uneven(100));
    run.planner.use(trafficPolicy(), [group([target('a'), target('b', 1, { maxShare: 0.6 })])]);
    expect(run.tick(uneven(100)).shares[0]?.[1]).toBeLessThanOrEqual(0.6);
  });
});

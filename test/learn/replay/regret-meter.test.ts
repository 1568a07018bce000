/** Recorded arrivals are replayed through the pool's control alone and with advice; a keeper stands on what comes of it. */
import { LearningKeeper } from '../../../src/control/advice/learning-keeper';
import type { MemberAdvice, MemberPolicy, PoolPolicy } from '../../../src/core/control';
import { seededRandom, type Random } from '../../../src/forecast/numeric/random';
import type { RecordedInterval, RecordedTick } from '../../../src/learn/replay/recorded';
import { RegretMeter } from '../../../src/learn/replay/regret-meter';
import type { ReplayAdvisor } from '../../../src/learn/replay/replay-world';
import { poisson } from '../../../src/simulate/arrivals';
import { memberPolicy, poolPolicy } from '../../control/pool-samples';

const INTERVAL_TICKS = 10;
const RULES = { windowMs: 600_000, intervalMs: 10_000, confidence: 0.95 };
const POOL: PoolPolicy = poolPolicy({
  totalPerS: 200,
  lending: { enabled: false, lowWater: 0.2, part: 0.9, atOnce: false },
});
const member = (id: string, priority: MemberPolicy['priority']): MemberPolicy =>
  memberPolicy(id, { priority, maxPerS: 200, nominalCapacity: 10, maxCapacity: 10 });
const MEMBERS = [member('pay', 'CRITICAL'), member('mail', 'LOW')];

/** Advice that is always the same, and counts how often it was asked. */
function always(factors: Readonly<Record<string, number>>): ReplayAdvisor & { asked: number } {
  return {
    asked: 0,
    advise(nowMs) {
      this.asked += 1;
      const rows = Object.entries(factors).map(([id, demandFactor]): MemberAdvice => ({
        id,
        demandFactor,
        keepFactor: 1,
      }));
      return { model: 'm1', madeAtMs: nowMs, members: rows };
    },
    decided: () => undefined,
  };
}

/**
 * What matters jumps from second to second, what does not fills the rest: who holds headroom for the former loses less, and who
 * holds it for the latter more, than one who goes by what was seen.
 */
function interval(index: number, random: Random, members = MEMBERS): RecordedInterval {
  const ticks = Array.from({ length: INTERVAL_TICKS }, (_, tick): RecordedTick => {
    const burst = random.next() < 0.2 ? 3 : 0.6;
    const arrived = members.map(({ priority }) =>
      poisson(priority === 'CRITICAL' ? 60 * burst : 160, random),
    );
    return {
      atMs: (index * INTERVAL_TICKS + tick) * 1_000,
      arrived: Float64Array.from(arrived),
      forecasts: undefined,
      health: [],
    };
  });
  return { policy: POOL, members, queueLimits: new Float64Array(members.length), ticks };
}

function measured(advisor: ReplayAdvisor, intervals: number, seed = 1): RegretMeter {
  const meter = new RegretMeter('m1', advisor, RULES);
  const random = seededRandom(seed);
  for (let index = 0; index < intervals; index += 1) meter.interval(interval(index, random));
  return meter;
}

const BETTER = { pay: 2, mail: 0.5 };
const WORSE = { pay: 0.5, mail: 2 };

test('advice that changes nothing has no regret, and is evidence of nothing', () => {
  const figures = measured(always({ pay: 1, mail: 1 }), 70).figures();
  expect(figures).toMatchObject({
    model: 'm1',
    regret: 0,
    differing: 0,
    pBetter: 1,
    pWorse: 1,
    confident: false,
  });
  expect(figures.solverLoss).toBeGreaterThan(0.05);
  expect(figures.agentLoss).toBe(figures.solverLoss);
});

test('headroom where it matters is found to be better, and the reverse worse, with confidence', () => {
  const better = measured(always(BETTER), 70).figures();
  expect(better.regret).toBeLessThan(-0.01);
  expect(better).toMatchObject({ confident: true, intervals: 60, spans: 15 });
  expect(better.pBetter).toBeLessThan(0.025);
  const worse = measured(always(WORSE), 70).figures();
  expect(worse.regret).toBeGreaterThan(0.02);
  expect(worse.confident).toBe(false);
  expect(worse.pWorse).toBeLessThan(0.025);
});

test('without demand there are no losses', () => {
  const meter = new RegretMeter('m1', always(BETTER), RULES);
  const empty = { ...interval(0, seededRandom(1)) };
  const ticks = empty.ticks.map((tick) => ({ ...tick, arrived: new Float64Array(2).fill(NaN) }));
  for (let index = 0; index < 20; index += 1) meter.interval({ ...empty, ticks });
  expect(meter.figures()).toMatchObject({
    solverLoss: null,
    agentLoss: null,
    regret: null,
    spans: 0,
    pBetter: 1,
  });
});

test('services that come, go and change priority are replayed as they are, and advisors see them', () => {
  const seen: string[] = [];
  const advisor: ReplayAdvisor = {
    advise(_, __, members, { members: looks }) {
      seen.push(looks.map(({ id }, at) => `${id} ${members[at]?.priority}`).join(', '));
      return undefined;
    },
    decided: () => undefined,
  };
  const meter = new RegretMeter('m1', advisor, RULES);
  const random = seededRandom(3);
  const courses = [
    MEMBERS,
    [...MEMBERS, member('web', 'HIGH')],
    [member('pay', 'LOW'), member('web', 'HIGH')],
    [],
    MEMBERS,
  ];
  courses.forEach((members, at) => {
    for (let index = 0; index < 5; index += 1) meter.interval(interval(5 * at + index, random, members));
  });
  expect([...new Set(seen)]).toEqual([
    'pay CRITICAL, mail LOW',
    'pay CRITICAL, mail LOW, web HIGH',
    'pay LOW, web HIGH',
    '',
  ]);
  expect(meter.figures().regret).toBe(0);
});

test('queues hold what a rule lets wait', () => {
  const one = interval(0, seededRandom(1));
  const held = { ...one, queueLimits: new Float64Array(2).fill(1e6) };
  const meter = new RegretMeter('m1', always(BETTER), RULES);
  for (let index = 0; index < 10; index += 1) meter.interval(held);
  expect(meter.figures().solverLoss).toBe(0);
});

describe('the keeper over replayed days', () => {
  function course(
    advisor: ReplayAdvisor,
    seed: number,
    intervals: number,
  ): { promoted: number[]; demoted: number[] } {
    const keeper = new LearningKeeper({
      burnInMs: 900_000,
      windowMs: RULES.windowMs,
      confidence: RULES.confidence,
    });
    const meter = new RegretMeter('m1', advisor, RULES);
    const random = seededRandom(seed);
    const [promoted, demoted]: [number[], number[]] = [[], []];
    for (let index = 0; index < intervals; index += 1) {
      meter.interval(interval(index, random));
      const { moved } = keeper.next(index * RULES.intervalMs, {
        configured: 'shadow',
        pool: 'active',
        order: undefined,
        model: 'm1',
        regret: meter.figures(),
        fault: undefined,
      });
      if (moved === 'promoted') promoted.push(index);
      if (moved === 'demoted') demoted.push(index);
    }
    return { promoted, demoted };
  }

  test('a model that is better is promoted after its burn-in, once, whatever the seed', () => {
    for (const seed of [1, 2, 3]) {
      const { promoted, demoted } = course(always(BETTER), seed, 200);
      expect(promoted).toHaveLength(1);
      expect(promoted[0]).toBeGreaterThanOrEqual(90);
      expect(demoted).toEqual([]);
    }
  });

  test('one that is worse never is', () => {
    for (const seed of [1, 2, 3]) expect(course(always(WORSE), seed, 300).promoted).toEqual([]);
  });

  test('nor, but for the chance that the confidence allows, one whose advice is noise', () => {
    let promoted = 0;
    const seeds = 8;
    for (let seed = 1; seed <= seeds; seed += 1) {
      const noise = seededRandom(100 + seed);
      let factors = { pay: 1, mail: 1 };
      let asked = 0;
      const advisor: ReplayAdvisor = {
        advise(nowMs) {
          if (asked++ % INTERVAL_TICKS === 0)
            factors = { pay: 0.9 + 0.2 * noise.next(), mail: 0.9 + 0.2 * noise.next() };
          return always(factors).advise(nowMs, POOL, MEMBERS, { members: [], health: [] });
        },
        decided: () => undefined,
      };
      promoted += course(advisor, seed, 400).promoted.length > 0 ? 1 : 0;
    }
    expect(promoted).toBeLessThanOrEqual(2);
  });

  test('one that was good loses its place soon after it has become bad', () => {
    const factors = { ...BETTER };
    const advisor = always(factors);
    const keeper = new LearningKeeper({
      burnInMs: 0,
      windowMs: RULES.windowMs,
      confidence: RULES.confidence,
    });
    const meter = new RegretMeter('m1', advisor, RULES);
    const random = seededRandom(5);
    let active = false;
    let badSince = -1;
    let demotedAt = -1;
    for (let index = 0; index < 300 && demotedAt < 0; index += 1) {
      if (active && badSince < 0 && index >= 100) {
        Object.assign(factors, WORSE);
        badSince = index;
      }
      meter.interval(interval(index, random));
      const state = keeper.next(index * RULES.intervalMs, {
        configured: 'shadow',
        pool: 'active',
        order: undefined,
        model: 'm1',
        regret: meter.figures(),
        fault: undefined,
      });
      active = state.mode === 'active';
      if (state.moved === 'demoted') demotedAt = index;
    }
    expect(badSince).toBeGreaterThan(0);
    expect(demotedAt - badSince).toBeGreaterThan(0);
    expect(demotedAt - badSince).toBeLessThanOrEqual(45);
  });
});

/** A model earns its place by evidence, at most once a window, and loses it at the look that sees why. */
import { LearningKeeper, lesser, type LearningInputs } from '../../../src/control/advice/learning-keeper';
import { normalTail } from '../../../src/control/advice/normal-tail';
import type { RegretFigures } from '../../../src/core/learning';
import { POOL_MODES, type PoolMode } from '../../../src/core/control';

const WINDOW_MS = 600_000;
const STEP_MS = 10_000;
const RULES = { burnInMs: 3_600_000, windowMs: WINDOW_MS, confidence: 0.95 };

function figures(changes: Partial<RegretFigures> = {}): RegretFigures {
  return {
    model: 'm1',
    windowMs: WINDOW_MS,
    intervals: 60,
    measuredMs: 0,
    solverLoss: 0.1,
    agentLoss: 0.08,
    regret: -0.02,
    pBetter: 1e-6,
    pWorse: 1,
    spans: 60,
    differing: 40,
    recentRegret: -0.02,
    recentDiffering: 5,
    confident: true,
    ...changes,
  };
}

const WORSE: Partial<RegretFigures> = {
  agentLoss: 0.13,
  regret: 0.03,
  pBetter: 1,
  pWorse: 1e-6,
  recentRegret: 0.03,
};

/** A pool whose regret is what `evidence` says, from the time that was measured. */
function pool(rules = RULES, evidence: (measuredMs: number) => Partial<RegretFigures> = () => ({})) {
  const keeper = new LearningKeeper(rules);
  let nowMs = 0;
  return {
    keeper,
    look(changes: Partial<LearningInputs> = {}) {
      nowMs += STEP_MS;
      const { model = 'm1' } = changes;
      return keeper.next(nowMs, {
        configured: 'shadow',
        pool: 'active',
        order: undefined,
        model,
        regret: figures({ model, measuredMs: nowMs, ...evidence(nowMs) }),
        fault: undefined,
        ...changes,
      });
    },
    run(forMs: number, changes: Partial<LearningInputs> = {}): PoolMode[] {
      return Array.from({ length: forMs / STEP_MS }, () => this.look(changes).mode);
    },
  };
}

test('a better model is promoted once it has burnt in, by itself, and stays', () => {
  const one = pool();
  expect(new Set(one.run(RULES.burnInMs))).toEqual(new Set(['shadow']));
  const promoted = one.look();
  expect(promoted).toMatchObject({ mode: 'active', moved: 'promoted' });
  expect(promoted.why).toContain('2.00 % of all demand less');
  expect(new Set(one.run(RULES.burnInMs))).toEqual(new Set(['active']));
});

test.each<[string, Partial<RegretFigures>]>([
  ['another model', { model: 'm0' }],
  ['too few intervals', { intervals: 29 }],
  ['a gain under three hundredths of the loss', { regret: -0.0029, agentLoss: 0.0971 }],
  ['too few spans', { spans: 14 }],
  ['too few spans that differ', { differing: 9 }],
  ['a gain of no account', { regret: -0.0005 }],
  ['no demand', { solverLoss: null, agentLoss: null, regret: null }],
  ['no confidence', { pBetter: 0.03 }],
  ['figures that are none', { regret: NaN, pBetter: NaN }],
  ['a model that is worse', WORSE],
])('evidence of %s promotes nothing', (_, changes) => {
  const one = pool({ ...RULES, burnInMs: 0 }, () => changes);
  expect(new Set(one.run(40 * WINDOW_MS))).toEqual(new Set(['shadow']));
});

test('evidence is looked at once a window, and each look asks for more than the last', () => {
  const one = pool({ ...RULES, burnInMs: 0 }, () => ({ pBetter: 0.5 }));
  expect(one.keeper.allowance).toBeCloseTo(0.025, 12);
  one.run(3 * WINDOW_MS);
  expect(one.keeper.counts.looks).toBe(3);
  expect(one.keeper.allowance).toBeCloseTo(0.05 / 20, 12);
});

test('of models of no use that are tried for 50 windows no more are ever promoted than the confidence allows', () => {
  // A splitmix-like generator: looks of a model that makes no difference give uniform probabilities.
  let state = 1;
  const uniform = (): number => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state / 2 ** 32;
  };
  let promoted = 0;
  const models = 1_000;
  for (let model = 0; model < models; model += 1) {
    const keeper = new LearningKeeper({ ...RULES, burnInMs: 0 });
    for (let window = 1; window <= 50; window += 1) {
      const regret = figures({ measuredMs: window * WINDOW_MS, pBetter: uniform() });
      const state = keeper.next(window * 60_000, {
        configured: 'shadow',
        pool: 'active',
        order: undefined,
        model: 'm1',
        regret,
        fault: undefined,
      });
      if (state.moved === 'promoted') {
        promoted += 1;
        break;
      }
    }
  }
  // 5 of 100 with three standard deviations.
  expect(promoted).toBeLessThanOrEqual(models * 0.05 + 3 * Math.sqrt(models * 0.05 * 0.95));
  expect(promoted).toBeGreaterThan(models * 0.02);
});

test.each<[string, Partial<LearningInputs>, string]>([
  ['a fault', { fault: 'a factor of NaN is no advice' }, 'NaN'],
  ['a regret with confidence', { regret: figures(WORSE) }, 'with confidence'],
  [
    'a regret of late that needs no test',
    { regret: figures({ recentRegret: 0.06, recentDiffering: 3 }) },
    'of late',
  ],
])('%s takes the place away at the look that sees it', (_, change, why) => {
  const one = pool({ ...RULES, burnInMs: 0 });
  expect(one.run(WINDOW_MS).at(-1)).toBe('active');
  const state = one.look(change);
  expect(state).toMatchObject({ mode: 'shadow', moved: 'demoted' });
  expect(state.why).toContain(why);
});

test('after a demotion it cools down, twice as long each time, and only what was measured since counts', () => {
  const one = pool({ ...RULES, burnInMs: 0 });
  const untilActive = (): number => {
    for (let looks = 1; looks < 10_000; looks += 1) if (one.look().mode === 'active') return looks * STEP_MS;
    return Infinity;
  };
  one.run(WINDOW_MS);
  const waits = [1, 2, 3, 4].map(() => {
    one.look({ fault: 'drift' });
    return untilActive();
  });
  expect(waits).toEqual([1, 2, 4, 8].map((windows) => windows * WINDOW_MS));
});

test('the lesser of the modes of the pool and of learning applies; evidence goes on', () => {
  for (const a of POOL_MODES) for (const b of POOL_MODES) expect([a, b]).toContain(lesser(a, b));
  const one = pool({ ...RULES, burnInMs: 0 });
  expect(one.run(2 * WINDOW_MS, { pool: 'shadow' }).at(-1)).toBe('shadow');
  expect(one.look({ pool: 'active' }).mode).toBe('active');
  expect(one.look({ pool: 'off' }).mode).toBe('off');
  expect(one.look({ configured: 'off' }).mode).toBe('off');
  const none = new LearningKeeper(RULES);
  const inputs = {
    configured: 'active',
    pool: 'active',
    order: undefined,
    regret: undefined,
    fault: undefined,
  } as const;
  expect(none.next(0, { ...inputs, model: undefined })).toMatchObject({
    mode: 'shadow',
    why: 'there is no model',
  });
});

test('what is configured as active begins active, loses its place like any other, and has to earn it back', () => {
  const one = pool();
  expect(one.look({ configured: 'active' }).mode).toBe('active');
  expect(one.look({ configured: 'active', fault: 'drift' }).mode).toBe('shadow');
  expect(new Set(one.run(WINDOW_MS - STEP_MS, { configured: 'active' }))).toEqual(new Set(['shadow']));
});

test('a person may order it, hold it in shadow, and let evidence decide again', () => {
  const order = (mode: PoolMode | 'auto', setAtMs: number) => ({
    mode,
    author: 'ada',
    reason: 'a try',
    setAtMs,
  });
  const one = pool();
  expect(one.look({ order: order('active', 1) })).toMatchObject({
    mode: 'active',
    why: 'ordered by ada: a try',
  });
  expect(one.look({ order: order('active', 1), fault: 'NaN' }).mode).toBe('shadow');
  expect(one.look({ order: order('active', 1) }).mode).toBe('shadow');
  expect(one.look({ order: order('active', 2) }).mode).toBe('active');
  const held = one.run(2 * RULES.burnInMs, { order: order('shadow', 3) });
  expect(new Set(held)).toEqual(new Set(['shadow']));
  expect(one.look({ order: order('off', 4) }).mode).toBe('off');
  expect(one.run(2 * WINDOW_MS, { order: order('auto', 5) }).at(-1)).toBe('active');
});

test('a new model begins in shadow with a burn-in; when it is demoted for regret, the one before it is named', () => {
  const one = pool({ ...RULES, burnInMs: 2 * WINDOW_MS });
  one.run(3 * WINDOW_MS);
  expect(one.look().mode).toBe('active');
  const burning = one.run(2 * WINDOW_MS - STEP_MS, { model: 'm2' });
  expect(new Set(burning)).toEqual(new Set(['shadow']));
  one.run(WINDOW_MS, { model: 'm2' });
  expect(one.look({ model: 'm2' }).mode).toBe('active');
  expect(one.look({ model: 'm2', regret: figures({ ...WORSE, model: 'm2' }) })).toMatchObject({
    mode: 'shadow',
    rollback: 'm1',
  });
});

test('who takes over goes on with a model that was promoted, and begins in shadow with another', () => {
  const same = pool();
  expect(same.look({ published: { model: 'm1', mode: 'active' } }).mode).toBe('active');
  expect(same.look().mode).toBe('active');
  const other = pool();
  expect(other.look({ published: { model: 'm0', mode: 'active' } }).mode).toBe('shadow');
  expect(other.look().mode).toBe('shadow');
  const demoted = pool();
  expect(demoted.look({ configured: 'active', published: { model: 'm1', mode: 'shadow' } }).mode).toBe(
    'shadow',
  );
  expect(demoted.look({ configured: 'active' }).mode).toBe('shadow');
});

test('tails of the normal distribution', () => {
  expect(normalTail(0)).toBeCloseTo(0.5, 6);
  expect(normalTail(1.644_853_6)).toBeCloseTo(0.05, 6);
  expect(normalTail(-1.644_853_6)).toBeCloseTo(0.95, 6);
  expect(normalTail(4.753_424_3) / 1e-6).toBeCloseTo(1, 4);
  expect(normalTail(NaN)).toBe(1);
});

test('what is measured anew, since its thread died, has to fill a window again', () => {
  const keeper = new LearningKeeper({ ...RULES, burnInMs: 0 });
  const look = (atMs: number, measuredMs: number) =>
    keeper.next(atMs, {
      configured: 'shadow',
      pool: 'active',
      order: undefined,
      model: 'm1',
      regret: figures({ measuredMs, pBetter: measuredMs > WINDOW_MS ? 1e-6 : 0.5 }),
      fault: undefined,
    });
  look(0, 0);
  look(WINDOW_MS, WINDOW_MS);
  expect(keeper.counts.looks).toBe(1);
  look(1.1 * WINDOW_MS, 10_000);
  look(1.2 * WINDOW_MS, WINDOW_MS - 1);
  expect(keeper.counts.looks).toBe(1);
  look(1.3 * WINDOW_MS, WINDOW_MS);
  expect(keeper.counts.looks).toBe(2);
});

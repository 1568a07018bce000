/** Learning in a pool's runner: the fault table of the chain. Whatever fails, the next tick is the solver's, and it is told. */
import type { ModelAdvisor } from '../../../src/app/control/learning/model-advisor';
import { PoolLearning, type PoolLearningParts } from '../../../src/app/control/learning/pool-learning';
import { PoolController } from '../../../src/control/pool-controller';
import type {
  MemberForecast,
  MemberPolicy,
  MemberSeen,
  PoolAdvice,
  PoolMode,
} from '../../../src/core/control';
import type { ControlEvent } from '../../../src/core/control-desk';
import type { LearningOrder, PublishedLearning, RegretFigures } from '../../../src/core/learning';
import { memberPolicy, memberSeen, poolPolicy } from '../../control/pool-samples';

const POLICY = poolPolicy({ intervalMs: 1_000 });
const MEMBERS = [memberPolicy('a', { priority: 'CRITICAL' }), memberPolicy('b')];
const TICK_MS = 1_000;
const LOGGER = {
  debug: () => undefined,
  info: () => undefined,
  warn: () => undefined,
  error: () => undefined,
};

/** A pool with a model that is followed, and every handle that can break it. */
function pool(mode: PoolMode = 'active') {
  let nowMs = 1_000_000;
  let preciseMs = 0;
  const broken = {
    factor: 1.2,
    throws: false,
    tookMs: 0.1,
    outOfRange: 0,
    anomalous: 0,
    drifted: new Set<string>(),
    forecasts: true,
    ageMs: 0,
    heard: true,
    unwatched: '',
    madeAtMs: 0,
    regret: undefined as RegretFigures | undefined,
  };
  const events: ControlEvent[] = [];
  const used: (string | undefined)[] = [];
  const seenBy: (readonly string[])[] = [];
  const advisor: ModelAdvisor = {
    get outOfRange() {
      return broken.outOfRange;
    },
    advise: (atMs, _, members): PoolAdvice => {
      preciseMs += broken.tookMs;
      if (broken.throws) throw new Error('the weights are gone');
      seenBy.push(members.map(({ id, priority }) => `${id} ${priority}`));
      const rows = members.map(({ id }) => ({ id, demandFactor: broken.factor, keepFactor: 1 }));
      return { model: 'm1', madeAtMs: atMs + broken.madeAtMs, members: rows };
    },
    decided: () => undefined,
    explains: 2,
    terms: () => [
      { name: 'queue', value: 1, effect: 0.01 },
      { name: 'forecast', value: 2, effect: -0.3 },
      { name: 'hour', value: 0, effect: 0 },
    ],
  };
  const parts: PoolLearningParts = {
    rules: { mode, burnInMs: 0, windowMs: 60_000, confidence: 0.95, maxFactor: 2 },
    watch: {
      use: (_, model) => void used.push(model?.version),
      interval: () => undefined,
      figures: () => broken.regret,
      unwatched: () => broken.unwatched,
    },
    advisorOf: () => advisor,
    modelOf: (version) => Promise.resolve({ version, text: '{}' }),
    drifted: (id) => broken.drifted.has(id),
    tell: (event) => void events.push(event),
    logger: LOGGER,
    nowMs: () => nowMs,
    preciseMs: () => preciseMs,
  };
  const learning = new PoolLearning(POLICY, parts);
  const controller = new PoolController(POLICY, MEMBERS);
  let members: readonly MemberPolicy[] = MEMBERS;
  learning.use({ policy: POLICY, members: members, queueLimits: new Float64Array(members.length) });
  learning.useModel({ version: 'm1', text: '{}' }, '');
  const told = {
    order: undefined as LearningOrder | undefined,
    published: undefined as PublishedLearning | undefined,
  };
  const tick = (poolMode: PoolMode = 'active') => {
    nowMs += TICK_MS;
    const forecast = (at: number): MemberForecast | undefined =>
      broken.forecasts
        ? { madeAtMs: nowMs - broken.ageMs, meanPerS: 100, upperPerS: 120, anomalous: at < broken.anomalous }
        : undefined;
    const seen = members.map(({ id }, at): MemberSeen =>
      broken.heard
        ? memberSeen(id, 100, { forecast: forecast(at) })
        : memberSeen(id, NaN, { admittedPerS: NaN, forecast: forecast(at) }),
    );
    const advised = learning.before(
      nowMs,
      { members: seen, health: [] },
      poolMode,
      told.order,
      told.published,
    );
    controller.advise(advised.advice, learning.maxFactor);
    const decision = controller.tick(nowMs, advised.seen);
    learning.after(decision);
    return { advised, decision };
  };
  const useMembers = (next: readonly MemberPolicy[]): void => {
    members = next;
    controller.use(POLICY, next, nowMs);
    learning.use({ policy: POLICY, members: next, queueLimits: new Float64Array(next.length) });
  };
  const run = (ticks: number): void => {
    for (let at = 0; at < ticks; at += 1) tick();
  };
  return { broken, events, learning, tick, run, told, used, useMembers, seenBy };
}

type Pool = ReturnType<typeof pool>;

test('a model that may be followed is, and the decision says what the solver would have done', () => {
  const one = pool();
  one.run(3);
  expect(one.learning.level).toBe('ppo');
  const { decision } = one.tick();
  expect(decision.outputs[0]?.reason.advice).toMatchObject({ model: 'm1', demandFactor: 1.2 });
  const { advice } = one.learning.view(true);
  expect(advice[0]).toMatchObject({ id: 'a', demandFactor: 1.2, ratePerS: decision.outputs[0]?.ratePerS });
  expect(advice[0]?.solverPerS).toBeGreaterThan(0);
  expect(advice[0]?.terms.map(({ name }) => name)).toEqual(['forecast', 'queue']);
  expect(one.learning.view(false).advice).toEqual([]);
});

const FAULTS: readonly [string, (broken: Pool['broken']) => void, string, string, PoolMode][] = [
  ['NaN weights', (broken) => void (broken.factor = NaN), 'forecast', 'insane', 'shadow'],
  ['a factor beyond its bound', (broken) => void (broken.factor = 5), 'forecast', 'insane', 'shadow'],
  ['a model that fails', (broken) => void (broken.throws = true), 'forecast', 'insane', 'shadow'],
  ['a slow model', (broken) => void (broken.tookMs = 50), 'forecast', 'slow', 'active'],
  ['advice of an old interval', (broken) => void (broken.madeAtMs = -5_000), 'forecast', 'late', 'active'],
  ['figures out of range', (broken) => void (broken.outOfRange = 0.5), 'forecast', 'out_of_range', 'shadow'],
  ['anomalies', (broken) => void (broken.anomalous = 1), 'forecast', 'anomaly', 'shadow'],
  ['drift', (broken) => void broken.drifted.add('b'), 'forecast', 'drift', 'shadow'],
  ['a slow thread', (broken) => void (broken.unwatched = 'late'), 'forecast', 'unwatched', 'shadow'],
  ['a dead thread', (broken) => void (broken.unwatched = 'it ended'), 'forecast', 'unwatched', 'shadow'],
  ['stale forecasts', (broken) => void (broken.ageMs = 400_000), 'last', 'no_forecast', 'active'],
  ['no forecasts', (broken) => void (broken.forecasts = false), 'last', 'no_forecast', 'active'],
  ['a tick without telemetry', (broken) => void (broken.heard = false), 'forecast', 'no_telemetry', 'active'],
];

test.each(FAULTS)(
  '%s: switched at that tick, told, and the solver decides',
  (_, breaks, level, reason, mode) => {
    const one = pool();
    one.run(3);
    one.events.length = 0;
    breaks(one.broken);
    const { advised, decision } = one.tick();
    expect([one.learning.level, one.learning.mode]).toEqual([level, mode]);
    expect(advised.advice).toBeUndefined();
    expect(decision.outputs.every(({ reason: why }) => why.advice === undefined)).toBe(true);
    expect(advised.seen.members.some(({ forecast }) => forecast !== undefined)).toBe(level === 'forecast');
    const switches = one.events.map(({ kind, data }) => [kind, (data as { reason?: string }).reason]);
    expect(switches).toContainEqual(['learning', reason]);
    expect(one.learning.view(false).counts[reason]).toBe(1);
    expect(one.learning.view(false).switches[0]?.from).toBe('ppo');
  },
);

test('without telemetry the configured shares hold in the end, at the tick at which the solver gives up', () => {
  const one = pool();
  one.run(3);
  one.broken.heard = false;
  const states: string[] = [];
  for (let at = 0; at < 12; at += 1) {
    const { decision } = one.tick();
    states.push(`${decision.state} ${one.learning.level}`);
  }
  expect(new Set(states)).toEqual(new Set(['normal forecast', 'fallback configured']));
  one.broken.heard = true;
  one.run(3);
  expect(one.learning.level).not.toBe('configured');
  one.run(6);
  expect(one.learning.level).toBe('ppo');
});

test('a passing fault keeps the model away for the calm time, no longer', () => {
  const one = pool();
  one.run(3);
  one.broken.tookMs = 50;
  one.tick();
  one.broken.tookMs = 0.1;
  const levels = Array.from({ length: 7 }, () => {
    one.tick();
    return one.learning.level;
  });
  expect(levels).toEqual(['forecast', 'forecast', 'forecast', 'forecast', 'ppo', 'ppo', 'ppo']);
});

test('in shadow the model is asked and watched, but never followed, whatever it says', () => {
  const one = pool('shadow');
  for (let at = 0; at < 5; at += 1) expect(one.tick().advised.advice).toBeUndefined();
  expect(one.learning.view(true)).toMatchObject({ mode: 'shadow', level: 'forecast', model: 'm1' });
  expect(one.learning.view(true).advice[0]).toMatchObject({ demandFactor: 1.2, solverPerS: null });
  const off = pool('off');
  off.run(3);
  expect(off.learning.view(true)).toMatchObject({ mode: 'off', level: 'forecast', advice: [] });
});

test('services that appear, vanish and change priority are advised as they are', () => {
  const one = pool();
  one.run(2);
  one.useMembers([...MEMBERS, memberPolicy('c', { priority: 'LOW' })]);
  expect(one.tick().decision.outputs).toHaveLength(3);
  one.useMembers([memberPolicy('b', { priority: 'CRITICAL' })]);
  const { decision } = one.tick();
  expect(decision.outputs.map(({ id }) => id)).toEqual(['b']);
  expect(one.seenBy.at(-1)).toEqual(['b CRITICAL']);
  one.useMembers([]);
  one.run(2);
  expect(one.learning.view(true).advice).toEqual([]);
});

test('a person takes it out of service at the next tick, and back', () => {
  const one = pool();
  one.run(3);
  one.told.order = { pool: 'pool', mode: 'shadow', author: 'ada', reason: 'odd', setAtMs: 1 };
  one.tick();
  expect(one.learning.view(false)).toMatchObject({
    mode: 'shadow',
    level: 'forecast',
    order: { author: 'ada' },
  });
  one.told.order = { pool: 'pool', mode: 'active', author: 'ada', reason: 'well', setAtMs: 2 };
  one.tick();
  expect(one.learning.level).toBe('ppo');
});

test('a regret demotes at the tick that sees it; with an older model that held its place, that one comes back', async () => {
  const regret = (changes: Partial<RegretFigures>): RegretFigures => ({
    model: 'm1',
    windowMs: 60_000,
    intervals: 60,
    measuredMs: 60_000,
    solverLoss: 0.1,
    agentLoss: 0.05,
    regret: -0.05,
    pBetter: 1e-6,
    pWorse: 1,
    spans: 60,
    differing: 60,
    recentRegret: -0.05,
    recentDiffering: 6,
    confident: true,
    ...changes,
  });
  const one = pool('shadow');
  one.broken.regret = regret({});
  one.run(2);
  expect(one.learning.mode).toBe('active');
  one.learning.useModel({ version: 'm2', text: '{}' }, 'trained');
  one.run(1);
  expect(one.learning.mode).toBe('shadow');
  one.broken.regret = regret({ model: 'm2' });
  one.run(2);
  expect(one.learning.mode).toBe('active');
  one.broken.regret = regret({ model: 'm2', recentRegret: 0.2 });
  const { advised } = one.tick();
  expect([one.learning.mode, one.learning.level, advised.advice]).toEqual(['shadow', 'forecast', undefined]);
  await Promise.resolve();
  await Promise.resolve();
  expect(one.learning.view(false)).toMatchObject({
    model: 'm1',
    modelWhy: expect.stringContaining('demoted') as string,
  });
  expect(one.used).toEqual(['m1', 'm2', 'm1']);
});

test('who takes over goes on with what was published of the same model', () => {
  const one = pool('shadow');
  one.told.published = { model: 'm1', mode: 'active' };
  one.run(2);
  one.told.published = undefined;
  one.run(2);
  expect(one.learning.mode).toBe('active');
  expect(one.learning.published).toEqual({ model: 'm1', mode: 'active' });
});

test('a model that cannot be used is told of, and the one in use stays', () => {
  const one = pool();
  const learning = new PoolLearning(POLICY, {
    rules: { mode: 'active', burnInMs: 0, windowMs: 60_000, confidence: 0.95, maxFactor: 2 },
    watch: { use: () => undefined, interval: () => undefined, figures: () => undefined, unwatched: () => '' },
    advisorOf: () => {
      throw new Error('it is damaged');
    },
    modelOf: () => Promise.reject(new Error('gone')),
    drifted: () => false,
    tell: (event) => void one.events.push(event),
    logger: LOGGER,
    nowMs: () => 0,
    preciseMs: () => 0,
  });
  learning.useModel({ version: 'bad', text: '?' }, '');
  expect(learning.view(false)).toMatchObject({
    model: null,
    modelWhy: expect.stringContaining('damaged') as string,
  });
  expect(one.events.at(-1)).toMatchObject({ kind: 'learning', data: { what: 'model' } });
});

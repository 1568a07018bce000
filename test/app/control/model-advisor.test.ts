/** Models as they are used in service: read with doubt, quick, and able to say what moved them. */
import { advisorOf } from '../../../src/app/control/learning/model-advisor';
import { RegretBench } from '../../../src/app/control/learning/regret-bench';
import type { MemberPolicy } from '../../../src/core/control';
import { TidegateError } from '../../../src/core/errors';
import { ALLOCATION_NAMES, ALLOCATION_SHAPE } from '../../../src/learn/allocation/features';
import { writeModel } from '../../../src/learn/model/model';
import { PpoLearner } from '../../../src/learn/ppo/learner';
import { memberPolicy, memberSeen, poolPolicy } from '../../control/pool-samples';

const RULES = { windowMs: 60_000, intervalMs: 1_000, confidence: 0.95, maxFactor: 2 };
const POLICY = poolPolicy({ intervalMs: 1_000, totalPerS: 5_000 });
const facts = { seed: 1, settings: {}, data: {}, scores: {} };

function codeOf(act: () => unknown): string {
  try {
    act();
  } catch (thrown) {
    return TidegateError.from(thrown).code;
  }
  return '';
}

/** A network that has learned nothing yet: it says something of everything. */
const actor = new PpoLearner(ALLOCATION_SHAPE, { lastGain: 1 }, 7).actor();
const TEXT = JSON.stringify(writeModel(actor, ALLOCATION_NAMES, facts));

function members(count: number): readonly MemberPolicy[] {
  return Array.from({ length: count }, (_, at) =>
    memberPolicy(`s${at}`, { priority: at % 2 === 0 ? 'CRITICAL' : 'LOW', maxPerS: 1_000 }),
  );
}

function advised(count: number, ticks = 4) {
  const advisor = advisorOf({ version: 'm1', text: TEXT }, RULES);
  const all = members(count);
  let advice;
  for (let tick = 0; tick < ticks; tick += 1) {
    const seen = all.map(({ id }, at) => memberSeen(id, 40 + 7 * at + 3 * tick, { deniedPerS: at }));
    advice = advisor.advise(1_000 * tick, POLICY, all, { members: seen, health: [] });
  }
  return { advisor, advice, all };
}

test('advice is of every member, within the bound, and of the model', () => {
  const { advice } = advised(8);
  expect(advice?.model).toBe('m1');
  expect(advice?.members.map(({ id }) => id)).toEqual(members(8).map(({ id }) => id));
  for (const { demandFactor, keepFactor } of advice?.members ?? [])
    for (const factor of [demandFactor, keepFactor]) {
      expect(factor).toBeGreaterThanOrEqual(0.5);
      expect(factor).toBeLessThanOrEqual(2);
    }
});

test('what moved it is named, with figures, and asking changes nothing', () => {
  const { advisor, advice } = advised(4);
  const terms = advisor.terms('s1');
  expect(terms.map(({ name }) => name)).toEqual([
    ...ALLOCATION_NAMES.perService,
    ...ALLOCATION_NAMES.global.map((name) => `all.${name}`),
  ]);
  expect(terms.some(({ effect }) => Math.abs(effect) > 1e-6)).toBe(true);
  expect(terms.every(({ value, effect }) => Number.isFinite(value) && Number.isFinite(effect))).toBe(true);
  expect(advisor.terms('s1')).toEqual(terms);
  expect(advisor.terms('nobody')).toEqual([]);
  const again = advised(4).advice;
  expect(again).toEqual(advice);
});

test('members that are explained at once are bounded by what it costs', () => {
  expect(advised(4).advisor.explains).toBeGreaterThanOrEqual(4);
  const { explains } = advised(100).advisor;
  expect(explains).toBeGreaterThan(0);
  expect(explains).toBeLessThan(10);
});

test('advice for 50 services takes less than a millisecond', () => {
  const { advisor, all } = advised(50);
  const seen = { members: all.map(({ id }) => memberSeen(id, 50)), health: [] };
  // The quickest of many: the others tell of a machine that is busy.
  const times = Array.from({ length: 300 }, (_, at) => {
    const fromMs = performance.now();
    advisor.advise(10_000 + 1_000 * at, POLICY, all, seen);
    return performance.now() - fromMs;
  });
  expect(Math.min(...times)).toBeLessThan(1);
});

test.each<[string, string]>([
  ['no JSON', '{'],
  ['nothing', 'null'],
  ['another format', JSON.stringify({ format: 'pickle' })],
  ['one bit changed', TEXT.replace('"seed":1', '"seed":2')],
  ['cut off', TEXT.slice(0, -100)],
  [
    'a model of other features',
    JSON.stringify(
      writeModel(actor, { ...ALLOCATION_NAMES, actions: [...ALLOCATION_NAMES.actions].reverse() }, facts),
    ),
  ],
])('%s is refused, in service and in the thread', (_, text) => {
  const model = { version: 'm1', text };
  expect(codeOf(() => advisorOf(model, RULES))).toMatch(/^TG_LEARN_/);
  const bench = new RegretBench(advisorOf);
  bench.take({ kind: 'model', pool: 'p', model, rules: RULES });
  const recorded = { policy: POLICY, members: [], queueLimits: new Float64Array(0), ticks: [] };
  expect(bench.take({ kind: 'interval', pool: 'p', id: 1, recorded })).toMatchObject({
    kind: 'failed',
    id: 1,
  });
});

test('the thread measures a real model', () => {
  const bench = new RegretBench(advisorOf);
  bench.take({ kind: 'model', pool: 'p', model: { version: 'm1', text: TEXT }, rules: RULES });
  const all = members(4);
  let figures;
  for (let id = 0; id < 20; id += 1) {
    const arrived = Float64Array.from(all, (_, at) => 900 + 300 * ((id + at) % 3));
    const answer = bench.take({
      kind: 'interval',
      pool: 'p',
      id,
      recorded: {
        policy: poolPolicy({ intervalMs: 1_000, totalPerS: 4_000 }),
        members: all,
        queueLimits: new Float64Array(4),
        ticks: [{ atMs: 1_000 * id, arrived, forecasts: all.map(() => undefined), health: [] }],
      },
    });
    if (answer?.kind === 'figures') figures = answer.figures;
  }
  expect(figures).toMatchObject({ model: 'm1', intervals: 18 });
  expect(figures?.solverLoss).toBeGreaterThan(0);
  expect(Number.isFinite(figures?.regret)).toBe(true);
});

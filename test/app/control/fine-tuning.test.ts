/** Tuning of a model in service: only of one that decides, seldom, taken only when better and near, and given up when it does harm. */
import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { LearningPort } from '../../../src/app/control/learning/learning-messages';
import type { ModelAdvisor } from '../../../src/app/control/learning/model-advisor';
import { PoolModels } from '../../../src/app/control/learning/pool-models';
import { PoolsLearning } from '../../../src/app/control/learning/pools-learning';
import type { RetrainOrder, TrainedText } from '../../../src/app/control/learning/retraining';
import { PoolController } from '../../../src/control/pool-controller';
import type { ControlEvent } from '../../../src/core/control-desk';
import { TidegateError } from '../../../src/core/errors';
import type { PublishedLearning, RegretFigures } from '../../../src/core/learning';
import { DEFAULT_RETENTION } from '../../../src/series/levels';
import { History } from '../../../src/history/history';
import { ALLOCATION_NAMES } from '../../../src/learn/allocation/features';
import { readModel, writeModel } from '../../../src/learn/model/model';
import { TrainedActor } from '../../../src/learn/model/trained-actor';
import { modelFromJson } from '../../../src/app/training/model-file';
import { loaded } from '../../config/load';
import { memberPolicy, memberSeen, poolPolicy } from '../../control/pool-samples';
import { recordedLogger } from '../forecasting/recorded-logger';
import { wildModel } from '../training/model-parts';

const AFTER_MS = 3_600_000;
const POLICY = poolPolicy({ intervalMs: 1_000 });
const MEMBERS = [memberPolicy('a', { priority: 'CRITICAL' }), memberPolicy('b')];
const FIRST = wildModel(1, 1_000);

/** The first model with all of its parameters longer by a part. */
function longer(part: number): string {
  const { actor, training } = readModel(FIRST);
  const parameters = actor.snapshot.parameters.map((one) => one * (1 + part));
  const other = new TrainedActor({ ...actor.snapshot, parameters }, actor.ranges);
  return modelFromJson(writeModel(other, ALLOCATION_NAMES, training)).text;
}

const versionOf = (text: string): string => modelFromJson(JSON.parse(text)).version;
const FIRST_VERSION = modelFromJson(FIRST).version;

const HARM: Partial<RegretFigures> = { regret: 0.2, recentRegret: 0.2, recentDiffering: 5, spans: 20 };
const NEUTRAL: RegretFigures = {
  ...{ model: '', windowMs: 1, intervals: 40, measuredMs: 1, solverLoss: 0.1, agentLoss: 0.1, regret: 0 },
  ...{ pBetter: 0.5, pWorse: 0.5, spans: 20, differing: 0, recentRegret: 0, recentDiffering: 0 },
  confident: false,
};

/** What takes no time, however busy the machine is: advice that comes late is not followed. */
function advisorThatSays(model: string): ModelAdvisor {
  return {
    ...{ outOfRange: 0, explains: 0, terms: () => [], decided: () => undefined },
    advise: (madeAtMs, _, members) => {
      return {
        ...{ model, madeAtMs },
        members: members.map(({ id }) => ({ id, demandFactor: 1.1, keepFactor: 1 })),
      };
    },
  };
}

let folder: string;
beforeEach(() => void (folder = mkdtempSync(join(tmpdir(), 'tidegate-tuning-'))));
afterEach(() => rmSync(folder, { recursive: true, force: true }));

type Answer = () => Promise<TrainedText>;

/** A pool in service with a first model, whose tunings come to what is given. */
async function service(answer: Answer, mode = 'active', fineTune = true) {
  let nowMs = 1_760_000_000_000;
  const { logger, lines } = recordedLogger();
  const events: ControlEvent[] = [];
  const orders: RetrainOrder[] = [];
  const harm = new Set<string>();
  const begin = (): LearningPort => {
    let hear: Parameters<LearningPort['onMessage']>[0] = () => undefined;
    let model = '';
    return {
      post: (message) => {
        if (message.kind === 'model') model = message.model.version;
        if (message.kind !== 'interval') return;
        const figures = { ...NEUTRAL, ...(harm.has(model) ? HARM : {}), model };
        hear({ kind: 'figures', pool: message.pool, id: message.id, figures });
      },
      onMessage: (listener) => void (hear = listener),
      onEnd: () => undefined,
      end: () => undefined,
    };
  };
  const yaml = [
    'pools:',
    `  learning: {fine_tune: ${fineTune}, retrain_after: 1h, burn_in: 0s, window: 60s}`,
    '  list:',
    `    - {name: pool, total_per_s: 400, learning_mode: ${mode}}`,
  ].join('\n');
  const { settings } = loaded({ file: yaml });
  const history = new History(
    {
      retention: DEFAULT_RETENTION,
      ...{ flushMs: 10_000, classesMax: 10, lateMs: 30_000, memoryMaxBytes: 1e6, fileMaxBytes: 1e6 },
    },
    nowMs,
  );
  const models = new PoolModels(folder, '', () => nowMs);
  await models.put('pool', JSON.stringify(FIRST));
  const pools = new PoolsLearning({
    ...{ settings, history, models, logger, nowMs: () => nowMs, monotonicMs: () => nowMs },
    tell: (event) => void events.push(event),
    engine: {
      begin,
      advisorOf: ({ version }) => advisorThatSays(version),
      retrain: (order) => {
        orders.push(order);
        return { model: answer(), end: () => undefined };
      },
    },
  });
  const learning = pools.add(POLICY);
  learning.use({ policy: POLICY, members: MEMBERS, queueLimits: new Float64Array(MEMBERS.length) });
  const controller = new PoolController(POLICY, MEMBERS);
  const settle = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));
  await settle();
  const one = {
    ...{ pools, learning, orders, events, lines, harm },
    published: undefined as PublishedLearning | undefined,
    async run(ticks: number) {
      for (let tick = 0; tick < ticks; tick += 1) {
        nowMs += 1_000;
        pools.turn();
        const seen = MEMBERS.map(({ id }) =>
          memberSeen(id, 100, {
            forecast: { madeAtMs: nowMs, meanPerS: 100, upperPerS: 120, anomalous: false },
          }),
        );
        const advised = learning.before(
          nowMs,
          { members: seen, health: [] },
          'active',
          undefined,
          one.published,
        );
        controller.advise(advised.advice, learning.maxFactor);
        learning.after(controller.tick(nowMs, advised.seen));
        await settle();
      }
    },
    /** Until the next tuning is due, and a little further. */
    async wait() {
      nowMs += AFTER_MS;
      await one.run(5);
    },
    get view() {
      const { mode: applies, level, model, modelWhy, why } = learning.view(false);
      return { mode: applies, level, model, modelWhy, why };
    },
    close() {
      pools.close();
      history.close(nowMs);
    },
  };
  // Who acts has to be without faults for a while first.
  await one.run(10);
  return one;
}

const tuned =
  (part: number, score: number): Answer =>
  () =>
    Promise.resolve({ text: longer(part), score, scoreBefore: 0.95 });

test('a tuned model that is better and near takes the place of the one that decides, at once and without shadow', async () => {
  const one = await service(tuned(0.03, 0.9));
  expect([one.view.model, one.view.level, one.orders.length]).toEqual([FIRST_VERSION, 'ppo', 0]);
  const { switches } = one.learning.view(false);
  const before = switches.length;
  await one.wait();
  const version = versionOf(longer(0.03));
  expect(one.orders.map(({ from }) => from?.version)).toEqual([FIRST_VERSION]);
  expect(one.view).toMatchObject({ mode: 'active', level: 'ppo', model: version });
  expect(one.learning.view(false).switches).toHaveLength(before);
  expect(one.view.modelWhy).toContain(`tuned from ${FIRST_VERSION}: 0.900`);
  expect(one.view.why).toContain(`tuned from ${FIRST_VERSION}`);
  expect(one.events.some(({ data }) => (data as { model?: string }).model === version)).toBe(true);
  expect(readdirSync(join(folder, 'pool-pool'))).toHaveLength(2);
  one.close();
});

test.each([
  ['not better by a hundredth', tuned(0.03, 0.945), '0.945 of the solver'],
  ['worse', tuned(0.03, 1.2), '1.200 of the solver'],
  ['of no score', tuned(0.03, NaN), 'NaN of the solver'],
  ['too far away', tuned(0.06, 0.5), '6.0 % away'],
  [
    'no model',
    (): Promise<TrainedText> => Promise.resolve({ text: '{}', score: 0.5, scoreBefore: 0.95 }),
    'model cannot be used',
  ],
] as const)('a tuned model that is %s is dropped, and that is told', async (_, answer, why) => {
  const one = await service(answer);
  await one.wait();
  expect(one.orders).toHaveLength(1);
  expect(one.view).toMatchObject({ mode: 'active', level: 'ppo', model: FIRST_VERSION });
  expect(one.view.modelWhy).toContain(why);
  expect(one.events.map(({ data }) => (data as { why?: string }).why ?? '').join()).toContain(why);
  expect(readdirSync(join(folder, 'pool-pool'))).toHaveLength(1);
  one.close();
});

test('a tuned model that does harm is demoted at once, and the one before it is back, in shadow', async () => {
  const one = await service(tuned(0.03, 0.9));
  const version = versionOf(longer(0.03));
  one.harm.add(version);
  await one.wait();
  await one.run(5);
  const demoted = one.learning.view(false).switches.find(({ reason }) => reason === 'demoted');
  expect(demoted?.why).toContain('more than the solver of late');
  expect(one.view).toMatchObject({ mode: 'shadow', level: 'forecast', model: FIRST_VERSION });
  expect(one.view.modelWhy).toContain(`${version} was demoted`);
  await one.wait();
  expect([one.orders.length, one.view.mode]).toEqual([1, 'shadow']);
  one.close();
});

test.each([
  ['is in shadow', 'shadow', true, false],
  ['is not to be tuned', 'active', false, false],
  ['decides in another process', 'active', true, true],
])('a model that %s is not tuned', async (_, mode, fineTune, follows) => {
  const one = await service(tuned(0.03, 0.9), mode, fineTune);
  if (follows) one.published = { model: FIRST_VERSION, mode: 'active' };
  await one.run(2);
  await one.wait();
  await one.wait();
  expect([one.orders.length, one.view.model]).toEqual([0, FIRST_VERSION]);
  one.close();
});

test('a thread that fails is told of, and tried again only as long after as trainings are apart', async () => {
  const one = await service(() => Promise.reject(new TidegateError('TG_LEARN_THREAD_LOST', 'it is gone')));
  await one.wait();
  expect(one.view).toMatchObject({ mode: 'active', level: 'ppo', model: FIRST_VERSION });
  expect(one.view.modelWhy).toBe('it was not tuned: it is gone');
  await one.run(100);
  expect(one.orders).toHaveLength(1);
  await one.wait();
  expect(one.orders).toHaveLength(2);
  one.close();
});

test('what comes of tuning a model that was demoted meanwhile is dropped', async () => {
  let give: (trained: TrainedText) => void = () => undefined;
  const one = await service(() => new Promise((resolve) => (give = resolve)));
  await one.wait();
  one.harm.add(FIRST_VERSION);
  await one.run(5);
  give({ text: longer(0.03), score: 0.9, scoreBefore: 0.95 });
  await one.run(2);
  expect(one.view).toMatchObject({ mode: 'shadow', model: FIRST_VERSION });
  expect(one.view.modelWhy).toContain('does not decide any more');
  one.close();
});

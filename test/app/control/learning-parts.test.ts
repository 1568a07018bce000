/** What learning in service is made of: records, drift, what is published, models on disk, trainings that are due. */
import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { ArrivalRecorder } from '../../../src/app/control/learning/arrival-recorder';
import { DriftBook } from '../../../src/app/control/learning/drift-book';
import type { ModelText } from '../../../src/app/control/learning/learning-messages';
import { poolHistory } from '../../../src/app/control/learning/pool-history';
import { PoolModels } from '../../../src/app/control/learning/pool-models';
import { learningIn, withLearning } from '../../../src/app/control/learning/published-learning';
import {
  beginRetraining,
  type Retraining,
  type TrainedText,
} from '../../../src/app/control/learning/retraining';
import { Retrainer } from '../../../src/app/control/learning/retrainer';
import { SwitchLog } from '../../../src/app/control/learning/switch-log';
import { explainLearning } from '../../../src/app/pool-explanation';
import { POOL_MODES, type MemberPolicy } from '../../../src/core/control';
import { TidegateError } from '../../../src/core/errors';
import { ALLOCATION_NAMES, ALLOCATION_SHAPE } from '../../../src/learn/allocation/features';
import { writeModel } from '../../../src/learn/model/model';
import { PpoLearner } from '../../../src/learn/ppo/learner';
import { CONTROL_ANSWERS } from '../../admin/fake-control';
import { memberPolicy, memberSeen, poolPolicy } from '../../control/pool-samples';

describe('the recorder of arrivals', () => {
  const POLICY = poolPolicy({ tickMs: 1_000, intervalMs: 3_000 });
  const MEMBERS = [memberPolicy('a'), memberPolicy('b')];
  const pool = (members: readonly MemberPolicy[]) => ({
    policy: POLICY,
    members,
    queueLimits: new Float64Array(members.length).fill(7),
  });
  const seen = (a: number, b = NaN) => ({ members: [memberSeen('a', a), memberSeen('b', b)], health: [] });

  test('gives an interval when it is whole, with the time that really passed', () => {
    const recorder = new ArrivalRecorder();
    recorder.use(pool(MEMBERS));
    expect(recorder.tick(10_000, seen(5))).toBeUndefined();
    expect(recorder.tick(11_500, seen(10, 2))).toBeUndefined();
    const interval = recorder.tick(12_500, seen(20, 4));
    expect(interval?.members).toBe(MEMBERS);
    expect([...(interval?.queueLimits ?? [])]).toEqual([7, 7]);
    expect(interval?.ticks.map(({ arrived }) => [...arrived])).toEqual([
      [5, NaN],
      [15, 3],
      [20, 4],
    ]);
    expect(interval?.ticks.map(({ forecasts }) => forecasts === undefined)).toEqual([false, true, true]);
  });

  test('a gap, or a clock that steps back, counts for little', () => {
    const recorder = new ArrivalRecorder();
    recorder.use(pool(MEMBERS));
    recorder.tick(10_000, seen(1, 1));
    recorder.tick(9_000_000, seen(1, 1));
    const interval = recorder.tick(0, seen(1, 1));
    expect(interval?.ticks.map(({ arrived }) => arrived[0])).toEqual([1, 10, 1]);
  });

  test('other members begin another interval; what there was is given', () => {
    const recorder = new ArrivalRecorder();
    recorder.use(pool(MEMBERS));
    recorder.tick(10_000, seen(5));
    expect(recorder.use(pool([memberPolicy('c')]))?.ticks).toHaveLength(1);
    expect(recorder.use(pool(MEMBERS))).toBeUndefined();
  });

  test('a pool that is too large is not recorded, and says so', () => {
    const recorder = new ArrivalRecorder();
    recorder.use(pool(Array.from({ length: 20_001 }, (_, at) => memberPolicy(`m${at}`))));
    expect(recorder.tooLarge).toBe(true);
    for (let tick = 0; tick < 5; tick += 1) expect(recorder.tick(1_000 * tick, seen(1))).toBeUndefined();
  });
});

const without = (state: object): object =>
  Object.fromEntries(Object.entries(state).filter(([key]) => key !== 'learning'));

test('what is published of learning is read again beside a state, which stays what it was', () => {
  fc.assert(
    fc.property(
      fc.dictionary(fc.string(), fc.jsonValue()),
      fc.string(),
      fc.constantFrom(...POOL_MODES),
      (state, model, mode) => {
        const rest = without(state);
        const text = withLearning(JSON.stringify(rest), { model, mode });
        expect(learningIn(text)).toEqual({ model, mode });
        const kept = without(JSON.parse(text) as object);
        expect(kept).toEqual(JSON.parse(JSON.stringify(rest)));
      },
    ),
  );
  fc.assert(fc.property(fc.string(), (text) => void learningIn(text)));
  for (const odd of [
    'null',
    '{}',
    '{"learning":1}',
    '{"learning":{"model":1,"mode":"active"}}',
    '{"learning":{"model":"m","mode":"on"}}',
  ])
    expect(learningIn(odd)).toBeUndefined();
});

test('drift is looked for at most once a second', () => {
  let asked = 0;
  const book = new DriftBook(() => {
    asked += 1;
    return [
      { atMs: 1, kind: 'drift', classId: 'a', data: {} },
      { atMs: 2, kind: 'drift', data: {} },
    ];
  });
  for (const atMs of [0, 500, 999, 1_000]) book.refresh(atMs, atMs);
  expect([asked, book.has('a'), book.has('b')]).toEqual([2, true, false]);
});

test('switches are kept newest first, bounded, and counted by reason', () => {
  const log = new SwitchLog();
  for (let at = 0; at < 200; at += 1)
    log.note({ atMs: at, from: 'ppo', to: 'forecast', reason: `r${at % 100}`, why: '' });
  expect([log.newest.length, log.newest[0]?.atMs]).toEqual([64, 199]);
  expect(Object.keys(log.counts)).toHaveLength(64);
  expect(log.counts['r1']).toBe(2);
});

describe('models of pools', () => {
  let folder: string;
  const text = JSON.stringify(
    writeModel(new PpoLearner(ALLOCATION_SHAPE, {}, 3).actor(), ALLOCATION_NAMES, {
      seed: 3,
      settings: {},
      data: {},
      scores: {},
    }),
  );
  beforeEach(() => void (folder = mkdtempSync(join(tmpdir(), 'tidegate-models-'))));
  afterEach(() => rmSync(folder, { recursive: true, force: true }));

  test('a pool without one begins with the first for all, which is then its own to go back to', async () => {
    const first = join(folder, 'first.json');
    writeFileSync(first, text);
    const models = new PoolModels(join(folder, 'kept'), first, () => 1_000);
    const { model } = await models.newest('..');
    expect(readdirSync(join(folder, 'kept'))).toEqual(['pool-..']);
    rmSync(first);
    expect((await models.newest('..')).model).toEqual(model);
    expect(await models.version('..', model?.version ?? '')).toEqual(model);
    await expect(models.version('other', model?.version ?? '')).rejects.toMatchObject({
      code: 'TG_LEARN_UNKNOWN_MODEL',
    });
  });

  test('files that are damaged are told, and others are used', async () => {
    const models = new PoolModels(folder, '', () => 1_000);
    const { version } = await models.put('p', text);
    writeFileSync(join(folder, 'pool-p', 'aaaaaaaaaaaa.model.json'), text.slice(0, 100));
    const { model, bad } = await models.newest('p');
    expect([model?.version, bad.length]).toEqual([version, 1]);
    expect(bad[0]?.error.code).toMatch(/^TG_LEARN_/);
  });

  test('where nothing can be kept a trained model is used all the same', async () => {
    const models = new PoolModels('', '', () => 1_000);
    expect(await models.newest('p')).toEqual({ model: undefined, bad: [] });
    expect((await models.put('p', text)).version).toMatch(/^[0-9a-f]{12}$/);
    await expect(models.version('p', 'x')).rejects.toMatchObject({ code: 'TG_LEARN_UNKNOWN_MODEL' });
  });
});

describe('training anew', () => {
  const trained = (text: string): TrainedText => ({ text, score: 0.9, scoreBefore: 1 });
  function retrainer(begin: (from: ModelText | undefined) => Retraining) {
    const got: string[] = [];
    let nowMs = 0;
    const one = new Retrainer({
      afterMs: 60_000,
      begin,
      done: ({ text }) => void got.push(text),
      failed: ({ code }) => void got.push(code),
      monotonicMs: () => nowMs,
    });
    return { one, got, pass: (ms: number) => void (nowMs += ms) };
  }
  const settled = async (): Promise<void> => {
    for (let turn = 0; turn < 5; turn += 1) await Promise.resolve();
  };

  test('one at a time, where there is a reason, and seldom', async () => {
    let begun = 0;
    const { one, got, pass } = retrainer(() => {
      begun += 1;
      return { model: Promise.resolve(trained(`model ${begun}`)), end: () => undefined };
    });
    expect([one.look(false), one.look(true), one.look(true), one.busy]).toEqual([false, true, false, true]);
    await settled();
    expect([one.busy, got]).toEqual([false, ['model 1']]);
    pass(59_999);
    expect(one.look(true)).toBe(false);
    pass(1);
    expect(one.look(true)).toBe(true);
    await settled();
    expect(got).toEqual(['model 1', 'model 2']);
  });

  test('a model is tuned as seldom, and not before as much time since the start', async () => {
    const tuned: unknown[] = [];
    const { one, got, pass } = retrainer((from) => {
      tuned.push(from);
      return { model: Promise.resolve(trained('tuned')), end: () => undefined };
    });
    const model = { version: 'm1', text: '{}' };
    expect([one.tune(model), one.tune(undefined)]).toEqual([false, false]);
    pass(60_000);
    expect([one.tune(undefined), one.tune(model), one.look(true)]).toEqual([false, true, false]);
    await settled();
    expect([one.look(true), tuned, got]).toEqual([false, [model], ['tuned']]);
    pass(60_000);
    expect([one.look(true), one.tune(model)]).toEqual([true, false]);
  });

  test('what fails is told, and what is closed gives nothing', async () => {
    const failing = retrainer(() => ({
      model: Promise.reject(new TidegateError('TG_LEARN_TOO_LITTLE_HISTORY', 'a day')),
      end: () => undefined,
    }));
    failing.one.look(true);
    await settled();
    const throwing = retrainer(() => {
      throw new Error('no threads');
    });
    throwing.one.look(true);
    expect([failing.got, throwing.got]).toEqual([['TG_LEARN_TOO_LITTLE_HISTORY'], ['TG_INTERNAL']]);
    let ended = 0;
    const closed = retrainer(() => ({
      model: Promise.resolve(trained('late')),
      end: () => void (ended += 1),
    }));
    closed.one.look(true);
    closed.one.close();
    await settled();
    expect([closed.got, ended > 0]).toEqual([[], true]);
  });

  test('history is read by the minute, as rates; one that is too short trains nothing, and says so', async () => {
    const asked: unknown[] = [];
    const history = poolHistory(
      {
        series: (classId, figure, stepMs, fromMs, toMs) => {
          asked.push([classId, figure, stepMs, (toMs - fromMs) / 86_400_000, toMs]);
          return { startMs: fromMs, stepMs, values: Float64Array.of(NaN, 60, 120) };
        },
      },
      {
        policy: poolPolicy(),
        members: [memberPolicy('a', { priority: 'HIGH' }), memberPolicy('b')],
        queueLimits: Float64Array.of(250, 0),
      },
      90_000,
    );
    expect(asked[0]).toEqual(['a', 'hits', 60_000, 14, 60_000]);
    expect(
      history.members.map(({ name, queueLimitMs, perMinute }) => [name, queueLimitMs, [...perMinute]]),
    ).toEqual([
      ['a', 2_500, [NaN, 1, 2]],
      ['b', 0, [NaN, 1, 2]],
    ]);
    const reward = { served: 1, utilization: 0, denied: 0, critical: 1, queue: 0, guarantee: 0, churn: 0 };
    const { model } = beginRetraining({ history, seed: 1, budgetMs: 1_000, maxFactor: 2, reward });
    await expect(model).rejects.toMatchObject({
      code: 'TG_LEARN_TOO_LITTLE_HISTORY',
    });
  });
});

test('people read who decides, the regret, the share, the change and what moved it', () => {
  const { learning } = CONTROL_ANSWERS.learning;
  const text = explainLearning({ ...learning, modelWhy: '' });
  expect(text).toContain('decides     the model, over the solver');
  expect(text).toContain(
    'regret      -2.00 % (solver 10.00 %, with the model 8.00 %, over 60 intervals; by chance with 0.0010)',
  );
  expect(text).toContain(
    'edge.k|a: demand x 1.200, keeps x 1.000; solver 60.00/s, agent +10.000/s, decided 70.00/s',
  );
  expect(text).toContain('moved by forecast +0.100');
  expect(text).toContain('forecast -> ppo  calm: no fault');
  const none = explainLearning({
    ...learning,
    model: null,
    regret: null,
    advice: [],
    switches: [],
    unwatched: 'it died',
  });
  expect(none).toContain('model       none');
  expect(none).toContain('not known: it died');
});

import { Later } from '../../src/core/later';
import { TidegateError } from '../../src/core/errors';
import { compile, decideNow, descriptor, NO_DEADLINE, outcome, requestOf, thrownBy } from '../limiter/parts';
import { LIMITS, rows, setup } from './observed-limiter';

describe('the counts of a step', () => {
  test('are what rules were asked, with the hits that arrivals asked for', () => {
    const { ask, steps, store } = setup();
    ask('path=/login', 3, 2);
    store.then((request) => request.calls.map(() => outcome({ allowed: false })));
    ask('path=/login', 2);
    const batch = steps(1);
    expect(rows(batch)).toEqual({
      'd.path_/login': { arrivals: 5, admitted: 3, denied: 2, queued: 0, hits: 8 },
      'service:d': { arrivals: 5, admitted: 3, denied: 2, queued: 0, hits: 8 },
    });
    expect(batch).toMatchObject({ source: 'a', sequence: 1, atMs: 1_000, stepMs: 1_000 });
  });

  test('begin anew with each step, and a class is named once', () => {
    const { ask, steps } = setup();
    ask('path=/login');
    expect(steps(1).added.map(({ id }) => id)).toEqual(['d.path_/login', 'service:d']);
    expect(rows(steps(1))).toEqual({});
    ask('path=/login');
    const third = steps(1);
    expect(third.added).toEqual([]);
    expect(third.sequence).toBe(3);
    expect(rows(third)['d.path_/login']).toMatchObject({ arrivals: 1, hits: 1 });
  });

  test('name all classes again for who begins to read, and tell them which have ended', () => {
    const { counts, ask, steps, load } = setup();
    ask('path=/login');
    ask('free=1');
    steps(1);
    counts.nameAgain();
    ask('path=/login');
    expect(steps(1).added.map(({ id }) => id)).toEqual(['d.path_/login', 'service:d']);
    load('domain: d\ndescriptors: []');
    expect(steps(1).ended).toEqual(['d.path_/login', 'd.free', 'service:d']);
  });

  test('have no looks and no refunds', () => {
    const { limiter, steps } = setup();
    decideNow(limiter, requestOf([descriptor('path=/login', { hitsAddend: 0 })]));
    decideNow(limiter, requestOf([descriptor('path=/login', { hitsAddend: 3, negativeHits: true })]));
    expect(rows(steps(1))).toEqual({});
  });

  test('have what unlimited rules let pass', () => {
    const { ask, steps } = setup();
    ask('free=x', 4);
    expect(rows(steps(1))['d.free']).toEqual({ arrivals: 4, admitted: 4, denied: 0, queued: 0, hits: 4 });
  });

  test('have arrivals also while the store fails and the answer is an error', () => {
    const { limiter, steps, store, load } = setup();
    load(LIMITS.replace('requests_per_unit: 10}', 'requests_per_unit: 10, on_error: error}'));
    store.then((request) => request.calls.map(() => new TidegateError('TG_STORE_TIMEOUT', 'late')));
    expect(thrownBy(() => decideNow(limiter, requestOf(['path=/login']))).code).toBe('TG_STORE_TIMEOUT');
    expect(rows(steps(1))['d.path_/login']).toMatchObject({ arrivals: 1, admitted: 0, denied: 0 });
  });

  test('have an answer that comes in a later step in that step', async () => {
    const { limiter, steps, store } = setup();
    let answer: () => void = () => undefined;
    store.then((request) =>
      Later.from(new Promise((resolve) => (answer = () => resolve(request.calls.map(() => outcome()))))),
    );
    const decided = limiter.decide(requestOf(['path=/login']), NO_DEADLINE);
    expect(rows(steps(1))['d.path_/login']).toMatchObject({ arrivals: 1, admitted: 0 });
    answer();
    await decided;
    expect(rows(steps(1))['d.path_/login']).toMatchObject({ arrivals: 0, admitted: 1 });
  });

  test('say nothing of descriptors that no rule limits', () => {
    const { ask, steps } = setup();
    ask('unknown=x', 3);
    expect(steps(1).classes).toEqual([]);
  });
});

describe('a reload', () => {
  test('keeps the counts of rules that stay', () => {
    const { ask, load, steps } = setup();
    ask('path=/login', 2);
    load(LIMITS.replaceAll('requests_per_unit: 10', 'requests_per_unit: 20'));
    ask('path=/login', 3);
    expect(rows(steps(1))['d.path_/login']).toMatchObject({ arrivals: 5 });
  });

  test('ends the classes of rules that go, with what they counted last', () => {
    const { ask, load, steps } = setup();
    ask('path=/login', 2);
    ask('free=1');
    steps(1);
    ask('path=/login', 3);
    load('domain: e\ndescriptors: [{key: k, rate_limit: {unit: second, requests_per_unit: 1}}]');
    const last = steps(1);
    expect(rows(last)['d.path_/login']).toMatchObject({ arrivals: 3 });
    expect([...(last.ended ?? [])].sort()).toEqual(['d.free', 'd.path_/login', 'service:d']);
    expect(steps(1).ended).toBeUndefined();
  });

  test('that takes a rule and gives it back within a step ends nothing', () => {
    const { ask, load, steps } = setup();
    ask('path=/login', 2);
    steps(1);
    load('domain: d\ndescriptors: []');
    load(LIMITS);
    ask('path=/login', 1);
    const batch = steps(1);
    expect(batch.ended).toBeUndefined();
    expect(rows(batch)['d.path_/login']).toMatchObject({ arrivals: 1 });
  });

  test('that is rejected changes nothing, and leaves nothing behind', () => {
    const { counts, ask, steps } = setup();
    const { errors } = compile(
      `${LIMITS}\n  - key: path\n    value: /login\n  - key: new\n    rate_limit: {unit: second, requests_per_unit: 1}`,
      {
        demandFor: counts.demandFor,
      },
    );
    expect(errors).not.toEqual([]);
    expect(counts.about('d.new')).toBeUndefined();
    ask('path=/login', 2);
    expect(rows(steps(1))['d.path_/login']).toMatchObject({ arrivals: 2 });
  });

  test('after which one bucket is many finds heavy keys from then on', () => {
    const one =
      'domain: d\ndescriptors: [{key: "p", value: "a*", share_threshold: true, rate_limit: {unit: second, requests_per_unit: 1}}]';
    const { ask, load, steps } = setup({}, {}, one);
    const batch = steps(20, () => ask('p=abc', 10));
    expect(batch.classes).toEqual(['d.p_a*', 'service:d']);
    load(one.replace('share_threshold: true, ', ''));
    expect(steps(30, () => ask('p=abc', 10)).classes).toContain('d.p_a*|d|p=abc');
  });
});

describe('what is in flight', () => {
  test('while keys are promoted is counted for its rule when it is answered', async () => {
    const { limiter, steps, store, ask } = setup();
    const waiting: (() => void)[] = [];
    steps(8, () => ask('user=heavy', 50));
    store.then((request) =>
      Later.from(new Promise((resolve) => waiting.push(() => resolve(request.calls.map(() => outcome()))))),
    );
    const decided = limiter.decide(requestOf(['user=heavy']), NO_DEADLINE);
    expect(rows(steps(1))['d.user']).toMatchObject({ arrivals: 1, admitted: 0 });
    store.then((request) => request.calls.map(() => outcome()));
    steps(1, () => ask('user=heavy', 50));
    for (const answer of waiting) answer();
    await decided;
    const batch = rows(steps(1, () => ask('user=heavy', 5)));
    expect(batch['d.user']).toMatchObject({ arrivals: 5, admitted: 6 });
    expect(batch['d.user|d|user=heavy']).toMatchObject({ arrivals: 5, admitted: 5 });
  });

  test('while its rule goes is not counted after the class has ended', async () => {
    const { limiter, steps, store, load } = setup();
    let answer: () => void = () => undefined;
    store.then((request) =>
      Later.from(new Promise((resolve) => (answer = () => resolve(request.calls.map(() => outcome()))))),
    );
    const decided = limiter.decide(requestOf(['path=/login']), NO_DEADLINE);
    load('domain: d\ndescriptors: []');
    expect(steps(1).ended).toContain('d.path_/login');
    answer();
    await decided;
    expect(steps(1).classes).toEqual([]);
    expect(steps(3).classes).toEqual([]);
  });
});

import { Later } from '../../src/core/later';
import type { BucketOutcome, BucketRequest, BucketResult, BucketStore } from '../../src/core/buckets';
import { TidegateError } from '../../src/core/errors';
import { BreakerBoard } from '../../src/store/guarded/breaker-board';
import { GuardedStore } from '../../src/store/guarded/guarded-store';

const OUTCOME: BucketOutcome = {
  allowed: true,
  usedBefore: 0,
  usedAfter: 1,
  remaining: 9,
  resetUs: 1,
  retryAfterUs: 0,
};

const REQUEST: BucketRequest = {
  calls: ['a', 'b'].map((key) => ({
    key,
    group: key,
    params: {
      algorithm: 'fixed_window',
      limit: 10,
      windowUs: 1_000_000,
      capacity: 10,
      rateUtPerS: 0,
      version: 0,
    },
    hits: 1,
    role: 'hard',
    assumeOnFailure: true,
  })),
  chargeDenied: 'none',
  quotaSatisfied: false,
  deadlineMs: 10,
};

const timeout = new TidegateError('TG_STORE_TIMEOUT', 'late');
const foreign = new TidegateError('TG_STORE_REPLY', 'not a bucket');

type Decide = BucketStore['decide'];

function storeOf(decide: Decide): BucketStore {
  return { decide, ready: () => true, close: () => Promise.resolve() };
}

interface Watched {
  readonly store: GuardedStore;
  readonly changes: string[];
  readonly seen: [number, string[]][];
  nowMs: number;
  asked: number;
}

function watched(decide: Decide): Watched {
  const board = new BreakerBoard({
    breaker: { consecutiveFailures: 3, backoffMs: 100, jitter: 0 },
    nowMs: () => watch.nowMs,
    onStateChange: (name, state, before) => watch.changes.push(`${name}: ${before} -> ${state}`),
  });
  const inner = storeOf((request) => {
    watch.asked += 1;
    return decide(request);
  });
  const store = new GuardedStore(inner, {
    breaker: board,
    nowMs: () => watch.nowMs,
    onDecided: (latencyMs, errors) => watch.seen.push([latencyMs, errors.map(({ code }) => code)]),
  });
  const watch: Watched = { store, changes: [], seen: [], nowMs: 0, asked: 0 };
  return watch;
}

const codes = (results: readonly BucketResult[]): string[] =>
  results.map((result) => (result instanceof TidegateError ? result.code : 'ok'));

describe('a guarded store', () => {
  it('answers at once where the store does, and reports how long it took', async () => {
    const watch = watched(() => {
      watch.nowMs += 7;
      return [OUTCOME, foreign];
    });
    expect(watch.store.decide(REQUEST)).toEqual([OUTCOME, foreign]);
    expect(watch.seen).toEqual([[7, ['TG_STORE_REPLY']]]);
  });

  it('fails fast while the store fails, probes, and recovers', async () => {
    let answer: BucketResult = timeout;
    const watch = watched(() => Later.from<readonly BucketResult[]>(Promise.resolve([answer, answer])));
    for (let i = 0; i < 3; i += 1) await watch.store.decide(REQUEST);
    expect(codes(await watch.store.decide(REQUEST))).toEqual([
      'TG_STORE_BREAKER_OPEN',
      'TG_STORE_BREAKER_OPEN',
    ]);
    expect(watch.asked).toBe(3);
    watch.nowMs = 100;
    answer = OUTCOME;
    expect(codes(await watch.store.decide(REQUEST))).toEqual(['ok', 'ok']);
    expect(watch.changes).toEqual([
      'store: closed -> open',
      'store: open -> half_open',
      'store: half_open -> closed',
    ]);
  });

  it.each<[string, BucketResult[]]>([
    ['one of several buckets', [OUTCOME, timeout]],
    ['a key that is not a bucket', [foreign, foreign]],
  ])('stays closed when what fails is %s', async (_, results) => {
    const watch = watched(() => Later.from<readonly BucketResult[]>(Promise.resolve(results)));
    for (let i = 0; i < 50; i += 1) await watch.store.decide(REQUEST);
    expect(watch.asked).toBe(50);
    expect(watch.changes).toEqual([]);
  });

  it.each<[string, Decide]>([
    [
      'throws',
      () => {
        throw new Error('boom');
      },
    ],
    ['rejects', () => Later.from(Promise.reject(new Error('boom')))],
  ])('gives an error for every bucket when the store %s', async (_, decide) => {
    const watch = watched(decide);
    expect(codes(await watch.store.decide(REQUEST))).toEqual(['TG_INTERNAL', 'TG_INTERNAL']);
    expect(watch.seen).toHaveLength(1);
  });

  it('only looks when it has no breaker', async () => {
    const store = new GuardedStore(storeOf(() => [timeout, timeout]));
    for (let i = 0; i < 50; i += 1)
      expect(codes(await store.decide(REQUEST))).toEqual(Array(2).fill(timeout.code));
  });
});

describe('a breaker board', () => {
  it('keeps a breaker a name, so that one failing node leaves the others alone', () => {
    const board = new BreakerBoard({ breaker: { consecutiveFailures: 2 }, nowMs: () => 0 });
    board.failed('a', timeout);
    board.failed('b', timeout);
    board.failed('a', timeout);
    expect([board.admit('a'), board.admit('b'), board.stateOf('a'), board.stateOf('c')]).toEqual([
      false,
      true,
      'open',
      'closed',
    ]);
  });

  it('does not count its own refusals, and reports failures and successes', () => {
    const told: string[] = [];
    const board = new BreakerBoard({
      breaker: { consecutiveFailures: 1 },
      onSuccess: (name, latencyMs) => told.push(`${name} ${latencyMs} ms`),
      onFailure: (name, { code }) => told.push(`${name} ${code}`),
    });
    board.failed('a', new TidegateError('TG_STORE_BREAKER_OPEN', 'open'));
    expect(board.stateOf('a')).toBe('closed');
    board.succeeded('a', 3);
    board.failed('a', timeout);
    expect(told).toEqual(['a 3 ms', 'a TG_STORE_TIMEOUT']);
  });

  it('forgets the longest known name when there are too many', () => {
    const board = new BreakerBoard({ breaker: { consecutiveFailures: 1 } });
    board.failed('first', timeout);
    for (let i = 0; i < 3_000; i += 1) board.failed(`node-${i}`, timeout);
    expect([board.stateOf('first'), board.stateOf('node-2999')]).toEqual(['closed', 'open']);
  });
});

import { Later } from '../../src/core/later';
import fc from 'fast-check';
import type { PoolTable, TunedBucket } from '../../src/core/control';
import { MAX_UINT32 } from '../../src/core/rls';
import { bucketKeyOfRule } from '../../src/limiter/bucket-key';
import type { RulePlace } from '../../src/limiter/demand';
import { Limiter } from '../../src/limiter/limiter';
import { PlanCache } from '../../src/limiter/plan-cache';
import { Tuning, type TuningBounds } from '../../src/limiter/tuning';
import { MemoryStore } from '../../src/store/memory/memory-store';
import {
  decideNow,
  descriptor,
  LIMITER,
  NO_DEADLINE,
  RecordedTelemetry,
  requestOf,
  SetClock,
  tableOf,
} from './parts';

const LIMITS = `
domain: d
descriptors:
  - key: pooled
    value: one
    rate_limit: {unit: second, requests_per_unit: 10, algorithm: token_bucket}
  - key: pooled
    value: two
    rate_limit: {unit: second, requests_per_unit: 20, algorithm: token_bucket}
  - key: pooled
    value: window
    rate_limit: {unit: minute, requests_per_unit: 600, algorithm: fixed_window}
  - key: pooled_user
    rate_limit: {unit: second, requests_per_unit: 5, algorithm: token_bucket}
  - key: alone
    value: one
    rate_limit: {unit: second, requests_per_unit: 10}
`;
const BOUNDS: TuningBounds = { minPerS: 1, maxPerS: 40, minCapacity: 1, maxCapacity: 80 };
const ONE = 'd|pooled=one';
const TWO = 'd|pooled=two';

function tuned(bucketKey: string, part: Partial<TunedBucket> = {}): TunedBucket {
  const ruleId = bucketKey.replace('|', '.').replace('=', '_');
  return { id: ruleId, ruleId, bucketKey, ratePerS: 15, capacity: 30, lenders: [], ...part };
}

function published(
  sequence: number,
  buckets: readonly TunedBucket[],
  part: Partial<PoolTable> = {},
): PoolTable {
  return {
    pool: 'p',
    epoch: 1,
    sequence,
    version: 1_000 + sequence,
    madeAtMs: 0,
    lifeMs: 10_000,
    decayMs: 10_000,
    mode: 'active',
    buckets,
    state: '',
    ...part,
  };
}

function tuningOf(bounds: TuningBounds = BOUNDS, colocate: 'bucket' | 'domain' = 'bucket'): Tuning {
  return new Tuning({
    boundsOf: (ruleId) => (ruleId.startsWith('d.pooled') ? { pool: 'p', ...bounds } : undefined),
    colocate,
  });
}

function setUp(tuning = tuningOf(), limits = LIMITS) {
  const telemetry = new RecordedTelemetry();
  const store = new MemoryStore({ clock: new SetClock() });
  const limiter = new Limiter({ store, local: store, telemetry }, LIMITER);
  const table = tableOf(limits, { tuningFor: tuning.tuningFor });
  limiter.useTable(table);
  tuning.use(table);
  /** The parameters that a request for one descriptor goes by now. */
  const paramsOf = (text: string) => {
    const plan = limiter.plan(requestOf([descriptor(text)]));
    const call = (plan.tuned?.newest() ?? plan).calls[0];
    if (call === undefined) throw new Error('the request meets no rule');
    return call.params;
  };
  return { tuning, limiter, table, paramsOf };
}

describe('tuning', () => {
  it('gives published sizes to the buckets of its pool, and lets the rest be', () => {
    const { tuning, table, paramsOf } = setUp();
    tuning.apply(published(1, [tuned(ONE)]), 0);
    expect(paramsOf('pooled=one')).toEqual(
      expect.objectContaining({ limit: 15, capacity: 30, rateUtPerS: 15e6, version: 1_001 }),
    );
    expect(paramsOf('pooled=two')).toEqual(
      expect.objectContaining({ limit: 20, capacity: 20, version: 1_001 }),
    );
    expect(table.rules.find(({ id }) => id === 'd.alone_one')?.tuning).toBeUndefined();
    expect(paramsOf('alone=one')).toEqual(expect.objectContaining({ limit: 10, version: 0 }));
  });

  it('tunes one bucket of a rule that has one for each value', () => {
    const { tuning, paramsOf } = setUp();
    tuning.apply(published(1, [tuned('d|pooled_user=ann', { ruleId: 'd.pooled_user' })]), 0);
    expect(paramsOf('pooled_user=ann').limit).toBe(15);
    expect(paramsOf('pooled_user=bob')).toEqual(expect.objectContaining({ limit: 5, version: 1_001 }));
  });

  it('shows the tuned limit in answers', () => {
    const { tuning, limiter } = setUp();
    const limitShown = () =>
      decideNow(limiter, requestOf(['pooled=one'])).statuses[0]?.currentLimit?.requestsPerUnit;
    expect(limitShown()).toBe(10);
    tuning.apply(published(1, [tuned(ONE)]), 0);
    expect(limitShown()).toBe(15);
  });

  it('reaches plans that are kept without planning again, and leaves calls under way as they were', () => {
    const { tuning, limiter, table } = setUp();
    const cache = new PlanCache({ maxPlans: 8, maxMessageBytes: 100 });
    const plan = limiter.plan(requestOf(['pooled=one', 'alone=one']));
    const message = new TextEncoder().encode('message');
    cache.get(table, message);
    cache.offer(plan, message);
    cache.offer(plan, message);
    const before = plan.tuned?.newest();
    expect(plan.tuned?.newest()).toBe(before);
    tuning.apply(published(1, [tuned(ONE)]), 0);
    const after = plan.tuned?.newest();
    expect(cache.get(table, message)).toBe(plan);
    expect(after?.calls[0]?.params.limit).toBe(15);
    expect(after?.limited[0]?.call).toBe(after?.calls[0]);
    expect(after?.items[1]).toBe(plan.items[1]);
    expect(before?.calls[0]?.params.limit).toBe(10);
    expect(plan.tuned?.newest()).toBe(after);
  });

  it('gives requests for one bucket the same object until a publication', () => {
    const { tuning, paramsOf } = setUp();
    tuning.apply(published(1, [tuned(ONE)]), 0);
    expect(paramsOf('pooled=one')).toBe(paramsOf('pooled=one'));
    expect(paramsOf('pooled=two')).toBe(paramsOf('pooled=two'));
  });

  it('keeps parameters and plans that a publication leaves as they are, for half a minute', () => {
    const { tuning, limiter, paramsOf } = setUp();
    const at = (version: number) => ({ version: 1_700_000_000_000 + version });
    const plan = limiter.plan(requestOf(['pooled=one', 'pooled=two']));
    tuning.apply(published(1, [tuned(ONE)], at(0)), 0);
    const first = plan.tuned?.newest();
    tuning.apply(published(2, [tuned(ONE)], at(29_999)), 0);
    expect(plan.tuned?.newest()).toBe(first);
    expect(paramsOf('pooled=two')).toBe(first?.calls[1]?.params);
    tuning.apply(published(3, [tuned(ONE)], at(30_000)), 0);
    expect(plan.tuned?.newest().calls.map(({ params }) => params.version)).toEqual([
      1_700_000_030_000, 1_700_000_030_000,
    ]);
    tuning.apply(published(4, [tuned(ONE, { ratePerS: 16 })], at(30_001)), 0);
    const [one, two] = plan.tuned?.newest().calls ?? [];
    expect([one?.params.version, two?.params.version]).toEqual([1_700_000_030_001, 1_700_000_030_000]);
  });

  it.each<[string, Partial<PoolTable>]>([
    ['nobody', { buckets: [] }],
    ['another rule', { buckets: [tuned(ONE, { ruleId: 'd.pooled_two' })] }],
    ['a pool that is in shadow', { mode: 'shadow', buckets: [] }],
    ['figures that cannot be', { buckets: [tuned(ONE, { ratePerS: NaN })] }],
  ])('gives a bucket of %s its configured size under the newest version', (_what, part) => {
    const { tuning, paramsOf } = setUp();
    tuning.apply(published(1, [tuned(ONE)]), 0);
    expect(paramsOf('pooled=one').version).toBe(1_001);
    tuning.apply(published(2, [], part), 0);
    expect(paramsOf('pooled=one')).toEqual(expect.objectContaining({ limit: 10, version: 1_002 }));
  });

  it('takes effect in the bucket', () => {
    const { tuning, limiter } = setUp();
    tuning.apply(published(1, [tuned(ONE, { capacity: 3 })]), 0);
    const codes = Array.from({ length: 5 }, () => limiter.decide(requestOf(['pooled=one']), NO_DEADLINE)).map(
      (response) => (response instanceof Later ? undefined : response.overallCode),
    );
    expect(codes).toEqual([1, 1, 1, 2, 2]);
  });

  it.each<[string, PoolTable]>([
    ['an older sequence', published(1, [tuned(ONE, { ratePerS: 30 })], { version: 9_999 })],
    ['the same again', published(2, [tuned(ONE, { ratePerS: 30 })])],
    ['an older epoch', published(9, [tuned(ONE, { ratePerS: 30 })], { epoch: 0, version: 9_999 })],
    ['an older version', published(3, [tuned(ONE, { ratePerS: 30 })], { version: 5 })],
    ['a version that is no number', published(3, [tuned(ONE, { ratePerS: 30 })], { version: NaN })],
    ['a life without end', published(3, [tuned(ONE, { ratePerS: 30 })], { lifeMs: Infinity })],
    ['a negative epoch', published(3, [tuned(ONE, { ratePerS: 30 })], { epoch: -1 })],
    ['another pool', published(3, [tuned(ONE, { ratePerS: 30 })], { pool: 'other' })],
  ])('is not moved by a table of %s', (_what, table) => {
    const { tuning, paramsOf } = setUp();
    tuning.apply(published(2, [tuned(ONE)]), 0);
    tuning.apply(table, 0);
    expect(paramsOf('pooled=one')).toEqual(expect.objectContaining({ limit: 15, version: 1_002 }));
  });

  it.each([NaN, -1, Infinity, -Infinity, 1e14])('skips and counts an entry of %d a second', (ratePerS) => {
    const { tuning, paramsOf } = setUp();
    tuning.apply(published(1, [tuned(ONE, { ratePerS }), tuned(TWO), tuned(TWO, { ratePerS: 1 })]), 0);
    expect(paramsOf('pooled=one')).toEqual(expect.objectContaining({ limit: 10, version: 1_001 }));
    expect(paramsOf('pooled=two').limit).toBe(15);
    expect(tuning.counts()).toEqual({ applied: 1, ignored: 0, skipped: 2 });
  });

  it.each(['off', 'shadow'] as const)(
    'leaves configured sizes in force in mode %s, under the new version',
    (mode) => {
      const { tuning, paramsOf } = setUp();
      tuning.apply(published(1, [tuned(ONE)]), 0);
      tuning.apply(published(2, [tuned(ONE)], { mode }), 0);
      expect(paramsOf('pooled=one')).toEqual(
        expect.objectContaining({ limit: 10, capacity: 10, version: 1_002 }),
      );
    },
  );

  it('fades in a straight line once its time is over, and keeps the version', () => {
    const { tuning, paramsOf } = setUp();
    tuning.apply(published(1, [tuned(ONE, { ratePerS: 20, capacity: 30 })]), 5_000);
    const at = (nowMs: number) => {
      tuning.fade(nowMs);
      const { limit, capacity, rateUtPerS, version } = paramsOf('pooled=one');
      return [limit, capacity, rateUtPerS, version];
    };
    expect(at(15_000)).toEqual([20, 30, 20e6, 1_001]);
    expect(at(20_000)).toEqual([15, 20, 15e6, 1_001]);
    expect(at(12_000)).toEqual([15, 20, 15e6, 1_001]);
    expect(at(25_000)).toEqual([10, 10, 10e6, 1_001]);
    tuning.apply(published(2, [tuned(ONE)]), 30_000);
    expect(at(30_000)).toEqual([15, 30, 15e6, 1_002]);
  });

  it('is as configured at once where nothing fades, and when its pool is dropped', () => {
    const { tuning, paramsOf } = setUp();
    tuning.apply(published(1, [tuned(ONE)], { decayMs: 0 }), 0);
    tuning.fade(10_001);
    expect(paramsOf('pooled=one').limit).toBe(10);
    tuning.apply(published(2, [tuned(ONE)]), 0);
    expect(paramsOf('pooled=one').limit).toBe(15);
    tuning.drop('p');
    expect(paramsOf('pooled=one')).toEqual(expect.objectContaining({ limit: 10, version: 1_002 }));
  });

  it('goes on after a reload, inside the new bounds, and fades to what is configured now', () => {
    let bounds = BOUNDS;
    const tuning = new Tuning({ boundsOf: () => ({ pool: 'p', ...bounds }), colocate: 'bucket' });
    const before = setUp(tuning);
    tuning.apply(published(1, [tuned(ONE, { ratePerS: 40, capacity: 80 })]), 0);
    expect(before.paramsOf('pooled=one').limit).toBe(40);
    bounds = { ...BOUNDS, maxPerS: 12, maxCapacity: 6 };
    const after = setUp(tuning, LIMITS.replace('requests_per_unit: 10,', 'requests_per_unit: 4,'));
    expect(after.paramsOf('pooled=one')).toEqual(expect.objectContaining({ limit: 12, capacity: 6 }));
    expect(before.paramsOf('pooled=one').limit).toBe(40);
    tuning.fade(60_000);
    expect(after.paramsOf('pooled=one')).toEqual(
      expect.objectContaining({ limit: 4, capacity: 4, version: 1_001 }),
    );
  });

  it('never leaves the bounds, whatever is published', () => {
    const { tuning, paramsOf } = setUp();
    let sequence = 0;
    const figure = fc.oneof(fc.double(), fc.constantFrom(0, -0, 1e300, 5e-324, MAX_UINT32, 2 ** 53));
    fc.assert(
      fc.property(figure, figure, fc.integer({ min: 0, max: 25_000 }), (ratePerS, capacity, laterMs) => {
        sequence += 1;
        const window = tuned('d|pooled=window', { ratePerS, capacity });
        tuning.apply(published(sequence, [tuned(ONE, { ratePerS, capacity }), window]), 0);
        tuning.fade(laterMs);
        const { rateUtPerS, capacity: tokens } = paramsOf('pooled=one');
        expect(rateUtPerS).toBeGreaterThanOrEqual(BOUNDS.minPerS * 1e6 - 1);
        expect(rateUtPerS).toBeLessThanOrEqual(BOUNDS.maxPerS * 1e6);
        expect(tokens).toBeGreaterThanOrEqual(BOUNDS.minCapacity);
        expect(tokens).toBeLessThanOrEqual(BOUNDS.maxCapacity);
        const { limit } = paramsOf('pooled=window');
        expect(limit).toBeGreaterThanOrEqual(BOUNDS.minPerS * 60);
        expect(limit).toBeLessThanOrEqual(BOUNDS.maxPerS * 60);
      }),
    );
  });

  it('leaves a bucket that is not refilled what was lent to it', () => {
    const { tuning, paramsOf } = setUp(tuningOf({ ...BOUNDS, minPerS: 0 }));
    tuning.apply(published(1, [tuned(ONE, { ratePerS: 0 }), tuned('d|pooled=window', { ratePerS: 0 })]), 0);
    expect(paramsOf('pooled=one')).toEqual(expect.objectContaining({ rateUtPerS: 0, capacity: 30 }));
    expect(paramsOf('pooled=window').limit).toBe(0);
  });
});

describe('lenders', () => {
  const lenders = [
    { bucketKey: TWO, keep: 2.5 },
    { bucketKey: ONE, keep: 0 },
    { bucketKey: 'd|pooled=window', keep: 0 },
    { bucketKey: 'd|gone=x', keep: 0 },
  ];
  const table = published(1, [tuned(ONE, { lenders }), tuned(TWO), tuned('d|pooled=window')]);

  it.each([
    ['bucket', TWO],
    ['domain', 'd'],
  ] as const)(
    'are token buckets of the pool other than itself, in the slot of their %s',
    (colocate, group) => {
      const { tuning, paramsOf } = setUp(tuningOf(BOUNDS, colocate));
      tuning.apply(table, 0);
      expect(tuning.lendersOf(ONE)).toEqual([
        { ref: { key: TWO, group, params: paramsOf('pooled=two') }, keep: 3 },
      ]);
      expect(tuning.lendersOf(TWO)).toEqual([]);
      expect(tuning.lendersOf('d|alone=one')).toEqual([]);
    },
  );

  it('lend no more once their table has run out, or the pool is dropped', () => {
    const { tuning } = setUp();
    tuning.apply(table, 0);
    tuning.fade(10_001);
    expect(tuning.lendersOf(ONE)).toEqual([]);
    tuning.apply({ ...table, sequence: 2, version: 2_000 }, 11_000);
    expect(tuning.lendersOf(ONE)).toHaveLength(1);
    tuning.drop('p');
    expect(tuning.lendersOf(ONE)).toEqual([]);
  });
});

describe('the key of a rule with one bucket', () => {
  const place = (path: RulePlace['path'], manyBuckets = false): RulePlace => ({
    id: 'x',
    domain: 'd|1',
    path,
    manyBuckets,
  });
  it.each<[string, RulePlace, string | undefined]>([
    [
      'of values',
      place([
        { key: 'a=', value: 'b' },
        { key: 'c', value: 'd' },
      ]),
      'd%7c1|a%3d=b|c=d',
    ],
    ['of a shared wildcard', place([{ key: 'a', value: 'b*' }]), 'd%7c1|a~b*'],
    ['of an open value', place([{ key: 'a', value: '' }], true), undefined],
    ['of a wildcard key', place([{ key: 'a*', value: '' }]), undefined],
  ])('%s', (_what, rule, key) => expect(bucketKeyOfRule(rule)).toBe(key));

  it('is the one that requests are counted by', () => {
    const limits = `
domain: d
descriptors:
  - key: a
    value: x
    descriptors:
      - key: path
        value: /api/*
        share_threshold: true
        rate_limit: {unit: second, requests_per_unit: 1}
`;
    const places: RulePlace[] = [];
    const table = tableOf(limits, {
      tuningFor: (at) => {
        places.push(at);
        return undefined;
      },
    });
    const domain = table.domains.get('d');
    const [rule] = places;
    if (domain === undefined || rule === undefined) throw new Error('the limits have a rule');
    expect(bucketKeyOfRule(rule)).toBe(table.match(domain, descriptor('a=x,path=/api/1'))?.key);
  });
});

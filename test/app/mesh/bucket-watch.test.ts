/** The buckets of targets: by the limits, by what pools publish, and what cannot be looked at. */
import { BucketWatch } from '../../../src/app/mesh/bucket-watch';
import { targetBuckets } from '../../../src/app/mesh/target-buckets';
import type { PoolTable } from '../../../src/core/control';
import { TidegateError } from '../../../src/core/errors';
import { COUNTS, type ObservationBatch } from '../../../src/core/observation';
import type { BucketLevel, BucketRef } from '../../../src/core/pool-link';
import { loaded } from '../../config/load';
import { tableOf } from '../../limiter/parts';

const LIMITS = `
domain: shop
descriptors:
  - {key: cluster, value: a, rate_limit: {unit: second, requests_per_unit: 20, capacity: 30}}
  - {key: cluster, value: b, rate_limit: {unit: minute, requests_per_unit: 600, algorithm: fixed_window}}
  - {key: cluster, value: free, rate_limit: {unlimited: true}}
  - {key: user, rate_limit: {unit: second, requests_per_unit: 5}}
`;
const FILE = `
mesh:
  path: resources
  targets:
    - {group: g, cluster: a, bucket: shop.cluster_a}
    - {group: g, cluster: b, bucket: shop.cluster_b}
    - {group: g, cluster: c, bucket: shop.cluster_free}
    - {group: g, cluster: d, bucket: shop.nobody}
    - {group: g, cluster: e, bucket: 'shop.user|shop_user_7'}
    - {group: g, cluster: f}
pools:
  list: [{name: main, mode: active, total_per_s: 100}]
  members: [{pool: main, match: shop.cluster_a}]
`;

const { settings } = loaded({ file: FILE });
const demandFor = (place: object) => ({ place }) as never;
const found = targetBuckets(settings, tableOf(LIMITS, { demandFor }));

let nowMs = 1_000_000;
let levels: (refs: readonly BucketRef[]) => readonly (BucketLevel | TidegateError)[];

function watch(): BucketWatch {
  nowMs = 1_000_000;
  levels = (refs) => refs.map(() => ({ tokens: 5, capacity: 30 }));
  const made = new BucketWatch({
    operator: {
      levels: async (refs) => levels(refs),
      transfer: async () => new TidegateError('TG_STORE_UNAVAILABLE', 'nothing is moved'),
    },
    predict: () => undefined,
    nowMs: () => nowMs,
    monotonicMs: () => nowMs,
  });
  made.use(found);
  return made;
}

function table(changes: Partial<PoolTable> = {}): PoolTable {
  return {
    pool: 'main',
    epoch: 1,
    sequence: 1,
    version: 77,
    madeAtMs: nowMs,
    lifeMs: 10_000,
    decayMs: 10_000,
    mode: 'active',
    buckets: [
      {
        id: 'shop.cluster_a',
        ruleId: 'shop.cluster_a',
        bucketKey: found[0]?.bucket.key ?? '',
        ratePerS: 35,
        capacity: 50,
        lenders: [],
      },
    ],
    state: '',
    ...changes,
  };
}

test('targets name rules of one bucket, or one key of a rule; what the limits do not have is left', () => {
  expect(found.map(({ id }) => id)).toEqual(['shop.cluster_a', 'shop.cluster_b', 'shop.user|shop_user_7']);
  expect(found[2]).toMatchObject({ ruleId: 'shop.user', bucket: { key: 'shop_user_7' } });
});

test('refill is what the limits say, a second; what was not looked at yet was never seen', async () => {
  const buckets = watch();
  expect(buckets.of('shop.cluster_a')).toMatchObject({
    level: undefined,
    refillPerS: 20,
    seenAtMs: -Infinity,
  });
  await buckets.look();
  expect(buckets.of('shop.cluster_a')).toMatchObject({ level: { tokens: 5 }, seenAtMs: nowMs });
  expect(buckets.of('shop.cluster_b')?.refillPerS).toBe(10);
  expect(buckets.of('shop.nobody')).toBeUndefined();
});

test('what a pool publishes counts for as long as it holds, then fades, and buckets are asked for with it', async () => {
  const buckets = watch();
  const asked: BucketRef[] = [];
  levels = (refs) => refs.map((ref) => (asked.push(ref), { tokens: 5, capacity: 50 }));
  buckets.table(table());
  await buckets.look();
  expect(buckets.of('shop.cluster_a')?.refillPerS).toBe(35);
  expect(asked[0]?.params).toMatchObject({ capacity: 50, version: 77 });
  nowMs += 15_000;
  expect(buckets.of('shop.cluster_a')?.refillPerS).toBe(27.5);
  nowMs += 5_000;
  expect(buckets.of('shop.cluster_a')?.refillPerS).toBe(20);
});

test('a bucket that cannot be looked at keeps what was seen, and when', async () => {
  const buckets = watch();
  await buckets.look();
  const seenAtMs = nowMs;
  nowMs += 3_000;
  levels = (refs) => refs.map(() => new TidegateError('TG_STORE_UNAVAILABLE', 'down'));
  await buckets.look();
  expect(buckets.of('shop.cluster_a')).toMatchObject({ level: { tokens: 5 }, seenAtMs });
});

test('demand is the sum over processes; a process that falls silent is forgotten', async () => {
  const buckets = watch();
  const batch = (source: string, arrivals: number): ObservationBatch => ({
    source,
    sequence: 1,
    atMs: nowMs,
    stepMs: 1_000,
    added: [],
    classes: ['shop.cluster_a', 'shop.other'],
    counts: Float64Array.from([
      ...COUNTS.map((name) => (name === 'arrivals' || name === 'hits' ? arrivals : 0)),
      ...COUNTS.map(() => 9),
    ]),
  });
  buckets.note(batch('one', 4));
  buckets.note(batch('two', 3));
  expect(buckets.of('shop.cluster_a')?.rates.demandPerS).toBe(7);
  nowMs += 60_000;
  buckets.begin();
  expect(buckets.of('shop.cluster_a')?.rates.demandPerS).toBeNaN();
});

/** Buckets as control asks for them, beside what the data path asks with. */
import fc from 'fast-check';
import { PoolBuckets } from '../../../src/app/control/pool-buckets';
import type { MemberSetup } from '../../../src/app/control/pool-setup';
import { bucketParams, rateUtPerS } from '../../../src/bucket/params';
import type { PoolTable } from '../../../src/core/control';
import { TidegateError } from '../../../src/core/errors';
import type { BucketOperator, BucketRef } from '../../../src/core/pool-link';
import type { RulePlace } from '../../../src/limiter/demand';
import { Tuning } from '../../../src/limiter/tuning';
import { memberPolicy } from '../../control/pool-samples';

const PLACE: RulePlace = {
  ...{ id: 'd.a_b', domain: 'd', manyBuckets: false },
  path: [],
};
const KEY = 'd|a=b';

function operator(asked: BucketRef[]): BucketOperator {
  return {
    levels: async (buckets) => {
      asked.push(...buckets);
      return buckets.map(() => ({ tokens: 5, capacity: 10 }));
    },
    transfer: async () => new TidegateError('TG_STORE_TIMEOUT', 'late'),
  };
}

function tableOf(ratePerS: number, capacity: number, part: Partial<PoolTable> = {}): PoolTable {
  return {
    ...{ pool: 'p', epoch: 1, sequence: 1, version: 1_700_000_000_000, madeAtMs: 0, lifeMs: 1_000 },
    ...{ decayMs: 1_000, mode: 'active', state: '' },
    buckets: [{ id: 'd.a_b', ruleId: 'd.a_b', bucketKey: KEY, ratePerS, capacity, lenders: [] }],
    ...part,
  };
}

test('are those of the data path to the last bit, whatever was published and however far it has faded', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.constantFrom(1, 5, 1_000),
      fc.constantFrom(1_000_000, 60_000_000, 86_400_000_000),
      fc.oneof(fc.double({ min: 0, max: 2_000, noNaN: true }), fc.double({ min: 0, max: 1, noNaN: true })),
      fc.double({ min: 0, max: 5_000, noNaN: true }),
      fc.integer({ min: 0, max: 2_500 }),
      async (limit, windowUs, ratePerS, capacity, laterMs) => {
        const params = bucketParams({ algorithm: 'token_bucket', limit, windowUs });
        const nominalPerS = rateUtPerS(limit, windowUs) / 1_000_000;
        const policy = memberPolicy('d.a_b', { bucketKey: KEY, nominalPerS, maxPerS: 1_500, minPerS: 0.01 });
        const member: MemberSetup = { policy, params, group: '', queueLimit: 0 };
        let nowMs = 0;
        const asked: BucketRef[] = [];
        const buckets = new PoolBuckets(operator(asked), () => nowMs);
        const tuning = new Tuning({ boundsOf: () => ({ pool: 'p', ...policy }), colocate: 'bucket' });
        const rule = tuning.tuningFor(PLACE, params, { name: '', requestsPerUnit: limit, unit: 1 });
        const table = tableOf(ratePerS, capacity);
        buckets.heard(table);
        tuning.apply(table, nowMs);
        nowMs = laterMs;
        tuning.fade(nowMs);
        expect(await buckets.levels([member])).toEqual(new Map([['d.a_b', 5]]));
        expect(asked).toEqual([{ key: KEY, group: KEY, params: rule?.sizeOf(KEY).params }]);
      },
    ),
  );
});

test('are as configured under the newest version where nothing is published of them', async () => {
  const params = bucketParams({ algorithm: 'token_bucket', limit: 5, windowUs: 1_000_000 });
  const member: MemberSetup = {
    policy: memberPolicy('d.a_b', { bucketKey: KEY }),
    params,
    group: 'd',
    queueLimit: 0,
  };
  const asked: BucketRef[] = [];
  const buckets = new PoolBuckets(operator(asked), () => 0);
  await buckets.levels([member, { ...member, policy: { ...member.policy, lends: false } }]);
  buckets.heard(tableOf(9, 9, { mode: 'shadow', buckets: [] }));
  await buckets.levels([member]);
  expect(asked).toEqual([
    { key: KEY, group: 'd', params },
    { key: KEY, group: 'd', params: { ...params, version: 1_700_000_000_000 } },
  ]);
});

test('a transfer that fails says why', async () => {
  const params = bucketParams({ algorithm: 'token_bucket', limit: 5, windowUs: 1_000_000 });
  const member: MemberSetup = {
    policy: memberPolicy('d.a_b', { bucketKey: KEY }),
    params,
    group: '',
    queueLimit: 0,
  };
  const order = { loanId: 'l', lender: 'a', borrower: 'b', tokens: 1, keep: 0, dueMs: 0, why: 'denied' };
  const buckets = new PoolBuckets(operator([]), () => 0);
  expect(await buckets.transfer('p/1/l', order, member, member)).toEqual({
    ...{ loanId: 'l', moved: 0, lost: 0, error: 'TG_STORE_TIMEOUT' },
  });
});

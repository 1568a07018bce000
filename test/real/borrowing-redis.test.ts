/** Borrowing at once over a real Redis: every token of the pool that is not kept is spent, and none twice. */
import { TidegateError } from '../../src/core/errors';
import { BorrowingStore } from '../../src/store/borrowing/borrowing-store';
import { RedisOperator } from '../../src/store/redis/redis-operator';
import type { RedisStoreOptions } from '../../src/store/redis/options';
import { RedisStore } from '../../src/store/redis/redis-store';
import { RedisServer } from '../parts/redis-server';
import { until } from '../parts/until';
import { call, request } from '../store/contract-form';
import { bucket, tokensOf } from '../store/operator-contract';

let server: RedisServer;
let store: BorrowingStore;
let operator: RedisOperator;
const borrower = bucket('borrower');
const lenders = [
  { ref: bucket('lender 1', { capacity: 50 }), keep: 5 },
  { ref: bucket('lender 2', { capacity: 50 }), keep: 20 },
];
let borrowed = 0;

beforeAll(async () => {
  server = await RedisServer.start();
  const options: RedisStoreOptions = { kind: 'redis', urls: [server.address] };
  operator = new RedisOperator(options);
  store = new BorrowingStore({
    inner: new RedisStore(options),
    operator,
    clock: { monotonicMs: () => performance.now() },
    lendersOf: (key) => (key === borrower.key ? lenders : []),
    borrowed: ({ tokens }) => {
      borrowed += tokens;
    },
  });
  await until('both are up', () => store.ready() && operator.ready());
});

afterAll(async () => {
  operator.close();
  await store.close();
  await server.stop();
});

test('admits what the pool has, and not one more', async () => {
  let admitted = 0;
  for (let round = 0; round < 50; round += 1) {
    const ask = async (): Promise<number> => {
      const [result] = await store.decide(
        request([call(borrower.key, borrower.params, 1)], { deadlineMs: 5_000 }),
      );
      return result !== undefined && !(result instanceof TidegateError) && result.allowed ? 1 : 0;
    };
    for (const one of await Promise.all([ask(), ask(), ask(), ask()])) admitted += one;
  }
  const left = await tokensOf({ operator }, [borrower, ...lenders.map(({ ref }) => ref)]);
  expect([...left, admitted]).toEqual([0, 5, 20, 85]);
  expect(borrowed).toBe(75);
});

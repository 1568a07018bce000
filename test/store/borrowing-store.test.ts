import { Later } from '../../src/core/later';
import fc from 'fast-check';
import { bucketParams } from '../../src/bucket/params';
import type { BucketCall, BucketRequest, BucketResult, BucketStore } from '../../src/core/buckets';
import { TidegateError } from '../../src/core/errors';
import type { BucketOperator, BucketRef, TokenTransfer, TransferResult } from '../../src/core/pool-link';
import { BorrowingStore } from '../../src/store/borrowing/borrowing-store';
import type { BorrowedTokens, Lender } from '../../src/store/borrowing/loan-window';
import { LeasedStore } from '../../src/store/leased/leased-store';
import { MemoryOperator } from '../../src/store/memory/memory-operator';
import { MemoryStore } from '../../src/store/memory/memory-store';
import { ask, call, request } from './contract-form';
import { bucket, tokensOf } from './operator-contract';
import { SimulatedClock } from './simulated-clock';

type Transferring = (transfer: TokenTransfer) => Promise<TransferResult | TidegateError>;

/** A borrowing store over memory, in simulated time; `transferring` stands in for the operator's transfers. */
function borrowing(lenders: Readonly<Record<string, readonly Lender[]>>, transferring?: Transferring) {
  const clock = new SimulatedClock();
  const memory = new MemoryStore({ clock });
  const operator = new MemoryOperator(memory);
  const transfers: TokenTransfer[] = [];
  const asked: BucketRequest[] = [];
  const ledger: Omit<BorrowedTokens, 'loanId'>[] = [];
  const inner: BucketStore = {
    decide: (one) => {
      asked.push(one);
      return memory.decide(one);
    },
    ready: () => memory.ready(),
    close: () => memory.close(),
  };
  const watched: BucketOperator = {
    levels: (buckets) => operator.levels(buckets),
    transfer: (transfer) => {
      transfers.push(transfer);
      return transferring?.(transfer) ?? operator.transfer(transfer);
    },
  };
  const store = new BorrowingStore({
    inner,
    operator: watched,
    clock,
    lendersOf: (key) => lenders[key] ?? [],
    borrowed: ({ loanId, ...loan }) => {
      expect(loanId).not.toBe('');
      ledger.push(loan);
    },
  });
  return { clock, memory, operator, store, transfers, asked, ledger };
}

const of = (ref: BucketRef, hits: number, more: Partial<BucketCall> = {}): BucketCall =>
  call(ref.key, ref.params, hits, { group: ref.group, ...more });

const A = bucket('a');
const B = bucket('b');
const C = bucket('c');
const WINDOW = {
  ...bucket('w'),
  params: bucketParams({ algorithm: 'fixed_window', limit: 5, windowUs: 3_600_000_000 }),
};
const verdicts = (results: readonly BucketResult[]): unknown[] =>
  results.map((result) => (result instanceof TidegateError ? result.code : result.allowed));

describe('a request that is denied for want of tokens', () => {
  test.each([
    { what: 'as many as it lacks', hits: 3, taken: 9, rate: 0, borrowed: 2 },
    { what: 'at least one', hits: 1, taken: 10, rate: 0, borrowed: 1 },
    { what: 'what refills in 50 ms', hits: 1, taken: 10, rate: 100_000_000, borrowed: 5 },
    { what: 'no more than its bucket holds', hits: 1, taken: 10, rate: 4_000_000_000, borrowed: 10 },
  ])('borrows $what', async ({ hits, taken, rate, borrowed }) => {
    const to = bucket('a', { rateUtPerS: rate });
    const { store, memory, operator, ledger } = borrowing({ a: [{ ref: B, keep: 0 }] });
    memory.decide(request([of(to, taken)]));
    const [outcome] = await ask(store, [of(to, hits)]);
    expect(outcome).toMatchObject({ allowed: true });
    expect(ledger).toEqual([{ borrower: 'a', lender: 'b', tokens: borrowed, lost: 0 }]);
    expect(await tokensOf({ operator }, [to, B])).toEqual([10 - taken + borrowed - hits, 10 - borrowed]);
  });

  test('goes from lender to lender, best first, and leaves each what it keeps', async () => {
    const lenders = [
      { ref: B, keep: 8 },
      { ref: C, keep: 5 },
    ];
    const { store, memory, operator, ledger } = borrowing({ a: lenders });
    memory.decide(request([of(A, 10)]));
    expect(verdicts(await store.decide(request([of(A, 6)])))).toEqual([true]);
    expect(ledger.map(({ lender, tokens }) => [lender, tokens])).toEqual([
      ['b', 2],
      ['c', 4],
    ]);
    expect(await tokensOf({ operator }, [A, B, C])).toEqual([0, 8, 6]);
  });

  test('borrows for every bucket that denies it, and for one quota only', async () => {
    const lend = [{ ref: bucket('rich', { capacity: 100 }), keep: 0 }];
    const { store, memory, ledger } = borrowing({ a: lend, b: lend, c: lend });
    memory.decide(request([of(A, 10), of(B, 10), of(C, 10)]));
    const calls = [of(A, 1), of(B, 1, { role: 'quota' }), of(C, 1, { role: 'quota' })];
    expect(verdicts(await store.decide(request(calls)))).toEqual([true, true, false]);
    expect(ledger.map(({ borrower }) => borrower)).toEqual(['a', 'b']);
  });
});

describe('what needs no borrowing, or gets none', () => {
  const lenders = { a: [{ ref: B, keep: 0 }], w: [{ ref: B, keep: 0 }] };

  test.each<{ what: string; calls: readonly BucketCall[]; more?: Partial<BucketRequest> }>([
    { what: 'a request that passes', calls: [of(C, 1)] },
    { what: 'a look', calls: [of(A, 0)] },
    { what: 'a refund', calls: [of(A, -1)] },
    { what: 'a denial by a bucket without lenders', calls: [of(C, 11)] },
    { what: 'a denial that another bucket shares', calls: [of(A, 1), of(C, 11)] },
    { what: 'more than the bucket can hold', calls: [of(A, 11)] },
    { what: 'a window', calls: [of(WINDOW, 6)] },
    { what: 'a shadow', calls: [of(A, 1, { role: 'shadow' })] },
    {
      what: 'a quota that another satisfies',
      calls: [of(A, 1, { role: 'quota' }), of(C, 1, { role: 'quota' })],
    },
    {
      what: 'a quota that is satisfied',
      calls: [of(A, 1, { role: 'quota' })],
      more: { quotaSatisfied: true },
    },
    { what: 'a charge of what denies', calls: [of(A, 1)], more: { chargeDenied: 'over' } },
    { what: 'a charge of all', calls: [of(A, 1)], more: { chargeDenied: 'all' } },
    { what: 'an error', calls: [of(A, 1), of(C, 0.5)] },
    { what: 'no time', calls: [of(A, 1)], more: { deadlineMs: 0 } },
  ])('$what is answered as it is', async ({ calls, more }) => {
    const { store, memory, transfers, asked } = borrowing(lenders);
    memory.decide(request([of(A, 10)]));
    const results = await store.decide(request(calls, more));
    expect(transfers).toEqual([]);
    expect(asked).toHaveLength(1);
    const twin = new MemoryStore({ clock: new SimulatedClock() });
    twin.decide(request([of(A, 10)]));
    expect(verdicts(results)).toEqual(verdicts(twin.decide(request(calls, more))));
  });

  test('an answer that is there at once stays so, and one that is not stays the same', () => {
    const { store, memory } = borrowing({ a: [{ ref: B, keep: 0 }] });
    expect(store.decide(request([of(A, 10)]))).toBeInstanceOf(Array);
    expect(store.decide(request([of(C, 11)]))).toBeInstanceOf(Array);
    const later = Later.from(Promise.resolve(memory.decide(request([of(C, 1)]))));
    const slow: BucketStore = { decide: () => later, ready: () => true, close: () => Promise.resolve() };
    const operator = new MemoryOperator(memory);
    const over = new BorrowingStore({
      inner: slow,
      operator,
      clock: new SimulatedClock(),
      lendersOf: () => [],
    });
    expect(over.decide(request([of(C, 1)]))).toBe(later);
  });
});

describe('when there is nothing to be had', () => {
  test('the denial stands, and the bucket is left alone for 100 ms', async () => {
    const { store, memory, clock, transfers } = borrowing({ a: [{ ref: B, keep: 10 }] });
    memory.decide(request([of(A, 10)]));
    const tries = async (): Promise<number> => {
      expect(verdicts(await store.decide(request([of(A, 1)])))).toEqual([false]);
      return transfers.length;
    };
    expect(await tries()).toBe(1);
    clock.advance(99_000);
    expect(await tries()).toBe(1);
    expect(store.decide(request([of(A, 1)]))).toBeInstanceOf(Array);
    clock.advance(1_000);
    expect(await tries()).toBe(2);
  });

  test.each<[string, Transferring]>([
    ['answers an error', () => Promise.resolve(new TidegateError('TG_STORE_UNAVAILABLE', 'away'))],
    ['rejects', () => Promise.reject(new Error('unforeseen'))],
    ['loses what it took', () => Promise.resolve({ moved: 0, lost: 3 })],
  ])('an operator that %s is a denial', async (_what, transferring) => {
    const { store, memory, ledger } = borrowing({ a: [{ ref: B, keep: 0 }] }, transferring);
    memory.decide(request([of(A, 10)]));
    expect(verdicts(await store.decide(request([of(A, 1)])))).toEqual([false]);
    expect(ledger.reduce((lost, loan) => lost + loan.lost, 0)).toBe(_what.startsWith('loses') ? 3 : 0);
  });

  test('a store that closes borrows no more', async () => {
    const { store, memory, transfers } = borrowing({ a: [{ ref: B, keep: 0 }] });
    memory.decide(request([of(A, 10)]));
    await store.close();
    expect(store.ready()).toBe(false);
    expect(verdicts(await store.decide(request([of(A, 1)])))).toEqual(['TG_STORE_UNAVAILABLE']);
    expect(transfers).toEqual([]);
  });
});

describe('a loan that takes time', () => {
  beforeEach(() => jest.useFakeTimers());
  afterEach(() => jest.useRealTimers());

  /** Transfers that come about when the test says so. */
  function held() {
    const waiting: (() => void)[] = [];
    const made = borrowing({ a: [{ ref: B, keep: 0 }] }, async (transfer) => {
      await new Promise<void>((resolve) => waiting.push(resolve));
      return made.operator.transfer(transfer);
    });
    made.memory.decide(request([of(A, 10)]));
    return { ...made, release: () => waiting.splice(0).forEach((resolve) => resolve()) };
  }

  test('is the only one for its bucket, and the next is for all that were denied meanwhile', async () => {
    const { store, transfers, release } = held();
    const ask = async (): Promise<unknown> => verdicts(await store.decide(request([of(A, 1)])))[0];
    const answers = Promise.all(Array.from({ length: 20 }, ask));
    await jest.advanceTimersByTimeAsync(1);
    expect(transfers.map(({ tokens }) => tokens)).toEqual([1]);
    release();
    await jest.advanceTimersByTimeAsync(1);
    expect(transfers.map(({ tokens }) => tokens)).toEqual([1, 10]);
    release();
    expect((await answers).filter((allowed) => allowed === true)).toHaveLength(10);
    expect(transfers).toHaveLength(2);
  });

  test('is not waited for beyond half of the deadline, and serves who comes later', async () => {
    const { store, operator, asked, release } = held();
    const answer = Promise.resolve(store.decide(request([of(A, 1)], { deadlineMs: 30 })));
    let settled = false;
    void answer.then(() => (settled = true));
    await jest.advanceTimersByTimeAsync(14);
    expect(settled).toBe(false);
    await jest.advanceTimersByTimeAsync(1);
    expect(verdicts(await answer)).toEqual([false]);
    expect(asked).toHaveLength(1);
    release();
    await jest.advanceTimersByTimeAsync(0);
    expect(await tokensOf({ operator }, [A, B])).toEqual([1, 9]);
    expect(verdicts(await store.decide(request([of(A, 1)])))).toEqual([true]);
  });

  test('leaves the second try what is left of the time', async () => {
    const { store, clock, asked, release } = held();
    const answer = store.decide(request([of(A, 1)], { deadlineMs: 30 }));
    clock.advance(12_000);
    release();
    expect(verdicts(await answer)).toEqual([true]);
    expect(asked.map(({ deadlineMs }) => deadlineMs)).toEqual([30, 18]);
  });
});

test('beneath leases, a bucket that runs dry goes on with what others can spare', async () => {
  const { store, memory, clock } = borrowing({ a: [{ ref: B, keep: 4 }] });
  const leased = new LeasedStore({
    shared: store,
    source: memory,
    terms: { epsilon: 0.2, ttlMs: 1_000, idleMs: 200 },
    clock,
    holder: 1,
    tickMs: 0,
  });
  let admitted = 0;
  for (let i = 0; i < 30; i += 1) {
    clock.advance(1_000);
    const [result] = await leased.decide(request([of(A, 1, { leased: true })]));
    if (result !== undefined && !(result instanceof TidegateError) && result.allowed) admitted += 1;
  }
  expect(admitted).toBe(16);
});

test('whatever is asked at once: no token is made or lost, and no lender goes below what it keeps', async () => {
  const act = fc.record({
    keys: fc.uniqueArray(fc.nat({ max: 3 }), { minLength: 1, maxLength: 3 }),
    hits: fc.integer({ min: 0, max: 7 }),
    role: fc.constantFrom('hard' as const, 'hard' as const, 'quota' as const, 'shadow' as const),
    passMs: fc.constantFrom(0, 0, 150),
  });
  await fc.assert(
    fc.asyncProperty(fc.array(fc.array(act, { maxLength: 6 }), { maxLength: 10 }), async (rounds) => {
      const refs = ['p', 'q', 'r', 's'].map((key) => bucket(key));
      const lenders = Object.fromEntries(
        refs.map(({ key }, at) => [key, refs.slice(at + 1).map((ref) => ({ ref, keep: 3 }))]),
      );
      const made = borrowing(lenders);
      let spent = 0;
      for (const round of rounds) {
        const answers = round.map(async ({ keys, hits, role, passMs }) => {
          made.clock.advance(passMs * 1_000);
          const calls = keys.flatMap((at) => (refs[at] === undefined ? [] : [of(refs[at], hits, { role })]));
          const results = await made.store.decide(request(calls));
          const outcomes = verdicts(results);
          const denied =
            role === 'hard' ? outcomes.includes(false) : role === 'quota' && !outcomes.includes(true);
          if (!denied) spent += hits * outcomes.filter((one) => one === true).length;
        });
        await Promise.all(answers);
        const levels = await tokensOf(made, refs);
        expect(levels.reduce((sum, tokens) => sum + tokens, 0)).toBe(40 - spent);
      }
      for (const { tokens, lost } of made.ledger) expect([tokens > 0, lost]).toEqual([true, 0]);
      for (const { keep } of made.transfers) expect(keep).toBe(3);
    }),
    { numRuns: 150 },
  );
});

import fc from 'fast-check';
import { bucketParams } from '../../src/bucket/params';
import { ALGORITHMS, type BucketResult, CHARGE_DENIED } from '../../src/core/buckets';
import { TidegateError } from '../../src/core/errors';
import { BorrowingStore } from '../../src/store/borrowing/borrowing-store';
import type { BorrowedTokens } from '../../src/store/borrowing/loan-window';
import { LeasedStore } from '../../src/store/leased/leased-store';
import { MemoryStore } from '../../src/store/memory/memory-store';
import { LinkStore } from '../../src/store/worker-link/link-store';
import { until } from '../parts/until';
import { describeStoreContract, type StoreHarness } from './contract';
import { askOne, call, daily, request } from './contract-form';
import { LinkedPrimary as Primary, nowhere } from './linked-primary';
import { SimulatedClock } from './simulated-clock';

function linkHarness(): StoreHarness {
  const clock = new SimulatedClock();
  let primary = new Primary();
  let link = primary.link();
  return {
    get store() {
      return link;
    },
    advance: (us) => {
      clock.advance(us);
      primary.clock.advance(us);
    },
    nowUs: async () => clock.nowUs(),
    reset: async () => {
      await link.close();
      const behindUs = clock.nowUs();
      primary = new Primary();
      primary.clock.advance(behindUs - primary.clock.nowUs());
      link = primary.link();
    },
    close: () => link.close(),
  };
}

describeStoreContract('a worker over its link', linkHarness);

describe('a link', () => {
  test('asks all of one turn in one frame, and tells keys and parameters once', async () => {
    const primary = new Primary();
    const link = primary.link();
    const params = daily('token_bucket', 100);
    for (let turn = 0; turn < 3; turn += 1) {
      await Promise.all(Array.from({ length: 50 }, () => askOne(link, call('a key', params, 1))));
    }
    const callWords = 6 + 1;
    const told = { params: 8, key: 1 + 1 };
    expect(primary.frames.map((frame) => frame.length / 8 - 1)).toEqual([
      50 * callWords + told.params + told.key,
      50 * callWords,
      50 * callWords,
    ]);
    await link.close();
  });

  test.each([
    ['parameters', 20_000, (i: number) => call('k', daily('token_bucket', i + 2), 0)],
    ['keys', 2_000, (i: number) => call(`key ${i}`, daily('token_bucket', 7), 1)],
    ['long keys', 300, (i: number) => call(`${i} ${'long'.repeat(300)}`, daily('token_bucket', 7), 1)],
  ])('goes on when more %s are named than are remembered', async (_, count, callAt) => {
    const primary = new Primary();
    const link = primary.link({ maxKeys: 300 });
    for (let i = 0; i < count; i += 1) {
      const pending = link.decide(request([callAt(i)]));
      if (i % 1_000 === 0) await pending;
    }
    for (const i of [0, 1, count / 2, count - 1]) {
      const { params, key } = callAt(i);
      const [far, near] = [
        await askOne(link, call(key, params, 0)),
        await askOne(primary.store, call(key, params, 0)),
      ];
      expect(far).toEqual(near);
      expect(far.remaining).toBe(params.capacity - callAt(i).hits);
    }
    await link.close();
  });

  test('answers as the buckets do, whatever it remembers', async () => {
    const key = fc.oneof(
      fc.constantFrom('a', 'b', 'c', 'd', 'é', '鍵', '\ud800', '', 'long'.repeat(100)),
      fc.string({ unit: 'binary', maxLength: 40 }),
    );
    const anyCall = fc.record({
      key,
      params: fc.constantFrom(...ALGORITHMS.flatMap((kind) => [daily(kind, 5), daily(kind, 2 ** 32 - 1)])),
      hits: fc.oneof(fc.integer({ min: -3, max: 8 }), fc.constantFrom(0.5, NaN, 2 ** 33)),
      role: fc.constantFrom('hard' as const, 'quota' as const, 'shadow' as const),
      assumeOnFailure: fc.boolean(),
    });
    const anyRequest = fc.record({
      calls: fc.array(
        fc
          .tuple(anyCall, fc.boolean())
          .map(([one, kept]) => ({ ...one, group: one.key, ...(kept ? { slot: -1 } : {}) })),
        { maxLength: 6 },
      ),
      chargeDenied: fc.constantFrom(...CHARGE_DENIED),
      quotaSatisfied: fc.boolean(),
      deadlineMs: fc.constant(10_000),
    });
    await fc.assert(
      fc.asyncProperty(fc.array(anyRequest, { maxLength: 20 }), async (once) => {
        const requests = [...once, ...once];
        const primary = new Primary();
        const link = primary.link({ maxKeys: 3 });
        const alone = new MemoryStore({ clock: new SimulatedClock() });
        const far = await Promise.all(requests.map((one) => Promise.resolve(link.decide(one))));
        expect(far).toEqual(requests.map((one) => alone.decide(one)));
        await link.close();
      }),
      { numRuns: 300 },
    );
  });

  test('refuses what is too large for a frame', async () => {
    const primary = new Primary();
    const link = primary.link();
    const params = daily('token_bucket', 7);
    const many = Array.from({ length: 8_193 }, (_, i) => call(`k${i}`, params, 1));
    const long = [call('k'.repeat(2 ** 20), params, 1), call('l', params, 1)];
    for (const calls of [many, long])
      expect(await link.decide(request(calls))).toMatchObject(
        calls.map(() => ({ code: 'TG_REQUEST_TOO_LARGE' })),
      );
    expect(primary.frames).toHaveLength(0);
    await link.close();
  });

  test('answers by the deadline, and gives back what was taken after it', async () => {
    const primary = new Primary();
    const link = primary.link();
    const params = daily('token_bucket', 10);
    primary.held = [];
    const answer = link.decide(request([call('k', params, 4)], { deadlineMs: 5 }));
    const [result] = await answer;
    expect(result).toMatchObject({ code: 'TG_STORE_TIMEOUT' });
    const { held } = primary;
    primary.held = undefined;
    for (const deliver of held) deliver();
    await new Promise(setImmediate);
    await new Promise(setImmediate);
    expect((await askOne(link, call('k', params, 0))).remaining).toBe(10);
    await link.close();
  });

  test('bounds what waits, and fails it when it closes', async () => {
    const output = { unsentBytes: 0, send: () => 'done' as const };
    const link = new LinkStore({ output, nowMs: () => performance.now(), maxPending: 2 });
    const one = request([call('k', daily('token_bucket', 10), 1)]);
    const waiting = [Promise.resolve(link.decide(one)), Promise.resolve(link.decide(one))];
    expect(link.decide(one)).toMatchObject([{ code: 'TG_STORE_UNAVAILABLE' }]);
    await link.close();
    const answers: (readonly BucketResult[])[] = await Promise.all(waiting);
    expect(answers.flat().every((result) => result instanceof TidegateError)).toBe(true);
  });

  test('says at once when there is nobody to ask', async () => {
    const link = new LinkStore({ output: nowhere, nowMs: () => performance.now() });
    expect(await link.decide(request([call('k', daily('token_bucket', 10), 1)]))).toMatchObject([
      { code: 'TG_STORE_UNAVAILABLE' },
    ]);
    const lease = new Promise((resolve) => {
      link.lease(
        {
          ...{
            key: 'k',
            group: 'k',
            params: daily('token_bucket', 10),
            holder: 1,
            seq: 1,
            window: 0,
            held: 0,
          },
          ...{ back: 0, confirmed: 0, recorded: 0, want: 1, keepUs: 1_000, epsilon: 1 },
        },
        resolve,
      );
    });
    expect(await lease).toMatchObject({ code: 'TG_STORE_UNAVAILABLE' });
    await link.close();
  });
});

test('workers that lease over links never admit more than the limit, and most without asking', async () => {
  const primary = new Primary();
  const params = bucketParams({ algorithm: 'token_bucket', limit: 4_000, windowUs: 31_536_000_000_000 });
  const workers = [1, 2, 3].map((holder) => {
    const link = primary.link();
    const terms = { epsilon: 0.05, ttlMs: 5_000, idleMs: 200 };
    const clock = { monotonicMs: () => performance.now() };
    return new LeasedStore({ shared: link, source: link, terms, clock, holder });
  });
  const admitted = await Promise.all(
    workers.map(async (store) => {
      let sum = 0;
      for (let i = 0; i < 2_000; i += 1) {
        const [result] = await store.decide(request([call('k', params, 1, { leased: true })]));
        if (result !== undefined && !(result instanceof TidegateError) && result.allowed) sum += 1;
      }
      return sum;
    }),
  );
  const together = admitted.reduce((sum, each) => sum + each, 0);
  expect(together).toBeLessThanOrEqual(4_000);
  expect(together).toBeGreaterThanOrEqual(3_800);
  await Promise.all(workers.map((store) => store.close()));
  const left = (await askOne(primary.store, call('k', params, 0))).remaining;
  expect(together + left).toBe(4_000);
});

describe('tokens that move over a link', () => {
  const params = bucketParams({ algorithm: 'token_bucket', limit: 10, windowUs: 31_536_000_000_000 });
  const refOf = (key: string) => ({ key, group: key, params });

  test('are borrowed at once for a call that would be denied', async () => {
    const primary = new Primary();
    const link = primary.link();
    const clock = { monotonicMs: () => performance.now() };
    const told: BorrowedTokens[] = [];
    const store = new BorrowingStore({
      ...{ inner: link, operator: link, clock },
      lendersOf: (key) => (key === 'poor' ? [{ ref: refOf('rich'), keep: 4 }] : []),
      borrowed: (loan) => told.push(loan),
    });
    const take = async (key: string): Promise<boolean | undefined> => {
      const [result] = await store.decide(request([call(key, params, 1)]));
      return result instanceof TidegateError ? undefined : result?.allowed;
    };
    const taken = [];
    for (let at = 0; at < 20; at += 1) taken.push(await take('poor'));
    expect(taken.filter(Boolean)).toHaveLength(16);
    expect(told.reduce((sum, { tokens }) => sum + tokens, 0)).toBe(6);
    expect((await askOne(primary.store, call('rich', params, 0))).remaining).toBe(4);
    await store.close();
  });

  test('are refused with a reason where they cannot, where nobody is there, and when it closes', async () => {
    const primary = new Primary();
    const link = primary.link();
    const order = { id: 'x', from: refOf('a'), to: refOf('b'), tokens: 3, keep: 0 };
    expect(await link.transfer({ ...order, to: refOf('a') })).toMatchObject({
      code: 'TG_CONTROL_BAD_TRANSFER',
    });
    const window = bucketParams({ algorithm: 'fixed_window', limit: 10, windowUs: 60_000_000 });
    expect(await link.transfer({ ...order, to: { key: 'w', group: 'w', params: window } })).toMatchObject({
      code: 'TG_CONTROL_BAD_TRANSFER',
    });
    primary.held = [];
    const lost = link.transfer(order);
    await until('it is sent', () => primary.held?.length === 1);
    await link.close();
    expect(await lost).toMatchObject({ code: 'TG_STORE_UNAVAILABLE' });
    expect(await link.transfer(order)).toMatchObject({ code: 'TG_STORE_UNAVAILABLE' });
    const alone = new LinkStore({ output: nowhere, nowMs: () => performance.now() });
    expect(await alone.transfer(order)).toMatchObject({ code: 'TG_STORE_UNAVAILABLE' });
  });
});

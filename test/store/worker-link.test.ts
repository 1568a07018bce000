import { bucketParams } from '../../src/bucket/params';
import type { BucketResult } from '../../src/core/buckets';
import { TidegateError } from '../../src/core/errors';
import { BorrowingStore } from '../../src/store/borrowing/borrowing-store';
import type { BorrowedTokens } from '../../src/store/borrowing/loan-window';
import { LeasedStore } from '../../src/store/leased/leased-store';
import { MemoryStore } from '../../src/store/memory/memory-store';
import { LinkServer, SharedParams } from '../../src/store/worker-link/link-server';
import { LinkStore } from '../../src/store/worker-link/link-store';
import type { LinkAsk } from '../../src/store/worker-link/messages';
import { until } from '../parts/until';
import { describeStoreContract, type StoreHarness } from './contract';
import { ask, askOne, call, daily, request } from './contract-form';
import { SimulatedClock } from './simulated-clock';

/** Links to one memory store; messages are cloned, as between processes, and arrive when `deliver` says. */
class Primary {
  readonly clock = new SimulatedClock();
  readonly store = new MemoryStore({ clock: this.clock });
  readonly messages: LinkAsk[] = [];
  private readonly params = new SharedParams();
  held: (() => void)[] | undefined;

  link(): LinkStore {
    const server = new LinkServer(this.store, this.params);
    const link: LinkStore = new LinkStore({
      nowMs: () => performance.now(),
      post: (message) => {
        this.messages.push(message);
        const copy = structuredClone(message);
        const deliver = (): void => {
          const reply = server.receive(copy);
          if (reply !== undefined) link.receive(structuredClone(reply));
        };
        if (this.held === undefined) setImmediate(deliver);
        else this.held.push(deliver);
        return true;
      },
    });
    return link;
  }
}

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
  test('asks all of one turn in one message, and names parameters once', async () => {
    const primary = new Primary();
    const link = primary.link();
    const params = daily('token_bucket', 100);
    for (let turn = 0; turn < 2; turn += 1) {
      await Promise.all(Array.from({ length: 50 }, () => askOne(link, call('k', params, 1))));
    }
    expect(primary.messages.map(({ asks, params: named }) => [asks.length, named.length])).toEqual([
      [50, 1],
      [50, 0],
    ]);
    await link.close();
  });

  test('names parameters anew before it would name too many', async () => {
    const primary = new Primary();
    const link = primary.link();
    for (let i = 0; i < 9_000; i += 1) {
      const asked = [
        call(`a${i}`, daily('token_bucket', i + 2), 1),
        call('b', daily('fixed_window', i + 1), 0),
      ];
      const pending = ask(link, asked);
      if (i % 100 === 0) expect((await pending).map((outcome) => outcome.allowed)).toEqual([true, true]);
    }
    expect((await askOne(link, call('a8999', daily('token_bucket', 9_001), 0))).remaining).toBe(9_000);
    expect(primary.messages.filter(({ anew }) => anew).length).toBeGreaterThan(2);
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
    const primary = new Primary();
    const link: LinkStore = new LinkStore({
      nowMs: () => performance.now(),
      post: () => true,
      maxPending: 2,
    });
    const one = request([call('k', daily('token_bucket', 10), 1)]);
    const waiting = [Promise.resolve(link.decide(one)), Promise.resolve(link.decide(one))];
    expect(link.decide(one)).toMatchObject([{ code: 'TG_STORE_UNAVAILABLE' }]);
    await link.close();
    const answers: (readonly BucketResult[])[] = await Promise.all(waiting);
    expect(answers.flat().every((result) => result instanceof TidegateError)).toBe(true);
    expect(primary.messages).toHaveLength(0);
  });

  test('says at once when there is nobody to ask', async () => {
    const link: LinkStore = new LinkStore({ nowMs: () => performance.now(), post: () => false });
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
    const alone = new LinkStore({ nowMs: () => performance.now(), post: () => false });
    expect(await alone.transfer(order)).toMatchObject({ code: 'TG_STORE_UNAVAILABLE' });
  });
});

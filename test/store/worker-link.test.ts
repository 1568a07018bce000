import { bucketParams } from '../../src/bucket/params';
import type { BucketResult } from '../../src/core/buckets';
import { TidegateError } from '../../src/core/errors';
import { LeasedStore } from '../../src/store/leased/leased-store';
import { MemoryStore } from '../../src/store/memory/memory-store';
import { LinkServer, SharedParams } from '../../src/store/worker-link/link-server';
import { LinkStore } from '../../src/store/worker-link/link-store';
import type { LinkAsk } from '../../src/store/worker-link/messages';
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

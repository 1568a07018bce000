import { bucketParams } from '../../src/bucket/params';
import type { BucketRequest, BucketResult } from '../../src/core/buckets';
import { Later } from '../../src/core/later';
import type { LeaseAsk, LeaseDone } from '../../src/core/leases';
import { LeasedStore } from '../../src/store/leased/leased-store';
import { MemoryStore } from '../../src/store/memory/memory-store';
import { call, request } from './contract-form';
import { randomFrom } from './event-queue';
import { LeasedNetwork, type Network, type Sidecar } from './leased-network';

const S = 1_000_000;
const TERMS = { epsilon: 0.05, ttlMs: 1_000, idleMs: 200 };
const NEAR: Network = { delayUs: 300, loss: 0, doubled: 0, patienceUs: 50_000 };
const params = bucketParams({ algorithm: 'token_bucket', limit: 1_000, windowUs: S });

/** Asks for one hit at a time, `perS` a second: at random times, or at even ones. */
function serve(net: LeasedNetwork, sidecar: Sidecar, perS: number, random: () => number, even = false): void {
  const next = (): void => {
    net.ask(sidecar, 1);
    net.events.in((S / perS) * (even ? 1 : -Math.log(1 - random())), next);
  };
  net.events.in(S / perS, next);
}

/** Commands a decision of one sidecar, from the third second to the tenth. */
async function steady(perS: number, seed: number, even = false, asked = params) {
  const random = randomFrom(seed);
  const net = new LeasedNetwork(asked, TERMS, NEAR, random);
  const sidecar = net.start(0);
  serve(net, sidecar, perS, random, even);
  await net.events.runUntil(2 * S);
  const before = { commands: net.commands, decisions: net.decisions, admitted: sidecar.admitted };
  await net.events.runUntil(10 * S);
  const decisions = net.decisions - before.decisions;
  return {
    commands: (net.commands - before.commands) / decisions,
    admitted: sidecar.admitted - before.admitted,
    decisions,
    leases: net.messages.leases,
  };
}

describe('commands a decision of a sidecar with a limit of 1,000 a second', () => {
  it.each([1, 2, 3])('are under 1 in 50 at 900 a second, seed %d', async (seed) => {
    const { commands, admitted, decisions } = await steady(900, seed, true);
    expect(commands).toBeLessThan(1 / 50);
    expect(admitted).toBe(decisions);
  });

  it.each([
    { perS: 8, atMost: 0.75 },
    { perS: 20, atMost: 0.2 },
    { perS: 100, atMost: 0.04 },
    { perS: 900, atMost: 0.021 },
  ])('shrink as it is asked more often, at random: $perS a second', async ({ perS, atMost }) => {
    const { commands, admitted, decisions } = await steady(perS, 4);
    expect(commands).toBeLessThan(atMost);
    expect(admitted).toBe(decisions);
  });

  it.each([0.5, 1, 2])('are as many as decisions, for nothing is leased, at %d a second', async (perS) => {
    const { commands, leases } = await steady(perS, 5);
    expect(commands).toBe(1);
    expect(leases).toBeLessThanOrEqual(2);
  });

  it.each([1_500, 3_000, 10_000])(
    'are few when far more is asked than there is: %d a second',
    async (perS) => {
      const { commands, admitted } = await steady(perS, 6);
      expect(commands).toBeLessThan(0.25);
      // All that refills is given out, and no more.
      expect(admitted).toBeGreaterThan(7_850);
      expect(admitted).toBeLessThanOrEqual(8_060);
    },
  );
});

describe('a bucket that holds what refills in a few milliseconds', () => {
  it.each([4, 8, 40])(
    'gives out what refills, though it is left alone when empty: %d tokens',
    async (capacity) => {
      const small = bucketParams({ algorithm: 'token_bucket', limit: 1_000, windowUs: S, capacity });
      const { commands, admitted } = await steady(5_000, 7, false, small);
      expect(admitted).toBeGreaterThan(7_500);
      expect(commands).toBeLessThan(0.5);
    },
  );
});

describe('calls that find nothing while an ask is under way', () => {
  beforeEach(() => jest.useFakeTimers({ now: 0 }));
  afterEach(() => jest.useRealTimers());

  const asked = request([{ ...call('k', params, 1), leased: true }], { deadlineMs: 100 });

  /** A store with a lease of a few tokens, whose asks from then on wait for `answer`. */
  function setUp() {
    const shared = new MemoryStore({
      clock: { nowUs: () => Date.now() * 1_000, monotonicMs: () => Date.now() },
    });
    let waiting: (() => void) | undefined;
    let holdsAsks = false;
    let sharedDecisions = 0;
    const store = new LeasedStore({
      shared: {
        decide: (one: BucketRequest) => {
          sharedDecisions += 1;
          return shared.decide(one);
        },
        ready: () => true,
        close: () => shared.close(),
      },
      source: {
        lease: (ask: LeaseAsk, done: LeaseDone) => {
          if (holdsAsks) waiting = () => shared.lease(ask, done);
          else shared.lease(ask, done);
        },
      },
      terms: TERMS,
      clock: { monotonicMs: () => Date.now() },
      holder: 1,
    });
    for (let i = 0; i < 100 && store.stats().outstanding === 0; i += 1) void store.decide(asked);
    expect(store.stats().outstanding).toBeGreaterThan(1);
    holdsAsks = true;
    while (store.stats().outstanding > 0) void store.decide(asked);
    // Where more was not asked for in time, a call that finds nothing is decided by the shared store, and asks.
    if (waiting === undefined) void store.decide(asked);
    const answer = (): void => {
      holdsAsks = false;
      waiting?.();
    };
    return { store, answer, decisions: () => sharedDecisions };
  }

  const settled: (readonly BucketResult[])[] = [];
  const waits = (store: LeasedStore): void => {
    const results = store.decide(asked);
    if (!(results instanceof Later)) throw new Error('answered at once');
    results.done(
      (value) => settled.push(value),
      (reason) => {
        throw new Error(String(reason));
      },
    );
  };
  beforeEach(() => settled.splice(0));

  it('are answered by what it brings, without a decision of the shared store', async () => {
    const { store, answer, decisions } = setUp();
    const before = decisions();
    for (let i = 0; i < 3; i += 1) waits(store);
    expect(settled).toHaveLength(0);
    answer();
    expect(settled).toHaveLength(3);
    for (const results of settled) expect(results).toMatchObject([{ allowed: true }]);
    expect(decisions()).toBe(before);
    await store.close();
  });

  it('are decided by the shared store when it is not answered in five milliseconds', async () => {
    const { store, answer, decisions } = setUp();
    const before = decisions();
    for (let i = 0; i < 3; i += 1) waits(store);
    jest.advanceTimersByTime(4);
    expect(settled).toHaveLength(0);
    jest.advanceTimersByTime(1);
    expect(settled).toHaveLength(3);
    for (const results of settled) expect(results).toMatchObject([{ allowed: true }]);
    expect(decisions()).toBe(before + 3);
    answer();
    expect(settled).toHaveLength(3);
    await store.close();
  });
});

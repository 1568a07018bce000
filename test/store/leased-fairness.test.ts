import { bucketParams } from '../../src/bucket/params';
import { randomFrom } from './event-queue';
import { byWindow, LeasedNetwork, type Network, type Sidecar } from './leased-network';

const S = 1_000_000;
const TERMS = { epsilon: 0.05, ttlMs: 1_000, idleMs: 200 };
const LOCAL: Network = { delayUs: 1_000, loss: 0, doubled: 0, patienceUs: 50_000 };

/** Asks a sidecar for one hit at a time, at random times, `perS` a second. */
function serve(network: LeasedNetwork, sidecar: Sidecar, perS: number, random: () => number): void {
  const next = (): void => {
    if (!sidecar.alive) return;
    network.ask(sidecar, 1);
    network.events.in((S / perS) * 2 * random(), next);
  };
  network.events.in((S / perS) * random(), next);
}

function network(limit: number, windowUs: number, algorithm: 'token_bucket' | 'fixed_window', seed: number) {
  const random = randomFrom(seed);
  return {
    random,
    net: new LeasedNetwork(bucketParams({ algorithm, limit, windowUs }), TERMS, LOCAL, random),
  };
}

describe('a limit of 1 per minute over ten sidecars', () => {
  it.each([1, 2, 3])('is exactly 1 in each minute: fixed_window, seed %d', async (seed) => {
    const { net, random } = network(1, 60 * S, 'fixed_window', seed);
    for (let i = 0; i < 10; i += 1) serve(net, net.start(0.000_5 * (i - 5)), 3, random);
    await net.events.runUntil(5 * 60 * S - 1);
    const windows = [...byWindow(net.entries, 60 * S).values()].map(({ admitted }) => admitted);
    expect(windows).toEqual([1, 1, 1, 1, 1]);
    expect(net.messages.leases).toBe(0);
  });

  it.each([1, 2, 3])('is one, and one more with each minute: token_bucket, seed %d', async (seed) => {
    const { net, random } = network(1, 60 * S, 'token_bucket', seed);
    for (let i = 0; i < 10; i += 1) serve(net, net.start(0.000_5 * (i - 5)), 3, random);
    await net.events.runUntil(5.5 * 60 * S);
    const times = net.entries.filter((entry) => entry.admitted > 0).map((entry) => entry.atUs);
    expect(times).toHaveLength(6);
    times.forEach((atUs, i) => {
      expect(atUs).toBeGreaterThanOrEqual(i * 60 * S);
      // Denied here for up to 100 ms after it has refilled, and three times a second somebody asks.
      expect(atUs).toBeLessThan(i * 60 * S + (i + 1) * 3 * S);
    });
  });
});

describe('a slow sidecar among fast ones', () => {
  it.each([
    { sidecars: 2, load: 0.8, seed: 1 },
    { sidecars: 8, load: 0.8, seed: 2 },
    { sidecars: 8, load: 2, seed: 3 },
    { sidecars: 32, load: 2, seed: 4 },
    { sidecars: 8, load: 10, seed: 5 },
  ])('gets its part: $sidecars sidecars, $load times the limit', async ({ sidecars, load, seed }) => {
    const { net, random } = network(1_000, S, 'token_bucket', seed);
    const slow = net.start(0);
    serve(net, slow, 20, random);
    for (let i = 1; i < sidecars; i += 1) serve(net, net.start(0), (1_000 * load) / (sidecars - 1), random);
    await net.events.runUntil(10 * S);
    const all = net.sidecars.reduce((sum, each) => sum + each.admitted, 0);
    const asked = net.sidecars.reduce((sum, each) => sum + each.asked, 0);
    const [its, average] = [slow.admitted / slow.asked, all / asked];
    expect(its).toBeGreaterThan(0.6 * average);
    // Nor is the limit left unused: leases that lie idle cost at most their allowance.
    expect(all).toBeGreaterThan(0.9 * Math.min(asked, 11_000));
  });
});

describe('what leases save', () => {
  it('asks the shared store for few of the decisions of a hot bucket far from its limit', async () => {
    const { net, random } = network(100_000, S, 'token_bucket', 7);
    for (let i = 0; i < 4; i += 1) serve(net, net.start(0), 5_000, random);
    await net.events.runUntil(4 * S);
    const messages = net.messages.decisions + net.messages.leases;
    expect(messages / net.decisions).toBeLessThan(1 / 50);
    expect(net.sidecars.every((each) => each.admitted === each.asked)).toBe(true);
  });

  it('gives back within its idle time what nobody asks for any more', async () => {
    const { net, random } = network(10_000, S, 'token_bucket', 8);
    const sidecar = net.start(0);
    serve(net, sidecar, 2_000, random);
    await net.events.runUntil(S);
    expect(sidecar.store.stats().outstanding).toBeGreaterThan(0);
    Object.assign(sidecar, { alive: false, stopping: true });
    const store = sidecar.store;
    for (let i = 1; i <= 5; i += 1) {
      await net.events.runUntil(S + i * 50_000);
      store.tick();
    }
    expect(store.stats().outstanding).toBe(0);
  });

  it('denies here what is known to be empty, and asks again when it has refilled', async () => {
    const { net, random } = network(20, S, 'token_bucket', 9);
    serve(net, net.start(0), 2_000, random);
    await net.events.runUntil(10 * S);
    const [only] = net.sidecars;
    expect(only?.admitted).toBeGreaterThanOrEqual(200);
    expect(only?.admitted).toBeLessThanOrEqual(220);
    // 200 tokens come one at a time: each costs a decision and, at most, a few more on the way.
    expect(net.messages.decisions).toBeLessThan(1_200);
  });
});

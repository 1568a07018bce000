import fc from 'fast-check';
import { bucketParams } from '../../src/bucket/params';
import type { BucketParams } from '../../src/core/buckets';
import { randomFrom } from './event-queue';
import { byWindow, LeasedNetwork, type Network, type Sidecar, worstExcess } from './leased-network';

const S = 1_000_000;

interface Scenario {
  readonly seed: number;
  readonly sidecars: number;
  readonly limit: number;
  readonly capacityRatio: number;
  readonly epsilon: number;
  readonly ttlMs: number;
  readonly idleMs: number;
  readonly network: Network;
  /** Demand over the limit. */
  readonly load: number;
  readonly skew: number;
  readonly maxHits: number;
  readonly crashes: number;
  readonly stops: number;
  readonly resizes: readonly number[];
  readonly refunds: number;
  readonly clockStepsUs: readonly number[];
}

const scenarioArb: fc.Arbitrary<Scenario> = fc.record({
  seed: fc.integer({ min: 0, max: 2 ** 32 - 1 }),
  sidecars: fc.integer({ min: 2, max: 32 }),
  limit: fc.oneof(fc.integer({ min: 1, max: 60 }), fc.integer({ min: 60, max: 2_000 })),
  capacityRatio: fc.constantFrom(0.5, 1, 3),
  epsilon: fc.constantFrom(0.05, 0.2, 1),
  ttlMs: fc.constantFrom(100, 300, 1_000),
  idleMs: fc.constantFrom(50, 200),
  network: fc.record({
    delayUs: fc.constantFrom(100, 2_000, 60_000),
    loss: fc.constantFrom(0, 0.02, 0.2),
    doubled: fc.constantFrom(0, 0.1),
    patienceUs: fc.constantFrom(10_000, 80_000),
  }),
  load: fc.constantFrom(0.5, 1.2, 5),
  skew: fc.constantFrom(0, 0.000_5, 0.005),
  maxHits: fc.constantFrom(1, 1, 7),
  crashes: fc.integer({ min: 0, max: 5 }),
  stops: fc.integer({ min: 0, max: 3 }),
  resizes: fc.array(fc.constantFrom(0.1, 0.5, 2, 8), { maxLength: 3 }),
  refunds: fc.constantFrom(0, 0, 0.02),
  clockStepsUs: fc.array(fc.integer({ min: -400_000, max: -1_000 }), { maxLength: 2 }),
});

const DURATION_US = 3 * S;
/** Keeps a run short: more is not asked in a second, all sidecars together. */
const MOST_PER_S = 3_000;

/** Runs a scenario to its end. */
async function play(
  scenario: Scenario,
  paramsOf: (limit: number, version: number) => BucketParams,
): Promise<LeasedNetwork> {
  const random = randomFrom(scenario.seed);
  const { epsilon, ttlMs, idleMs } = scenario;
  const network = new LeasedNetwork(
    paramsOf(scenario.limit, 1),
    { epsilon, ttlMs, idleMs },
    scenario.network,
    random,
  );
  const { events } = network;
  const some = (): Sidecar | undefined => network.sidecars[Math.floor(random() * network.sidecars.length)];
  const start = (): void => {
    const newest = network.sidecars.at(-1)?.params;
    serve(network, network.start(scenario.skew * (2 * random() - 1), newest), scenario, random);
  };
  for (let i = 0; i < scenario.sidecars; i += 1) start();
  const sometime = (run: () => void): void => events.in(random() * DURATION_US, run);
  for (let i = 0; i < scenario.crashes + scenario.stops; i += 1) {
    sometime(() => {
      const victim = some();
      if (victim?.alive !== true) return;
      if (i < scenario.crashes) network.crash(victim);
      else network.stop(victim);
      start();
    });
  }
  scenario.resizes.forEach((factor, i) => {
    const limit = Math.max(1, Math.round(scenario.limit * factor));
    const resized = paramsOf(limit, i + 2);
    sometime(() => {
      for (const each of network.sidecars) {
        events.in(random() * 300_000, () => {
          if (each.params.version < resized.version) each.params = resized;
        });
      }
    });
  });
  for (const stepUs of scenario.clockStepsUs) sometime(() => (network.clockStepUs += stepUs));
  await events.runUntil(DURATION_US);
  return network;
}

/** Asks a sidecar in bursts with pauses, at its part of the load. */
function serve(network: LeasedNetwork, sidecar: Sidecar, scenario: Scenario, random: () => number): void {
  const { limit, load, sidecars, maxHits } = scenario;
  const perS = (Math.min(MOST_PER_S, limit * load) / sidecars) * (0.2 + 1.6 * random());
  const next = (): void => {
    if (!sidecar.alive) return;
    const refunds = random() < scenario.refunds;
    network.ask(sidecar, refunds ? -1 : 1 + Math.floor(random() * maxHits));
    const pauseUs = random() < 0.01 ? random() * 500_000 : 0;
    network.events.in((S / perS) * 2 * random() * ((1 + maxHits) / 2) + pauseUs, next);
  };
  network.events.in(random() * 200_000, next);
}

const RUNS = 100;

describe('leases under delays, losses, crashes, skewed clocks and resizes', () => {
  it('never admit more over any interval than the contract says: token_bucket', async () => {
    let [decisions, messages] = [0, 0];
    await fc.assert(
      fc.asyncProperty(scenarioArb, async (scenario) => {
        const { capacityRatio } = scenario;
        const network = await play(scenario, (limit, version) => {
          const capacity = Math.max(1, Math.round(limit * capacityRatio));
          return bucketParams({ algorithm: 'token_bucket', limit, windowUs: S, capacity, version });
        });
        expect(worstExcess(network.entries)).toBeLessThanOrEqual(1e-3);
        decisions += network.decisions;
        messages += network.messages.decisions + network.messages.leases;
      }),
      { numRuns: RUNS },
    );
    // The property would hold for a store that never leases, too.
    expect(messages).toBeLessThan(decisions);
  });

  it('never admit more than the limit in any window: fixed_window', async () => {
    let [decisions, messages] = [0, 0];
    const windowUs = 500_000;
    await fc.assert(
      fc.asyncProperty(scenarioArb, async (scenario) => {
        // Windows are those of the shared clock, so it does not step here.
        const network = await play({ ...scenario, clockStepsUs: [] }, (limit, version) =>
          bucketParams({ algorithm: 'fixed_window', limit: Math.ceil(limit / 2), windowUs, version }),
        );
        for (const { admitted, limit } of byWindow(network.entries, windowUs).values()) {
          expect(admitted).toBeLessThanOrEqual(limit);
        }
        decisions += network.decisions;
        messages += network.messages.decisions + network.messages.leases;
      }),
      { numRuns: RUNS },
    );
    expect(messages).toBeLessThan(decisions);
  });
});

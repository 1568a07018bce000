import fc from 'fast-check';
import { bucketParams } from '../../src/bucket/params';
import type { BucketParams, BucketResult } from '../../src/core/buckets';
import type { LeaseObserver } from '../../src/core/leases';
import { LeasedStore } from '../../src/store/leased/leased-store';
import { MemoryStore } from '../../src/store/memory/memory-store';
import { describeStoreContract, type StoreHarness } from './contract';
import { call, outcomeOf, request } from './contract-form';
import { allLeased } from './leased-calls';
import { SimulatedClock } from './simulated-clock';

/**
 * One holder on its own keeps the whole contract. What several holders see at a time is what leased-bound.test.ts is
 * about: there a bucket may be denied while somebody else's lease has what it lacks. Figures of a bucket that holds a
 * lease are the last known shared ones less what was spent since, so the suite's exact figures are for the buckets that
 * the default allowance leaves exact; the verdicts of leased ones are held against an exact store below.
 */
function leasedHarness(epsilon: number): StoreHarness {
  const clock = new SimulatedClock();
  // What a process counts its leases by goes on when the shared clock steps back: a second passes over it, in which
  // nothing that was known of the bucket stays so.
  let monotonicMs = 0;
  const open = () => {
    const shared = new MemoryStore({ clock });
    const terms = { epsilon, ttlMs: 1_000, idleMs: 200 };
    return allLeased(
      new LeasedStore({
        shared,
        source: shared,
        terms,
        clock: { monotonicMs: () => monotonicMs },
        holder: 1,
        tickMs: 0,
      }),
    );
  };
  let store = open();
  return {
    get store() {
      return store;
    },
    advance: (us) => {
      clock.advance(us);
      monotonicMs += us < 0 ? 1_000 : us / 1_000;
    },
    nowUs: async () => clock.nowUs(),
    reset: async () => {
      store = open();
    },
    close: () => store.close(),
  };
}

describeStoreContract('a leased store over memory', () => leasedHarness(0.05));

const paramsArb = fc
  .record({
    algorithm: fc.constantFrom('token_bucket' as const, 'fixed_window' as const),
    limit: fc.integer({ min: 0, max: 400 }),
  })
  .map((row) => bucketParams({ ...row, windowUs: 3_600_000_000 }));

const callsArb = fc.uniqueArray(
  fc.record({
    key: fc.nat({ max: 3 }),
    hits: fc.oneof(
      { weight: 8, arbitrary: fc.integer({ min: 0, max: 4 }) },
      { weight: 1, arbitrary: fc.integer({ min: -3, max: 300 }) },
    ),
    role: fc.constantFrom('hard' as const, 'hard' as const, 'quota' as const, 'shadow' as const),
  }),
  { minLength: 1, maxLength: 3, selector: (each) => each.key },
);

const requestArb = fc.record({
  calls: callsArb,
  chargeDenied: fc.constantFrom('none' as const, 'none' as const, 'over' as const, 'all' as const),
  quotaSatisfied: fc.boolean(),
  times: fc.integer({ min: 1, max: 30 }),
});

type AskedRequest = typeof requestArb extends fc.Arbitrary<infer T> ? T : never;

const bucketOf = (limit: number) =>
  bucketParams({ algorithm: 'token_bucket', limit, windowUs: 3_600_000_000 });
const allowedOnly = { chargeDenied: 'none', quotaSatisfied: false } as const;
const one = (key: number, hits: number) => ({ key, hits, role: 'hard' }) as const;

/** A refund while no ask is due: what it leaves in the shared bucket has to be seen by the look after it. */
const REFUND_THEN_LOOK: [BucketParams[], AskedRequest[]] = [
  [bucketOf(0), bucketOf(0), bucketOf(13), bucketOf(0)],
  [
    { calls: [one(2, 1), one(0, 0)], ...allowedOnly, times: 8 },
    { calls: [one(2, -1)], ...allowedOnly, times: 1 },
    { calls: [one(2, 0), one(0, 0)], ...allowedOnly, times: 1 },
  ],
];

describe('a sole holder that may lease whole buckets', () => {
  it('gives the verdicts of an exact store, and its figures of what remains, while no time passes', async () => {
    let local = 0;
    await fc.assert(
      fc.asyncProperty(
        fc.array(paramsArb, { minLength: 4, maxLength: 4 }),
        fc.array(requestArb, { minLength: 1, maxLength: 12 }),
        async (sets, requests) => {
          const clock = new SimulatedClock();
          const exact = new MemoryStore({ clock });
          const shared = new MemoryStore({ clock });
          const observer = new Counts();
          const terms = { epsilon: 1, ttlMs: 60_000, idleMs: 60_000 };
          const leased = allLeased(
            new LeasedStore({ shared, source: shared, terms, clock, holder: 1, tickMs: 0, observer }),
          );
          for (const { calls, times, ...more } of requests) {
            const asked = request(
              calls.map((each) =>
                call(`${each.key}`, sets[each.key] ?? never(), each.hits, { role: each.role }),
              ),
              more,
            );
            for (let i = 0; i < times; i += 1) {
              const [ours, theirs] = [await leased.decide(asked), exact.decide(asked)];
              expect(ours.map(verdictOf)).toEqual(theirs.map(verdictOf));
            }
          }
          local += observer.decisions;
        },
      ),
      { numRuns: 400, examples: [REFUND_THEN_LOOK] },
    );
    expect(local).toBeGreaterThan(1_000);
  });
});

function verdictOf(result: BucketResult): unknown {
  const { allowed, remaining } = outcomeOf(result);
  return { allowed, remaining };
}

function never(): never {
  throw new Error('no such parameters');
}

class Counts implements LeaseObserver {
  decisions = 0;
  granted(): void {
    // Not of interest here.
  }
  returned(): void {
    // Not of interest here.
  }
  lost(): void {
    // Not of interest here.
  }
  overshoot(tokens: number): void {
    throw new Error(`${tokens} tokens were given twice`);
  }
  local(calls: number): void {
    this.decisions += calls;
  }
}

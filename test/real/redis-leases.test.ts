import fc from 'fast-check';
import { countedWindowStartUs, evaluateFixedWindow, newFixedWindow } from '../../src/bucket/fixed-window';
import { newLedger, settleLease } from '../../src/bucket/lease-ledger';
import { evaluateTokenBucket, newTokenBucket } from '../../src/bucket/token-bucket';
import type { BucketOutcome, BucketParams } from '../../src/core/buckets';
import type { LeaseAsk, LeaseReply, LeaseSource } from '../../src/core/leases';
import { TidegateError } from '../../src/core/errors';
import { RedisStore } from '../../src/store/redis/redis-store';
import { eventually, RedisServer } from '../parts/redis-server';
import { outcomeOf, request } from '../store/contract-form';

let server: RedisServer;
let redis: RedisStore;
let nowUs = 0;

beforeAll(async () => {
  server = await RedisServer.start();
  redis = new RedisStore({
    kind: 'redis',
    urls: [server.address],
    timeUs: () => nowUs,
    expiryJitterS: 3_600,
  });
  await eventually('the store is up', () => redis.ready());
});

afterAll(async () => {
  await redis.close();
  await server.stop();
});

const START = 1_700_006_400_000_000;

const paramsArb: fc.Arbitrary<Omit<BucketParams, 'algorithm'>> = fc.record({
  limit: fc.integer({ min: 0, max: 200 }),
  windowUs: fc.constant(1_000_000),
  capacity: fc.integer({ min: 0, max: 200 }),
  rateUtPerS: fc.oneof(fc.constantFrom(0, 3, 0.37), fc.integer({ min: 0, max: 500_000_000 })),
  version: fc.integer({ min: 0, max: 2 }),
});

const amount = fc.integer({ min: 0, max: 60 });
const stepArb = fc.record({
  stepUs: fc.oneof(
    { weight: 6, arbitrary: fc.integer({ min: 0, max: 300_000 }) },
    { weight: 1, arbitrary: fc.integer({ min: -700_000, max: 3_000_000 }) },
  ),
  params: fc.nat({ max: 2 }),
  hits: fc.integer({ min: -5, max: 20 }),
  lease: fc.option(
    fc.record({
      holder: fc.integer({ min: 1, max: 4 }),
      seq: fc.integer({ min: -1, max: 3 }),
      earlierWindow: fc.boolean(),
      held: amount,
      back: amount,
      recorded: amount,
      confirmed: fc.integer({ min: 0, max: 12 }),
      want: amount,
      keepUs: fc.integer({ min: 1, max: 800_000 }),
      epsilon: fc.constantFrom(0, 0.05, 0.29, 1),
    }),
    { freq: 3 },
  ),
});

/** One bucket and its ledger by the pure functions. A bucket that is as a new one is not kept, as in Redis. */
class PureBucket {
  private readonly ledger = newLedger();
  private token: ReturnType<typeof newTokenBucket> | undefined;
  private fixed: ReturnType<typeof newFixedWindow> | undefined;

  constructor(private readonly windowed: boolean) {}

  decide(params: BucketParams, hits: number): BucketOutcome {
    return this.use(params, () => this.evaluate(params, hits));
  }

  lease(ask: LeaseAsk): LeaseReply {
    const bucket = {
      evaluate: (hits: number) => this.evaluate(ask.params, hits),
      window: () => (this.fixed === undefined ? 0 : countedWindowStartUs(this.fixed, nowUs)),
      capacity: () => this.fixed?.params.limit ?? this.token?.params.capacity ?? NaN,
    };
    return this.use(ask.params, () => settleLease(this.ledger, bucket, ask, nowUs));
  }

  private use<T>(params: BucketParams, act: () => T): T {
    const fresh = this.windowed ? this.fixed === undefined : this.token === undefined;
    if (fresh && this.windowed) this.fixed = newFixedWindow(params, nowUs);
    else if (fresh) this.token = newTokenBucket(params, nowUs);
    const result = act();
    if (fresh && this.fixed?.count === 0) this.fixed = undefined;
    if (fresh && this.token?.tokensUt === (this.token?.params.capacity ?? 0) * 1e6) this.token = undefined;
    return result;
  }

  private evaluate(params: BucketParams, hits: number): BucketOutcome {
    if (this.fixed !== undefined) return evaluateFixedWindow(this.fixed, params, hits, nowUs, 'allowed');
    if (this.token !== undefined) return evaluateTokenBucket(this.token, params, hits, nowUs, 'allowed');
    throw new Error('there is no bucket');
  }
}

function exchange(source: LeaseSource, ask: LeaseAsk): Promise<LeaseReply | TidegateError> {
  return new Promise((resolve) => source.lease(ask, resolve));
}

describe('the leases of the script and the pure ones', () => {
  it('agree on any sequence of asks and decisions', async () => {
    let run = 0;
    await fc.assert(
      fc.asyncProperty(
        fc.constantFrom('token_bucket' as const, 'fixed_window' as const),
        fc.array(paramsArb, { minLength: 3, maxLength: 3 }),
        fc.array(stepArb, { minLength: 1, maxLength: 25 }),
        async (algorithm, figures, steps) => {
          run += 1;
          nowUs = START;
          const pure = new PureBucket(algorithm === 'fixed_window');
          const sets = figures.map((each): BucketParams => ({ ...each, algorithm }));
          const key = `leases-${run}`;
          let [seq, window] = [5, 0];
          for (const step of steps) {
            nowUs += step.stepUs;
            const params = sets[step.params];
            if (params === undefined) throw new Error('no such parameters');
            if (step.lease === null) {
              const asked = request([
                { key, group: key, params, hits: step.hits, role: 'hard', assumeOnFailure: false },
              ]);
              expect((await redis.decide(asked)).map(outcomeOf)).toStrictEqual([
                pure.decide(params, step.hits),
              ]);
              continue;
            }
            seq += step.lease.seq;
            const named = step.lease.earlierWindow ? 0 : window;
            const ask: LeaseAsk = { ...step.lease, key, group: key, params, seq, window: named };
            const reply = await exchange(redis, ask);
            expect(reply).toStrictEqual(pure.lease(ask));
            if (!(reply instanceof TidegateError)) window = reply.window;
          }
        },
      ),
      { numRuns: 300 },
    );
  });
});

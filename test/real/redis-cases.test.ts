import { BUCKET_CASES } from '../bucket/cases';
import fc from 'fast-check';
import type { BucketParams, BucketRequest, BucketResult } from '../../src/core/buckets';
import { TidegateError } from '../../src/core/errors';
import { RedisStore } from '../../src/store/redis/redis-store';
import { Oracle } from '../parts/redis-oracle';
import { eventually, RedisServer } from '../parts/redis-server';

let server: RedisServer;
let store: RedisStore;
let nowUs = 0;

beforeAll(async () => {
  server = await RedisServer.start();
  store = new RedisStore({
    kind: 'redis',
    urls: [server.address],
    keyPrefix: 'cases:',
    timeUs: () => nowUs,
    expiryJitterS: 3_600,
  });
  await eventually('the store is up', () => store.ready());
});

afterAll(async () => {
  await store.close();
  await server.stop();
});

describe('the script and the pure maths', () => {
  it.each(BUCKET_CASES.map((c, i) => [c.steps[0]?.params.algorithm, c.name, i, c] as const))(
    'agree on %s: %s',
    async (_algorithm, _name, index, { steps }) => {
      const key = `case-${index}`;
      for (const [i, step] of steps.entries()) {
        nowUs = step.nowUs;
        const results = await store.decide({
          calls: [
            { key, group: key, params: step.params, hits: step.hits, role: 'hard', assumeOnFailure: true },
          ],
          chargeDenied: step.chargeDenied,
          quotaSatisfied: false,
          deadlineMs: 5_000,
        });
        expect({ step: i, results }).toStrictEqual({ step: i, results: [step.outcome] });
      }
    },
  );
});

const START = 1_700_006_400_000_000;

const paramsArb: fc.Arbitrary<BucketParams> = fc.record({
  algorithm: fc.constantFrom('token_bucket', 'fixed_window', 'sliding_window'),
  limit: fc.integer({ min: 0, max: 8 }),
  windowUs: fc.constantFrom(1_000_000, 7_000_001),
  capacity: fc.integer({ min: 0, max: 8 }),
  rateUtPerS: fc.oneof(fc.constantFrom(0, 3, 0.37), fc.integer({ min: 0, max: 5_000_000 })),
  version: fc.oneof(
    fc.integer({ min: 0, max: 2 }),
    fc.constantFrom(START / 1_000, START / 1_000 - 119_990, START / 1_000 - 115_000),
  ),
});

const requestArb = fc.record({
  calls: fc.array(
    fc.record({
      key: fc.constantFrom('a', 'b', 'c'),
      params: fc.nat({ max: 5 }),
      hits: fc.oneof(
        { weight: 5, arbitrary: fc.integer({ min: -3, max: 5 }) },
        { weight: 1, arbitrary: fc.constantFrom(2 ** 60, -(2 ** 60), 0.5) },
      ),
      role: fc.constantFrom('hard', 'quota', 'shadow'),
      assumeOnFailure: fc.boolean(),
    }),
    { minLength: 0, maxLength: 5 },
  ),
  chargeDenied: fc.constantFrom('none', 'over', 'all'),
  quotaSatisfied: fc.boolean(),
  stepUs: fc.oneof(
    { weight: 5, arbitrary: fc.integer({ min: 0, max: 900_000 }) },
    { weight: 1, arbitrary: fc.integer({ min: -9_000_000, max: 20_000_000 }) },
  ),
});

/** Errors as their code, so that two stores' own words do not differ. */
function plain(results: readonly BucketResult[]): unknown[] {
  return results.map((result) => (result instanceof TidegateError ? result.code : result));
}

describe('the script and the settlement', () => {
  it('agree on any sequence of requests', async () => {
    let run = 0;
    await fc.assert(
      fc.asyncProperty(
        fc.array(paramsArb, { minLength: 6, maxLength: 6 }),
        fc.array(requestArb, { minLength: 1, maxLength: 12 }),
        async (params, requests) => {
          run += 1;
          nowUs = START;
          const oracle = new Oracle();
          for (const { calls, chargeDenied, quotaSatisfied, stepUs } of requests) {
            nowUs += stepUs;
            const request: BucketRequest = {
              calls: calls.map((call) => ({
                ...call,
                key: `${run}-${call.key}`,
                group: `${run}-${call.key}`,
                params: params[call.params] ?? unreachable(),
              })),
              chargeDenied,
              quotaSatisfied,
              deadlineMs: 5_000,
            };
            const expected = oracle.decide(request, nowUs);
            expect(plain(await store.decide(request))).toStrictEqual(plain(expected));
          }
        },
      ),
      { numRuns: 400 },
    );
  });
});

function unreachable(): never {
  throw new Error('no such parameters');
}

/** Short ways to ask a Redis store on the real clock. */
import type {
  Algorithm,
  BucketCall,
  BucketParams,
  BucketRequest,
  BucketResult,
} from '../../src/core/buckets';
import { TidegateError } from '../../src/core/errors';
import type { RedisStore } from '../../src/store/redis/redis-store';

const YEAR_US = 31_536_000_000_000;

/** A limit a year: what is taken stays taken for as long as a test runs. */
export function yearly(algorithm: Algorithm, limit: number): BucketParams {
  return { algorithm, limit, windowUs: YEAR_US, capacity: limit, rateUtPerS: 0.03125, version: 0 };
}

/** A hard call in a slot of its own. */
export function take(
  key: string,
  hits = 1,
  limit = 1_000,
  algorithm: Algorithm = 'fixed_window',
  group = key,
): BucketCall {
  return { key, group, params: yearly(algorithm, limit), hits, role: 'hard', assumeOnFailure: false };
}

/** Decides several calls as one request. */
export async function decide(
  store: RedisStore,
  calls: readonly BucketCall[],
  more: Partial<BucketRequest> = {},
): Promise<readonly BucketResult[]> {
  return store.decide({ calls, chargeDenied: 'none', quotaSatisfied: false, deadlineMs: 5_000, ...more });
}

/** `ok`, `denied`, or the error's code, of each call. */
export async function verdicts(
  store: RedisStore,
  calls: readonly BucketCall[],
  more: Partial<BucketRequest> = {},
): Promise<string[]> {
  const results = await decide(store, calls, more);
  return results.map((result) =>
    result instanceof TidegateError ? result.code : result.allowed ? 'ok' : 'denied',
  );
}

/** Tokens in use, rounded; NaN when the bucket cannot be asked. */
export async function used(store: RedisStore, call: BucketCall): Promise<number> {
  const [result] = await decide(store, [{ ...call, hits: 0 }]);
  return result === undefined || result instanceof TidegateError ? NaN : Math.round(result.usedBefore);
}

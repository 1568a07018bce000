/** What the store contract is written with: the harness a store brings, and short ways to write requests. */
import { bucketParams } from '../../src/bucket/params';
import type {
  Algorithm,
  BucketCall,
  BucketOutcome,
  BucketParams,
  BucketRequest,
  BucketResult,
  BucketStore,
  ChargeDenied,
} from '../../src/core/buckets';
import { TidegateError } from '../../src/core/errors';

/** A store under test with a clock that the test can move. Real time may pass as well. */
export interface StoreHarness {
  /** Read it again after `reset()`, which may begin a new one. */
  readonly store: BucketStore;
  /** Moves the store's clock by this many us; back when negative. */
  readonly advance: (us: number) => Promise<void> | void;
  /** The store's clock, us. */
  readonly nowUs: () => Promise<number>;
  /** Forgets all buckets; the clock stays. */
  readonly reset: () => Promise<void>;
  readonly close: () => Promise<void>;
}

/** One day, us: the windows of the contract are so long that the time a test takes does not matter. */
export const DAY_US = 86_400_000_000;
/** How long a test may take by a real clock before its figures of time are off, us. */
export const SLACK_US = 60_000_000;

/** Parameters with a limit a day. */
export function daily(algorithm: Algorithm, limit: number, more: Partial<BucketParams> = {}): BucketParams {
  return bucketParams({ algorithm, limit, windowUs: DAY_US, ...more });
}

/** A hard call in a slot of its own; `more` changes what differs. */
export function call(
  key: string,
  params: BucketParams,
  hits: number,
  more: Partial<BucketCall> = {},
): BucketCall {
  return { key, group: key, params, hits, role: 'hard', assumeOnFailure: false, ...more };
}

/** A request that charges nothing on denial, with a deadline that no test meets. */
export function request(calls: readonly BucketCall[], more: Partial<BucketRequest> = {}): BucketRequest {
  return { calls, chargeDenied: 'none', quotaSatisfied: false, deadlineMs: 10_000, ...more };
}

/** Asks the store about calls; fails the test when a bucket could not be asked. */
export async function ask(
  store: BucketStore,
  calls: readonly BucketCall[],
  more: Partial<BucketRequest> = {},
): Promise<BucketOutcome[]> {
  return (await store.decide(request(calls, more))).map(outcomeOf);
}

/** Asks about one call. */
export async function askOne(
  store: BucketStore,
  only: BucketCall,
  chargeDenied: ChargeDenied = 'none',
): Promise<BucketOutcome> {
  const [outcome] = await ask(store, [only], { chargeDenied });
  if (outcome === undefined) throw new Error('no outcome for the call');
  return outcome;
}

/** The outcome of a bucket that could be asked. */
export function outcomeOf(result: BucketResult): BucketOutcome {
  if (result instanceof TidegateError) throw result;
  return result;
}

/** Moves the clock to shortly after the beginning of a fixed window of a day. */
export async function toDayStart(harness: StoreHarness): Promise<void> {
  const nowUs = await harness.nowUs();
  await harness.advance(DAY_US - (nowUs % DAY_US) + 1_000_000);
}

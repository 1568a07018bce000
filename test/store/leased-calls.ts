/** Lets every call of a store be of a rule that is leased. */
import type { BucketStore } from '../../src/core/buckets';

/** The store, with each call marked as leased. */
export function allLeased(store: BucketStore): BucketStore {
  return {
    decide: (request) =>
      store.decide({ ...request, calls: request.calls.map((call) => ({ ...call, leased: true })) }),
    ready: () => store.ready(),
    close: () => store.close(),
  };
}

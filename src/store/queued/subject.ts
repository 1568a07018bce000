/** What waits: a request, on its way to an answer. */
import type { Later } from '../../core/later';
import type { BucketRequest, BucketResult } from '../../core/buckets';
import type { Waiter } from '../../limiter/queue/line';

/** A request that waits. */
export interface Subject {
  /** As it was asked, and as it is tried: without a charge for denials. */
  readonly request: BucketRequest;
  readonly asked: BucketRequest;
  readonly answer: (results: readonly BucketResult[] | Later<readonly BucketResult[]>) => void;
  /** What its last try showed. */
  denied: readonly BucketResult[] | undefined;
  cancelled: boolean;
  /** Its place; another one once it waits for another bucket. */
  waiter: Waiting | undefined;
}

/** Its place in a line. */
export type Waiting = Waiter<Subject>;

/** A request before it waits, where the store answers later. */
export interface FirstTry {
  cancelled: boolean;
  cancel: (() => void) | undefined;
}

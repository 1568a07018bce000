/** What is planned of a request: plain data, one item a descriptor. */
import type { BucketCall, BucketRequest, FailureMode } from '../core/buckets';
import type { RuleCounters } from '../core/ports';
import type { JsonObject, RlsCurrentLimit, RlsRequest } from '../core/rls';
import type { ItemDemand } from './demand';
import type { QueueStanding } from './queue-standing';
import type { Rule } from './rule';

/** A descriptor whose bucket is asked. */
export interface LimitedItem {
  readonly kind: 'limited';
  readonly currentLimit: RlsCurrentLimit;
  readonly call: BucketCall;
  readonly shadowMode: boolean;
  readonly quotaMode: boolean;
  readonly onError: FailureMode;
  readonly metadata: JsonObject | undefined;
  readonly metricKey: string;
  readonly counters: RuleCounters;
  /** Where its demand is counted; undefined for a limit that came with the request, and where nobody observes. */
  readonly demand: ItemDemand | undefined;
  /** Names, for `replaces`. */
  readonly name: string;
  readonly replaces: readonly string[];
  /** Undefined for a limit that came with the request. */
  readonly rule: Rule | undefined;
}

/** A descriptor that passes whatever happens: its rule is unlimited. */
export interface UnlimitedItem {
  readonly kind: 'unlimited';
  readonly rule: Rule;
  readonly replaces: readonly string[];
  readonly hits: number;
  readonly demand: ItemDemand | undefined;
}

/** A descriptor that no rule limits (or whose rule another one replaced). */
export interface UnmatchedItem {
  readonly kind: 'unmatched';
}

/** What is done for one descriptor. */
export type PlanItem = LimitedItem | UnlimitedItem | UnmatchedItem;

/** All that can be decided about a request before its buckets are asked; the same for the same request and table. */
export interface RequestPlan {
  readonly request: RlsRequest;
  /** One a descriptor, in order. */
  readonly items: readonly PlanItem[];
  /** The items whose buckets are asked, in order. */
  readonly limited: readonly LimitedItem[];
  /** Their buckets' calls. */
  readonly calls: readonly BucketCall[];
  /** Whether something other than a bucket already satisfies the request's quota. */
  readonly quotaSatisfied: boolean;
  /** The domain is not configured. */
  readonly domainUnknown: boolean;
  /** Its place among those that wait, where one of its rules lets calls queue. */
  readonly standing: QueueStanding | undefined;
  /** Where its newest form is found; undefined where none of its rules belongs to a pool. */
  readonly tuned: { newest(): RequestPlan } | undefined;
  /** What was asked of the store last, to be asked again; the one thing about a plan that changes. */
  asked: BucketRequest | undefined;
}

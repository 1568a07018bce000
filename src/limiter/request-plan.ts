/** What is planned of a request: plain data, one item a descriptor. */
import type { BucketCall, BucketParams, BucketRequest, FailureMode } from '../core/buckets';
import type { RuleCounters } from '../core/ports';
import type { JsonObject, RlsCurrentLimit, RlsRequest } from '../core/rls';
import type { ItemDemand } from './demand';
import type { QueueStanding } from './queue-standing';
import type { Rule } from './rule';

const NO_NAMES: readonly string[] = [];

/**
 * A descriptor whose bucket is asked. What its rule says is read from the rule, so that a plan, of which many are kept, holds
 * little of its own.
 */
export class LimitedItem {
  readonly kind = 'limited';

  constructor(
    /** Undefined for a limit that came with the request. */
    readonly rule: Rule | undefined,
    readonly call: BucketCall,
    readonly currentLimit: RlsCurrentLimit,
    readonly metricKey: string,
    readonly counters: RuleCounters,
    /** Where its demand is counted; undefined for a limit that came with the request, and where nobody observes. */
    readonly demand: ItemDemand | undefined,
    readonly onError: FailureMode,
  ) {}

  get shadowMode(): boolean {
    return this.rule !== undefined && this.rule.shadowMode;
  }

  get quotaMode(): boolean {
    return this.rule !== undefined && this.rule.quotaMode;
  }

  get metadata(): JsonObject | undefined {
    return this.rule?.metadata;
  }

  /** Names, for `replaces`. */
  get name(): string {
    return this.rule === undefined ? '' : this.rule.name;
  }

  get replaces(): readonly string[] {
    return this.rule === undefined ? NO_NAMES : this.rule.replaces;
  }

  /** The same with another size of its bucket. */
  sized(params: BucketParams, currentLimit: RlsCurrentLimit): LimitedItem {
    const call = { ...this.call, params, note: undefined };
    return new LimitedItem(
      this.rule,
      call,
      currentLimit,
      this.metricKey,
      this.counters,
      this.demand,
      this.onError,
    );
  }
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
  /** What was asked, where the plan's answers depend on it; empty where they do not, so that plans that are kept are small. */
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

/** The items whose buckets are asked: the very list where that is all of them, as it mostly is. */
export function limitedOf(items: readonly PlanItem[]): readonly LimitedItem[] {
  return isAllLimited(items) ? items : items.filter((item) => item.kind === 'limited');
}

function isAllLimited(items: readonly PlanItem[]): items is readonly LimitedItem[] {
  for (const item of items) if (item.kind !== 'limited') return false;
  return true;
}

const PLAN_BYTES = 256;
const LIMITED_BYTES = 448;
const DESCRIPTOR_BYTES = 128;
const ENTRY_BYTES = 128;

/** What a plan takes in memory besides what it shares with others, bytes, by the sizes of V8's objects; measured for one descriptor. */
export function bytesOfPlan(plan: RequestPlan): number {
  const { request, items, limited } = plan;
  let bytes = PLAN_BYTES + items.length * 8;
  for (const { call, metricKey, rule } of limited) {
    bytes += LIMITED_BYTES + call.key.length;
    if (metricKey !== rule?.id) bytes += metricKey.length;
  }
  for (const { entries } of request.descriptors) {
    bytes += DESCRIPTOR_BYTES + entries.length * ENTRY_BYTES;
    for (const { key, value } of entries) bytes += key.length + value.length;
  }
  return bytes;
}

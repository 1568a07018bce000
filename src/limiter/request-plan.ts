/** What is planned of a request: plain data, one item a descriptor. */
import type { BucketCall, BucketParams, BucketRequest, FailureMode } from '../core/buckets';
import type { RuleCounters } from '../core/ports';
import type { JsonObject, RlsCurrentLimit, RlsRequest } from '../core/rls';
import { CountedDemand, type ItemDemand, type RuleDemand } from './demand';
import type { QueueStanding } from './queue-standing';
import type { Rule } from './rule';

const NO_NAMES: readonly string[] = [];

/** What the items of a rule have in common. */
export interface ItemTerms {
  /** Undefined for a limit that came with the request. */
  readonly rule: Rule | undefined;
  readonly currentLimit: RlsCurrentLimit;
  readonly metricKey: string;
  readonly counters: RuleCounters;
  readonly onError: FailureMode;
}

/**
 * A descriptor whose bucket is asked. Of plans many are kept, and each takes its time to come from memory: what items have in
 * common is looked up in their terms, and its demand is counted on the item itself.
 */
export class LimitedItem extends CountedDemand {
  readonly kind = 'limited';

  constructor(
    readonly terms: ItemTerms,
    readonly call: BucketCall,
    tenant: string | undefined,
  ) {
    super(tenant);
  }

  /** Where its demand is counted; undefined for a limit that came with the request, and where nobody observes. */
  get demand(): CountedDemand | undefined {
    return this.source === undefined ? undefined : this;
  }

  get source(): RuleDemand | undefined {
    return this.terms.rule?.demand;
  }

  get bucketKey(): string {
    return this.call.key;
  }

  get rule(): Rule | undefined {
    return this.terms.rule;
  }

  get currentLimit(): RlsCurrentLimit {
    return this.terms.currentLimit;
  }

  get metricKey(): string {
    return this.terms.metricKey;
  }

  get counters(): RuleCounters {
    return this.terms.counters;
  }

  get onError(): FailureMode {
    return this.terms.onError;
  }

  get shadowMode(): boolean {
    const { rule } = this.terms;
    return rule !== undefined && rule.shadowMode;
  }

  get quotaMode(): boolean {
    const { rule } = this.terms;
    return rule !== undefined && rule.quotaMode;
  }

  get metadata(): JsonObject | undefined {
    return this.terms.rule?.metadata;
  }

  /** Names, for `replaces`. */
  get name(): string {
    return this.terms.rule?.name ?? '';
  }

  get replaces(): readonly string[] {
    return this.terms.rule?.replaces ?? NO_NAMES;
  }

  /** The same with another size of its bucket. */
  sized(params: BucketParams, currentLimit: RlsCurrentLimit): LimitedItem {
    const call = { ...this.call, params, note: undefined };
    return new LimitedItem({ ...this.terms, currentLimit }, call, this.tenant);
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
  /** What it takes in memory besides what it shares with others, bytes, about. */
  readonly bytes: number;
  /** The one descriptor's item, where it is limited: what `items` and `limited` hold then. */
  readonly only: LimitedItem | undefined;
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
const LIMITED_BYTES = 384;
const DESCRIPTOR_BYTES = 128;
const ENTRY_BYTES = 128;

/** {@link RequestPlan.bytes}, by the sizes of V8's objects. @param kept the request, where the plan keeps it. */
export function bytesOfPlan(items: readonly PlanItem[], kept: RlsRequest | undefined): number {
  let bytes = PLAN_BYTES + items.length * 8;
  for (const item of items) {
    if (item.kind !== 'limited') continue;
    bytes += LIMITED_BYTES + item.call.key.length;
    if (item.metricKey !== item.rule?.id) bytes += item.metricKey.length;
  }
  for (const { entries } of kept?.descriptors ?? []) {
    bytes += DESCRIPTOR_BYTES + entries.length * ENTRY_BYTES;
    for (const { key, value } of entries) bytes += key.length + value.length;
  }
  return bytes;
}

/** From a request to what has to be asked of the buckets: one item a descriptor, in order. */
import type { BucketCall, BucketParams, FailureMode, Role } from '../core/buckets';
import { bucketParams } from '../bucket/params';
import { TidegateError } from '../core/errors';
import { MAX_UINT32, UNITS, type RlsCurrentLimit, type RlsDescriptor, type RlsRequest } from '../core/rls';
import type { QueuePolicy } from '../core/queueing';
import { overrideKey } from './bucket-key';
import type { Consistency } from './dialect/limits-file';
import type { LimitDomain, LimitTable, RuleMatch } from './limit-table';
import { standingOf } from './queue-standing';
import {
  bytesOfPlan,
  type ItemTerms,
  LimitedItem,
  limitedOf,
  type PlanItem,
  type RequestPlan,
  type UnmatchedItem,
} from './request-plan';
import type { Rule } from './rule';
import { TunedPlan } from './tuned-plan';

export type { LimitedItem, PlanItem, RequestPlan, UnlimitedItem, UnmatchedItem } from './request-plan';

/** What a plan depends on besides the table. */
export interface PlanOptions {
  /** Whether buckets of a domain share a Redis Cluster slot. */
  readonly colocate: 'bucket' | 'domain';
  readonly shadowMode: boolean;
  readonly quotaMode: boolean;
  /** Whether answers tell of the request. */
  readonly dynamicMetadata: boolean;
}

const UNMATCHED: UnmatchedItem = { kind: 'unmatched' };
const NOT_KEPT: RlsRequest = { domain: '', descriptors: [], hitsAddend: 0 };

/** Plans a request. @throws TidegateError TG_REQUEST_BAD_OVERRIDE. */
export function planRequest(table: LimitTable, request: RlsRequest, options: PlanOptions): RequestPlan {
  const domain = table.domains.get(request.domain);
  const items =
    domain === undefined
      ? request.descriptors.map(() => UNMATCHED)
      : applyReplaces(
          request.descriptors.map((descriptor) =>
            planDescriptor(table, domain, descriptor, request, options),
          ),
        );
  const limited = limitedOf(items);
  const [only] = limited;
  const keepsRequest = domain === undefined || options.dynamicMetadata;
  // What each call reads first, so that it lies in one line of the processor's cache.
  const plan: RequestPlan = {
    tuned: undefined,
    domainUnknown: domain === undefined,
    only: items.length === 1 ? only : undefined,
    asked: undefined,
    items,
    limited,
    calls: limited.map((item) => item.call),
    standing: standingOf(request, items),
    quotaSatisfied: items.some((item) => satisfiesQuota(item, options.quotaMode)),
    bytes: bytesOfPlan(items, keepsRequest ? request : undefined),
    request: keepsRequest ? request : NOT_KEPT,
  };
  const tuned = TunedPlan.of(plan);
  return tuned === undefined ? plan : { ...plan, tuned };
}

/** Under global quota mode whatever is not limited passes its quota; a shadow rule always passes. */
function satisfiesQuota(item: PlanItem, globalQuotaMode: boolean): boolean {
  if (item.kind === 'limited') return item.shadowMode && (item.quotaMode || globalQuotaMode);
  return globalQuotaMode && item.kind === 'unmatched';
}

/** Hits of a descriptor: its own figure (0 peeks), else the request's, where 0 means 1; negative when given back. */
export function hitsOf(descriptor: RlsDescriptor, request: RlsRequest): number {
  const hits = descriptor.hitsAddend ?? Math.max(1, request.hitsAddend);
  return descriptor.negativeHits && hits > 0 ? -hits : hits;
}

function planDescriptor(
  table: LimitTable,
  domain: LimitDomain,
  descriptor: RlsDescriptor,
  request: RlsRequest,
  options: PlanOptions,
): PlanItem {
  const hits = hitsOf(descriptor, request);
  if (descriptor.limit !== undefined) return planOverride(table, domain, descriptor, hits, options);
  const match = table.match(domain, descriptor);
  if (match === undefined) return UNMATCHED;
  const { rule } = match;
  if (rule.unlimited) {
    const demand = rule.demand?.ofItem(match.key, descriptor);
    return { kind: 'unlimited', rule, replaces: rule.replaces, hits, demand };
  }
  const { params, currentLimit } = rule.tuning?.sizeOf(match.key) ?? rule;
  const { shadowMode, quotaMode, onError, consistency, queue } = rule;
  const role = roleOf(shadowMode, quotaMode, options);
  const group = options.colocate === 'domain' ? domain.name : match.key;
  const call = callOf(match.key, group, params, hits, role, onError, consistency, queue);
  return new LimitedItem(termsOf(match, currentLimit), call, rule.demand?.tenantOf(descriptor));
}

/** By rule, for what answers of the rule have in common while nothing of the request's is in it. */
const commonTerms = new WeakMap<Rule, ItemTerms>();

function termsOf(match: RuleMatch, currentLimit: RlsCurrentLimit): ItemTerms {
  const { rule, metricKey, counters } = match;
  const known = commonTerms.get(rule);
  if (known?.metricKey === metricKey && known.currentLimit === currentLimit && known.counters === counters)
    return known;
  const terms = { rule, currentLimit, metricKey, counters, onError: rule.onError };
  if (known === undefined) commonTerms.set(rule, terms);
  return terms;
}

/** All calls have the same fields in the same order, those that stores fill in as well, so that engines treat them alike. */
function callOf(
  key: string,
  group: string,
  params: BucketParams,
  hits: number,
  role: Role,
  onError: FailureMode,
  consistency: Consistency,
  queue: QueuePolicy | undefined,
): BucketCall {
  const assumeOnFailure = assumedVerdict(onError);
  const leased = consistency === 'leased';
  const call = {
    key,
    params,
    hits,
    slot: -1,
    note: undefined,
    lease: undefined,
    role,
    leased,
    group,
    assumeOnFailure,
  };
  return queue === undefined ? call : { ...call, queue };
}

/** A limit that came with the request stands instead of a configured one; it has no modes and no name. */
function planOverride(
  table: LimitTable,
  domain: LimitDomain,
  descriptor: RlsDescriptor,
  hits: number,
  options: PlanOptions,
): PlanItem {
  const limit = descriptor.limit ?? { requestsPerUnit: 0, unit: 0 };
  const unit = UNITS.find((known) => known.number === limit.unit);
  if (unit === undefined) {
    throw new TidegateError('TG_REQUEST_BAD_OVERRIDE', `the limit override has unit ${limit.unit}`);
  }
  const requestsPerUnit = Math.min(limit.requestsPerUnit, MAX_UINT32);
  const key = overrideKey(domain.name, descriptor, limit);
  const { algorithm, consistency, onError } = table.defaults;
  const entries = descriptor.entries.map((entry) =>
    entry.value === '' ? entry.key : `${entry.key}_${entry.value}`,
  );
  const metricKey = `${domain.name}.${entries.join('.')}`;
  const params = bucketParams({
    algorithm,
    limit: requestsPerUnit,
    windowUs: unit.seconds * 1_000_000,
    capacity: requestsPerUnit,
    version: 0,
  });
  const group = options.colocate === 'domain' ? domain.name : key;
  const role = roleOf(false, false, options);
  const call = callOf(key, group, params, hits, role, onError, consistency, undefined);
  const currentLimit = { name: '', requestsPerUnit, unit: limit.unit };
  const counters = table.counters(metricKey);
  return new LimitedItem({ rule: undefined, currentLimit, metricKey, counters, onError }, call, undefined);
}

/** A rule in shadow counts but never denies; global shadow mode makes every rule so, as far as charging goes. */
function roleOf(shadowMode: boolean, quotaMode: boolean, options: PlanOptions): Role {
  if (shadowMode || options.shadowMode) return 'shadow';
  return quotaMode || options.quotaMode ? 'quota' : 'hard';
}

/** What the other buckets of a request may assume of one that cannot be asked. */
function assumedVerdict(onError: FailureMode): boolean {
  return onError === 'allow' || onError === 'local';
}

/** Drops every limited item whose name another item of the request replaces; unlimited ones replace, but stay. */
function applyReplaces(items: readonly PlanItem[]): readonly PlanItem[] {
  let replaced: Set<string> | undefined;
  for (const item of items) {
    if (item.kind === 'unmatched') continue;
    for (const name of item.replaces) (replaced ??= new Set()).add(name);
  }
  if (replaced === undefined) return items;
  const names = replaced;
  return items.map((item) =>
    item.kind === 'limited' && item.name !== '' && names.has(item.name) ? UNMATCHED : item,
  );
}

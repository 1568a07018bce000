/** A request's place among those that wait for tokens, from the rules that it meets. */
import { PRIORITIES } from '../core/priority';
import type { BucketCall } from '../core/buckets';
import type { RlsRequest } from '../core/rls';
import type { Rule } from './rule';

/** Who says nothing is served as MEDIUM. */
const DEFAULT_RANK = PRIORITIES.indexOf('MEDIUM');

/** What a descriptor met, as far as it bears on waiting. */
export interface StandingItem {
  readonly kind: 'limited' | 'unlimited' | 'unmatched';
  readonly rule?: Rule | undefined;
  readonly call?: BucketCall;
}

/** What is known of a request's claim before it is made; see `QueueClaim`. */
export interface QueueStanding {
  readonly rank: number;
  readonly weight: number;
  readonly flow: string;
}

/**
 * The standing of a request one of whose rules lets calls queue: of its rules' priorities the most important, of their
 * weights the largest. Its flow is what it met rules with, so that tenants who share a bucket are told apart, but not by what
 * no rule looks at.
 */
export function standingOf(request: RlsRequest, items: readonly StandingItem[]): QueueStanding | undefined {
  if (!items.some((item) => item.call?.queue !== undefined)) return undefined;
  let rank: number | undefined;
  let weight: number | undefined;
  const flow: string[] = [];
  items.forEach((item, index) => {
    if (item.kind === 'unmatched') return;
    const { rule } = item;
    if (rule?.priority !== undefined) rank = Math.min(rank ?? Infinity, PRIORITIES.indexOf(rule.priority));
    if (rule?.weight !== undefined) weight = Math.max(weight ?? 0, rule.weight);
    for (const { key, value } of request.descriptors[index]?.entries ?? [])
      flow.push(`${key.length} ${key}${value.length} ${value}`);
  });
  return { rank: rank ?? DEFAULT_RANK, weight: weight ?? 1, flow: flow.join('') };
}

/** Why a descriptor meets the rule that it meets, step by step, for `tidegate explain` and the API. */
import { formatDurationUs } from '../core/duration';
import { formatPosition } from '../core/errors';
import { UNITS, type RlsDescriptor } from '../core/rls';
import type { LevelMatch } from './limit-node';
import type { LimitTable } from './limit-table';
import type { Rule } from './rule';

/** One level of the search. */
export interface ExplanationStep {
  /** `key=value`. */
  readonly entry: string;
  /** What it met, in words. */
  readonly met: string;
}

/** The whole search and its end. */
export interface Explanation {
  readonly domain: string;
  readonly steps: readonly ExplanationStep[];
  /** The rule, when one applies. */
  readonly rule?: RuleSummary;
  /** The bucket that counts it, without the store's prefix. */
  readonly bucketKey?: string;
  readonly metricKey?: string;
  /** The outcome in one sentence, with its reason. */
  readonly conclusion: string;
}

/** A rule as people and the API see it. */
export interface RuleSummary {
  readonly id: string;
  readonly name: string;
  readonly unlimited: boolean;
  readonly limit: number;
  /** Such as `1m` or `90s`. */
  readonly window: string;
  readonly unit: string;
  readonly algorithm: string;
  readonly capacity: number;
  readonly consistency: string;
  readonly onError: string;
  readonly priority: string | null;
  readonly weight: number;
  /** How calls wait for tokens; null: they are rejected. */
  readonly queue: { readonly maxWait: string; readonly maxDepth: number } | null;
  readonly shadowMode: boolean;
  readonly quotaMode: boolean;
  readonly replaces: readonly string[];
  /** `file:line:column`. */
  readonly at: string;
}

/** Sums up a rule. */
export function summarizeRule(rule: Rule): RuleSummary {
  return {
    id: rule.id,
    name: rule.name,
    unlimited: rule.unlimited,
    limit: rule.params.limit,
    window: rule.unlimited ? '' : formatDurationUs(rule.params.windowUs),
    unit: UNITS.find((unit) => unit.number === rule.currentLimit.unit)?.name ?? 'UNKNOWN',
    algorithm: rule.params.algorithm,
    capacity: rule.params.capacity,
    consistency: rule.consistency,
    onError: rule.onError,
    priority: rule.priority ?? null,
    weight: rule.weight ?? 1,
    queue:
      rule.queue === undefined
        ? null
        : { maxWait: formatDurationUs(rule.queue.maxWaitMs * 1_000), maxDepth: rule.queue.maxDepth },
    shadowMode: rule.shadowMode,
    quotaMode: rule.quotaMode,
    replaces: rule.replaces,
    at: formatPosition({ ...rule.at, key: '' }).replace(/: $/, ''),
  };
}

/** Explains what a descriptor of a domain meets. */
export function explain(table: LimitTable, domainName: string, descriptor: RlsDescriptor): Explanation {
  const domain = table.domains.get(domainName);
  if (domain === undefined) {
    const known = [...table.domains.keys()].slice(0, 20).join(', ');
    return {
      domain: domainName,
      steps: [],
      conclusion: `no limit: the domain is not configured (known: ${known})`,
    };
  }
  const path = table.path(domain, descriptor);
  const steps = descriptor.entries.map((entry, index) => ({
    entry: `${entry.key}=${entry.value}`,
    met: describeStep(path, index),
  }));
  const match = table.match(domain, descriptor);
  if (match === undefined) return { domain: domainName, steps, conclusion: whyNone(path, descriptor) };
  const rule = summarizeRule(match.rule);
  return {
    domain: domainName,
    steps,
    rule,
    bucketKey: match.key,
    metricKey: match.metricKey,
    conclusion: describeRule(rule),
  };
}

function describeStep(path: readonly LevelMatch[], index: number): string {
  const match = path[index];
  if (match === undefined) {
    const parent = path[index - 1];
    if (index > path.length) return 'not looked at';
    return parent?.node.children.empty === true
      ? 'the limits end above this level'
      : 'nothing: no such value, wildcard or bare key at this level';
  }
  const { key, value } = match.node;
  const how =
    match.kind === 'exact'
      ? 'the exact value'
      : match.kind === 'wildcard'
        ? `the wildcard '${value === '' ? key : value}'`
        : 'the bare key';
  const shared =
    match.kind === 'wildcard' && match.node.shareThreshold ? ', whose values share one bucket' : '';
  return `${how} of '${key}'${shared}`;
}

function whyNone(path: readonly LevelMatch[], descriptor: RlsDescriptor): string {
  if (path.length < descriptor.entries.length) {
    const entry = descriptor.entries[path.length];
    return `no limit: nothing matches ${entry === undefined ? 'it' : `${entry.key}=${entry.value}`} at level ${path.length + 1}; a rule applies only at its own depth`;
  }
  return 'no limit: what it matches has no rate_limit, which lets it pass';
}

function describeRule(rule: RuleSummary): string {
  if (rule.unlimited) return `unlimited by ${rule.id}`;
  const modes = [
    rule.shadowMode ? 'shadow mode: never denied' : '',
    rule.quotaMode ? 'quota mode' : '',
    rule.queue === null ? '' : `up to ${rule.queue.maxDepth} calls wait at most ${rule.queue.maxWait}`,
  ].filter((mode) => mode !== '');
  const burst = rule.algorithm === 'token_bucket' ? `, capacity ${rule.capacity}` : '';
  return `limited by ${rule.id}: ${rule.limit} per ${rule.window} (${rule.algorithm}${burst}${modes.map((mode) => `; ${mode}`).join('')})`;
}

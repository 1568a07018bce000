/**
 * The table of limits that the data path reads: immutable, versioned, replaced as a whole. Matching decides which rule
 * a descriptor meets, which bucket counts it, and under which metric key.
 */
import type { RuleCounters } from '../core/ports';
import type { RlsDescriptor } from '../core/rls';
import { bucketKey } from './bucket-key';
import type { LevelMatch, LimitLevel } from './limit-node';
import { metricKey, sharedPattern } from './metric-key';
import type { Rule, RuleDefaults } from './rule';

/** A domain's first level. */
export interface LimitDomain {
  readonly name: string;
  readonly level: LimitLevel;
}

/** What a descriptor met. */
export interface RuleMatch {
  readonly rule: Rule;
  /** The bucket's identity. */
  readonly key: string;
  readonly metricKey: string;
  readonly counters: RuleCounters;
}

/** One loaded set of limits. */
export class LimitTable {
  constructor(
    /** Counts up with each load of this process. */
    readonly generation: number,
    readonly domains: ReadonlyMap<string, LimitDomain>,
    /** Every rule, in the order of the files. */
    readonly rules: readonly Rule[],
    readonly defaults: RuleDefaults,
    /** The counters of a metric key that is not a rule's id. */
    readonly counters: (metricKey: string) => RuleCounters,
  ) {}

  /**
   * What each entry of a descriptor meets, as far down as the limits go.
   * @returns one match a level; shorter than the descriptor where it goes deeper than the limits.
   */
  path(domain: LimitDomain, descriptor: RlsDescriptor): readonly LevelMatch[] {
    const path: LevelMatch[] = [];
    let level = domain.level;
    for (const entry of descriptor.entries) {
      const match = level.match(entry);
      if (match === undefined) break;
      path.push(match);
      level = match.node.children;
      if (level.empty) break;
    }
    return path;
  }

  /** @returns the rule that a descriptor meets: only where it ends as deep as the rule stands. */
  match(domain: LimitDomain, descriptor: RlsDescriptor): RuleMatch | undefined {
    const path = this.path(domain, descriptor);
    if (path.length !== descriptor.entries.length) return undefined;
    const rule = path[path.length - 1]?.node.rule;
    if (rule === undefined) return undefined;
    const shared = path.some((match) => match.node.shareThreshold);
    const key = bucketKey(domain.name, descriptor, shared ? path.map(sharedPattern) : undefined);
    if (!rule.detailedMetric && !path.some((match) => match.node.valueToMetric)) {
      return { rule, key, metricKey: rule.id, counters: rule.counters };
    }
    const name = metricKey(domain.name, descriptor, path, rule.detailedMetric);
    return { rule, key, metricKey: name, counters: name === rule.id ? rule.counters : this.counters(name) };
  }
}

/**
 * The per-rule counters under the reference's metric names, for a bounded number of metric keys.
 * Counting is one addition on an object the caller keeps; series are put together when they are scraped.
 */
import type { Registry } from 'prom-client';
import type { RuleCounters } from '../core/ports';
import { MAX_METRIC_KEY_LENGTH, ruleLabels, sanitiseMetricKey } from './metric-key';
import { registerSampled, type Sample } from './sampled-metric';

/** The statistics of a rule, by the reference's names. */
export const RULE_FIGURES = [
  'total_hits',
  'over_limit',
  'near_limit',
  'within_limit',
  'shadow_mode',
] as const;
type RuleFigure = (typeof RULE_FIGURES)[number];

const HELP: Readonly<Record<RuleFigure, string>> = {
  total_hits: 'Hits that a rule was asked for.',
  over_limit: 'Hits over the limit.',
  near_limit: 'Hits within the limit but above the near-limit ratio.',
  within_limit: 'Hits within the limit.',
  shadow_mode: 'Hits that shadow mode let pass.',
};

/** The key under which everything beyond the bound is counted. */
export const OTHER = 'other';

class CountedRule implements RuleCounters {
  readonly figures: Record<RuleFigure, number> = {
    total_hits: 0,
    over_limit: 0,
    near_limit: 0,
    within_limit: 0,
    shadow_mode: 0,
  };

  totalHits(hits: number): void {
    this.figures.total_hits += hits;
  }
  overLimit(hits: number): void {
    this.figures.over_limit += hits;
  }
  nearLimit(hits: number): void {
    this.figures.near_limit += hits;
  }
  withinLimit(hits: number): void {
    this.figures.within_limit += hits;
  }
  shadowMode(hits: number): void {
    this.figures.shadow_mode += hits;
  }
}

/** Rules whose keys have the same labels: one series on the scrape. */
interface Group {
  readonly labels: Readonly<Record<string, string>>;
  readonly members: CountedRule[];
}

/** Every rule's counters. */
export class RuleSeries {
  private readonly rules = new Map<string, CountedRule>();
  private readonly groups = new Map<string, Group>();
  private overflow: CountedRule | undefined;
  private foldedLookUps = 0;

  /** @param maxSeries metric keys with counters of their own; those beyond share the series `other`. */
  constructor(private readonly maxSeries: number) {}

  /** Metric keys with counters of their own. */
  get size(): number {
    return this.rules.size;
  }

  /** How often counters were asked for and the shared ones were handed out. */
  get folded(): number {
    return this.foldedLookUps;
  }

  /** The counters of a metric key: always the same object for the same key. */
  countersFor(metricKey: string): RuleCounters {
    const bounded =
      metricKey.length > MAX_METRIC_KEY_LENGTH ? metricKey.slice(0, MAX_METRIC_KEY_LENGTH) : metricKey;
    const known = this.rules.get(bounded);
    if (known !== undefined) return known;
    if (this.rules.size >= this.maxSeries) {
      this.foldedLookUps += 1;
      this.overflow ??= this.enlist(new CountedRule(), { domain: OTHER, key1: OTHER });
      return this.overflow;
    }
    const added = this.enlist(new CountedRule(), { ...ruleLabels(sanitiseMetricKey(bounded)) });
    this.rules.set(bounded, added);
    return added;
  }

  /** Registers the five counters. */
  register(registry: Registry): void {
    for (const figure of RULE_FIGURES) {
      registerSampled(registry, {
        name: `ratelimit_service_rate_limit_${figure}`,
        help: HELP[figure],
        type: 'counter',
        sample: () => this.samples(figure),
      });
    }
  }

  /** Every figure under the reference's dotted name. */
  *stats(): Generator<readonly [string, number]> {
    for (const [key, rule] of this.rules) yield* named(sanitiseMetricKey(key), rule);
    if (this.overflow !== undefined) yield* named(`${OTHER}.${OTHER}`, this.overflow);
  }

  private samples(figure: RuleFigure): Sample[] {
    return Array.from(this.groups.values(), ({ labels, members }) => {
      let value = 0;
      for (const member of members) value += member.figures[figure];
      return { labels, value };
    });
  }

  private enlist(rule: CountedRule, labels: Record<string, string>): CountedRule {
    const identity = JSON.stringify(labels);
    const group = this.groups.get(identity);
    if (group === undefined) this.groups.set(identity, { labels, members: [rule] });
    else group.members.push(rule);
    return rule;
  }
}

function* named(key: string, rule: CountedRule): Generator<readonly [string, number]> {
  for (const figure of RULE_FIGURES) {
    yield [`ratelimit.service.rate_limit.${key}.${figure}`, rule.figures[figure]];
  }
}

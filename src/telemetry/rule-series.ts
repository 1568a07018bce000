/**
 * The per-rule counters under the reference's metric names, for a bounded number of metric keys.
 * Counting is one addition on an object the caller keeps; series are put together when they are scraped. There may be
 * tens of thousands of lines, so their text is made here, a slice an event-loop turn: prom-client's takes 2 us a line
 * in one go, and decisions would wait for it.
 */
import { setImmediate as nextTurn } from 'node:timers/promises';
import type { RuleCounters } from '../core/ports';
import { boundedMetricKey, ruleLabels, sanitiseMetricKey, type RuleLabels } from './metric-key';

/** The statistics of a rule, by the reference's names. */
export const RULE_FIGURES = [
  'total_hits',
  'over_limit',
  'near_limit',
  'within_limit',
  'shadow_mode',
] as const;
/** One of {@link RULE_FIGURES}. */
export type RuleFigure = (typeof RULE_FIGURES)[number];

const HELP: Readonly<Record<RuleFigure, string>> = {
  total_hits: 'Hits that a rule was asked for.',
  over_limit: 'Hits over the limit.',
  near_limit: 'Hits within the limit but above the near-limit ratio.',
  within_limit: 'Hits within the limit.',
  shadow_mode: 'Hits that shadow mode let pass.',
};

/** The key under which everything beyond the bound is counted. */
export const OTHER = 'other';

const PREFIX = 'ratelimit_service_rate_limit_';
/** Some 0.2 ms of work. */
const LINES_A_TURN = 1_000;

class CountedRule implements RuleCounters {
  readonly figures: Record<RuleFigure, number> = {
    total_hits: 0,
    over_limit: 0,
    near_limit: 0,
    within_limit: 0,
    shadow_mode: 0,
  };

  /** @param name the metric key as statistics name it. */
  constructor(readonly name: string) {}

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
  /** In the text format, with the braces. */
  readonly labels: string;
  readonly members: CountedRule[];
}

/** What was counted of a metric key, to be added elsewhere. */
export type RuleShare = readonly [metricKey: string, figures: readonly number[]];

/** Every rule's counters. */
export class RuleSeries {
  private readonly rules = new Map<string, CountedRule>();
  private readonly groups = new Map<string, Group>();
  private overflow: CountedRule | undefined;
  private foldedLookUps = 0;
  /** Keys made of requests' values; anyone can make those, so they must not take the room of configured rules. */
  private madeByRequests = 0;

  /**
   * @param maxSeries metric keys with counters of their own, of configured rules and of requests' values each; those
   * beyond share the series `other`.
   */
  constructor(private readonly maxSeries: number) {}

  /** Metric keys with counters of their own. */
  get size(): number {
    return this.rules.size;
  }

  /** How often counters were asked for and the shared ones were handed out. */
  get folded(): number {
    return this.foldedLookUps;
  }

  /**
   * The counters of a metric key: always the same object for the same key.
   * @param configured the key is a rule's own and not made of a request's values.
   */
  countersFor(metricKey: string, configured = false): RuleCounters {
    const bounded = boundedMetricKey(metricKey);
    const known = this.rules.get(bounded);
    if (known !== undefined) return known;
    const taken = configured ? this.rules.size - this.madeByRequests : this.madeByRequests;
    if (taken >= this.maxSeries) {
      this.foldedLookUps += 1;
      return this.shared();
    }
    const name = sanitiseMetricKey(bounded);
    const added = this.enlist(new CountedRule(name), ruleLabels(name));
    this.rules.set(bounded, added);
    if (!configured) this.madeByRequests += 1;
    return added;
  }

  /** The figures of a metric key, when it has counters of its own. */
  figuresOf(metricKey: string): Readonly<Record<RuleFigure, number>> | undefined {
    return this.rules.get(boundedMetricKey(metricKey))?.figures;
  }

  /** Takes out what was counted: metric key and figures by {@link RULE_FIGURES}, for keys with any. */
  take(): RuleShare[] {
    const shares: RuleShare[] = [];
    const add = (key: string, rule: CountedRule): void => {
      const figures = RULE_FIGURES.map((figure) => rule.figures[figure]);
      if (figures.every((value) => value === 0)) return;
      for (const figure of RULE_FIGURES) rule.figures[figure] = 0;
      shares.push([key, figures]);
    };
    for (const [key, rule] of this.rules) add(key, rule);
    if (this.overflow !== undefined) add('', this.overflow);
    return shares;
  }

  /** Adds what was counted elsewhere; an empty key is what was beyond the bound there. */
  add([key, figures]: RuleShare): void {
    const counted = key === '' ? this.shared() : this.countersFor(key);
    if (!(counted instanceof CountedRule)) return;
    RULE_FIGURES.forEach((figure, at) => {
      counted.figures[figure] += figures[at] ?? 0;
    });
  }

  /** The names of the metrics. */
  metricNames(): string[] {
    return RULE_FIGURES.map((figure) => PREFIX + figure);
  }

  /** The lines of the text format. Lets the event loop turn between slices. */
  async render(): Promise<string> {
    const slices: string[] = [];
    for (const figure of RULE_FIGURES) {
      let slice = `# HELP ${PREFIX}${figure} ${HELP[figure]}\n# TYPE ${PREFIX}${figure} counter\n`;
      let lines = 0;
      // A group that is added meanwhile is met or not; counts are read when their line is made.
      for (const { labels, members } of this.groups.values()) {
        let value = 0;
        for (const member of members) value += member.figures[figure];
        slice += `${PREFIX}${figure}${labels} ${value}\n`;
        lines += members.length;
        if (lines < LINES_A_TURN) continue;
        slices.push(slice);
        slice = '';
        lines = 0;
        await nextTurn();
      }
      slices.push(slice);
    }
    return slices.join('');
  }

  /** Every figure under the reference's dotted name. */
  *stats(): Generator<[string, number]> {
    for (const rule of this.rules.values()) yield* named(rule);
    if (this.overflow !== undefined) yield* named(this.overflow);
  }

  private shared(): CountedRule {
    this.overflow ??= this.enlist(new CountedRule(`${OTHER}.${OTHER}`), { domain: OTHER, key1: OTHER });
    return this.overflow;
  }

  private enlist(rule: CountedRule, labels: RuleLabels): CountedRule {
    const text = renderLabels(labels);
    const group = this.groups.get(text);
    if (group === undefined) this.groups.set(text, { labels: text, members: [rule] });
    else group.members.push(rule);
    return rule;
  }
}

function* named(rule: CountedRule): Generator<[string, number]> {
  for (const figure of RULE_FIGURES) {
    yield [`ratelimit.service.rate_limit.${rule.name}.${figure}`, rule.figures[figure]];
  }
}

/** `{domain="a",key1="b"}`, escaped as the text format asks. */
function renderLabels(labels: RuleLabels): string {
  const pairs = Object.entries(labels).map(([name, value]: [string, string]) => {
    const escaped = value.replaceAll('\\', '\\\\').replaceAll('"', '\\"').replaceAll('\n', '\\n');
    return `${name}="${escaped}"`;
  });
  return `{${pairs.join(',')}}`;
}

/** What a model's advice would have cost, against the solver alone, on the arrivals that there were. */
import { normalTail } from '../../control/advice/normal-tail';
import type { RegretFigures } from '../../core/learning';
import { LossBins, type LossFigures } from '../../control/shadow/loss-bins';
import { signedRankDeviate } from '../../control/shadow/signed-rank';
import type { RecordedInterval } from './recorded';
import { ReplayWorld, type ReplayAdvisor } from './replay-world';

/** How it is measured. */
export interface RegretRules {
  readonly windowMs: number;
  /** The pool's interval: spans that are compared are no shorter. */
  readonly intervalMs: number;
  readonly confidence: number;
}

const SPANS = 60;
/** A span has so many intervals at least: a single one tells of a burst or of none, and the test wants differences without skew. */
const SPAN_INTERVALS = 4;
/** A tenth of the window counts as of late, three spans at least. */
const RECENT_PART = 0.1;
const RECENT_LEAST = 3;
/** Intervals that are over before anything is counted: what the two worlds begin with is not what a pool would have. */
const WARM_INTERVALS = 2;

/**
 * Replays each interval's arrivals through two copies of the pool's control in step: one alone, one with advice. The window is cut into up
 * to 60 spans, whose pairs of losses Wilcoxon's signed-rank test compares: intervals next to each other share their queues and
 * their demand, spans of many intervals hardly do.
 */
export class RegretMeter {
  readonly #rules: RegretRules;
  readonly #model: string;
  readonly #bins: LossBins;
  readonly #spans: number;
  readonly #solver = new ReplayWorld();
  readonly #agent: ReplayWorld;
  /** Ticks that were passed, as time: it knows no gaps. */
  #atMs = 0;
  #measuredMs = 0;
  #passed = 0;
  readonly #lengthsMs: number[] = [];

  /** @param model its version. @param advisor what it advises; its own for this meter. */
  constructor(model: string, advisor: ReplayAdvisor, rules: RegretRules) {
    this.#model = model;
    this.#rules = rules;
    const leastMs = SPAN_INTERVALS * Math.max(1, rules.intervalMs);
    this.#spans = Math.max(1, Math.min(SPANS, Math.floor(rules.windowMs / leastMs)));
    // The newest span is still growing: one more makes the window whole.
    this.#bins = new LossBins((rules.windowMs * (this.#spans + 1)) / this.#spans, this.#spans + 1);
    this.#agent = new ReplayWorld(advisor);
  }

  /** Takes an interval's arrivals. */
  interval(recorded: RecordedInterval): void {
    const spanMs = recorded.ticks.length * recorded.policy.tickMs;
    const solver = this.#solver.pass(recorded);
    const agent = this.#agent.pass(recorded);
    this.#passed += 1;
    if (this.#passed <= WARM_INTERVALS) return;
    this.#bins.goTo(this.#atMs);
    this.#bins.add({
      demand: solver.asked,
      nominalLost: solver.lost,
      proposedLost: agent.lost,
      wouldAdmit: 0,
      wouldDeny: 0,
    });
    this.#atMs += spanMs;
    this.#measuredMs += spanMs;
    this.#lengthsMs.push(spanMs);
    if (this.#lengthsMs.length > MAX_INTERVALS) this.#lengthsMs.shift();
  }

  /** The window so far. */
  figures(): RegretFigures {
    const { windowMs, confidence } = this.#rules;
    const bins = this.#bins.complete().filter(({ demand }) => demand > 0);
    const gains = bins.map(({ nominalLost, proposedLost }) => nominalLost - proposedLost);
    const deviate = signedRankDeviate(gains);
    const all = this.#bins.sums();
    const solverLoss = part(all.nominalLost, all.demand);
    const agentLoss = part(all.proposedLost, all.demand);
    const regret = part(all.proposedLost - all.nominalLost, all.demand);
    const recent = this.#recent();
    const differing = gains.filter((gain) => gain !== 0).length;
    const pBetter = differing === 0 ? 1 : normalTail(deviate);
    return {
      model: this.#model,
      windowMs,
      intervals: this.#intervals(),
      measuredMs: this.#measuredMs,
      solverLoss,
      agentLoss,
      regret,
      pBetter,
      pWorse: differing === 0 ? 1 : normalTail(-deviate),
      spans: bins.length,
      differing,
      ...recent,
      confident: regret !== null && regret < 0 && pBetter < 1 - confidence,
    };
  }

  #recent(): Pick<RegretFigures, 'recentRegret' | 'recentDiffering'> {
    const recent = this.#bins.latest(Math.max(RECENT_LEAST, Math.ceil(this.#spans * RECENT_PART)));
    const sum = (of: (bin: LossFigures) => number): number =>
      recent.reduce((total, bin) => total + of(bin), 0);
    const demand = sum((bin) => bin.demand);
    const lost = sum((bin) => bin.proposedLost - bin.nominalLost);
    const recentDiffering = recent.filter((bin) => bin.proposedLost !== bin.nominalLost).length;
    return { recentRegret: part(lost, demand), recentDiffering };
  }

  #intervals(): number {
    let leftMs = this.#rules.windowMs;
    let count = 0;
    for (let at = this.#lengthsMs.length - 1; at >= 0 && leftMs > 0; at -= 1) {
      leftMs -= this.#lengthsMs[at] ?? 0;
      count += 1;
    }
    return count;
  }
}

/** Intervals whose lengths are remembered, at most. */
const MAX_INTERVALS = 100_000;

function part(amount: number, whole: number): number | null {
  return whole > 0 ? amount / whole : null;
}

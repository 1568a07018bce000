/** Which mode of learning holds for a pool: a model has to earn its place, and loses it at once. */
import type { PoolMode } from '../../core/control';
import type { LearningOrder, PublishedLearning, RegretFigures } from '../../core/learning';
import { Elapsed } from '../elapsed';

/** How hard it is to be promoted. */
export interface LearningRules {
  /** How long a new model stays in shadow at least, ms. */
  readonly burnInMs: number;
  /** Over how long its regret is measured, ms; also the first cool-down after a demotion. */
  readonly windowMs: number;
  /** How sure it has to be, over all the time that a model is tried: 0.95 promotes one of no use in at most 5 of 100 cases. */
  readonly confidence: number;
}

/** What speaks for a mode. */
export interface LearningInputs {
  /** `learning_mode`, and the pool's own mode: the lesser applies. */
  readonly configured: PoolMode;
  readonly pool: PoolMode;
  readonly order: Omit<LearningOrder, 'pool'> | undefined;
  /** The version of the model in use; undefined for none. */
  readonly model: string | undefined;
  /** The version that the model in use was tuned from, by small steps: it keeps the place of that one. */
  readonly tunedFrom?: string | undefined;
  /** What was measured; of another model it does not count. */
  readonly regret: RegretFigures | undefined;
  /** Why the model is not fit for what is seen; undefined when it is. */
  readonly fault: string | undefined;
  /** What another leader published, to go on from; absent while this process leads. */
  readonly published?: PublishedLearning | undefined;
}

/** What holds. */
export interface LearningState {
  /** What applies. */
  readonly mode: PoolMode;
  readonly why: string;
  /** Set where this look promoted or demoted. */
  readonly moved: 'promoted' | 'demoted' | undefined;
  /** Set at a demotion for regret: the model that held its place before this one. */
  readonly rollback: string | undefined;
}

/** Evidence of fewer intervals, of spans with demand, and of spans that differ, is none. */
const LEAST_INTERVALS = 30;
const LEAST_SPANS = 15;
const LEAST_DIFFERING = 10;
/** The least gain that matters, as a part of the solver's loss. */
const LEAST_GAIN = 0.01;
/** What it has to lose less to be promoted, as a part of the solver's loss: for less the solver, which is understood, stays. */
const PROMOTING_GAIN = 0.03;
/** A regret over the last tenth of the window that needs no test: a part of the solver's loss, and of all demand. */
const HARD_PART = 0.5;
const HARD_LOSS = 0.005;
const HARD_DIFFERING = 3;
/** Before so many spans the two worlds are still settling. */
const HARD_SPANS = 6;
/** Cool-downs double up to this many windows. */
const MAX_COOL_DOWN = 16;
const MAX_LOOK_MS = 60_000;
const RANK: Readonly<Record<PoolMode, number>> = { off: 0, shadow: 1, active: 2 };

/**
 * Promotion asks for: the burn-in; after a demotion, a cool-down that doubles; no fault; and that the model loses at least
 * three hundredths less than the solver over a whole window, with confidence. It is asked once a window only, and the k-th time the
 * chance of an error is 1/(k(k+1)) of the one that is allowed, so that all looks together stay within it (Bonferroni's
 * inequality, over a series that sums to 1): evidence after a demotion has to be stronger by itself.
 * Demotion comes with the first look that sees a fault, a regret with confidence, or one that needs no test. A demotion is
 * certain, a promotion never is: what is configured as `active` begins active, and has to earn its way back like any other.
 */
export class LearningKeeper {
  readonly #rules: LearningRules;
  readonly #elapsed = new Elapsed(MAX_LOOK_MS);
  #model: string | undefined;
  #active = false;
  /** Whether evidence made it active, rather than somebody's word. */
  #earned = false;
  /** From when on it may be promoted, ms elapsed. */
  #earliestMs = 0;
  /** The measured time at which evidence is looked at next; looks so far; demotions so far. */
  #nextLookMs = 0;
  #measuredMs = 0;
  #looks = 0;
  #demotions = 0;
  /** The models that were promoted and not demoted, oldest first. */
  #held: string[] = [];
  /** The model that was last asked for in place of one that was demoted. */
  #recalled: string | undefined;
  #word = '';
  #why = 'in shadow until it is measurably better';

  constructor(rules: LearningRules) {
    this.#rules = rules;
  }

  /** How often the evidence has been looked at, and how often the model in use was demoted. */
  get counts(): { readonly looks: number; readonly demotions: number } {
    return { looks: this.#looks, demotions: this.#demotions };
  }

  /** The chance of an error that the next look is allowed. */
  get allowance(): number {
    const look = this.#looks + 1;
    return (1 - this.#rules.confidence) / (look * (look + 1));
  }

  /** Takes a look. */
  next(nowMs: number, inputs: LearningInputs): LearningState {
    this.#elapsed.look(nowMs);
    const { model, order } = inputs;
    if (model !== this.#model) {
      if (model !== undefined && this.#active && inputs.tunedFrom === this.#model) this.#succeed(model);
      else this.#begin(model);
    }
    const wanted = order === undefined || order.mode === 'auto' ? inputs.configured : order.mode;
    const most = lesser(wanted === 'shadow' && order?.mode !== 'shadow' ? 'active' : wanted, inputs.pool);
    this.#hear(wanted, order);
    this.#measure(inputs.regret);
    let moved: LearningState['moved'];
    let rollback: string | undefined;
    if (inputs.published !== undefined) this.#follow(inputs.published);
    else if (this.#active) {
      const regret = this.#regretOf(inputs.regret);
      const why = model === undefined ? undefined : (inputs.fault ?? regret);
      if (why !== undefined) {
        if (inputs.fault === undefined) rollback = this.#held.filter((held) => held !== model).at(-1);
        this.#recalled = rollback;
        this.#demote(why, inputs.regret);
        moved = 'demoted';
      }
    } else if (model !== undefined && most === 'active' && this.#earns(inputs)) moved = 'promoted';
    return { ...this.#applied(most, wanted, inputs), moved, rollback };
  }

  #begin(model: string | undefined): void {
    this.#model = model;
    this.#active = false;
    this.#earned = false;
    this.#earliestMs = this.#elapsed.totalMs + this.#rules.burnInMs;
    this.#nextLookMs = this.#rules.windowMs;
    this.#measuredMs = 0;
    this.#looks = 0;
    this.#demotions = 0;
    // What comes back for one that was demoted is in shadow, whatever was said before: no word is new.
    if (model === undefined || model !== this.#recalled) this.#word = '';
    this.#recalled = undefined;
    this.#why = 'a new model burns in';
  }

  /** The model before is the one to go back to; evidence is gathered from its beginning. */
  #succeed(model: string): void {
    const before = this.#model;
    this.#model = model;
    const others = this.#held.filter((held) => held !== before && held !== model);
    this.#held = [...others, ...(before === undefined ? [] : [before]), model].slice(-MAX_HELD);
    this.#nextLookMs = this.#rules.windowMs;
    this.#measuredMs = 0;
    this.#looks = 0;
    this.#demotions = 0;
    this.#why = `tuned from ${before}, whose place it keeps`;
  }

  /** What is measured from its beginning again has to fill a window again. */
  #measure(figures: RegretFigures | undefined): void {
    if (figures === undefined || figures.model !== this.#model) return;
    if (figures.measuredMs < this.#measuredMs) this.#nextLookMs = this.#rules.windowMs;
    this.#measuredMs = figures.measuredMs;
  }

  /** A new word for `active`, of the settings or a person, is followed at once: a demotion takes it back until the next word. */
  #hear(wanted: PoolMode, order: LearningInputs['order']): void {
    const word = `${wanted} ${order === undefined ? '' : order.setAtMs}`;
    if (word === this.#word || this.#model === undefined) return;
    this.#word = word;
    if (wanted === 'active') {
      this.#active = true;
      this.#why = order === undefined ? 'as configured' : `ordered by ${order.author}: ${order.reason}`;
    } else if (this.#active && (order?.mode === 'shadow' || !this.#earned)) {
      this.#active = false;
      this.#earned = false;
      this.#why = order === undefined ? 'as configured' : `ordered by ${order.author}: ${order.reason}`;
    }
  }

  #follow({ model, mode }: PublishedLearning): void {
    const active = model === this.#model && mode === 'active';
    if (active === this.#active) return;
    this.#active = active;
    this.#earned = active;
    this.#why = 'as the last leader published';
  }

  #regretOf(figures: RegretFigures | undefined): string | undefined {
    if (figures?.model !== this.#model || figures === undefined) return undefined;
    const { regret, solverLoss, recentRegret, recentDiffering, pWorse, differing, spans } = figures;
    const loss = solverLoss ?? 0;
    if (recentRegret !== null && recentDiffering >= HARD_DIFFERING && spans >= HARD_SPANS) {
      if (recentRegret > HARD_LOSS && recentRegret > HARD_PART * loss)
        return `it lost ${percent(recentRegret)} of all demand more than the solver of late`;
    }
    if (regret === null || differing < LEAST_DIFFERING) return undefined;
    return regret > LEAST_GAIN * loss && pWorse < 1 - this.#rules.confidence
      ? `it loses ${percent(regret)} of all demand more than the solver, with confidence`
      : undefined;
  }

  #demote(why: string, figures: RegretFigures | undefined): void {
    this.#active = false;
    this.#earned = false;
    this.#held = this.#held.filter((held) => held !== this.#model);
    this.#demotions += 1;
    const windows = Math.min(MAX_COOL_DOWN, 2 ** (this.#demotions - 1));
    this.#earliestMs = this.#elapsed.totalMs + windows * this.#rules.windowMs;
    this.#nextLookMs = measured(figures, this.#model) + this.#rules.windowMs;
    this.#why = `demoted: ${why}`;
  }

  #earns({ regret: figures, fault, order }: LearningInputs): boolean {
    if (order?.mode === 'shadow' || figures === undefined || figures.model !== this.#model) return false;
    const { totalMs } = this.#elapsed;
    if (fault !== undefined || totalMs < this.#earliestMs || figures.measuredMs < this.#nextLookMs)
      return false;
    const { intervals, spans, differing, solverLoss, regret, pBetter } = figures;
    if (intervals < LEAST_INTERVALS || spans < LEAST_SPANS || differing < LEAST_DIFFERING) return false;
    const allowed = this.allowance;
    this.#looks += 1;
    this.#nextLookMs = figures.measuredMs + this.#rules.windowMs;
    const better = regret !== null && regret < 0 && -regret >= PROMOTING_GAIN * (solverLoss ?? 0);
    if (!better || !(pBetter < allowed)) {
      this.#why = better
        ? `better, but not with confidence: ${pBetter.toPrecision(2)} where ${allowed.toPrecision(2)} is allowed`
        : 'it does not lose less than the solver';
      return false;
    }
    this.#active = true;
    this.#earned = true;
    this.#held = [...this.#held.filter((held) => held !== this.#model), figures.model].slice(-MAX_HELD);
    this.#why = `promoted: it loses ${percent(-regret)} of all demand less than the solver`;
    return true;
  }

  #applied(
    most: PoolMode,
    wanted: PoolMode,
    { pool, model }: LearningInputs,
  ): { readonly mode: PoolMode; readonly why: string } {
    if (most === 'off') return { mode: 'off', why: wanted === 'off' ? 'learning is off' : 'the pool is off' };
    if (model === undefined) return { mode: 'shadow', why: 'there is no model' };
    const mode = lesser(this.#active ? 'active' : 'shadow', most);
    return { mode, why: this.#active && mode !== 'active' ? `the pool is in ${pool}` : this.#why };
  }
}

/** Models that were promoted that are remembered. */
const MAX_HELD = 8;

/** The lesser of two modes. */
export function lesser(a: PoolMode, b: PoolMode): PoolMode {
  return RANK[a] <= RANK[b] ? a : b;
}

function measured(figures: RegretFigures | undefined, model: string | undefined): number {
  return figures !== undefined && figures.model === model ? figures.measuredMs : 0;
}

function percent(part: number): string {
  return `${(100 * part).toFixed(2)} %`;
}

/** What size a member of a pool wants, before the total is shared. */
import type { MemberPolicy, PoolPolicy } from '../../core/control';
import { Elapsed } from '../elapsed';
import { burstScale } from './burst-scale';
import { SteadyFigure } from './steady-figure';

/** Capacities closer than this, as a part, are left: estimates of a deviation are rough, and a cut drops tokens. */
const CAPACITY_BAND = 0.1;

/** A member as it is now. What is not known is NaN. */
export interface SizeSeen {
  /** In force; where the wanted size starts. */
  readonly ratePerS: number;
  readonly capacity: number;
  /** Tokens it got, a second. */
  readonly usedPerS: number;
  /** What counts as its demand: the larger of what is seen and what is foreseen. */
  readonly effectivePerS: number;
  /** What is foreseen; null for nothing that can be relied on. */
  readonly forecastPerS: number | null;
  /** The standard deviation of demand as a rate, from tick to tick. */
  readonly demandSd: number;
}

/** What a member wants: tokens a second, whole tokens, and what made the rate. */
export interface WantedSize {
  readonly ratePerS: number;
  readonly capacity: number;
  /** `forecast`, `growth`, `demand` (more than growth gives), `shrink`, `hold`, `cooldown`. */
  readonly rule: string;
}

/**
 * One member's wanted size; rate and capacity move apart, each with its own cool-down.
 *
 * Rate: foreseen demand x (1 + safety margin), never less than demand in effect. Without a forecast, or when live demand
 * is above it: use over the high threshold grows by the growth factor, use that stays under the low one shrinks by the
 * shrink factor. Neither goes past the geometric middle of the thresholds, so that a change alone never calls for the opposite one.
 * What is wanted is kept apart from what is in force: a member that gets less than it wants goes on wanting it.
 *
 * Capacity: the configured one x {@link burstScale}.
 *
 * Figures that are NaN, infinite or negative count as not known, and nothing leaves the member's bounds.
 */
export class MemberSize {
  readonly #policy: PoolPolicy;
  readonly #member: MemberPolicy;
  readonly #middle: number;
  readonly #elapsed: Elapsed;
  #rate: SteadyFigure | undefined;
  #capacity: SteadyFigure | undefined;

  constructor(policy: PoolPolicy, member: MemberPolicy) {
    this.#policy = policy;
    this.#member = member;
    const low = Math.max(policy.thresholdLow, 0.01);
    this.#middle = Math.sqrt(Math.max(policy.thresholdHigh, low) * low);
    this.#elapsed = new Elapsed(2 * Math.max(policy.intervalMs, policy.tickMs));
  }

  /** @param nowMs may jump: it is only used for the time between calls. */
  next(nowMs: number, now: SizeSeen): WantedSize {
    this.#elapsed.look(nowMs);
    const rule = this.#nextRate(now);
    const capacity = this.#nextCapacity(now);
    return { ratePerS: this.#boundedRate(this.#rateFigure(now).figure), capacity, rule };
  }

  #nextRate(now: SizeSeen): string {
    const rate = this.#rateFigure(now);
    const { rule, needPerS } = this.#need(now, rate.figure);
    const became = rate.need(this.#elapsed.totalMs, this.#boundedRate(needPerS));
    if (became === 'up' || became === 'down') return rule;
    return became;
  }

  #need(now: SizeSeen, wantedPerS: number): { rule: string; needPerS: number } {
    const { safetyMargin, thresholdHigh, thresholdLow, growthFactor, shrinkFactor } = this.#policy;
    const demandPerS = known(now.effectivePerS) ?? 0;
    const forecastPerS = now.forecastPerS === null ? undefined : known(now.forecastPerS);
    const usedPerS = known(now.usedPerS);
    const foreseenPerS = forecastPerS === undefined ? 0 : forecastPerS * (1 + safetyMargin);
    const ahead = forecastPerS === undefined || demandPerS > forecastPerS;
    if (ahead && usedPerS !== undefined && usedPerS > thresholdHigh * wantedPerS) {
      const grownPerS = Math.max(wantedPerS, Math.min(wantedPerS * growthFactor, usedPerS / this.#middle));
      return largest(['growth', grownPerS], ['demand', demandPerS], ['forecast', foreseenPerS]);
    }
    if (forecastPerS !== undefined) return largest(['forecast', foreseenPerS], ['demand', demandPerS]);
    if (usedPerS !== undefined && usedPerS < thresholdLow * wantedPerS) {
      const shrunkPerS = Math.min(wantedPerS, Math.max(wantedPerS * shrinkFactor, usedPerS / this.#middle));
      return largest(['shrink', shrunkPerS], ['demand', demandPerS]);
    }
    return largest(['hold', wantedPerS], ['demand', demandPerS]);
  }

  #nextCapacity(now: SizeSeen): number {
    const { nominalCapacity, minCapacity, maxCapacity } = this.#member;
    const held = (this.#capacity ??= new SteadyFigure(
      { ...this.#steady(), deadBand: Math.max(this.#policy.deadBand, CAPACITY_BAND) },
      bounded(known(now.capacity) ?? nominalCapacity, minCapacity, maxCapacity),
    ));
    const scale = burstScale(meanOf(now), now.demandSd, this.#policy.tickMs / 1_000);
    const need = Number.isNaN(scale)
      ? held.figure
      : bounded(nominalCapacity * scale, minCapacity, maxCapacity);
    held.need(this.#elapsed.totalMs, need);
    return bounded(Math.round(held.figure), minCapacity, maxCapacity);
  }

  #rateFigure(now: SizeSeen): SteadyFigure {
    return (this.#rate ??= new SteadyFigure(
      { ...this.#steady(), deadBand: this.#policy.deadBand },
      this.#boundedRate(known(now.ratePerS) ?? this.#member.nominalPerS),
    ));
  }

  #steady(): { cooldownMs: number; fallAfterMs: number } {
    return { cooldownMs: this.#policy.cooldownMs, fallAfterMs: this.#policy.shrinkAfterMs };
  }

  #boundedRate(ratePerS: number): number {
    return bounded(ratePerS, this.#member.minPerS, this.#member.maxPerS);
  }
}

/** The mean of demand, as well as it can be told: admitted calls, or, where demand seen was more, that less its deviation. */
function meanOf(now: SizeSeen): number {
  const usedPerS = known(now.usedPerS) ?? 0;
  const demandPerS = known(now.effectivePerS) ?? 0;
  if (now.forecastPerS !== null && demandPerS <= now.forecastPerS) return usedPerS;
  return Math.max(usedPerS, demandPerS - now.demandSd);
}

function largest(...needs: readonly (readonly [string, number])[]): { rule: string; needPerS: number } {
  let rule = '';
  let needPerS = Number.NEGATIVE_INFINITY;
  for (const [name, figure] of needs) {
    if (figure <= needPerS) continue;
    rule = name;
    needPerS = figure;
  }
  return { rule, needPerS };
}

function known(figure: number): number | undefined {
  return Number.isFinite(figure) && figure >= 0 ? figure : undefined;
}

function bounded(figure: number, min: number, max: number): number {
  return Math.min(max, Math.max(min, figure));
}

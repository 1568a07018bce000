/** What speaks against following learned advice at a tick. */
import type { MemberForecast, PoolAdvice, PoolMode } from '../../core/control';
import type { Bar, BarReason } from './advice-chain';

/** What is known of learned advice at a tick. Shares are 0 to 1. */
export interface AdviceFacts {
  readonly nowMs: number;
  /** The mode that holds for learning, and why. */
  readonly mode: PoolMode;
  readonly why: string;
  /** Whether there is a model. */
  readonly model: boolean;
  /** The advice in force, and how long it may be. */
  readonly advice: PoolAdvice | undefined;
  readonly lifeMs: number;
  /** What went wrong in making it; empty for nothing. */
  readonly fault: string;
  /** How long it took, ms. */
  readonly tookMs: number;
  /** The ids of the members that it has to speak of, and the largest factor. */
  readonly members: ReadonlySet<string>;
  readonly maxFactor: number;
  /** The part of what was seen that is beyond anything the model was trained on. */
  readonly outOfRange: number;
  /** The parts of members whose demand is unlike its forecasts, and has drifted. */
  readonly anomalous: number;
  readonly drifted: number;
  /** Whether anybody told of demand. */
  readonly heard: boolean;
  /** Whether the regret of the advice is being measured; empty when it is, else why not. */
  readonly unwatched: string;
}

/** From these on, learned advice is not followed. */
export interface AdviceBounds {
  /** Making advice takes longer, ms. */
  readonly slowMs: number;
  readonly outOfRange: number;
  readonly anomalous: number;
  readonly drifted: number;
}

/**
 * A tick's advice for 50 services takes well under a millisecond; 20 would hold other pools up. A tenth of all figures beyond the
 * ranges of training is no chance (ranges hold all but a thousandth), and where more than a quarter of all members behave as never before, what
 * was learnt of them is in doubt.
 */
export const ADVICE_BOUNDS: AdviceBounds = { slowMs: 20, outOfRange: 0.1, anomalous: 0.25, drifted: 0.25 };

/** Clocks of one process differ by no more than rounding, ms. */
const CLOCK_SLACK_MS = 1;
/** Rounding in a factor, as a part of it. */
const ROUNDING = 1e-9;

/** Bars that say the model is not fit for what is seen: it has to earn its place anew. */
const DEMOTING: ReadonlySet<BarReason> = new Set(['insane', 'out_of_range', 'anomaly', 'drift', 'unwatched']);

/** @returns what keeps learned advice from being followed, the gravest first; undefined for nothing. */
export function adviceBar(facts: AdviceFacts, bounds: AdviceBounds = ADVICE_BOUNDS): Bar | undefined {
  return faultOf(facts, bounds) ?? allowance(facts);
}

/** @returns the fault that a model has to go back to shadow for; undefined for none. */
export function demotingFault(bar: Bar | undefined): string | undefined {
  return bar !== undefined && DEMOTING.has(bar.reason) ? bar.why : undefined;
}

/** What bars the solver's use of forecasts: that no member has one, of those whose demand is looked at. */
export function forecastBar(
  nowMs: number,
  forecasts: readonly (MemberForecast | undefined)[],
  lifeMs: number,
): Bar | undefined {
  const usable = (forecast: MemberForecast | undefined): boolean =>
    forecast !== undefined && !forecast.anomalous && Math.abs(nowMs - forecast.madeAtMs) <= lifeMs;
  if (forecasts.length === 0 || forecasts.some(usable)) return undefined;
  const told = forecasts.some((forecast) => forecast !== undefined);
  const why = told ? 'no forecast is fresh and to be relied on' : 'nothing is foreseen of any member';
  return fault('no_forecast', why);
}

function faultOf(facts: AdviceFacts, bounds: AdviceBounds): Bar | undefined {
  const { outOfRange, anomalous, drifted } = facts;
  if (!facts.heard) return fault('no_telemetry', 'nobody tells of demand');
  if (!facts.model) return undefined;
  if (facts.fault !== '') return fault('insane', facts.fault);
  const mistake = facts.advice === undefined ? undefined : adviceMistake(facts.advice, facts);
  if (mistake !== undefined) return fault('insane', mistake);
  if (facts.tookMs > bounds.slowMs)
    return fault('slow', `advice took ${facts.tookMs.toFixed(1)} ms, more than ${bounds.slowMs}`);
  if (!(outOfRange < bounds.outOfRange))
    return fault('out_of_range', `${percent(outOfRange)} of what is seen is beyond what it was trained on`);
  if (!(anomalous <= bounds.anomalous))
    return fault('anomaly', `${percent(anomalous)} of all members are unlike their forecasts`);
  if (!(drifted <= bounds.drifted))
    return fault('drift', `the demand of ${percent(drifted)} of all members has drifted`);
  if (facts.unwatched !== '') return fault('unwatched', facts.unwatched);
  if (facts.advice !== undefined && isLate(facts.advice, facts))
    return fault('late', 'the advice is of an interval that is over');
  return undefined;
}

function allowance({ model, advice, mode, why }: AdviceFacts): Bar | undefined {
  if (!model) return { reason: 'no_model', why: 'there is no model', fault: false };
  if (mode !== 'active') return { reason: 'mode', why: `learning is ${mode}: ${why}`, fault: false };
  return advice === undefined
    ? { reason: 'no_advice', why: 'there is no advice yet', fault: false }
    : undefined;
}

function isLate({ madeAtMs }: PoolAdvice, { nowMs, lifeMs }: AdviceFacts): boolean {
  const ageMs = nowMs - madeAtMs;
  return !(ageMs >= -CLOCK_SLACK_MS && ageMs <= lifeMs);
}

/** @returns what is wrong with advice, in words; undefined for nothing. Members may be left out, none may be twice. */
export function adviceMistake(
  { members }: PoolAdvice,
  { members: known, maxFactor }: Pick<AdviceFacts, 'members' | 'maxFactor'>,
): string | undefined {
  const most = maxFactor * (1 + ROUNDING);
  const told = new Set<string>();
  for (const { id, demandFactor, keepFactor } of members) {
    if (!known.has(id)) continue;
    if (told.has(id)) return 'a member is advised twice';
    told.add(id);
    for (const factor of [demandFactor, keepFactor])
      if (!(factor <= most && factor >= 1 / most)) return `a factor of ${factor} is no advice`;
  }
  return undefined;
}

function fault(reason: BarReason, why: string): Bar {
  return { reason, why, fault: true };
}

function percent(part: number): string {
  return `${(100 * part).toFixed(0)} %`;
}

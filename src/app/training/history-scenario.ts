/** A scenario of what was seen of a pool's members: to train on when it runs. */
import { TidegateError } from '../../core/errors';
import type { Priority } from '../../core/priority';
import { DAY_MINUTES, type Scenario, type ScenarioService } from '../../simulate/scenario';
import { DAYS_MIN } from './training-plan';

/** What is known of a member. */
export interface HistoryMember {
  readonly name: string;
  readonly priority: Priority;
  /** What it is configured for, and what it is guaranteed, tokens a second. */
  readonly nominalPerS: number;
  readonly guaranteePerS: number;
  /** How long calls may wait for it, ms; 0 for rules without a queue. */
  readonly queueLimitMs: number;
  /** What was asked of it by the minute, the newest last; in any unit that all members have alike. NaN where nothing is known. */
  readonly perMinute: Float64Array;
}

/** What is known of a pool. */
export interface PoolHistory {
  readonly members: readonly HistoryMember[];
  readonly totalPerS: number;
  readonly intervalMs: number;
  readonly tickMs: number;
  readonly lending: boolean;
}

/** More days than these are not learned from: habits of last month are none of this one. */
const DAYS_MAX = 14;
/** Members that are learned from at most, those that are asked for most: with more of them a budget of minutes teaches nothing. */
const MEMBERS_MAX = 64;
/** The part of a member's minutes that has to be known. */
const KNOWN_PART = 0.5;
/** Mean demand over total that is learned from, whatever it was: what a pool is for is the time when more is asked than there is. */
const LOADS: readonly number[] = [0.7, 0.9, 1.1];
/** Ticks are not simulated finer than this, ms: minutes are what is known. */
const TICK_MIN_MS = 1_000;
const MINUTE_MS = 60_000;

/**
 * A scenario whose train days are the last whole days of the history. Members of which less than half is known, or of which nothing was
 * asked, are left out.
 * @throws TidegateError TG_LEARN_TOO_LITTLE_HISTORY: fewer than two days, or fewer than two members.
 */
export function historyScenario(history: PoolHistory, seed: number): Scenario {
  const { members, totalPerS, lending } = history;
  const minutes = Math.max(0, ...members.map(({ perMinute }) => perMinute.length));
  const days = Math.min(DAYS_MAX, Math.floor(minutes / DAY_MINUTES));
  if (days < DAYS_MIN) {
    const there = (minutes / DAY_MINUTES).toFixed(1);
    throw tooLittle(`there are ${there} days of history; it takes ${DAYS_MIN} at least`);
  }
  const known = members
    .map((member) => ({ member, trace: lastOf(member.perMinute, days * DAY_MINUTES) }))
    .map((one) => ({ ...one, mean: meanOf(one.trace) }))
    .filter(({ mean, trace }) => mean > 0 && knownPart(trace) >= KNOWN_PART)
    .sort((a, b) => b.mean - a.mean)
    .slice(0, MEMBERS_MAX);
  if (known.length < 2) {
    throw tooLittle(`of ${known.length} members there is enough history; it takes 2 to share a total`);
  }
  const demand = known.reduce((sum, { mean }) => sum + mean, 0);
  const nominal = known.reduce((sum, { member }) => sum + Math.max(0, member.nominalPerS), 0);
  const services = known.map(({ member, trace, mean }): ScenarioService => ({
    name: member.name,
    priority: member.priority,
    share: mean / demand,
    nominalShare: nominal > 0 ? Math.max(0, member.nominalPerS) / nominal : 1 / known.length,
    guaranteePerS: member.guaranteePerS,
    queueLimitMs: member.queueLimitMs,
    trace,
    rollMinutes: 0,
  }));
  const tickMs = divisorOfMinute(history.tickMs);
  return {
    seed,
    totalPerS,
    tickMs,
    intervalMs: Math.max(tickMs, Math.round(history.intervalMs / tickMs) * tickMs),
    lendDelayMs: 0,
    loads: LOADS.map((load) => ({ name: String(load), load })),
    flash: undefined,
    capacityLoss: undefined,
    trainDays: days,
    testDays: 0,
    lending,
    arrivals: 'poisson',
    services,
  };
}

function tooLittle(why: string): TidegateError {
  return new TidegateError('TG_LEARN_TOO_LITTLE_HISTORY', why);
}

/** The last minutes; those before the first are not known. */
function lastOf(perMinute: Float64Array, minutes: number): Float64Array {
  const last = new Float64Array(minutes).fill(NaN);
  const taken = perMinute.slice(Math.max(0, perMinute.length - minutes));
  last.set(taken, minutes - taken.length);
  return last;
}

function knownPart(trace: Float64Array): number {
  return trace.filter((value) => value >= 0 && value < Infinity).length / Math.max(1, trace.length);
}

function meanOf(trace: Float64Array): number {
  const values = trace.filter((value) => value >= 0 && value < Infinity);
  return values.length === 0 ? 0 : values.reduce((sum, value) => sum + value, 0) / values.length;
}

/** The nearest tick that a minute is whole in. */
function divisorOfMinute(tickMs: number): number {
  const wanted = Math.max(TICK_MIN_MS, tickMs);
  const parts = Math.max(1, Math.round(MINUTE_MS / wanted));
  for (let count = parts; count > 1; count -= 1) if (MINUTE_MS % count === 0) return MINUTE_MS / count;
  return MINUTE_MS;
}

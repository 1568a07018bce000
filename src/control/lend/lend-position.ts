/** What a member needs of its own tokens until the next decision, what it can spare, and what it lacks. */
import type { LendingPolicy, MemberPolicy } from '../../core/control';
import type { Priority } from '../../core/priority';

/** A member at a tick. */
export interface LendMember {
  readonly policy: MemberPolicy;
  /** In force. */
  readonly ratePerS: number;
  readonly capacity: number;
  /** Whole tokens in its bucket; NaN where it was not looked at: it takes no part. */
  readonly tokens: number;
  /** The demand to be ready for, tokens a second, at least what is seen; NaN when unknown. */
  readonly effectivePerS: number;
  /** Over the last tick, tokens a second; NaN what nobody told. */
  readonly demandPerS: number;
  readonly admittedPerS: number;
  readonly deniedPerS: number;
  readonly queuedPerS: number;
  /** False when a person said that it takes no part. */
  readonly lending: boolean;
  /** Times what it keeps of its own when it lends; 1 where nobody advises. What others may not use it keeps in any case. */
  readonly keepFactor?: number;
}

/** Tokens that are on their way, or owed, as the ledger knows. */
export interface InFlight {
  /** Ordered to leave, and to arrive, without an outcome yet. */
  readonly leaving: number;
  readonly arriving: number;
  /** Borrowed and not home, whether arrived or on the way. */
  readonly borrowed: number;
}

/** Where a member stands; whole tokens. */
export interface LendPosition {
  readonly member: LendMember;
  readonly id: string;
  /** What it surely has: without what is about to leave. */
  level: number;
  /** What its own demand needs until the next decision, beyond its refill. */
  readonly need: number;
  /** What it keeps at least when it lends. */
  readonly keep: number;
  /** What it lacks of its need, as far as it fits beside what is about to arrive. */
  lack: number;
  /** What it may still borrow. */
  readonly limit: number;
  /** Why it borrows; empty when it does not. */
  readonly why: '' | 'denied' | 'low_water';
}

/**
 * How many ticks of its own demand a member is ready for: a decision's effect comes within two ticks, and who matters more takes
 * less of a chance on it.
 */
export const TICKS_AHEAD: Readonly<Record<Priority, number>> = {
  CRITICAL: 2,
  HIGH: 1.5,
  MEDIUM: 1.25,
  LOW: 1,
};

/** The time that limits and loans are for, ms: a tick, or a second where ticks are shorter. */
export function loanLifeMs(tickMs: number): number {
  return Math.max(tickMs, 1_000);
}

/** What a member may have borrowed at any time, whole tokens: its borrowable part of its nominal rate over a loan's life. */
export function borrowingLimit(policy: MemberPolicy, tickMs: number): number {
  const limit = (policy.nominalPerS * policy.borrowable * loanLifeMs(tickMs)) / 1_000;
  return limit > 0 && limit < Infinity ? Math.ceil(limit) : 0;
}

const known = (figure: number): number => (figure > 0 && figure < Infinity ? figure : 0);

/**
 * Where a member stands; undefined when it takes no part: its level or its demand is unknown, its bucket lends not, or
 * figures are absurd.
 */
export function lendPosition(
  member: LendMember,
  lending: LendingPolicy,
  tickMs: number,
  inFlight: InFlight,
): LendPosition | undefined {
  const { policy, tokens, capacity, ratePerS } = member;
  if (!member.lending || !policy.lends) return undefined;
  if (!(Number.isFinite(tokens) && capacity >= 1 && capacity < Infinity && ratePerS >= 0)) return undefined;
  if (Number.isNaN(member.effectivePerS) && Number.isNaN(member.demandPerS)) return undefined;
  const tickS = tickMs / 1_000;
  const ahead = TICKS_AHEAD[policy.priority];
  const demandPerS = Math.max(known(member.effectivePerS), known(member.demandPerS));
  const waiting = known(member.queuedPerS) * tickS;
  const refused = known(member.deniedPerS) * tickS;
  const beyondRefill = (demandPerS - ratePerS) * tickS * ahead + waiting;
  const need = Math.ceil(Math.min(capacity, Math.max(0, beyondRefill, refused)));
  const lowMark = lending.lowWater * capacity;
  const factor = member.keepFactor ?? 1;
  const guarded = (1 - policy.lendable) * policy.nominalCapacity;
  const level = Math.max(0, Math.floor(tokens) - inFlight.leaving);
  const expected = Math.max(0, Math.floor(tokens)) + inFlight.arriving;
  const room = Math.max(0, Math.floor(capacity) - expected);
  const why = refused > 0 || waiting > 0 ? 'denied' : expected < lowMark ? 'low_water' : '';
  return {
    member,
    id: policy.id,
    level,
    need,
    keep: Math.ceil(Math.max(Math.min(capacity, Math.max(need, lowMark) * factor), known(guarded))),
    lack: Math.max(0, Math.min(room, need - expected)),
    limit: Math.max(0, borrowingLimit(policy, tickMs) - inFlight.borrowed),
    why,
  };
}

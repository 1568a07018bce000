/** The last word on every output: what a decision may change, how much, how often, and what all together may have. */
import { type MemberPolicy, type PoolPolicy } from '../../core/control';
import { priorityRank } from '../allocate/priority-weights';

/** What holds of a member. */
export interface Held {
  readonly ratePerS: number;
  readonly capacity: number;
  /** When each was changed last; -Infinity for never. */
  readonly rateAtMs: number;
  readonly capacityAtMs: number;
}

/** What is proposed for a member. NaN proposes nothing. */
export interface Proposal {
  readonly policy: MemberPolicy;
  readonly held: Held;
  readonly ratePerS: number;
  readonly capacity: number;
  /** A person's order: only the bounds and the total are above it. */
  readonly orderedRate: boolean;
  readonly orderedCapacity: boolean;
}

/** What passes. */
export interface Guarded {
  readonly held: Held;
  /** What cut it, in order: `nan`, `dead_band`, `cooldown`, `step`, `min`, `max`, `total`. */
  readonly clamps: readonly string[];
}

interface Draft {
  readonly proposal: Proposal;
  /** What it may not be cut under while increases are cut. */
  readonly base: number;
  /** The proposal inside the bounds. */
  readonly aim: number;
  rate: number;
  readonly capacity: number;
  readonly clamps: string[];
}

/** Rounding in a sum of rates, as a part of it. */
const ROUNDING = 1e-12;

/**
 * Guards all proposals of a pool. Precedence, from the highest: the total; the hard bounds; orders; guarantees, up to which
 * a rate rises at once; steps and pauses. When all are too much together, increases are cut, those of the least priority
 * first; then every rate goes towards its proposal, however fast; then what is above the minima is scaled; and where the
 * minima alone exceed the total, they are. Capacities are whole tokens inside their bounds, apart from the total.
 */
export function guard(
  nowMs: number,
  policy: PoolPolicy,
  totalPerS: number,
  proposals: readonly Proposal[],
): Guarded[] {
  const drafts = proposals.map((proposal) => draft(nowMs, policy, proposal));
  conserve(drafts, totalPerS);
  return drafts.map(({ proposal: { held }, rate, capacity, clamps }) => ({
    held: {
      ratePerS: rate,
      capacity,
      rateAtMs: rate === held.ratePerS ? held.rateAtMs : nowMs,
      capacityAtMs: capacity === held.capacity ? held.capacityAtMs : nowMs,
    },
    clamps,
  }));
}

/** Inside the bounds; the lower one where it is no number. */
export function bounded(value: number, least: number, most: number): number {
  if (!(value > least)) return least;
  return value < most ? value : most;
}

function draft(nowMs: number, pool: PoolPolicy, proposal: Proposal): Draft {
  const { policy, held } = proposal;
  const clamps: string[] = [];
  const rate = rateOf(nowMs, pool, proposal, clamps);
  const aim = bounded(
    Number.isNaN(proposal.ratePerS) ? held.ratePerS : proposal.ratePerS,
    policy.minPerS,
    policy.maxPerS,
  );
  return {
    proposal,
    base: Math.max(held.ratePerS, Math.min(aim, policy.guaranteePerS)),
    aim,
    rate,
    capacity: capacityOf(nowMs, pool, proposal),
    clamps,
  };
}

function rateOf(nowMs: number, pool: PoolPolicy, proposal: Proposal, clamps: string[]): number {
  const { policy, held, ratePerS, orderedRate } = proposal;
  let rate = ratePerS;
  if (Number.isNaN(rate)) {
    clamps.push('nan');
    rate = held.ratePerS;
  } else if (!orderedRate && rate !== held.ratePerS) {
    const due = Math.min(rate, policy.guaranteePerS);
    const step = pool.maxStep * policy.nominalPerS;
    if (Math.abs(rate - held.ratePerS) < pool.deadBand * held.ratePerS) {
      clamps.push('dead_band');
      rate = held.ratePerS;
    } else if (nowMs - held.rateAtMs < pool.cooldownMs) {
      clamps.push('cooldown');
      rate = held.ratePerS;
    } else if (Math.abs(rate - held.ratePerS) > step) {
      clamps.push('step');
      rate = held.ratePerS + Math.sign(rate - held.ratePerS) * step;
    }
    rate = Math.max(rate, due);
  }
  const inside = bounded(rate, policy.minPerS, policy.maxPerS);
  if (inside > rate) clamps.push('min');
  if (inside < rate) clamps.push('max');
  return inside;
}

function capacityOf(nowMs: number, pool: PoolPolicy, proposal: Proposal): number {
  const { policy, held, capacity, orderedCapacity } = proposal;
  const change = Math.abs(capacity - held.capacity);
  const early = nowMs - held.capacityAtMs < pool.cooldownMs;
  const holds = !orderedCapacity && (early || change < pool.deadBand * held.capacity);
  const wanted = Number.isNaN(capacity) || holds ? held.capacity : capacity;
  return Math.floor(bounded(wanted, Math.ceil(policy.minCapacity), policy.maxCapacity));
}

function conserve(drafts: readonly Draft[], totalPerS: number): void {
  if (sumOf(drafts) <= totalPerS) return;
  const before = drafts.map(({ rate }) => rate);
  for (let rank = 3; rank >= 0; rank -= 1) {
    const rising = drafts.filter(
      ({ proposal }) => !proposal.orderedRate && priorityRank(proposal.policy.priority) === rank,
    );
    lower(drafts, rising, totalPerS, ({ base }) => base);
  }
  lower(drafts, drafts, totalPerS, ({ aim }) => aim);
  lower(drafts, drafts, totalPerS, ({ proposal }) => proposal.policy.minPerS);
  lower(drafts, drafts, totalPerS, () => 0);
  for (const [i, { rate, clamps }] of drafts.entries()) {
    if (rate < (before[i] ?? 0) * (1 - 1e-9)) clamps.push('total');
  }
}

/** Lowers some of all rates towards their floors, all by the same part, until all together are the total. */
function lower(
  all: readonly Draft[],
  some: readonly Draft[],
  totalPerS: number,
  floor: (draft: Draft) => number,
): void {
  const sum = sumOf(all);
  if (sum <= totalPerS) return;
  const excess = sum - totalPerS + ROUNDING * sum;
  let room = 0;
  for (const each of some) room += Math.max(0, each.rate - floor(each));
  if (room === 0) return;
  const part = Math.min(1, excess / room);
  for (const each of some) each.rate -= part * Math.max(0, each.rate - floor(each));
}

function sumOf(drafts: readonly Draft[]): number {
  let sum = 0;
  for (const { rate } of drafts) sum += rate;
  return sum;
}

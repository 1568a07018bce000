/** One member of a pool, as its controller keeps it. */
import type {
  AdviceReason,
  DecisionReason,
  MemberAdvice,
  MemberPolicy,
  MemberSeen,
  Override,
  PoolPolicy,
} from '../core/control';
import type { Claimant } from './allocate/allocate';
import { Escalation } from './allocate/escalation';
import { MemberDemand, type SavedDemand } from './demand/member-demand';
import { bounded, type Held, type Proposal } from './guard/guard';
import type { LendMember } from './lend/lending-desk';
import { MemberSize } from './size/member-size';

/** Of a rate that was published and read again, as a part of it. */
const ROUNDING = 1e-3;

/** What is kept of a member for whoever takes over: its id, its escalation, its demand. */
export type SavedMember = readonly [string, number, ...SavedDemand];

/** What it wants, before the total is shared. */
export interface Wish {
  readonly claimant: Claimant;
  readonly capacity: number;
  /** What the wish comes from where the demand is not known, or its forecasts are not to be relied on: `nominal`. */
  readonly rule: string | undefined;
}

/** Follows what is seen of a member, and says what it wants. Rates are tokens a second. */
export class PoolMember {
  readonly demand = new MemberDemand();
  readonly escalation = new Escalation();
  #pool: PoolPolicy;
  #configured: MemberPolicy;
  #size: MemberSize;
  #override: Override | undefined;
  #seen: MemberSeen | undefined;
  /** What a learned policy advises; undefined for nothing. */
  advice: MemberAdvice | undefined;
  /** What holds. */
  held: Held;
  reason: DecisionReason = {
    reactivePerS: NaN,
    forecastPerS: null,
    effectivePerS: NaN,
    rule: 'nominal',
    clamps: [],
  };

  constructor(pool: PoolPolicy, policy: MemberPolicy) {
    this.#pool = pool;
    this.#configured = saneMember(policy);
    this.#size = new MemberSize(pool, this.#configured);
    this.held = heldAt(this.#configured, NaN, NaN);
  }

  /** Its policy, with the priority that a person ordered. */
  get policy(): MemberPolicy {
    const priority = this.#override?.priority;
    return priority === undefined ? this.#configured : { ...this.#configured, priority };
  }

  /** What a person ordered, inside the hard bounds; undefined for nothing. */
  get orderedPerS(): number | undefined {
    const { minPerS, maxPerS } = this.#configured;
    return ordered(this.#override?.ratePerS, minPerS, maxPerS);
  }
  get orderedCapacity(): number | undefined {
    const { minCapacity, maxCapacity } = this.#configured;
    return ordered(this.#override?.capacity, minCapacity, maxCapacity);
  }

  /** Whether it has what a person ordered, but for rounding. */
  get inOrder(): boolean {
    const { ratePerS, capacity } = this.held;
    const rate = this.orderedPerS ?? ratePerS;
    const size = this.orderedCapacity ?? capacity;
    return Math.abs(rate - ratePerS) <= ROUNDING * rate && Math.abs(size - capacity) < 1;
  }

  /** Takes new settings; what was learnt stays. */
  use(pool: PoolPolicy, policy: MemberPolicy): void {
    const sane = saneMember(policy);
    if (same(sane, this.#configured) && same(pool, this.#pool)) return;
    this.#pool = pool;
    this.#configured = sane;
    this.#size = new MemberSize(pool, sane);
  }

  /** Takes a person's order, or that there is none. */
  order(override: Override | undefined): void {
    this.#override = override;
  }

  /** Takes what was seen over a tick; undefined for nothing. */
  look(nowMs: number, seen: MemberSeen | undefined): void {
    this.#seen = seen;
    this.demand.tick(nowMs, seen, this.#configured.maxPerS);
    if (seen === undefined) return;
    this.escalation.tick({
      askedPerS: seen.demandPerS,
      admittedPerS: seen.admittedPerS,
      deniedPerS: seen.deniedPerS,
      queuedPerS: seen.queuedPerS,
      nominalPerS: this.#configured.nominalPerS,
    });
  }

  /** Whether its demand was told at the last tick. */
  get heard(): boolean {
    return (this.#seen?.demandPerS ?? NaN) >= 0;
  }

  /**
   * What it wants. Demand that is not known stands for the nominal rate; a member whose forecasts are not to be relied on wants its
   * nominal rate at least, after everyone's demand.
   */
  wish(nowMs: number): Wish {
    const policy = this.policy;
    const { effectivePerS, forecastPerS, sdPerS, outlook } = this.demand.last;
    const known = !Number.isNaN(effectivePerS);
    const size = this.#size.next(nowMs, {
      ratePerS: this.held.ratePerS,
      capacity: this.held.capacity,
      usedPerS: this.#seen?.admittedPerS ?? NaN,
      effectivePerS,
      forecastPerS,
      demandSd: sdPerS,
    });
    const doubtful = !known || this.#seen?.forecast?.anomalous === true;
    const sized = Number.isNaN(size.ratePerS) ? policy.nominalPerS : size.ratePerS;
    const wantedPerS = doubtful ? Math.max(sized, policy.nominalPerS) : sized;
    return {
      claimant: {
        policy,
        demandPerS: known ? effectivePerS : policy.nominalPerS,
        wantedPerS: known ? wantedPerS : policy.nominalPerS,
        outlook: outlook ?? { meanPerS: policy.nominalPerS, sdPerS: 0 },
        escalation: this.escalation.factor,
        orderedPerS: this.orderedPerS,
      },
      capacity: this.orderedCapacity ?? size.capacity,
      rule: doubtful && wantedPerS === policy.nominalPerS ? 'nominal' : undefined,
    };
  }

  /** A rate and a capacity to be guarded. */
  proposal(ratePerS: number, capacity: number): Proposal {
    return {
      policy: this.policy,
      held: this.held,
      ratePerS,
      capacity,
      orderedRate: this.orderedPerS !== undefined,
      orderedCapacity: this.orderedCapacity !== undefined,
    };
  }

  /** Why it has what it has. */
  explain(rule: string, clamps: readonly string[], advice?: AdviceReason): void {
    const { reactivePerS, forecastPerS, effectivePerS } = this.demand.last;
    const reason = { reactivePerS, forecastPerS, effectivePerS, rule, clamps };
    this.reason = advice === undefined ? reason : { ...reason, advice };
  }

  /** How it stands for lending; `open`: whether the pool lends. */
  lender(open: boolean): LendMember {
    const seen = this.#seen;
    const { reactivePerS, effectivePerS } = this.demand.last;
    return {
      policy: this.policy,
      ratePerS: this.held.ratePerS,
      capacity: this.held.capacity,
      tokens: seen?.tokens ?? NaN,
      // What the next two ticks bring is told by the last ten, not by what was foreseen for the interval.
      effectivePerS: Number.isNaN(reactivePerS) ? effectivePerS : reactivePerS,
      demandPerS: seen?.demandPerS ?? NaN,
      admittedPerS: seen?.admittedPerS ?? NaN,
      deniedPerS: seen?.deniedPerS ?? NaN,
      queuedPerS: seen?.queuedPerS ?? NaN,
      lending: open && (this.#override?.lending ?? true),
      keepFactor: this.advice?.keepFactor ?? 1,
    };
  }

  /** For {@link restore}; undefined where nothing is known. */
  save(): SavedMember | undefined {
    const demand = this.demand.save();
    return (
      demand && ([this.#configured.id, this.escalation.step, ...demand.map(short)] as unknown as SavedMember)
    );
  }

  /** Goes on from what another knew. */
  restore([, step, ...demand]: SavedMember): void {
    this.escalation.restore(step);
    this.demand.restore(demand);
  }
}

/** What holds at the start: the figures, inside the bounds, or the nominal ones where they are none. */
export function heldAt(policy: MemberPolicy, ratePerS: number, capacity: number): Held {
  const rate = Number.isFinite(ratePerS) ? ratePerS : policy.nominalPerS;
  const size = Number.isFinite(capacity) ? capacity : policy.nominalCapacity;
  return {
    ratePerS: bounded(rate, policy.minPerS, policy.maxPerS),
    capacity: Math.floor(bounded(size, policy.minCapacity, policy.maxCapacity)),
    rateAtMs: -Infinity,
    capacityAtMs: -Infinity,
  };
}

/** The policy with figures that can be reckoned with: not negative, finite, no bound under another. */
function saneMember(policy: MemberPolicy): MemberPolicy {
  const least = (value: number, fallback: number) => (value >= 0 && value < Infinity ? value : fallback);
  const nominalPerS = least(policy.nominalPerS, 0);
  const nominalCapacity = least(policy.nominalCapacity, 0);
  const minPerS = least(policy.minPerS, 0);
  const minCapacity = Math.ceil(least(policy.minCapacity, 0));
  const maxPerS = Math.max(minPerS, least(policy.maxPerS, nominalPerS));
  return {
    ...policy,
    weight: policy.weight > 0 && policy.weight < Infinity ? policy.weight : 1,
    nominalPerS,
    nominalCapacity,
    minPerS,
    maxPerS,
    minCapacity,
    maxCapacity: Math.max(minCapacity, Math.floor(least(policy.maxCapacity, nominalCapacity))),
    guaranteePerS: Math.min(maxPerS, least(policy.guaranteePerS, 0)),
    lendable: Math.min(1, least(policy.lendable, 0)),
    borrowable: least(policy.borrowable, 0),
  };
}

function ordered(value: number | undefined, least: number, most: number): number | undefined {
  return value === undefined || !(value >= 0) ? undefined : bounded(value, least, most);
}

function short(value: number): number {
  return Number(value.toPrecision(6));
}

function same(a: object, b: object): boolean {
  return JSON.stringify(a) === JSON.stringify(b);
}

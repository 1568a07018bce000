/**
 * Control of pools: buckets that share a total, are sized ahead of demand and lend to each other. Plain data, structured-cloneable.
 * All rates are tokens a second, all capacities and loans whole tokens.
 */
import type { Priority } from './priority';

/** `off`: nothing is computed; `shadow`: computed and recorded, not applied; `active`: applied. */
export const POOL_MODES = ['off', 'shadow', 'active'] as const;
/** One of {@link POOL_MODES}. */
export type PoolMode = (typeof POOL_MODES)[number];

/** How a pool is controlled, as the settings say. */
export interface PoolPolicy {
  readonly name: string;
  readonly mode: PoolMode;
  /** What all members together may get. */
  readonly totalPerS: number;
  /** Between lending decisions, ms. */
  readonly tickMs: number;
  /** Between allocations, ms; a multiple of the tick. */
  readonly intervalMs: number;
  /** Added to forecast demand: 0.2 sizes for 1.2 times of it. */
  readonly safetyMargin: number;
  /** The largest part of the total that one service gets, 0 to 1. */
  readonly maxShare: number;
  /** Use of its rate over which a member grows, and under which it shrinks after `shrinkAfterMs`. */
  readonly thresholdHigh: number;
  readonly thresholdLow: number;
  readonly growthFactor: number;
  readonly shrinkFactor: number;
  readonly shrinkAfterMs: number;
  /** The least time between two changes of one member's size, ms. */
  readonly cooldownMs: number;
  /** The largest change of a rate in one interval, as a part of its nominal rate. */
  readonly maxStep: number;
  /** Changes under this part of the present rate are left. */
  readonly deadBand: number;
  /** How long a published output holds, and how long it then takes to fade to nominal, ms. */
  readonly lifeMs: number;
  readonly decayMs: number;
  readonly lending: LendingPolicy;
  /** Mode changes by measured regret, without being asked. */
  readonly autoPromote: boolean;
}

/** How members lend tokens. */
export interface LendingPolicy {
  readonly enabled: boolean;
  /** A bucket under this part of its capacity borrows, 0 to 1. */
  readonly lowWater: number;
  /** The part of what a lender can spare that is lent, 0 to 1. */
  readonly part: number;
  /** Whether a bucket that runs empty borrows at once, on behalf of the call that waits. */
  readonly atOnce: boolean;
}

/** A member of a pool: one bucket. */
export interface MemberPolicy {
  /** The class of its demand: a rule's id, or `<rule id>|<bucket key>` of a rule's key. */
  readonly id: string;
  readonly ruleId: string;
  readonly bucketKey: string;
  readonly service: string;
  readonly priority: Priority;
  /** Its part among members of its priority (what its SLA and region say, multiplied). */
  readonly weight: number;
  readonly nominalPerS: number;
  readonly nominalCapacity: number;
  /** Hard bounds; no output ever leaves them. */
  readonly minPerS: number;
  readonly maxPerS: number;
  readonly minCapacity: number;
  readonly maxCapacity: number;
  /** What it gets whenever it has demand for it. */
  readonly guaranteePerS: number;
  /** The part of its nominal rate that others may use, 0 to 1; it keeps at least the rest. */
  readonly lendable: number;
  /** How much it may have beyond nominal, as a part of nominal. */
  readonly borrowable: number;
  /** Whether tokens can be moved from and to its bucket: a token bucket. */
  readonly lends: boolean;
}

/** What was foreseen of a member's demand for the time an action needs. */
export interface MemberForecast {
  readonly madeAtMs: number;
  readonly meanPerS: number;
  /** The upper end of its 80 % interval. */
  readonly upperPerS: number;
  /** The class is unlike its forecasts, or has drifted: not to be relied on. */
  readonly anomalous: boolean;
}

/** What was seen of a member over the last tick. */
export interface MemberSeen {
  readonly id: string;
  /** Tokens asked for, a second; NaN when nobody told. */
  readonly demandPerS: number;
  readonly admittedPerS: number;
  readonly deniedPerS: number;
  /** Calls that began to wait, a second. */
  readonly queuedPerS: number;
  /** Whole tokens in its bucket; NaN where it was not looked at. */
  readonly tokens: number;
  readonly forecast: MemberForecast | undefined;
}

/** How a service is; NaN what is not known. */
export interface ServiceHealth {
  readonly service: string;
  /** 0 to 1. */
  readonly cpu: number;
  readonly memory: number;
  readonly errorShare: number;
  readonly latencyMs: number;
}

/** What was seen of a pool. */
export interface PoolSeen {
  readonly members: readonly MemberSeen[];
  readonly health: readonly ServiceHealth[];
}

/** What stood behind an output. */
export interface DecisionReason {
  /** Reactive demand, what was foreseen (null: nothing), and what counted. */
  readonly reactivePerS: number;
  readonly forecastPerS: number | null;
  readonly effectivePerS: number;
  /** What made the rate: `nominal`, `guarantee`, `share`, `surplus`, `override`, `fallback`, `hold`. */
  readonly rule: string;
  /** Bounds that cut it, in order, such as `max`, `step`, `dead_band`, `cooldown`, `total`. */
  readonly clamps: readonly string[];
  /** What a learned policy changed; absent where none had a word. */
  readonly advice?: AdviceReason;
}

/** What a learned policy's advice made of an output. */
export interface AdviceReason {
  /** The version of the model. */
  readonly model: string;
  /** As they were used, inside their bounds. */
  readonly demandFactor: number;
  readonly keepFactor: number;
  /** What the solver alone would have given, before the guard. */
  readonly solverPerS: number;
}

/** What a member is to have. */
export interface MemberOutput {
  readonly id: string;
  readonly ratePerS: number;
  readonly capacity: number;
  readonly reason: DecisionReason;
}

/** Tokens to be moved from one member's bucket to another's. */
export interface LoanOrder {
  readonly loanId: string;
  readonly lender: string;
  readonly borrower: string;
  readonly tokens: number;
  /** What the lender keeps at least. */
  readonly keep: number;
  readonly dueMs: number;
  /** `low_water`, `denied`, `reclaim` (tokens go home), `at_once`. */
  readonly why: string;
}

/** What a learned policy advises for a member, beside the solver's own judgement. Bounded where it is taken. */
export interface MemberAdvice {
  readonly id: string;
  /** Times the effective demand that the solver shares by; 1 changes nothing. */
  readonly demandFactor: number;
  /** Times what a lender keeps; 1 changes nothing. */
  readonly keepFactor: number;
}

/** Advice for a pool, for one interval. */
export interface PoolAdvice {
  /** The version of the model that gave it. */
  readonly model: string;
  readonly madeAtMs: number;
  readonly members: readonly MemberAdvice[];
}

/** What became of a {@link LoanOrder}. */
export interface LoanOutcome {
  readonly loanId: string;
  /** Tokens that arrived, and tokens that were taken and did not arrive. */
  readonly moved: number;
  readonly lost: number;
  /** Why nothing moved, an error code; absent when it was asked properly. */
  readonly error?: string;
}

/** A loan in the ledger. */
export interface LoanView {
  readonly loanId: string;
  readonly pool: string;
  readonly lender: string;
  readonly borrower: string;
  readonly amount: number;
  /** Of it, what has gone home. */
  readonly returned: number;
  readonly atMs: number;
  readonly dueMs: number;
  readonly why: string;
  /** `open`, `returned`, `expired` (the debt was written to the borrower's account), `failed`. */
  readonly state: string;
}

/** What one tick of a pool proposes, already guarded. */
export interface PoolDecision {
  readonly pool: string;
  readonly atMs: number;
  /** Every member's output; the sum of rates is at most `totalPerS`. */
  readonly outputs: readonly MemberOutput[];
  /** Whether any output differs from the last tick's. */
  readonly changed: boolean;
  readonly loans: readonly LoanOrder[];
  /** The total that was shared, after the services' health. */
  readonly totalPerS: number;
  /** `normal`, or why the configured limits hold: `fallback`. */
  readonly state: 'normal' | 'fallback';
  /** In words: what lowered the total, or what made it fall back; empty in normal times. */
  readonly why: string;
}

/** A person's word about a member, above every automatic output, inside the hard bounds. */
export interface Override {
  readonly pool: string;
  readonly member: string;
  readonly ratePerS?: number;
  readonly capacity?: number;
  readonly lending?: boolean;
  readonly priority?: Priority;
  readonly untilMs: number;
  readonly author: string;
  readonly reason: string;
  readonly setAtMs: number;
}

/** The mode a person, or measured regret, has set instead of the settings'. */
export interface ModeOrder {
  readonly pool: string;
  readonly mode: PoolMode;
  readonly author: string;
  readonly reason: string;
  readonly setAtMs: number;
}

/** One bucket's parameters as they are published. */
export interface TunedBucket {
  readonly id: string;
  readonly ruleId: string;
  readonly bucketKey: string;
  readonly ratePerS: number;
  readonly capacity: number;
  /** Who may lend to it at once, bucket keys, best first, and what each keeps; empty where nobody may. */
  readonly lenders: readonly { readonly bucketKey: string; readonly keep: number }[];
}

/** What a pool's leader publishes for all. */
export interface PoolTable {
  readonly pool: string;
  /** Of the leader: grows from leader to leader; who has an older one can publish nothing. */
  readonly epoch: number;
  /** Grows with each publication of an epoch. */
  readonly sequence: number;
  /** The version that buckets compare: grows with (epoch, sequence), and is the store's time, Unix ms, or later. */
  readonly version: number;
  readonly madeAtMs: number;
  readonly lifeMs: number;
  readonly decayMs: number;
  readonly mode: PoolMode;
  /** Empty unless active. */
  readonly buckets: readonly TunedBucket[];
  /** What the leader knows beyond its outputs, for whoever takes over: JSON text. */
  readonly state: string;
}

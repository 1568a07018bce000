/** What can be asked of pool control, and what it answers: plain data, for asks cross between threads. */
import type { DecisionReason, LoanView, ModeOrder, Override, PoolMode } from './control';
import type { PageAsk } from './forecast-desk';
import type { LearningOrder, LearningView } from './learning';
import type { Priority } from './priority';

/** A {@link DecisionReason} as people see it: null where demand is not known. */
export type ReasonView = Omit<DecisionReason, 'reactivePerS' | 'effectivePerS'> & {
  readonly reactivePerS: number | null;
  readonly effectivePerS: number | null;
};

/** A pool as it is now. */
export interface PoolView {
  readonly name: string;
  /** What holds: the settings', or an order's. */
  readonly mode: PoolMode;
  readonly configuredMode: PoolMode;
  readonly modeOrder: ModeOrder | null;
  /** Whether this process leads it. */
  readonly leader: boolean;
  readonly epoch: number;
  readonly sequence: number;
  readonly version: number;
  readonly publishedAtMs: number | null;
  /** The table has run out, and limits fade, or have faded, to the configured ones. */
  readonly stale: boolean;
  readonly state: 'normal' | 'fallback';
  readonly why: string;
  /** As configured, and after the services' health. */
  readonly configuredTotalPerS: number;
  readonly totalPerS: number;
  readonly demandPerS: number;
  readonly admittedPerS: number;
  readonly members: number;
  /** Jain's index of served over demanded, 0 to 1; null without demand. */
  readonly fairness: number | null;
  /** How long lenders waited for their tokens of late, mean, ms; null without loans. */
  readonly reclaimMs: number | null;
  /** Who decides: `ppo` (a model), `forecast` and `last` (the solver), or `configured`. */
  readonly level: string;
  /** The mode that holds for its learned allocator. */
  readonly learningMode: PoolMode;
  /** The breaker of lending: `closed` lends, `open` does not. */
  readonly breaker: 'closed' | 'open' | 'half_open';
  readonly shadow: ShadowView;
}

/** What the proposals would have done, against the configured limits, over the last hour. Amounts are tokens. */
export interface ShadowView {
  readonly windowMs: number;
  /** Weighted losses, 0 to 1: of the configured limits, and of the proposals. */
  readonly nominalLoss: number | null;
  readonly proposedLoss: number | null;
  /** Calls that proposals would have admitted though denied, and denied though admitted. */
  readonly wouldAdmit: number;
  readonly wouldDeny: number;
}

/** A member's bucket. */
export interface BucketView {
  readonly pool: string;
  readonly id: string;
  readonly bucketKey: string;
  readonly service: string;
  readonly priority: Priority;
  readonly weight: number;
  readonly nominalPerS: number;
  readonly nominalCapacity: number;
  /** In force. */
  readonly ratePerS: number;
  readonly capacity: number;
  /** What control wants; the same where the pool is active. */
  readonly proposedPerS: number;
  readonly proposedCapacity: number;
  readonly minPerS: number;
  readonly maxPerS: number;
  readonly guaranteePerS: number;
  readonly tokens: number | null;
  readonly demandPerS: number | null;
  readonly admittedPerS: number | null;
  readonly deniedPerS: number | null;
  readonly forecastPerS: number | null;
  /** Lent less borrowed that is open, tokens. */
  readonly balance: number;
  readonly why: ReasonView;
  readonly override: Override | null;
}

/** What services of a pool get. */
export interface AllocationView {
  readonly pool: string;
  readonly service: string;
  readonly priority: Priority;
  readonly nominalPerS: number;
  readonly allocatedPerS: number;
  readonly demandPerS: number;
  readonly admittedPerS: number;
  readonly guaranteePerS: number;
}

/** A change of a member's output. */
export interface DecisionView {
  readonly atMs: number;
  readonly pool: string;
  readonly id: string;
  readonly applied: boolean;
  readonly ratePerS: number;
  readonly capacity: number;
  readonly reason: ReasonView;
}

/** Something that somebody changed. */
export interface AuditView {
  readonly atMs: number;
  readonly author: string;
  /** `override.put`, `override.drop`, `mode`, `learning`. */
  readonly action: string;
  readonly subject: string;
  readonly reason: string;
  /** JSON text; empty for nothing. */
  readonly before: string;
  readonly after: string;
}

/** What happened, as it happens. */
export interface ControlEvent {
  readonly atMs: number;
  readonly kind: 'decision' | 'loan' | 'mode' | 'override' | 'state' | 'leader' | 'learning' | 'traffic';
  /** Of `traffic`: the group of targets. */
  readonly pool: string;
  readonly data: object;
}

/** Every ask by name, with its answer. */
export interface ControlAsks {
  pools: { ask: Record<string, never>; answer: { readonly pools: readonly PoolView[] } };
  buckets: {
    ask: PageAsk & { readonly pool?: string };
    answer: { readonly total: number; readonly buckets: readonly BucketView[] };
  };
  loans: {
    ask: PageAsk & { readonly pool?: string };
    answer: { readonly total: number; readonly loans: readonly LoanView[] };
  };
  allocations: {
    ask: { readonly pool?: string };
    answer: { readonly allocations: readonly AllocationView[] };
  };
  decisions: {
    ask: PageAsk & { readonly pool?: string; readonly id?: string };
    answer: { readonly total: number; readonly decisions: readonly DecisionView[] };
  };
  overrides: { ask: { readonly pool?: string }; answer: { readonly overrides: readonly Override[] } };
  putOverride: {
    ask: Omit<Override, 'untilMs' | 'setAtMs'> & { readonly ttlMs: number };
    answer: { readonly override: Override };
  };
  dropOverride: {
    ask: {
      readonly pool: string;
      readonly member: string;
      readonly author: string;
      readonly reason: string;
    };
    answer: { readonly dropped: boolean };
  };
  putMode: {
    ask: Omit<ModeOrder, 'setAtMs'>;
    answer: { readonly mode: ModeOrder };
  };
  learning: { ask: { readonly pool: string }; answer: { readonly learning: LearningView } };
  putLearning: {
    ask: Omit<LearningOrder, 'setAtMs'>;
    answer: { readonly learning: LearningOrder };
  };
  audit: {
    ask: PageAsk & { readonly sinceMs?: number };
    answer: { readonly total: number; readonly audit: readonly AuditView[] };
  };
}

/** The name of an ask. */
export type ControlAskName = keyof ControlAsks;

/**
 * Answers asks. Rejects with a TidegateError: TG_CONTROL_UNKNOWN_POOL, TG_CONTROL_UNKNOWN_MEMBER, TG_CONTROL_BAD_OVERRIDE,
 * TG_CONTROL_OFF where no pool is configured, TG_CONTROL_UNAVAILABLE.
 */
export interface ControlDeskPort {
  askControl<N extends ControlAskName>(
    name: N,
    ask: ControlAsks[N]['ask'],
  ): Promise<ControlAsks[N]['answer']>;
}

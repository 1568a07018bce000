/**
 * The limiter: one request in, one answer out. Matches against the current table, asks the buckets, applies failure
 * modes, counts and answers. It answers at once when its store does.
 */
import type { BucketOutcome, BucketRequest, BucketResult, BucketStore, ChargeDenied } from '../core/buckets';
import { TidegateError } from '../core/errors';
import { Later } from '../core/later';
import type { CallContext, DecisionTelemetry } from '../core/ports';
import { RlsCode, type RlsRequest, type RlsResponse } from '../core/rls';
import {
  answerBare,
  type AnswerForm,
  type AnswerOptions,
  answerRequest,
  codeOf,
  isBare,
  PLAIN_ANSWERS,
} from './answer';
import { outcomesOf } from './failure-mode';
import type { LimitTable } from './limit-table';
import type { QueueClaim } from '../core/queueing';
import type { QueueStanding } from './queue-standing';
import { type LimitedItem, type PlanItem, planRequest, type PlanOptions, type RequestPlan } from './plan';
import { countOutcome, type StatisticsOptions } from './statistics';

/** Settings of the limiter. */
export interface LimiterOptions extends PlanOptions, AnswerOptions, StatisticsOptions {
  readonly chargeDenied: ChargeDenied;
  /** The most a store may take, ms; a caller's own deadline may shorten it. */
  readonly storeDeadlineMs: number;
  /** Refuses descriptors without entries and entries without a key; the reference lets them pass unmatched. */
  readonly strictRequests: boolean;
}

/** What the limiter stands on. */
export interface LimiterParts {
  readonly store: BucketStore;
  /** Answers for rules whose failure mode is `local`; answers at once. */
  readonly local: BucketStore;
  readonly telemetry: DecisionTelemetry;
}

/** See the file's head. */
export class Limiter {
  private table: LimitTable | undefined;

  constructor(
    private readonly parts: LimiterParts,
    private readonly options: LimiterOptions,
  ) {}

  /** The table that decisions are made with; undefined before the first load. */
  get currentTable(): LimitTable | undefined {
    return this.table;
  }

  /** Replaces the table; calls that have begun finish with the one they began with. */
  useTable(table: LimitTable): void {
    this.table = table;
  }

  /**
   * Plans a request with the current table, for {@link decidePlan}; a plan serves as long as the table stays.
   * @throws TidegateError for a request that cannot be decided.
   */
  plan(request: RlsRequest): RequestPlan {
    const { table } = this;
    if (table === undefined) throw new TidegateError('TG_NO_LIMITS', 'no limits are loaded');
    if (request.domain === '')
      throw new TidegateError('TG_REQUEST_NO_DOMAIN', 'rate limit domain must not be empty');
    if (request.descriptors.length === 0) {
      throw new TidegateError('TG_REQUEST_NO_DESCRIPTORS', 'rate limit descriptor list must not be empty');
    }
    if (this.options.strictRequests) checkEntries(request);
    return planRequest(table, request, this.options);
  }

  /** Plans and decides a request. @throws as {@link plan} and {@link decidePlan} do. */
  decide(request: RlsRequest, context: CallContext): RlsResponse | Later<RlsResponse> {
    return this.decidePlan(this.plan(request), context, PLAIN_ANSWERS);
  }

  /**
   * Decides what was planned, with the sizes of now where control tunes its buckets.
   * @param form what is made of the answer where it is made at once.
   * @param later what is made of it where the store answers later; `form` when absent.
   * @throws TidegateError, or rejects with it, when a failure mode is `error`.
   */
  decidePlan<T>(
    planned: RequestPlan,
    context: CallContext,
    form: AnswerForm<T>,
    later: AnswerForm<T> = form,
  ): T | Later<T> {
    const plan = planned.tuned === undefined ? planned : planned.tuned.newest();
    if (plan.domainUnknown) this.countUnknownDomain(plan.request);
    countArrivals(plan);
    if (plan.only === undefined && plan.limited.length === 0) return this.answer(plan, [], form);
    const asked = this.asked(plan, context);
    const results = this.parts.store.decide(asked);
    if (results instanceof Later) return results.map((settled) => this.settle(plan, asked, settled, later));
    return this.settle(plan, asked, results, form);
  }

  /** What is asked of the store: the same object as long as a plan's calls have the same time. */
  private asked(plan: RequestPlan, context: CallContext): BucketRequest {
    const { chargeDenied, storeDeadlineMs } = this.options;
    const deadlineMs = Math.min(storeDeadlineMs, context.timeoutMs / 2);
    const { asked } = plan;
    if (asked !== undefined && asked.deadlineMs === deadlineMs) return asked;
    const { calls, quotaSatisfied, standing } = plan;
    if (standing !== undefined) {
      const queue = claimOf(plan, standing, context);
      return { calls, chargeDenied, quotaSatisfied, deadlineMs, queue };
    }
    plan.asked = { calls, chargeDenied, quotaSatisfied, deadlineMs };
    return plan.asked;
  }

  /** Once for each descriptor, as the reference counts it. */
  private countUnknownDomain(request: RlsRequest): void {
    for (let index = 0; index < request.descriptors.length; index += 1) {
      this.parts.telemetry.domainNotFound(request.domain);
    }
  }

  private settle<T>(
    plan: RequestPlan,
    asked: BucketRequest,
    results: readonly BucketResult[],
    form: AnswerForm<T>,
  ): T {
    const [its] = results;
    if (plan.only !== undefined && its !== undefined && !(its instanceof TidegateError))
      return this.answerOnly(plan, plan.only, its, form);
    return this.answer(plan, outcomesOf(plan.limited, asked, results, this.parts), form);
  }

  /** As {@link answer}, for one descriptor, whose bucket answered. */
  private answerOnly<T>(
    plan: RequestPlan,
    only: LimitedItem,
    outcome: BucketOutcome,
    form: AnswerForm<T>,
  ): T {
    if (!isBare(outcome, this.options)) return this.answer(plan, [outcome], form);
    this.count(only, outcome);
    const shadowed = this.options.shadowMode && codeOf(only, outcome) === RlsCode.OVER_LIMIT;
    if (shadowed) this.parts.telemetry.globalShadow();
    return answerBare(only, outcome, this.options, form);
  }

  private answer<T>(plan: RequestPlan, outcomes: readonly BucketOutcome[], form: AnswerForm<T>): T {
    const { limited, items } = plan;
    for (let index = 0; index < limited.length; index += 1) {
      const item = limited[index];
      const outcome = outcomes[index];
      if (item !== undefined && outcome !== undefined) this.count(item, outcome);
    }
    // Mostly every descriptor is limited, and what came of them is in their order already.
    const byItem = limited.length === items.length ? outcomes : outcomesByItem(items, outcomes);
    const { response, shadowed } = answerRequest(plan.request, plan.items, byItem, this.options);
    if (shadowed) this.parts.telemetry.globalShadow();
    return form.whole(response);
  }

  private count(item: LimitedItem, outcome: BucketOutcome): void {
    const { call, counters } = item;
    if (call.hits > 0) counters.totalHits(call.hits);
    item.demand?.settled(call.hits, outcome.allowed);
    countOutcome(item, outcome, this.options);
    if (!outcome.allowed) this.parts.telemetry.denied(item.metricKey, call.key, Math.max(0, call.hits));
  }
}

/** One an item, undefined for those that are not limited. */
function outcomesByItem(
  items: readonly PlanItem[],
  outcomes: readonly BucketOutcome[],
): readonly (BucketOutcome | undefined)[] {
  let next = -1;
  return items.map((item) => {
    if (item.kind !== 'limited') return undefined;
    next += 1;
    return outcomes[next];
  });
}

function claimOf(plan: RequestPlan, standing: QueueStanding, context: CallContext): QueueClaim {
  return {
    ...standing,
    timeoutMs: context.timeoutMs,
    waits: () => {
      for (const item of plan.limited) if (item.call.queue !== undefined) item.demand?.waited();
    },
  };
}

/** Before the store is asked, so that what comes while it fails is known too. */
function countArrivals(plan: RequestPlan): void {
  const { items, only } = plan;
  if (only !== undefined) {
    only.demand?.arrived(only.call.hits);
    return;
  }
  for (let index = 0; index < items.length; index += 1) {
    const item = items[index];
    if (item === undefined || item.kind === 'unmatched') continue;
    if (item.kind === 'limited') {
      item.demand?.arrived(item.call.hits);
    } else if (item.demand !== undefined) {
      item.demand.arrived(item.hits);
      item.demand.settled(item.hits, true);
    }
  }
}

function checkEntries(request: RlsRequest): void {
  request.descriptors.forEach((descriptor, index) => {
    if (descriptor.entries.length === 0) {
      throw new TidegateError('TG_REQUEST_EMPTY_KEY', 'a descriptor has no entries', {
        at: { key: `descriptors[${index}]` },
      });
    }
    const empty = descriptor.entries.findIndex((entry) => entry.key === '');
    if (empty >= 0) {
      throw new TidegateError('TG_REQUEST_EMPTY_KEY', 'an entry has no key', {
        at: { key: `descriptors[${index}].entries[${empty}]` },
      });
    }
  });
}

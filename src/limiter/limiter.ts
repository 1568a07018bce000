/**
 * The limiter: one request in, one answer out. Matches against the current table, asks the buckets, applies failure
 * modes, counts and answers. It answers at once when its store does.
 */
import type { BucketOutcome, BucketRequest, BucketResult, BucketStore, ChargeDenied } from '../core/buckets';
import { TidegateError } from '../core/errors';
import type { CallContext, DecisionTelemetry } from '../core/ports';
import type { RlsRequest, RlsResponse } from '../core/rls';
import { answerRequest, type AnswerOptions } from './answer';
import { outcomesOf } from './failure-mode';
import type { LimitTable } from './limit-table';
import { planRequest, type LimitedItem, type PlanItem, type PlanOptions } from './plan';
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

  /** Decides a request. @throws TidegateError for a request that cannot be decided, or when a failure mode is `error`. */
  decide(request: RlsRequest, context: CallContext): RlsResponse | Promise<RlsResponse> {
    const items = this.plan(request);
    const limited = items.filter((item): item is LimitedItem => item.kind === 'limited');
    if (limited.length === 0) return this.answer(request, items, []);
    const bucketRequest = this.bucketRequest(items, limited, context);
    const results = this.parts.store.decide(bucketRequest);
    if (results instanceof Promise)
      return results.then((settled) => this.settle(request, items, limited, bucketRequest, settled));
    return this.settle(request, items, limited, bucketRequest, results);
  }

  private plan(request: RlsRequest): readonly PlanItem[] {
    const { table } = this;
    if (table === undefined) throw new TidegateError('TG_NO_LIMITS', 'no limits are loaded');
    if (request.domain === '')
      throw new TidegateError('TG_REQUEST_NO_DOMAIN', 'rate limit domain must not be empty');
    if (request.descriptors.length === 0) {
      throw new TidegateError('TG_REQUEST_NO_DESCRIPTORS', 'rate limit descriptor list must not be empty');
    }
    if (this.options.strictRequests) checkEntries(request);
    const domain = table.domains.get(request.domain);
    if (domain === undefined) {
      // Once for each descriptor, as the reference counts it.
      return request.descriptors.map(() => {
        this.parts.telemetry.domainNotFound(request.domain);
        return { kind: 'unmatched' };
      });
    }
    return planRequest(table, domain, request, this.options);
  }

  private bucketRequest(
    items: readonly PlanItem[],
    limited: readonly LimitedItem[],
    context: CallContext,
  ): BucketRequest {
    return {
      calls: limited.map((item) => item.call),
      chargeDenied: this.options.chargeDenied,
      quotaSatisfied: items.some((item) => satisfiesQuota(item, this.options.quotaMode)),
      deadlineMs: Math.min(this.options.storeDeadlineMs, context.timeoutMs / 2),
    };
  }

  private settle(
    request: RlsRequest,
    items: readonly PlanItem[],
    limited: readonly LimitedItem[],
    asked: BucketRequest,
    results: readonly BucketResult[],
  ): RlsResponse {
    return this.answer(request, items, outcomesOf(limited, asked, results, this.parts));
  }

  private answer(
    request: RlsRequest,
    items: readonly PlanItem[],
    outcomes: readonly BucketOutcome[],
  ): RlsResponse {
    const { telemetry } = this.parts;
    let next = 0;
    const byItem = items.map((item) => {
      if (item.kind !== 'limited') return undefined;
      const outcome = outcomes[next];
      next += 1;
      if (outcome === undefined) return undefined;
      if (item.call.hits > 0) item.counters.totalHits(item.call.hits);
      countOutcome(item, outcome, this.options);
      if (!outcome.allowed) telemetry.denied(item.metricKey, item.call.key, Math.max(0, item.call.hits));
      return outcome;
    });
    const { response, shadowed } = answerRequest(request, items, byItem, this.options);
    if (shadowed) telemetry.globalShadow();
    return response;
  }
}

/** Under global quota mode whatever is not limited passes its quota; a shadow rule always passes. */
function satisfiesQuota(item: PlanItem, globalQuotaMode: boolean): boolean {
  if (item.kind === 'limited') return item.shadowMode && (item.quotaMode || globalQuotaMode);
  return globalQuotaMode && item.kind === 'unmatched';
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

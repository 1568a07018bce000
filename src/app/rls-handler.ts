/** The RateLimitService's method: bytes in, the limiter's decision, bytes out, with what it did counted. */
import { Later } from '../core/later';
import { TidegateError } from '../core/errors';
import type { CallContext, DecisionTelemetry, UnaryHandler, UnaryMethods } from '../core/ports';
import { RlsCode, type RlsRequest, type RlsResponse } from '../core/rls';
import type { Limiter } from '../limiter/limiter';
import type { RequestPlan } from '../limiter/plan';
import type { PlanCache } from '../limiter/plan-cache';
import { decodeRateLimitRequest, encodeRateLimitResponse, type RequestBounds } from '../wire';

/** The full path of the method that Envoy calls. */
export const SHOULD_RATE_LIMIT = '/envoy.service.ratelimit.v3.RateLimitService/ShouldRateLimit';

/** How a call ended, for metrics. */
export type CallResult = 'ok' | 'over_limit' | 'error';

/** What the handler stands on. */
export interface RlsHandlerParts {
  readonly limiter: Limiter;
  readonly telemetry: DecisionTelemetry;
  readonly plans: PlanCache;
  /** Told of each decision: how it ended, and how long it took. */
  readonly finished: (result: CallResult, durationMs: number) => void;
  readonly bounds: RequestBounds;
  readonly monotonicMs: () => number;
}

/** Decides requests: the gRPC method, and `/json` whose requests come decoded. */
export class RateLimitCalls {
  constructor(private readonly parts: RlsHandlerParts) {}

  /** @throws TidegateError as the limiter does; a rejected promise where the store answers later. */
  decide(request: RlsRequest, context: CallContext): RlsResponse | Later<RlsResponse> {
    return this.timed(this.planned, request, context, asIs);
  }

  /** The gRPC method. A message is only read before the handler returns. */
  methods(): UnaryMethods {
    const handler: UnaryHandler = (message, context) =>
      this.timed(this.planOf, message, context, encodeRateLimitResponse);
    return new Map([[SHOULD_RATE_LIMIT, handler]]);
  }

  /** Plans, decides, counts and answers. */
  private timed<Q, T>(
    plan: (question: Q) => RequestPlan,
    question: Q,
    context: CallContext,
    answer: (response: RlsResponse) => T,
  ): T | Later<T> {
    const startedMs = this.parts.monotonicMs();
    try {
      const response = this.parts.limiter.decidePlan(plan(question), context);
      if (response instanceof Later) {
        return response.map(
          (settled) => this.ended(settled, startedMs, answer),
          (thrown: unknown) => this.failed(thrown, startedMs),
        );
      }
      return this.ended(response, startedMs, answer);
    } catch (thrown) {
      return this.failed(thrown, startedMs);
    }
  }

  private ended<T>(response: RlsResponse, startedMs: number, answer: (response: RlsResponse) => T): T {
    const result = response.overallCode === RlsCode.OVER_LIMIT ? 'over_limit' : 'ok';
    this.parts.finished(result, this.parts.monotonicMs() - startedMs);
    return answer(response);
  }

  private failed(thrown: unknown, startedMs: number): never {
    const error = TidegateError.from(thrown);
    this.parts.finished('error', this.parts.monotonicMs() - startedMs);
    this.parts.telemetry.callFailed(error.code.startsWith('TG_STORE') ? 'redis' : 'service', error);
    throw error;
  }

  private readonly planned = (request: RlsRequest): RequestPlan => this.parts.limiter.plan(request);

  /** The plan of a message: the one kept for the same bytes, or a new one. */
  private readonly planOf = (message: Uint8Array): RequestPlan => {
    const { limiter, plans, bounds } = this.parts;
    if (!plans.takes(message.length)) return limiter.plan(decodeRateLimitRequest(message, bounds));
    const kept = plans.get(limiter.currentTable, message);
    if (kept !== undefined) return kept;
    const plan = limiter.plan(decodeRateLimitRequest(message, bounds));
    plans.offer(plan, message);
    return plan;
  };
}

const asIs = (response: RlsResponse): RlsResponse => response;

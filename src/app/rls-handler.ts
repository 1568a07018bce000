/** The RateLimitService's method: bytes in, the limiter's decision, bytes out, with what it did counted. */
import { Later } from '../core/later';
import { TidegateError } from '../core/errors';
import type {
  CallContext,
  DecisionTelemetry,
  InPlaceHandler,
  UnaryHandler,
  UnaryMethods,
} from '../core/ports';
import type { RlsRequest, RlsResponse } from '../core/rls';
import type { AnswerForm } from '../limiter/answer';
import type { Limiter } from '../limiter/limiter';
import type { RequestPlan } from '../limiter/plan';
import type { PlanCache } from '../limiter/plan-cache';
import { decodeRateLimitRequest, type RequestBounds } from '../wire';
import { KEPT_MESSAGES, MessageForm, PLAIN, type Verdict } from './answer-forms';
import { CallTimes, type CallFinished, type CallTurns } from './call-times';

/** The full path of the method that Envoy calls. */
export const SHOULD_RATE_LIMIT = '/envoy.service.ratelimit.v3.RateLimitService/ShouldRateLimit';

/** What the handler stands on. */
export interface RlsHandlerParts {
  readonly limiter: Limiter;
  readonly telemetry: DecisionTelemetry;
  readonly plans: PlanCache;
  /** Told of decisions: how they ended, how long they took, and how many of them. */
  readonly finished: CallFinished;
  readonly bounds: RequestBounds;
  readonly monotonicMs: () => number;
  /** Calls of one turn are timed together, from its beginning to its end; each on its own when absent. */
  readonly turns?: CallTurns;
}

/** Decides requests: the gRPC method, and `/json` whose requests come decoded. */
export class RateLimitCalls {
  private readonly times: CallTimes;
  private readonly messages = new MessageForm();

  constructor(private readonly parts: RlsHandlerParts) {
    this.times = new CallTimes(parts.finished, parts.monotonicMs, parts.turns);
  }

  /** @throws TidegateError as the limiter does; a rejected promise where the store answers later. */
  decide(request: RlsRequest, context: CallContext): RlsResponse | Later<RlsResponse> {
    const startedMs = this.parts.monotonicMs();
    try {
      return this.made(this.parts.limiter.plan(request), context, startedMs, PLAIN, PLAIN);
    } catch (thrown) {
      return this.failed(thrown, startedMs);
    }
  }

  /** The gRPC method. A message is only read before the handler returns. */
  methods(): UnaryMethods {
    const handler: UnaryHandler = Object.assign(
      (message: Uint8Array, context: CallContext) =>
        this.answer(message, 0, message.length, context, KEPT_MESSAGES),
      { inPlace: this.inPlace },
    );
    return new Map([[SHOULD_RATE_LIMIT, handler]]);
  }

  private readonly inPlace: InPlaceHandler = (bytes, start, end, context) =>
    this.answer(bytes, start, end, context, this.messages);

  /** @param form of an answer that is given at once. */
  private answer(
    bytes: Uint8Array,
    start: number,
    end: number,
    context: CallContext,
    form: AnswerForm<Verdict<Uint8Array>>,
  ): Uint8Array | Later<Uint8Array> {
    const startedMs = this.parts.monotonicMs();
    try {
      return this.made(this.planOf(bytes, start, end), context, startedMs, form, KEPT_MESSAGES);
    } catch (thrown) {
      return this.failed(thrown, startedMs);
    }
  }

  /** Decides, counts and answers. */
  private made<T>(
    plan: RequestPlan,
    context: CallContext,
    startedMs: number,
    form: AnswerForm<Verdict<T>>,
    later: AnswerForm<Verdict<T>>,
  ): T | Later<T> {
    const verdict = this.parts.limiter.decidePlan(plan, context, form, later);
    if (verdict instanceof Later) {
      return verdict.map(
        (settled) => {
          this.times.settled(settled.result, startedMs);
          return settled.answer;
        },
        (thrown: unknown) => this.failed(thrown, startedMs),
      );
    }
    this.times.decided(verdict.result, startedMs);
    return verdict.answer;
  }

  private failed(thrown: unknown, startedMs: number): never {
    const error = TidegateError.from(thrown);
    this.times.settled('error', startedMs);
    this.parts.telemetry.callFailed(error.code.startsWith('TG_STORE') ? 'redis' : 'service', error);
    throw error;
  }

  /** The plan of a message: the one kept for the same bytes, or a new one. */
  private planOf(bytes: Uint8Array, start: number, end: number): RequestPlan {
    const { limiter, plans } = this.parts;
    if (!plans.takes(end - start)) return this.planAnew(bytes, start, end);
    const kept = plans.get(limiter.currentTable, bytes, start, end);
    if (kept !== undefined) return kept;
    const plan = this.planAnew(bytes, start, end);
    plans.offer(plan, bytes, start, end);
    return plan;
  }

  private planAnew(bytes: Uint8Array, start: number, end: number): RequestPlan {
    const { limiter, bounds } = this.parts;
    return limiter.plan(decodeRateLimitRequest(bytes.subarray(start, end), bounds));
  }
}

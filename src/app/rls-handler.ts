/** The RateLimitService's method: bytes in, the limiter's decision, bytes out, with what it did counted. */
import { TidegateError } from '../core/errors';
import type { CallContext, DecisionTelemetry, UnaryHandler, UnaryMethods } from '../core/ports';
import { RlsCode, type RlsRequest, type RlsResponse } from '../core/rls';
import type { Limiter } from '../limiter/limiter';
import { decodeRateLimitRequest, encodeRateLimitResponse, type RequestBounds } from '../wire';

/** The full path of the method that Envoy calls. */
export const SHOULD_RATE_LIMIT = '/envoy.service.ratelimit.v3.RateLimitService/ShouldRateLimit';

/** How a call ended, for metrics. */
export type CallResult = 'ok' | 'over_limit' | 'error';

/** What the handler stands on. */
export interface RlsHandlerParts {
  readonly limiter: Limiter;
  readonly telemetry: DecisionTelemetry;
  /** Told of each decision: how it ended, and how long it took. */
  readonly finished: (result: CallResult, durationMs: number) => void;
  readonly bounds: RequestBounds;
  readonly monotonicMs: () => number;
}

/** Decides requests that are already decoded: the gRPC method and `/json` share it. */
export class RateLimitCalls {
  constructor(private readonly parts: RlsHandlerParts) {}

  /** @throws TidegateError as the limiter does; a rejected promise where the store answers later. */
  decide(request: RlsRequest, context: CallContext): RlsResponse | Promise<RlsResponse> {
    const { limiter, finished, monotonicMs } = this.parts;
    const startedMs = monotonicMs();
    const ended = (response: RlsResponse): RlsResponse => {
      finished(response.overallCode === RlsCode.OVER_LIMIT ? 'over_limit' : 'ok', monotonicMs() - startedMs);
      return response;
    };
    const failed = (thrown: unknown): never => {
      finished('error', monotonicMs() - startedMs);
      throw this.count(thrown);
    };
    try {
      const response = limiter.decide(request, context);
      return response instanceof Promise ? response.then(ended, failed) : ended(response);
    } catch (thrown) {
      return failed(thrown);
    }
  }

  /** The gRPC method. */
  methods(): UnaryMethods {
    const handler: UnaryHandler = (message, context) => {
      const response = this.decide(this.decode(message), context);
      return response instanceof Promise
        ? response.then(encodeRateLimitResponse)
        : encodeRateLimitResponse(response);
    };
    return new Map([[SHOULD_RATE_LIMIT, handler]]);
  }

  private decode(message: Uint8Array): RlsRequest {
    try {
      return decodeRateLimitRequest(message, this.parts.bounds);
    } catch (thrown) {
      throw this.count(thrown);
    }
  }

  private count(thrown: unknown): TidegateError {
    const error = TidegateError.from(thrown);
    this.parts.telemetry.callFailed(error.code.startsWith('TG_STORE') ? 'redis' : 'service', error);
    return error;
  }
}

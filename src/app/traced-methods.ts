/** The data port's methods as they are served. */
import type { UnaryMethods } from '../core/ports';
import type { Tracer } from '../telemetry/tracing';
import { decodeRateLimitRequest, decodeRateLimitResponse, type RequestBounds } from '../wire';
import { SHOULD_RATE_LIMIT } from './rls-handler';

/** Health and decisions; decisions with a span each, where tracing is on. */
export function tracedMethods(
  tracer: Tracer,
  bounds: RequestBounds,
  calls: UnaryMethods,
  health: UnaryMethods,
): UnaryMethods {
  const methods = new Map([...health, ...calls]);
  const handler = calls.get(SHOULD_RATE_LIMIT);
  if (handler === undefined) return methods;
  return methods.set(
    SHOULD_RATE_LIMIT,
    tracer.traceHandler(SHOULD_RATE_LIMIT, handler, (request, response) => ({
      domain: decodeRateLimitRequest(request, bounds).domain,
      overallCode:
        ['UNKNOWN', 'OK', 'OVER_LIMIT'][decodeRateLimitResponse(response).overallCode] ?? 'UNKNOWN',
    })),
  );
}

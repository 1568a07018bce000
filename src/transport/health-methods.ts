/** gRPC's health service, unary. Source: https://github.com/grpc/grpc/blob/master/doc/health-checking.md. */
import { TidegateError } from '../core/errors';
import type { UnaryMethods } from '../core/ports';
import { decodeHealthCheckRequest, encodeHealthCheckResponse } from '../wire';

/** The method's path. */
export const HEALTH_CHECK = '/grpc.health.v1.Health/Check';

/** The services that health is answered for: the server as a whole, the reference's name, and Envoy's. */
export const HEALTH_SERVICES = ['', 'ratelimit', 'envoy.service.ratelimit.v3.RateLimitService'] as const;

/** A view of health for {@link healthMethods}: one answer for all of {@link HEALTH_SERVICES}, none for others. */
export function rateLimitHealth(serving: () => boolean): (service: string) => boolean | undefined {
  const known = new Set<string>(HEALTH_SERVICES);
  return (service) => (known.has(service) ? serving() : undefined);
}

/**
 * The health service's methods.
 * @param isServing whether a service serves; undefined for one that is not known, which is answered NOT_FOUND.
 */
export function healthMethods(isServing: (service: string) => boolean | undefined): UnaryMethods {
  return new Map([
    [
      HEALTH_CHECK,
      (message: Uint8Array): Uint8Array => {
        const serving = isServing(decodeHealthCheckRequest(message));
        if (serving === undefined) {
          throw new TidegateError('TG_HEALTH_UNKNOWN_SERVICE', 'health is not known for this service');
        }
        return encodeHealthCheckResponse(serving);
      },
    ],
  ]);
}

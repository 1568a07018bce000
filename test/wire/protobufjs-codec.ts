/** The same messages through protobufjs and the declarations in proto/: the peer of the differential tests. */
import { loadSync, type MethodDefinition, type ServiceDefinition } from '@grpc/proto-loader';
import { resolve } from 'node:path';

const PROTO_DIR = resolve(__dirname, '../../proto');

const definitions = loadSync(['envoy/service/ratelimit/v3/rls.proto', 'grpc/health/v1/health.proto'], {
  includeDirs: [PROTO_DIR],
  longs: String,
  enums: Number,
  defaults: true,
  oneofs: true,
});

function method(service: string, name: string): MethodDefinition<object, object> {
  return (definitions[service] as ServiceDefinition)[name] as MethodDefinition<object, object>;
}

/** `ShouldRateLimit`'s codec. */
export const shouldRateLimit = method('envoy.service.ratelimit.v3.RateLimitService', 'ShouldRateLimit');
/** `Health/Check`'s codec. */
export const healthCheck = method('grpc.health.v1.Health', 'Check');

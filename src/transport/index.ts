/** The gRPC servers behind core's ports; nothing of what they are made of shows. */
export { createControlServer } from './control-server';
export { createGrpcDataServer } from './data-server';
export type { GrpcServerOptions } from './grpc-host';
export { HEALTH_CHECK, HEALTH_SERVICES, healthMethods, rateLimitHealth } from './health-methods';
export type { ListenerOptions } from './listener';
export type { TlsFiles } from './tls-files';

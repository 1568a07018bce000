/**
 * The gRPC servers behind core's ports, and certificates that change while a server runs. Nothing of what the servers
 * are made of shows.
 */
export { createControlServer } from './control-server';
export { createGrpcDataServer } from './data-server';
export { createFastDataServer, type FastServerOptions } from './fast-data-server';
export type { GrpcServerOptions } from './grpc-host';
export { HEALTH_CHECK, HEALTH_SERVICES, healthMethods, rateLimitHealth } from './health-methods';
export type { ListenerOptions } from './listener';
export { carriesSan } from './client-san';
export { loadTlsFiles, type TlsFiles } from './tls-files';
export { pathsOf, signatureOf, TlsWatcher, type TlsWatcherEvents } from './tls-watcher';

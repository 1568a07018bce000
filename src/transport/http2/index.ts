/** HTTP/2 for unary gRPC: see {@link Http2Server}. */
export { DEFAULT_LIMITS, type Http2Limits } from './limits';
export { Http2Server, type Http2ServerOptions } from './server';

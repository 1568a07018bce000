/**
 * The fields that are read of access logs, as tags.
 * Source: envoy/service/accesslog/v3/als.proto, envoy/data/accesslog/v3/accesslog.proto, envoy/config/core/v3/address.proto.
 */
import { lenTag, varintTag } from './byte-cursor';

/** See the file's head. An object: fields of a namespace are read by a call each. */
export const Field = {
  /** StreamAccessLogsMessage, and its lists of entries. */
  HTTP_LOGS: lenTag(2),
  TCP_LOGS: lenTag(3),
  LOG_ENTRY: lenTag(1),
  /** HTTPAccessLogEntry. */
  COMMON: lenTag(1),
  RESPONSE: lenTag(4),

  /** AccessLogCommon. */
  LAST_UPSTREAM_RECEIVED: lenTag(10),
  LAST_DOWNSTREAM_SENT: lenTag(12),
  UPSTREAM_REMOTE: lenTag(13),
  UPSTREAM_CLUSTER: lenTag(15),
  RESPONSE_FLAGS: lenTag(16),
  ROUTE_NAME: lenTag(19),
  INTERMEDIATE: varintTag(27),
  RECORD_TYPE: varintTag(33),

  /** Address, SocketAddress and Pipe. */
  SOCKET_ADDRESS: lenTag(1),
  PIPE: lenTag(2),
  SOCKET_HOST: lenTag(2),
  SOCKET_PORT: varintTag(3),
  PIPE_PATH: lenTag(1),

  /** HTTPResponseProperties, UInt32Value and entries of maps of headers. */
  RESPONSE_CODE: lenTag(1),
  HEADERS: lenTag(4),
  TRAILERS: lenTag(5),
  WRAPPED: varintTag(1),
  HEADER_NAME: lenTag(1),
  HEADER_VALUE: lenTag(2),
  /** Duration. */
  SECONDS: varintTag(1),
  NANOS: varintTag(2),
} as const;

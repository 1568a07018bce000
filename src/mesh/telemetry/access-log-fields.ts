/**
 * The fields that are read of access logs, as tags.
 * Source: envoy/service/accesslog/v3/als.proto, envoy/data/accesslog/v3/accesslog.proto, envoy/config/core/v3/address.proto.
 */
import { lenTag, varintTag } from './byte-cursor';

/** StreamAccessLogsMessage, and its lists of entries. */
export const HTTP_LOGS = lenTag(2);
export const TCP_LOGS = lenTag(3);
export const LOG_ENTRY = lenTag(1);
/** HTTPAccessLogEntry. */
export const COMMON = lenTag(1);
export const RESPONSE = lenTag(4);

/** AccessLogCommon. */
export const LAST_UPSTREAM_RECEIVED = lenTag(10);
export const LAST_DOWNSTREAM_SENT = lenTag(12);
export const UPSTREAM_REMOTE = lenTag(13);
export const UPSTREAM_CLUSTER = lenTag(15);
export const RESPONSE_FLAGS = lenTag(16);
export const ROUTE_NAME = lenTag(19);
export const INTERMEDIATE = varintTag(27);
export const RECORD_TYPE = varintTag(33);

/** Address, SocketAddress and Pipe. */
export const SOCKET_ADDRESS = lenTag(1);
export const PIPE = lenTag(2);
export const SOCKET_HOST = lenTag(2);
export const SOCKET_PORT = varintTag(3);
export const PIPE_PATH = lenTag(1);

/** HTTPResponseProperties, UInt32Value and entries of maps of headers. */
export const RESPONSE_CODE = lenTag(1);
export const HEADERS = lenTag(4);
export const TRAILERS = lenTag(5);
export const WRAPPED = varintTag(1);
export const HEADER_NAME = lenTag(1);
export const HEADER_VALUE = lenTag(2);
/** Duration. */
export const SECONDS = varintTag(1);
export const NANOS = varintTag(2);

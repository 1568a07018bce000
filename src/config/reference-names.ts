/**
 * The environment names of the reference server (envoyproxy/ratelimit, src/settings/settings.go): which setting each
 * one is, or, where it has none, what to do instead. docs/configuration.md prints this table.
 */
import { parseDurationUs } from '../core/duration';
import { parseBool, parseNumber } from './text-values';
import type { RawValue } from './setting';

/** A name that stands for one setting. */
export interface DirectName {
  readonly path: string;
  /** What it takes, to complete "takes ...". */
  readonly takes: string;
  /** The value for the settings; undefined when the text cannot be read. */
  readonly read: (text: string) => RawValue | undefined;
}

const as = (path: string, takes: string, read: DirectName['read']): DirectName => ({ path, takes, read });
const text = (path: string): DirectName => as(path, 'text', (value) => value);
const number = (path: string): DirectName => as(path, 'a number', (value) => parseNumber(value.trim()));
/** Go's strconv.ParseBool. */
const bool = (path: string, yes: RawValue = true, no: RawValue = false): DirectName =>
  as(path, 'true, false, 1, 0, t or f', (value) => {
    const on = parseBool(value);
    return on === undefined ? undefined : on ? yes : no;
  });
const duration = (path: string): DirectName =>
  as(path, 'a duration such as 500ms, 30s or 24h', (value) =>
    parseDurationUs(value) === undefined ? undefined : value,
  );

/** The levels of logrus by pino's names. */
const LOG_LEVELS: Readonly<Record<string, string>> = {
  panic: 'fatal',
  fatal: 'fatal',
  error: 'error',
  warn: 'warn',
  warning: 'warn',
  info: 'info',
  debug: 'debug',
  trace: 'trace',
};

/** The names that each stand for one setting. */
export const DIRECT_NAMES: Readonly<Record<string, DirectName>> = {
  HOST: text('admin.host'),
  PORT: number('admin.port'),
  GRPC_HOST: text('data.host'),
  GRPC_PORT: number('data.port'),
  GRPC_UDS: text('data.uds'),
  GRPC_MAX_CONNECTION_AGE: duration('data.max_connection_age'),
  GRPC_MAX_CONNECTION_AGE_GRACE: duration('data.max_connection_age_grace'),
  LOG_LEVEL: as(
    'log.level',
    `one of ${Object.keys(LOG_LEVELS).join(', ')}`,
    (value) => LOG_LEVELS[value.toLowerCase()],
  ),
  LOG_FORMAT: as('log.format', 'text or json', (value) =>
    value.toLowerCase() === 'json' ? 'json' : 'pretty',
  ),
  MERGE_DOMAIN_CONFIG: bool('limits.merge_domains'),
  FORCE_START_WITHOUT_INITIAL_CONFIG: bool('limits.allow_empty_start'),
  RUNTIME_IGNOREDOTFILES: bool('limits.ignore_dot_files'),
  NEAR_LIMIT_RATIO: number('near_limit_ratio'),
  EXPIRATION_JITTER_MAX_SECONDS: as('store.expiry_jitter', 'whole seconds', (value) =>
    /^\d{1,9}$/.test(value) ? `${value}s` : undefined,
  ),
  STOP_CACHE_KEY_INCREMENT_WHEN_OVERLIMIT: bool('charge_denied', 'over', 'all'),
  LIMIT_RESPONSE_HEADERS_ENABLED: bool('headers.enabled'),
  LIMIT_LIMIT_HEADER: text('headers.limit'),
  LIMIT_REMAINING_HEADER: text('headers.remaining'),
  LIMIT_RESET_HEADER: text('headers.reset'),
  SHADOW_MODE: bool('shadow_mode'),
  QUOTA_MODE: bool('quota_mode'),
  RESPONSE_DYNAMIC_METADATA: bool('dynamic_metadata'),
  REDIS_TLS: bool('store.tls.enabled'),
  REDIS_TLS_CLIENT_CERT: text('store.tls.cert'),
  REDIS_TLS_CLIENT_KEY: text('store.tls.key'),
  REDIS_TLS_CACERT: text('store.tls.ca'),
  REDIS_TLS_SKIP_HOSTNAME_VERIFICATION: bool('store.tls.skip_hostname_verification'),
  REDIS_TIMEOUT: duration('store.connect_timeout'),
  TRACING_ENABLED: bool('tracing.enabled'),
  TRACING_SERVICE_NAME: text('tracing.service_name'),
  TRACING_SAMPLING_RATE: number('tracing.sampling_rate'),
  OTEL_EXPORTER_OTLP_ENDPOINT: text('tracing.endpoint'),
};

/** The names that only mean something together, with the settings that they make. */
export const JOINT_NAMES: Readonly<Record<string, string>> = {
  GRPC_SERVER_USE_TLS: 'TLS of the data port is on when true: `data.tls`',
  GRPC_SERVER_TLS_CERT: '`data.tls.cert`, when GRPC_SERVER_USE_TLS is true',
  GRPC_SERVER_TLS_KEY: '`data.tls.key`, when GRPC_SERVER_USE_TLS is true',
  GRPC_CLIENT_TLS_CACERT: '`data.tls.client_ca`, when GRPC_SERVER_USE_TLS is true',
  GRPC_CLIENT_TLS_SAN: '`data.tls.client_san`, when GRPC_SERVER_USE_TLS is true',
  RUNTIME_ROOT:
    '`limits.path`, with RUNTIME_SUBDIRECTORY below it; every file beneath it is read; turns `compat` on',
  RUNTIME_SUBDIRECTORY: '`limits.path`: the directory below RUNTIME_ROOT',
  RUNTIME_APPDIRECTORY: '`limits.prefix`, or the last part of `limits.path` when RUNTIME_WATCH_ROOT is false',
  RUNTIME_WATCH_ROOT: 'whether RUNTIME_APPDIRECTORY is a prefix of names or a directory; both are watched',
  CACHE_KEY_PREFIX: '`store.key_prefix`, braces left out',
  BACKEND_TYPE: '`store.kind`: redis; memcache is not served',
  REDIS_SOCKET_TYPE: '`store.urls`: tcp or unix; without it a path is a socket and all else is host:port',
  REDIS_TYPE: '`store.kind`: SINGLE is redis, SENTINEL sentinel, CLUSTER cluster',
  REDIS_URL: '`store.urls` and `store.kind`; for SENTINEL its first item is `store.sentinel_name`',
  REDIS_AUTH: '`store.username` and `store.password`',
  REDIS_SENTINEL_AUTH: '`store.sentinel_username` and `store.sentinel_password`',
  CONFIG_TYPE: 'FILE; limits over xDS are not served',
  TRACING_EXPORTER_PROTOCOL: 'http; OTLP over gRPC is not served',
  OTEL_EXPORTER_OTLP_HEADERS: 'headers of an export, `name=value` by commas; read by the exporter itself',
  OTEL_EXPORTER_OTLP_COMPRESSION: 'gzip or none; read by the exporter itself',
  OTEL_EXPORTER_OTLP_CERTIFICATE: "the CA of the collector's certificate; read by the exporter itself",
  OTEL_EXPORTER_OTLP_CLIENT_CERTIFICATE: 'the client certificate; read by the exporter itself',
  OTEL_EXPORTER_OTLP_CLIENT_KEY: "the client certificate's key; read by the exporter itself",
};

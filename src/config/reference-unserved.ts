/** The reference's environment names that change nothing here, each with the reason and what to do instead. */

const XDS = 'limits are read from files; set RUNTIME_ROOT or limits.path';
const STATSD = 'metrics are served in Prometheus form at /metrics on the admin port';
const PROMETHEUS = 'metrics are always served at /metrics on the admin port';
const PER_SECOND = 'one store keeps every bucket, whatever its window';
const POOL = 'each Redis node has one connection that carries many calls at once';
const PIPELINE = 'calls are pipelined by themselves';
const STARTUP = 'the port opens without waiting for Redis; on_error answers until it is there';
const MEMCACHE = 'memcache is not served; use Redis, with store.kind and store.urls';
const OTLP_TIMEOUT = 'an export of traces may take 5 s';
const OTLP_PROTOCOL = 'traces are exported over HTTP as JSON; set tracing.endpoint';
const OTLP_INSECURE = 'the scheme of tracing.endpoint, http or https, says it';

/** Names and what to do instead. */
export const UNSERVED_NAMES: Readonly<Record<string, string>> = {
  DEBUG_HOST: '/rlconfig and the metrics are on the admin port; set admin.host',
  DEBUG_PORT: '/rlconfig and the metrics are on the admin port; set admin.port',
  CONFIG_GRPC_XDS_NODE_ID: XDS,
  CONFIG_GRPC_XDS_NODE_METADATA: XDS,
  CONFIG_GRPC_XDS_SERVER_URL: XDS,
  CONFIG_GRPC_XDS_SERVER_CONNECT_RETRY_INTERVAL: XDS,
  CONFIG_GRPC_XDS_CLIENT_ADDITIONAL_HEADERS: XDS,
  CONFIG_GRPC_XDS_SERVER_USE_TLS: XDS,
  CONFIG_GRPC_XDS_CLIENT_TLS_CERT: XDS,
  CONFIG_GRPC_XDS_CLIENT_TLS_KEY: XDS,
  CONFIG_GRPC_XDS_SERVER_TLS_CACERT: XDS,
  CONFIG_GRPC_XDS_SERVER_TLS_SAN: XDS,
  XDS_CLIENT_BACKOFF_INITIAL_INTERVAL: XDS,
  XDS_CLIENT_BACKOFF_MAX_INTERVAL: XDS,
  XDS_CLIENT_BACKOFF_RANDOM_FACTOR: XDS,
  XDS_CLIENT_BACKOFF_JITTER: XDS,
  XDS_CLIENT_MAX_MSG_SIZE_IN_BYTES: XDS,
  USE_DOG_STATSD: STATSD,
  USE_DOG_STATSD_MOGRIFIERS: STATSD,
  USE_STATSD: STATSD,
  STATSD_HOST: STATSD,
  STATSD_PORT: STATSD,
  STATS_FLUSH_INTERVAL: STATSD,
  EXTRA_TAGS: 'add labels where Prometheus scrapes, with its relabel_configs',
  DISABLE_STATS: 'metrics cannot be turned off; metrics.max_series bounds them',
  USE_PROMETHEUS: PROMETHEUS,
  PROMETHEUS_ADDR: PROMETHEUS,
  PROMETHEUS_PATH: PROMETHEUS,
  PROMETHEUS_MAPPER_YAML: 'metric names are fixed; rename with Prometheus metric_relabel_configs',
  PROMETHEUS_RESPONSE_TIME_AS_MILLISECONDS: 'response times are in seconds',
  LOCAL_CACHE_SIZE_IN_BYTES: 'there is no local cache of denials to size',
  HEALTHY_WITH_AT_LEAST_ONE_CONFIG_LOADED: 'health is always NOT_SERVING until limits are loaded',
  REDIS_POOL_SIZE: POOL,
  REDIS_POOL_ON_EMPTY_BEHAVIOR: POOL,
  REDIS_PIPELINE_WINDOW: PIPELINE,
  REDIS_PIPELINE_LIMIT: PIPELINE,
  REDIS_CLUSTER_PIPELINE_PARALLELISM: PIPELINE,
  REDIS_HEALTH_CHECK_ACTIVE_CONNECTION: 'health does not follow Redis; on_error answers while it is away',
  REDIS_STARTUP_INITIAL_INTERVAL: STARTUP,
  REDIS_STARTUP_MAX_INTERVAL: STARTUP,
  REDIS_STARTUP_MAX_ELAPSED_TIME: STARTUP,
  REDIS_PERSECOND: PER_SECOND,
  REDIS_PERSECOND_SOCKET_TYPE: PER_SECOND,
  REDIS_PERSECOND_TYPE: PER_SECOND,
  REDIS_PERSECOND_URL: PER_SECOND,
  REDIS_PERSECOND_POOL_SIZE: PER_SECOND,
  REDIS_PERSECOND_AUTH: PER_SECOND,
  REDIS_PERSECOND_TLS: PER_SECOND,
  REDIS_PERSECOND_SENTINEL_AUTH: PER_SECOND,
  REDIS_PERSECOND_PIPELINE_WINDOW: PER_SECOND,
  REDIS_PERSECOND_PIPELINE_LIMIT: PER_SECOND,
  REDIS_PERSECOND_CLUSTER_PIPELINE_PARALLELISM: PER_SECOND,
  REDIS_PERSECOND_POOL_ON_EMPTY_BEHAVIOR: PER_SECOND,
  REDIS_PERSECOND_TIMEOUT: PER_SECOND,
  MEMCACHE_HOST_PORT: MEMCACHE,
  MEMCACHE_MAX_IDLE_CONNS: MEMCACHE,
  MEMCACHE_SRV: MEMCACHE,
  MEMCACHE_SRV_REFRESH: MEMCACHE,
  MEMCACHE_TLS: MEMCACHE,
  MEMCACHE_TLS_CLIENT_CERT: MEMCACHE,
  MEMCACHE_TLS_CLIENT_KEY: MEMCACHE,
  MEMCACHE_TLS_CACERT: MEMCACHE,
  MEMCACHE_TLS_SKIP_HOSTNAME_VERIFICATION: MEMCACHE,
  TRACING_SERVICE_NAMESPACE: 'spans carry the service name only; set tracing.service_name',
  TRACING_SERVICE_INSTANCE_ID: 'spans carry the service name only; set tracing.service_name',
  OTEL_EXPORTER_OTLP_TRACES_ENDPOINT: 'set OTEL_EXPORTER_OTLP_ENDPOINT or tracing.endpoint',
  OTEL_EXPORTER_OTLP_TIMEOUT: OTLP_TIMEOUT,
  OTEL_EXPORTER_OTLP_TRACES_TIMEOUT: OTLP_TIMEOUT,
  OTEL_EXPORTER_OTLP_PROTOCOL: OTLP_PROTOCOL,
  OTEL_EXPORTER_OTLP_TRACES_PROTOCOL: OTLP_PROTOCOL,
  OTEL_EXPORTER_OTLP_INSECURE: OTLP_INSECURE,
  OTEL_EXPORTER_OTLP_TRACES_INSECURE: OTLP_INSECURE,
};

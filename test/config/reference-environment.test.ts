import { DIRECT_NAMES, JOINT_NAMES } from '../../src/config/reference-names';
import { UNSERVED_NAMES } from '../../src/config/reference-unserved';
import { dumpSettings } from '../../src/config/settings-dump';
import { errorsOf, loaded } from './load';

type Env = Readonly<Record<string, string>>;

/** The effective values of the settings that `env` changes from their defaults. */
function changed(env: Env): Record<string, unknown> {
  const dump = dumpSettings(loaded({ env })).filter((item) => item.source === 'reference env');
  return Object.fromEntries(dump.map((item) => [item.path, item.value]));
}

describe("the reference's environment names", () => {
  it.each<[Env, Record<string, unknown>]>([
    [
      { HOST: '::1', PORT: '90' },
      { 'admin.host': '::1', 'admin.port': 90 },
    ],
    [
      { GRPC_HOST: '127.0.0.2', GRPC_PORT: '91' },
      { 'data.host': '127.0.0.2', 'data.port': 91 },
    ],
    [{ GRPC_UDS: '/tmp/r.sock' }, { 'data.uds': '/tmp/r.sock' }],
    [
      { GRPC_MAX_CONNECTION_AGE: '1h30m', GRPC_MAX_CONNECTION_AGE_GRACE: '90s' },
      { 'data.max_connection_age': '90m', 'data.max_connection_age_grace': '90s' },
    ],
    [
      { LOG_LEVEL: 'WARN', LOG_FORMAT: 'text' },
      { 'log.level': 'warn', 'log.format': 'pretty' },
    ],
    [
      { LOG_LEVEL: 'panic', LOG_FORMAT: 'JSON' },
      { 'log.level': 'fatal', 'log.format': 'json' },
    ],
    [{ MERGE_DOMAIN_CONFIG: 'T' }, { 'limits.merge_domains': true }],
    [{ FORCE_START_WITHOUT_INITIAL_CONFIG: '1' }, { 'limits.allow_empty_start': true }],
    [{ NEAR_LIMIT_RATIO: '0.5' }, { near_limit_ratio: 0.5 }],
    [{ CACHE_KEY_PREFIX: 'rl:' }, { 'store.key_prefix': 'rl:' }],
    [{ EXPIRATION_JITTER_MAX_SECONDS: '60' }, { 'store.expiry_jitter': '1m' }],
    [{ STOP_CACHE_KEY_INCREMENT_WHEN_OVERLIMIT: 'true' }, { charge_denied: 'over' }],
    [{ STOP_CACHE_KEY_INCREMENT_WHEN_OVERLIMIT: 'false' }, { charge_denied: 'all' }],
    [
      {
        LIMIT_RESPONSE_HEADERS_ENABLED: 't',
        LIMIT_LIMIT_HEADER: 'L',
        LIMIT_REMAINING_HEADER: 'M',
        LIMIT_RESET_HEADER: 'R',
      },
      { 'headers.enabled': true, 'headers.limit': 'L', 'headers.remaining': 'M', 'headers.reset': 'R' },
    ],
    [
      { SHADOW_MODE: 'true', QUOTA_MODE: 'true', RESPONSE_DYNAMIC_METADATA: 'true' },
      { shadow_mode: true, quota_mode: true, dynamic_metadata: true },
    ],
    [
      {
        GRPC_SERVER_USE_TLS: 'true',
        GRPC_SERVER_TLS_CERT: 'c',
        GRPC_SERVER_TLS_KEY: 'k',
        GRPC_CLIENT_TLS_CACERT: 'a',
        GRPC_CLIENT_TLS_SAN: 'envoy',
      },
      {
        'data.tls.cert': 'c',
        'data.tls.key': 'k',
        'data.tls.client_ca': 'a',
        'data.tls.client_san': ['envoy'],
      },
    ],
    [{ REDIS_URL: 'redis:6379' }, { 'store.kind': 'redis', 'store.urls': ['redis:6379'] }],
    [
      { REDIS_URL: 'redis:6379', REDIS_SOCKET_TYPE: 'tcp', BACKEND_TYPE: 'redis' },
      { 'store.kind': 'redis', 'store.urls': ['redis:6379'] },
    ],
    [{ REDIS_URL: '/run/r.sock' }, { 'store.kind': 'redis', 'store.urls': ['/run/r.sock'] }],
    [
      { BACKEND_TYPE: 'redis' },
      { 'store.kind': 'redis', 'store.urls': ['/var/run/nutcracker/ratelimit.sock'] },
    ],
    [
      { REDIS_URL: 'rediss://app:pw@r:1', REDIS_TYPE: 'single' },
      {
        'store.kind': 'redis',
        'store.urls': ['r:1'],
        'store.username': 'app',
        'store.password': '<redacted>',
        'store.tls.enabled': true,
      },
    ],
    [
      { REDIS_URL: 'a:1,b:2', REDIS_TYPE: 'CLUSTER' },
      { 'store.kind': 'cluster', 'store.urls': ['a:1', 'b:2'] },
    ],
    [
      { REDIS_URL: 'mymaster,s1:26379,s2', REDIS_TYPE: 'SENTINEL', REDIS_SENTINEL_AUTH: 'u:p' },
      {
        'store.kind': 'sentinel',
        'store.sentinel_name': 'mymaster',
        'store.urls': ['s1:26379', 's2:26379'],
        'store.sentinel_username': 'u',
        'store.sentinel_password': '<redacted>',
      },
    ],
    [
      {
        REDIS_TLS: 'true',
        REDIS_TLS_CLIENT_CERT: 'c',
        REDIS_TLS_CLIENT_KEY: 'k',
        REDIS_TLS_CACERT: 'a',
        REDIS_TLS_SKIP_HOSTNAME_VERIFICATION: 'true',
        REDIS_TIMEOUT: '10s',
      },
      {
        'store.tls.enabled': true,
        'store.tls.cert': 'c',
        'store.tls.key': 'k',
        'store.tls.ca': 'a',
        'store.tls.skip_hostname_verification': true,
        'store.connect_timeout': '10s',
      },
    ],
    [
      {
        TRACING_ENABLED: 'true',
        TRACING_SERVICE_NAME: 'n',
        TRACING_SAMPLING_RATE: '0.1',
        OTEL_EXPORTER_OTLP_ENDPOINT: 'http://c:4318',
      },
      {
        'tracing.enabled': true,
        'tracing.service_name': 'n',
        'tracing.sampling_rate': 0.1,
        'tracing.endpoint': 'http://c:4318',
      },
    ],
    [{ PORT: '', REDIS_URL: '', GRPC_SERVER_USE_TLS: '' }, {}],
  ])('%j', (env, expected) => {
    expect(changed(env)).toEqual(expected);
  });

  it.each([
    ['pass', '', 'pass'],
    ['user:pa:ss', 'user', 'pa:ss'],
    [':pass', '', 'pass'],
  ])('reads REDIS_AUTH %s', (auth, username, password) => {
    const { store } = loaded({ env: { REDIS_AUTH: auth, REDIS_URL: 'r:1' } }).settings;
    expect(store).toMatchObject({ username, password });
  });

  it.each<[string, Env, Record<string, unknown>]>([
    [
      'names below the root that begin with the app directory',
      { RUNTIME_ROOT: '/data', RUNTIME_SUBDIRECTORY: 'ratelimit' },
      { path: '/data/ratelimit', prefix: 'config.', recursive: true, extensions: [], ignoreDotFiles: false },
    ],
    [
      'the app directory itself',
      {
        RUNTIME_ROOT: '/data',
        RUNTIME_SUBDIRECTORY: 'ratelimit',
        RUNTIME_WATCH_ROOT: 'false',
        RUNTIME_IGNOREDOTFILES: 'true',
      },
      { path: '/data/ratelimit/config', prefix: '', recursive: true, extensions: [], ignoreDotFiles: true },
    ],
    [
      'another app directory, and no subdirectory',
      { RUNTIME_ROOT: '/data/', RUNTIME_APPDIRECTORY: 'limits', RUNTIME_WATCH_ROOT: '0' },
      { path: '/data/limits' },
    ],
    [
      'another place, which is read in its own way',
      { RUNTIME_ROOT: '/data', TIDEGATE_LIMITS_PATH: '/mine', TIDEGATE_COMPAT: 'off' },
      { path: '/mine', prefix: '', recursive: false, extensions: ['.yaml', '.yml'], ignoreDotFiles: true },
    ],
  ])('finds the limits: %s', (_, env, limits) => {
    expect(loaded({ env }).settings.limits).toMatchObject(limits);
  });

  it.each<[string, Env, string]>([
    ['a wrong boolean', { SHADOW_MODE: 'yes' }, 'SHADOW_MODE: takes true, false, 1, 0, t or f'],
    ['a wrong level', { LOG_LEVEL: 'loud' }, 'LOG_LEVEL: takes one of panic'],
    ['a wrong duration', { GRPC_MAX_CONNECTION_AGE: '1 day' }, 'GRPC_MAX_CONNECTION_AGE: takes a duration'],
    ['a port out of range', { GRPC_PORT: '70000' }, 'GRPC_PORT: data.port takes a whole number'],
    [
      'a Sentinel list without Sentinels',
      { REDIS_TYPE: 'SENTINEL', REDIS_URL: 'name' },
      'REDIS_URL: takes the name of the master',
    ],
    ['a Cluster without addresses', { REDIS_TYPE: 'CLUSTER' }, 'REDIS_URL: takes the address of Redis'],
    ['an unknown Redis type', { REDIS_TYPE: 'ring', REDIS_URL: 'r:1' }, 'REDIS_TYPE: takes SINGLE'],
    ['an unknown backend', { BACKEND_TYPE: 'etcd' }, 'BACKEND_TYPE: takes redis'],
    [
      'TLS without a certificate',
      { GRPC_SERVER_USE_TLS: 'true', GRPC_SERVER_TLS_KEY: 'k' },
      "GRPC_SERVER_TLS_CERT: takes a file's path",
    ],
  ])('refuses %s, naming the variable', (_, env, words) => {
    const errors = errorsOf({ env });
    expect(errors.every((error) => error.startsWith('TG_SETTINGS_INVALID: '))).toBe(true);
    expect(errors.join('\n')).toContain(words);
  });

  it.each(Object.keys(UNSERVED_NAMES))('names %s in a warning when it is set', (name) => {
    const { warnings } = loaded({ env: { [name]: 'x' } });
    expect(warnings).toEqual([{ name, message: expect.stringContaining('changes nothing here') as string }]);
  });

  it.each<[Env, string]>([
    [{ CONFIG_TYPE: 'GRPC_XDS_SOTW' }, 'CONFIG_TYPE'],
    [{ BACKEND_TYPE: 'memcache' }, 'BACKEND_TYPE'],
    [{ TRACING_EXPORTER_PROTOCOL: 'grpc' }, 'TRACING_EXPORTER_PROTOCOL'],
    [{ GRPC_SERVER_TLS_CERT: 'c' }, 'GRPC_SERVER_TLS_CERT'],
    [{ RUNTIME_WATCH_ROOT: 'false' }, 'RUNTIME_WATCH_ROOT'],
    [{ CACHE_KEY_PREFIX: '{a}' }, 'CACHE_KEY_PREFIX'],
    [{ GRPC_PORT: '1', TIDEGATE_DATA_PORT: '2' }, 'GRPC_PORT'],
  ])('warns of what it cannot follow: %j', (env, name) => {
    expect(loaded({ env }).warnings.map((warning) => warning.name)).toEqual([name]);
  });

  it('is silent about values that mean the same here', () => {
    const env = {
      CONFIG_TYPE: 'FILE',
      TRACING_EXPORTER_PROTOCOL: 'http',
      BACKEND_TYPE: 'redis',
      REDIS_URL: 'r:1',
    };
    expect(loaded({ env }).warnings).toEqual([]);
  });

  it('knows every name that the reference documents', () => {
    const known = { ...DIRECT_NAMES, ...JOINT_NAMES, ...UNSERVED_NAMES };
    expect(Object.keys(known).length).toBeGreaterThanOrEqual(110);
    const some = [
      'DEBUG_PORT',
      'USE_STATSD',
      'LOCAL_CACHE_SIZE_IN_BYTES',
      'REDIS_PERSECOND_URL',
      'MEMCACHE_SRV',
    ];
    for (const name of [...some, 'REDIS_PIPELINE_WINDOW', 'CONFIG_GRPC_XDS_NODE_ID', 'EXTRA_TAGS'])
      expect(known).toHaveProperty([name]);
  });
});

describe('compat: reference', () => {
  const on = { RUNTIME_ROOT: '/data' };

  it('is on by itself where RUNTIME_ROOT is set, and changes the defaults', () => {
    const { settings, sources, warnings } = loaded({ env: on });
    expect(settings).toMatchObject({
      compat: 'reference',
      algorithm: 'fixed_window',
      chargeDenied: 'all',
      onError: 'error',
      data: { host: '0.0.0.0' },
      admin: { host: '0.0.0.0' },
      control: { host: '127.0.0.1' },
      headers: { retryAfter: false },
      store: { kind: 'memory', expiryJitterMs: 300_000 },
      log: { level: 'info', format: 'json' },
    });
    expect(sources.get('algorithm')).toBe('reference default');
    expect(warnings.map((warning) => warning.name)).toEqual(['data.host', 'admin.host', 'store.kind']);
  });

  it.each<[string, Parameters<typeof loaded>[0], string]>([
    ['the environment', { env: { ...on, TIDEGATE_COMPAT: 'off' } }, 'off'],
    ['a flag', { env: on, flags: ['--compat=off'] }, 'off'],
    ['the file', { env: on, file: 'compat: off' }, 'off'],
    ['nothing', { env: { REDIS_URL: 'r:1' } }, 'off'],
    ['a setting, without RUNTIME_ROOT', { env: { TIDEGATE_COMPAT: 'reference' } }, 'reference'],
  ])('follows %s', (_, given, compat) => {
    const { settings } = loaded(given);
    expect(settings.compat).toBe(compat);
    expect(settings.algorithm).toBe(compat === 'off' ? 'token_bucket' : 'fixed_window');
  });

  it('lets each of its defaults be overridden', () => {
    const { settings } = loaded({
      env: {
        ...on,
        TIDEGATE_ALGORITHM: 'token_bucket',
        HOST: '127.0.0.1',
        STOP_CACHE_KEY_INCREMENT_WHEN_OVERLIMIT: '1',
      },
      file: 'on_error: deny\nheaders: {retry_after: true}\n',
    });
    expect(settings).toMatchObject({
      algorithm: 'token_bucket',
      admin: { host: '127.0.0.1' },
      chargeDenied: 'over',
      onError: 'deny',
      headers: { retryAfter: true },
    });
  });
});

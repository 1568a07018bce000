/**
 * Every setting, in one place: its key, type, default, bounds and documentation. All else - the types, the parser,
 * the environment names, the flags and docs/configuration.md - is derived from here.
 */
import { ALGORITHMS, CHARGE_DENIED, FAILURE_MODES } from '../core/buckets';
import type { z } from 'zod';
import { forecast } from './forecast-settings';
import { history } from './history-settings';
import { mesh } from './mesh-settings';
import { pools } from './pools-settings';
import { observe } from './observe-settings';
import { admin, control, data } from './server-settings';
import {
  choice,
  duration,
  file,
  list,
  optionalText,
  ratio,
  secret,
  section,
  text,
  toggle,
  whole,
  wholeOr,
} from './setting';

const MIB = 1_048_576;
/** RFC 9110, section 5.6.2: the characters of a header's name. */
const HEADER_NAME = /^[!#$%&'*+.^_`|~0-9A-Za-z-]{1,128}$/;

const limits = section('Where the limits files are, and how they are watched.', {
  path: optionalText({
    doc: 'A limits file, or a directory of them (`--limits`). Without it the example that comes with Tidegate is served.',
    takes: "a file's or a directory's path",
  }),
  extensions: list({
    doc: 'The endings of the files of a directory that are read; empty reads every file.',
    fallback: ['.yaml', '.yml'],
    takes: 'a list of at most 16 endings that begin with a dot',
    pattern: /^\.[^/]+$/,
    max: 16,
  }),
  recursive: toggle({ doc: 'Read the directories beneath the directory too.', fallback: false }),
  prefix: text({
    doc: 'Read only the files whose path beneath the directory, written with dots for slashes, begins with this.',
    fallback: '',
  }),
  ignore_dot_files: toggle({ doc: 'Leave out files and directories that begin with a dot.', fallback: true }),
  merge_domains: toggle({
    doc: 'Merge a domain that several files name, instead of refusing it.',
    fallback: false,
  }),
  watch: toggle({ doc: 'Reload when the files change.', fallback: true }),
  poll_interval: duration({
    doc: 'How often to look for a change that the file system did not report.',
    fallback: '5s',
    min: '100ms',
    max: '1h',
  }),
  allow_empty_start: toggle({
    doc: 'Start even when the limits cannot be loaded, and answer UNAVAILABLE until they can.',
    fallback: false,
  }),
  max_file_bytes: whole({
    doc: 'The longest limits file that is read.',
    fallback: 8 * MIB,
    min: 1_024,
    max: 64 * MIB,
    unit: 'bytes',
  }),
  max_files: whole({ doc: 'Limits files a directory may have.', fallback: 1_000, min: 1, max: 10_000 }),
});

const storeTls = section('TLS towards Redis.', {
  enabled: toggle({ doc: 'Speak TLS to Redis.', fallback: false }),
  ca: file("The CA of Redis's certificate, PEM; empty trusts the CAs that Node.js brings."),
  cert: file('The client certificate, PEM.'),
  key: file("The client certificate's private key, PEM."),
  skip_hostname_verification: toggle({
    doc: 'Accept a certificate of the CA whatever host it names.',
    fallback: false,
  }),
});

const breaker = section('The circuit breaker in front of Redis.', {
  failures: whole({ doc: 'Failures in a row that open it.', fallback: 20, min: 1, max: 1_000_000 }),
  open_for: duration({
    doc: 'How long Redis is left alone before one call tries it again.',
    fallback: '500ms',
    min: '10ms',
    max: '10m',
  }),
});

const wait = section(
  "Redis's WAIT: a take, or a lease, counts when replicas have it too, so that a failover does not give its tokens out again.",
  {
    replicas: whole({
      doc: 'Replicas that must confirm before a decision counts; 0 waits for none. Each turn of the event loop then takes a round trip to the replicas more.',
      fallback: 0,
      min: 0,
      max: 100,
    }),
    timeout: duration({
      doc: 'How long they may take; then `on_error` answers, and what was taken is lost. Less than `store.deadline`, or that passes first.',
      fallback: '5ms',
      min: '1ms',
      max: '1m',
    }),
  },
);

const lease = section(
  'Leases: what is taken from a shared bucket ahead of use, for rules that are `leased`.',
  {
    epsilon: ratio({
      doc: 'The share of a bucket that all leases on it, of all Tidegates, may reach together; where that is less than one token the bucket is exact.',
      fallback: 0.05,
    }),
    ttl: duration({
      doc: 'How long a lease lives unless it is renewed; what a Tidegate holds when it crashes is lost for as long.',
      fallback: '1s',
      min: '100ms',
      max: '1m',
    }),
    idle: duration({
      doc: 'How long a lease may go unused before it is given back.',
      fallback: '200ms',
      min: '20ms',
      max: '10s',
    }),
  },
);

const memory = section('The memory store.', {
  max_buckets: whole({
    doc: 'Buckets kept at most; beyond it, the ones idle longest give way.',
    fallback: 1_000_000,
    min: 1,
    max: 50_000_000,
  }),
});

const store = section('Where buckets live.', {
  kind: choice(['memory', 'redis', 'sentinel', 'cluster'], {
    doc: 'In this process, or shared through one Redis, a Redis behind Sentinels, or a Redis Cluster.',
    fallback: 'memory',
  }),
  urls: list({
    doc: 'Redis (or its Sentinels, or some nodes of its Cluster): host:port, the path of a Unix socket (or unix:///path), or redis:// and rediss:// URLs.',
    fallback: ['127.0.0.1:6379'],
    takes: 'a list of at most 64 of host:port, unix:///path, redis:// or rediss:// URLs',
    max: 64,
  }),
  username: text({ doc: 'The ACL user; empty is the default user.', fallback: '' }),
  password: secret('The password of Redis.'),
  password_file: file(
    'A file with the password of Redis, read at every connection, so that it can be rotated without a restart.',
  ),
  database: whole({
    doc: 'The number of the database; a Cluster has only 0.',
    fallback: 0,
    min: 0,
    max: 65_535,
  }),
  sentinel_name: text({ doc: 'The name that the Sentinels know the master by.', fallback: '' }),
  sentinel_username: text({ doc: 'The ACL user of the Sentinels.', fallback: '' }),
  sentinel_password: secret('The password of the Sentinels.'),
  tls: storeTls.prefault({}),
  key_prefix: text({
    doc: "What every key in Redis begins with. No braces: the hash tag is Tidegate's.",
    fallback: 'tg:',
    pattern: /^[^{}\s]{0,128}$/,
    takes: 'text of at most 128 characters without braces or spaces',
  }),
  colocate: choice(['bucket', 'domain'], {
    doc: 'What shares a slot of a Redis Cluster: `bucket` spreads load best, `domain` makes a request of several descriptors atomic.',
    fallback: 'bucket',
  }),
  hash_tags: whole({
    doc: 'In a Redis Cluster: how many hash tags buckets share, spread evenly over the slots, so that calls at once for buckets of one tag are one script; 0 gives each bucket its own. At least a few times as many as there are masters, which share the load by whole tags. The same for all Tidegates of a cluster: another figure means other keys, and so new buckets.',
    fallback: 16,
    min: 0,
    max: 1_024,
  }),
  connect_timeout: duration({
    doc: 'How long connecting to Redis may take.',
    fallback: '1s',
    min: '1ms',
    max: '10m',
  }),
  deadline: duration({
    doc: "How long a decision waits for Redis before `on_error` answers; never more than half of the caller's `grpc-timeout`.",
    fallback: '10ms',
    min: '1ms',
    max: '1m',
  }),
  breaker: breaker.prefault({}),
  expiry_jitter: duration({
    doc: 'A random part of this is added to the life of a key, so that keys do not all expire at once.',
    fallback: '10s',
    max: '7d',
  }),
  wait: wait.prefault({}),
  lease: lease.prefault({}),
  memory: memory.prefault({}),
});

const headerName = (what: string, fallback: string) =>
  text({
    doc: `The name of the header with ${what}.`,
    fallback,
    pattern: HEADER_NAME,
    takes: "a header's name",
  });

const headers = section('Headers that Envoy is asked to add to its response.', {
  enabled: toggle({ doc: 'Add the three headers below.', fallback: false }),
  limit: headerName('the limit', 'RateLimit-Limit'),
  remaining: headerName('what remains', 'RateLimit-Remaining'),
  reset: headerName('the seconds until it is whole again', 'RateLimit-Reset'),
  retry_after: toggle({ doc: 'Add Retry-After to responses that are over a limit.', fallback: true }),
});

const log = section('The log, on standard output.', {
  level: choice(['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent'], {
    doc: 'The least severe level that is logged.',
    fallback: 'info',
  }),
  format: choice(['json', 'pretty'], {
    doc: 'One JSON object a line, or lines for people.',
    fallback: 'json',
  }),
});

const metrics = section('Bounds of the metrics.', {
  max_series: whole({
    doc: 'Rules with label sets of their own; what is beyond them is counted together.',
    fallback: 10_000,
    min: 1,
    max: 1_000_000,
  }),
  top_keys: whole({ doc: 'Heavy keys that are named.', fallback: 50, min: 0, max: 1_000 }),
});

const tracing = section('OpenTelemetry traces, over OTLP and HTTP.', {
  enabled: toggle({ doc: 'Export traces.', fallback: false }),
  service_name: text({ doc: 'The service name of the spans.', fallback: 'tidegate', pattern: /\S/ }),
  sampling_rate: ratio({ doc: 'The part of the traces begun here that is kept.', fallback: 1 }),
  endpoint: text({
    doc: 'The base URL of the collector; `/v1/traces` is appended.',
    fallback: 'http://127.0.0.1:4318',
    pattern: /^https?:\/\/\S+$/,
    takes: 'an http:// or https:// URL',
  }),
});

const shutdown = section('How it stops, on SIGTERM.', {
  delay: duration({
    doc: 'How long it goes on serving with health NOT_SERVING, so that traffic turns away first.',
    fallback: '0s',
    max: '10m',
  }),
  grace: duration({ doc: 'How long calls in flight may then take.', fallback: '10s', max: '1h' }),
});

const queue = section(
  'Waiting for tokens, for rules whose limits file says `queue` (see Reject or queue in docs/architecture.md).',
  {
    max_total: whole({
      doc: 'Calls that may wait in all; a bucket bounds its own by `max_depth`.',
      fallback: 10_000,
      min: 1,
      max: 1_000_000,
    }),
  },
);

/** The schema of all settings; the comment of each is what docs/configuration.md says. */
export const settingsSchema = section(
  'Defaults of every rule, which a limits file may override, and the switch for swapping images.',
  {
    compat: choice(['off', 'reference'], {
      doc: "Whether the defaults are those of the reference server; on by itself where the reference's RUNTIME_ROOT is set.",
      fallback: 'off',
    }),
    algorithm: choice(ALGORITHMS, { doc: 'How buckets count.', fallback: 'token_bucket' }),
    consistency: choice(['exact', 'leased'], {
      doc: 'How far shared buckets may be spent ahead: `exact` asks the store for every decision; `leased` takes tokens of hot buckets from Redis in chunks before they are spent (see Leases in docs/architecture.md). In memory, and for sliding windows, both are exact.',
      fallback: 'exact',
    }),
    charge_denied: choice(CHARGE_DENIED, {
      doc: 'What a denied request is charged: no bucket, the buckets that denied it, or all.',
      fallback: 'none',
    }),
    on_error: choice(FAILURE_MODES, {
      doc: "What answers when the store cannot: allow, deny, a local bucket, or a gRPC error (Envoy's failure_mode_deny decides).",
      fallback: 'local',
    }),
    near_limit_ratio: ratio({ doc: 'The part of a limit from which hits count as near it.', fallback: 0.8 }),
    shadow_mode: toggle({ doc: 'Decide and count, but let every request pass.', fallback: false }),
    quota_mode: toggle({
      doc: 'Treat every rule as a quota: only all of them together deny.',
      fallback: false,
    }),
    dynamic_metadata: toggle({ doc: 'Send dynamic metadata with every answer.', fallback: false }),
    workers: wholeOr('auto', {
      doc: 'Processes that decide, sharing the data port; `auto` is one for each core. With more than one and the memory store, exact decisions are asked of the first process: make hot rules `leased`.',
      fallback: 1,
      min: 1,
      max: 64,
    }),
    data: data.prefault({}),
    admin: admin.prefault({}),
    control: control.prefault({}),
    limits: limits.prefault({}),
    store: store.prefault({}),
    queue: queue.prefault({}),
    headers: headers.prefault({}),
    log: log.prefault({}),
    metrics: metrics.prefault({}),
    tracing: tracing.prefault({}),
    shutdown: shutdown.prefault({}),
    observe: observe.prefault({}),
    history: history.prefault({}),
    forecast: forecast.prefault({}),
    pools: pools.prefault({}),
    mesh: mesh.prefault({}),
  },
);

/** All settings, checked, by the keys of the settings file. */
export type ParsedSettings = z.output<typeof settingsSchema>;

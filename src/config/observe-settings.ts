/** The settings of observation: which classes there are, the host's load, and signals of Prometheus and Jaeger. */
import { choice, duration, list, number, rows, section, text, toggle, whole } from './setting';

const name = (doc: string) => text({ doc, fallback: '', pattern: /^.{0,128}$/, takes: 'text' });
const cost = (resource: string) =>
  number({
    doc: `What one request uses of the ${resource}; where a row gives no cost at all, it says nothing of cost.`,
    fallback: 0,
    min: 0,
    max: 1e9,
    unit: 'cost units',
  });

const heavyKeys = section(
  "A rule's heavy keys (values of its descriptors) become classes with counts of their own.",
  {
    per_rule: whole({
      doc: 'Heavy keys of one rule at most; 0 has none.',
      fallback: 16,
      min: 0,
      max: 1_000,
    }),
    total: whole({ doc: 'Heavy keys of all rules at most.', fallback: 1_000, min: 0, max: 10_000 }),
    min_rate: number({
      doc: 'The least rate of a heavy key.',
      fallback: 1,
      min: 0,
      max: 1e9,
      unit: 'requests a second',
    }),
    min_share: number({
      doc: "The least part of its rule's requests.",
      fallback: 0.05,
      min: 0,
      max: 1,
    }),
    keep: duration({
      doc: 'How long a key stays a class while it is under half of these.',
      fallback: '10m',
      min: '10s',
      max: '7d',
    }),
  },
);

const classes = rows(
  {
    doc: 'What rules belong to and what their requests cost. Of the rows that match a rule, the first that says something counts.',
    takes: 'a list of at most 1000 rows',
    max: 1_000,
  },
  {
    match: text({
      doc: "A rule's id (such as `domain.key_value`), `*` for any characters.",
      fallback: '',
      pattern: /^\S(.{0,510}\S)?$/,
      takes: 'a pattern of at most 512 characters',
    }),
    service: name('The service; else the value of `service_key`, else the domain.'),
    tenant: name('The tenant; else the value of `tenant_key`.'),
    operation: name('What its requests do, for people.'),
    priority: choice(['', 'CRITICAL', 'HIGH', 'MEDIUM', 'LOW'], {
      doc: "The priority of the rule's class, where the limits file gives none.",
      fallback: '',
    }),
    cpu: cost('CPU'),
    memory: cost('memory'),
    io: cost('disks'),
    network: cost('network'),
  },
);

const signals = rows(
  {
    doc: 'Queries whose values are signals of the instances of a service.',
    takes: 'a list of at most 100 signals',
    max: 100,
  },
  {
    name: text({
      doc: 'Names the signal.',
      fallback: '',
      pattern: /^[^\s/]{1,128}$/,
      takes: 'a name without spaces and slashes',
    }),
    service: text({
      doc: 'The service that it is of.',
      fallback: '',
      pattern: /^[^\s/]{1,128}$/,
      takes: 'a name without spaces and slashes',
    }),
    query: text({
      doc: 'The PromQL expression; each series of its value is an instance.',
      fallback: '',
      pattern: /^\s*\S[\s\S]{0,8191}$/,
      takes: 'PromQL',
    }),
    instance_label: text({
      doc: 'The label that names the instance; a series without it is the instance `all`.',
      fallback: 'instance',
      pattern: /^[a-zA-Z_][a-zA-Z0-9_]{0,127}$/,
      takes: "a label's name",
    }),
    interval: duration({ doc: 'How often it is asked.', fallback: '10s', min: '1s', max: '1h' }),
    unit: name('The unit, for people.'),
    max_series: whole({ doc: 'Instances at most; others are left out.', fallback: 100, min: 1, max: 1_000 }),
  },
);

const prometheus = section('Where signals are asked for.', {
  url: text({
    doc: "Prometheus's URL; empty asks for nothing.",
    fallback: '',
    pattern: /^(https?:\/\/\S+)?$/,
    takes: 'an http:// or https:// URL',
  }),
  username: name('The user for basic authentication.'),
  password: text({
    doc: 'The password for basic authentication.',
    fallback: '',
    takes: 'text',
    secret: true,
  }),
  token: text({ doc: 'The bearer token.', fallback: '', takes: 'text', secret: true }),
  timeout: duration({ doc: 'How long a query may take.', fallback: '5s', min: '10ms', max: '1m' }),
  signals,
});

const jaeger = section(
  "What traces tell of services, as signals `<service>/jaeger`: `latency_p50_ms` and `latency_p99_ms` of the server's spans, and `error_share`.",
  {
    url: text({
      doc: "The URL of Jaeger's query service; empty asks for nothing.",
      fallback: '',
      pattern: /^(https?:\/\/\S+)?$/,
      takes: 'an http:// or https:// URL',
    }),
    username: name('The user for basic authentication.'),
    password: text({
      doc: 'The password for basic authentication.',
      fallback: '',
      takes: 'text',
      secret: true,
    }),
    token: text({ doc: 'The bearer token.', fallback: '', takes: 'text', secret: true }),
    timeout: duration({ doc: 'How long a query may take.', fallback: '5s', min: '10ms', max: '1m' }),
    services: list({
      doc: "Services, by Jaeger's names.",
      fallback: [],
      takes: 'a list of at most 100 names without spaces and slashes',
      pattern: /^[^\s/]{1,128}$/,
      max: 100,
    }),
    interval: duration({
      doc: 'How often each service is asked for.',
      fallback: '10s',
      min: '1s',
      max: '1h',
    }),
    lookback: duration({
      doc: 'How far back traces are looked at.',
      fallback: '1m',
      min: '1s',
      max: '1h',
    }),
    max_traces: whole({
      doc: 'Traces of an answer, the latest ones.',
      fallback: 200,
      min: 1,
      max: 1_500,
    }),
  },
);

const group = section(
  'Sidecars that share a Redis share what they see: one leads, and forecasts from the counts of all.',
  {
    enabled: toggle({
      doc: 'Be a member of the group of the Redis in `store`; in memory a process is always alone.',
      fallback: true,
    }),
    name: text({
      doc: 'The group; sidecars of other names share nothing but buckets.',
      fallback: 'default',
      pattern: /^[^\s{}]{1,128}$/,
      takes: 'a name of at most 128 characters without braces or spaces',
    }),
    leader_life: duration({
      doc: 'How long a leader that says nothing stays one; another leads soon after.',
      fallback: '5s',
      min: '1s',
      max: '1m',
    }),
    board_age: duration({
      doc: "How old the leader's forecasts may be when others tell them; beyond it they forecast by themselves.",
      fallback: '5m',
      min: '1m',
      max: '1h',
    }),
  },
);

/** `observe` in the settings file. */
export const observe = section('What is seen of demand and load, once a second, as a basis of forecasts.', {
  heavy_keys: heavyKeys.prefault({}),
  service_key: name(
    'The descriptor key whose configured value names the service of the rules beneath it; empty: none.',
  ),
  tenant_key: name(
    'The descriptor key whose value, configured or of the request, names the tenant; empty: none.',
  ),
  max_tenants: whole({
    doc: 'Tenants named by requests that have counts of their own; the heaviest stay.',
    fallback: 1_000,
    min: 0,
    max: 10_000,
  }),
  classes,
  group: group.prefault({}),
  host: toggle({ doc: "Sample the host's load.", fallback: true }),
  prometheus: prometheus.prefault({}),
  jaeger: jaeger.prefault({}),
});

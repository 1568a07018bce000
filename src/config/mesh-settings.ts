/** The settings of discovery: Envoy's own resources, served on the control port, and how traffic moves. */
import { choice, duration, list, number, ratio, rows, section, text, toggle, whole } from './setting';

const word = (doc: string, max = 128) =>
  text({
    doc,
    fallback: '',
    pattern: new RegExp(`^(\\S.{0,${max - 1}})?$`),
    takes: `text of at most ${max} characters`,
  });

const nodes = rows(
  {
    doc: 'Which Envoys belong to which group: of the rows that fit, the first counts. A group gets what is in the folder and in its sub-folder of that name; who fits no row gets what is in the folder.',
    takes: 'a list of at most 1000 rows',
    max: 1_000,
  },
  {
    group: text({
      doc: 'The group, and its sub-folder.',
      fallback: '',
      pattern: /^[A-Za-z0-9_.-]{1,64}$/,
      takes: 'letters, digits, _, . and -, at most 64',
    }),
    id: word("The node's id; `*` at its end stands for any rest.", 256),
    cluster: word("The node's cluster, likewise.", 256),
    metadata: list({
      doc: 'Metadata that it has, each `name=value`, likewise.',
      fallback: [],
      takes: 'a list of name=value',
      pattern: /^[^=]{1,128}=.{0,256}$/,
      max: 16,
    }),
  },
);

const targets = rows(
  {
    doc: 'Targets of traffic: clusters of weighted routes, or endpoints of one cluster, each with the bucket that limits it. A group that has no class takes the configured weights of its resources.',
    takes: 'a list of at most 10000 rows',
    max: 10_000,
  },
  {
    group: word('The group: targets that take the same traffic.', 64),
    cluster: word("The cluster's name."),
    endpoint: word(
      "`address:port` of one of the cluster's endpoints; empty: the whole cluster, by weighted routes.",
    ),
    subset: word(
      '`key=value,...`: one subset of the cluster, as the `metadata_match` of weighted clusters names it; empty: the whole.',
      256,
    ),
    bucket: word(
      "The rule's id, or `<rule id>|<bucket key>`, of the bucket that limits it; empty: only its health counts.",
      512,
    ),
    signals: word(
      '`service/instance` of its signals in `observe.prometheus.signals`; empty: what access logs and load reports tell.',
      256,
    ),
    backup: toggle({ doc: 'Gets traffic only when the others cannot take it.', fallback: false }),
    max_share: ratio({ doc: 'The most of the group that it gets.', fallback: 1 }),
    weight: number({
      doc: 'Its configured weight where no resource in the folder gives one: where another control plane owns the routes.',
      fallback: 1,
      min: 0,
      max: 1_000_000,
    }),
    runtime_prefix: word(
      'The `runtime_key_prefix` of routes that another control plane owns, for `mesh.traffic.runtime_layer`; the same in all of the group.',
      256,
    ),
  },
);

const classes = rows(
  {
    doc: 'Requests that are told apart by their metadata, and move later the higher their priority is. Each becomes a route with its own weights before the route it is a part of. All that is given has to hold.',
    takes: 'a list of at most 1000 rows',
    max: 1_000,
  },
  {
    group: word('The group.', 64),
    name: text({
      doc: 'Names the class; `default` is what no other takes.',
      fallback: '',
      pattern: /^[A-Za-z0-9_-]{1,64}$/,
      takes: 'letters, digits, _ and -, at most 64',
    }),
    priority: choice(['CRITICAL', 'HIGH', 'MEDIUM', 'LOW'], {
      doc: 'The priority; `default` has LOW.',
      fallback: 'HIGH',
    }),
    header: word('A header that it has, such as x-user-tier.'),
    values: list({
      doc: "The header's values, any of them; `*` at an end stands for any rest; empty: it is there.",
      fallback: [],
      takes: 'a list of at most 1000 values',
      pattern: /^.{1,256}$/,
      max: 1_000,
    }),
    methods: list({
      doc: 'Methods, any of them; empty: all.',
      fallback: [],
      takes: 'a list of methods',
      pattern: /^[A-Z]{1,32}$/,
      max: 16,
    }),
    path: word('A path; `*` at its end stands for any rest; empty: all.', 512),
  },
);

const pair = (doc: string, from: number, to: number, max: number) => ({
  from: number({ doc: `${doc} from which a target gets less.`, fallback: from, min: 0, max }),
  to: number({ doc: `${doc} at which it only keeps its floor.`, fallback: to, min: 0, max }),
});

const health = section('How the health of a target lowers what it can take.', {
  error_from: pair('The part of answers that are errors', 0.05, 0.5, 1).from,
  error_to: pair('The part of answers that are errors', 0.05, 0.5, 1).to,
  latency_from: pair("The 99th percentile of response times, times the group's median,", 2, 8, 1_000).from,
  latency_to: pair("The 99th percentile of response times, times the group's median,", 2, 8, 1_000).to,
  cpu_from: pair('CPU use', 0.85, 1, 1).from,
  cpu_to: pair('CPU use', 0.85, 1, 1).to,
  memory_from: pair('Memory use', 0.9, 1, 1).from,
  memory_to: pair('Memory use', 0.9, 1, 1).to,
});

const signals = section('Which of `observe.prometheus.signals` tell how a target is.', {
  cpu: word('Its CPU use, 0 to 1; empty: none.'),
  memory: word('Its memory use, 0 to 1.'),
  errors: word('The part of its answers that are errors, 0 to 1.'),
  latency: word('The 99th percentile of its response time, milliseconds.'),
  out: word('1 where health checks or outlier detection took it out.'),
});

const traffic = section('How traffic moves before a bucket runs dry.', {
  mode: choice(['off', 'shadow', 'active'], {
    doc: '`shadow` computes and shows weights; `active` sends them to Envoys.',
    fallback: 'shadow',
  }),
  tick: duration({ doc: 'How often weights are decided.', fallback: '100ms', min: '50ms', max: '1m' }),
  horizon: duration({ doc: 'How far ahead is looked.', fallback: '30s', min: '1s', max: '10m' }),
  lead: duration({
    doc: 'How much earlier traffic moves: what a change needs to be felt.',
    fallback: '2s',
    min: '0s',
    max: '1m',
  }),
  headroom: ratio({ doc: 'The part of what a target can take that is planned with.', fallback: 0.9 }),
  dead_band: ratio({ doc: 'Smaller changes of a share are left.', fallback: 0.01 }),
  leave_per_s: number({
    doc: 'The most of the whole that moves off a target in a second.',
    fallback: 0.2,
    min: 0.001,
    max: 10,
    unit: 'the whole a second',
  }),
  return_per_s: number({
    doc: 'The most that moves back in a second.',
    fallback: 0.02,
    min: 0.001,
    max: 10,
    unit: 'the whole a second',
  }),
  floor: ratio({
    doc: 'The share that a target keeps whatever happens, so that it is measured.',
    fallback: 0.01,
  }),
  life: duration({
    doc: 'What was seen longer ago is not known; where nothing is, the configured weights hold.',
    fallback: '10s',
    min: '1s',
    max: '10m',
  }),
  runtime_layer: word(
    'The name of a runtime layer (RTDS) that carries the weights by the `runtime_key_prefix` of routes, instead of changed routes; empty: none.',
  ),
  runtime_life: duration({
    doc: 'How long Envoys keep that layer when nothing is heard; then the weights of the routes hold.',
    fallback: '10s',
    min: '3s',
    max: '10m',
  }),
  health: health.prefault({}),
  signals: signals.prefault({}),
});

const telemetry = section(
  'What Envoys tell of requests: the access log service and load reports, on the control port.',
  {
    access_logs: toggle({ doc: "Serve Envoy's access log service.", fallback: false }),
    load_reports: toggle({ doc: "Serve Envoy's load reporting service.", fallback: false }),
    report_interval: duration({
      doc: 'How often Envoys report load.',
      fallback: '1s',
      min: '100ms',
      max: '1m',
    }),
    window: duration({
      doc: 'The time over which rates and response times are taken.',
      fallback: '10s',
      min: '1s',
      max: '5m',
    }),
    max_series: whole({
      doc: 'Routes, clusters and endpoints that are counted apart; more are counted as `other`.',
      fallback: 2_000,
      min: 10,
      max: 100_000,
    }),
    max_entries_per_s: whole({
      doc: 'Log entries that are looked at in a second, at most; more are counted only.',
      fallback: 20_000,
      min: 1,
      max: 1_000_000,
    }),
  },
);

/** `mesh` in the settings file. */
export const mesh = section(
  "Discovery (xDS): listeners, routes, clusters, endpoints and runtime layers in Envoy's own YAML, served to Envoys on the control port, with weights that follow buckets and health.",
  {
    path: text({
      doc: 'A folder of .yaml, .yml and .json files, each with a list `resources` of objects with `@type`; empty serves none.',
      fallback: '',
      takes: 'a path',
    }),
    poll_interval: duration({
      doc: 'How often the folder is looked at; what has a mistake keeps the resources that were there.',
      fallback: '2s',
      min: '100ms',
      max: '10m',
    }),
    nodes,
    targets,
    classes,
    traffic: traffic.prefault({}),
    telemetry: telemetry.prefault({}),
  },
);

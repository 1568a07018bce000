/** The settings of history: where it is kept, how long, and what bounds it. */
import { choice, duration, rows, section, text, toggle, whole } from './setting';

const MB = 1_000_000;

const retention = section('How long steps of each resolution are kept.', {
  one_second: duration({ doc: 'Steps of 1 second.', fallback: '1h', min: '1m', max: '1d' }),
  ten_seconds: duration({ doc: 'Steps of 10 seconds.', fallback: '6h', min: '10m', max: '7d' }),
  one_minute: duration({ doc: 'Steps of 1 minute.', fallback: '3d', min: '1h', max: '60d' }),
  ten_minutes: duration({ doc: 'Steps of 10 minutes.', fallback: '60d', min: '1d', max: '730d' }),
});

const url = (doc: string, fallback = '') =>
  text({ doc, fallback, pattern: /^(https?:\/\/\S+)?$/, takes: 'an http:// or https:// URL' });
const secret = (doc: string) => text({ doc, fallback: '', takes: 'text', secret: true });
const name = (doc: string, fallback = '') =>
  text({ doc, fallback, pattern: /^.{0,256}$/, takes: 'text of at most 256 characters' });
const timeout = duration({ doc: 'How long a call may take.', fallback: '10s', min: '100ms', max: '5m' });

const influx = section('InfluxDB, for export and backfill.', {
  url: url('Its URL; empty uses none.'),
  version: choice(['1', '2'], {
    doc: 'Which API: `1` with a database and InfluxQL, `2` (and 3) with a bucket and Flux.',
    fallback: '1',
  }),
  database: name('The database (version 1).', 'tidegate'),
  org: name('The organisation (version 2).'),
  bucket: name('The bucket (version 2).', 'tidegate'),
  username: name('The user (version 1).'),
  password: secret("The user's password."),
  token: secret('The token (version 2).'),
  export: toggle({ doc: 'Write the figures of every class to it, as `tidegate_class`.', fallback: true }),
  export_step: choice(['10s', '1m', '10m'], { doc: 'The steps that are written.', fallback: '1m' }),
  gzip: toggle({ doc: 'Compress what is written.', fallback: true }),
  timeout,
  max_queue: whole({
    doc: 'Points that wait while it cannot be reached; beyond it the oldest are dropped.',
    fallback: 100_000,
    min: 1_000,
    max: 10_000_000,
  }),
});

const otlp = section('Counts and forecasts as OpenTelemetry metrics, over OTLP and HTTP.', {
  enabled: toggle({ doc: 'Send them.', fallback: false }),
  endpoint: url('The base URL of the collector; `/v1/metrics` is appended.', 'http://127.0.0.1:4318'),
  token: secret('The bearer token.'),
  interval: duration({ doc: 'How often they are sent.', fallback: '1m', min: '1s', max: '1h' }),
  timeout,
  max_classes: whole({
    doc: 'Classes told apart; the others are counted together as `other`.',
    fallback: 1_000,
    min: 1,
    max: 100_000,
  }),
});

const backfill = section('What history has not seen is asked of another system at the start.', {
  source: choice(['none', 'prometheus', 'influx'], {
    doc: 'Which: none, that of `observe.prometheus`, or that of `history.influx`.',
    fallback: 'none',
  }),
  minutes: duration({ doc: 'How far back steps of 1 minute are asked for.', fallback: '3d', max: '60d' }),
  ten_minutes: duration({
    doc: 'How far back steps of 10 minutes are asked for.',
    fallback: '28d',
    max: '730d',
  }),
  timeout,
  queries: rows(
    {
      doc: 'What is asked, one row for each figure of a class.',
      takes: 'a list of at most 1000 rows',
      max: 1_000,
    },
    {
      class: text({
        doc: "The class's id, such as a rule's; for a signal `signal:<service>/<instance>/<name>`.",
        fallback: '',
        pattern: /^\S(.{0,510}\S)?$/,
        takes: 'text of at most 512 characters',
      }),
      kind: choice(['rule', 'key', 'service', 'tenant', 'signal'], { doc: 'Its kind.', fallback: 'rule' }),
      figure: choice(['arrivals', 'admitted', 'denied', 'queued', 'hits', 'level'], {
        doc: 'What the query brings; `level` for signals. Counts that no row brings follow from those that one does.',
        fallback: 'arrivals',
      }),
      query: text({
        doc: 'PromQL, InfluxQL or Flux, such as `sum(increase(http_requests_total[$step]))`. `$step` becomes the step (`60s`); for InfluxDB `$from` and `$to` become Unix milliseconds.',
        fallback: '',
        pattern: /\S/,
        takes: 'a query',
      }),
    },
  ),
});

/** `history` in the settings file. */
export const history = section('What is remembered of every class.', {
  path: text({
    doc: "The file (SQLite) that history and models are kept in, one for each Tidegate. `auto` is `history.db` in systemd's STATE_DIRECTORY, else in `tidegate` under XDG_STATE_HOME or ~/.local/state. `none` keeps them in memory alone, and a restart begins anew.",
    fallback: 'auto',
    takes: "`auto`, `none` or a file's path",
  }),
  retention: retention.prefault({}),
  flush_interval: duration({
    doc: 'How often changes are written: what a crash loses at most.',
    fallback: '10s',
    min: '1s',
    max: '10m',
  }),
  late_window: duration({
    doc: 'How late figures may come and still be counted in their step; in a group, two minutes at least.',
    fallback: '30s',
    min: '1s',
    max: '10m',
  }),
  max_classes: whole({
    doc: 'Classes at most; beyond it those idle for ten minutes give way, and else new ones are counted together as `other`.',
    fallback: 10_000,
    min: 10,
    max: 100_000,
  }),
  max_memory_bytes: whole({
    doc: 'The memory that figures may take; beyond it the oldest are forgotten, as when the file cannot take them.',
    fallback: 500 * MB,
    min: 10 * MB,
    max: 100_000 * MB,
    unit: 'bytes',
  }),
  max_file_bytes: whole({
    doc: 'The length that the file may have; beyond it history goes on in memory.',
    fallback: 4_000 * MB,
    min: 10 * MB,
    max: 1_000_000 * MB,
    unit: 'bytes',
  }),
  influx: influx.prefault({}),
  otlp: otlp.prefault({}),
  backfill: backfill.prefault({}),
});

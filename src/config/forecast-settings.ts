/** The settings of forecasts, and of what is told of them. */
import { choice, duration, list, number, rows, section, text, toggle, whole } from './setting';

const HORIZONS = ['1m', '1h', '1d'] as const;
const horizon = (fallback: (typeof HORIZONS)[number], doc: string) => choice(HORIZONS, { doc, fallback });

const alerts = rows(
  {
    doc: 'Forecasts that are told of when they cross a threshold: in a metric, the log, the API, and to a webhook.',
    takes: 'a list of at most 256 alerts',
    max: 256,
  },
  {
    name: text({ doc: 'Names the alert in metrics.', fallback: '', pattern: /^\S.{0,127}$/, takes: 'text' }),
    class: text({
      doc: 'The class that is looked at, by its id.',
      fallback: '',
      pattern: /^\S/,
      takes: "a class's id",
    }),
    horizon: horizon('1h', 'How far ahead to look.'),
    above_per_s: number({
      doc: 'The rate over which it is told.',
      fallback: 0,
      min: 0,
      max: 1e12,
      unit: 'requests a second',
    }),
    figure: choice(['mean', 'upper80', 'upper95'], {
      doc: 'What is compared: the forecast itself, or the upper end of its 80 % or 95 % interval.',
      fallback: 'mean',
    }),
    webhook: text({
      doc: 'A URL that gets a POST with JSON when the alert begins and when it ends.',
      fallback: '',
      pattern: /^(https?:\/\/\S+)?$/,
      takes: 'an http:// or https:// URL',
      secret: true,
    }),
  },
);

const replicas = rows(
  {
    doc: 'Services whose replica count is recommended, as a metric that autoscalers can read.',
    takes: 'a list of at most 256 services',
    max: 256,
  },
  {
    service: text({ doc: "The service's name.", fallback: '', pattern: /^\S/, takes: 'text' }),
    capacity_per_replica: number({
      doc: 'What one replica serves; 0 measures it from `cpu_signal`.',
      fallback: 0,
      min: 0,
      max: 1e9,
      unit: 'requests a second',
    }),
    cpu_signal: text({
      doc: 'The signal of `observe.prometheus.signals` that tells the CPU use of each instance, 0 to 1.',
      fallback: '',
      takes: "a signal's name",
    }),
    target_utilization: number({
      doc: 'How busy a replica should be, where its capacity is measured; one that is set is taken as it is.',
      fallback: 0.7,
      min: 0.05,
      max: 1,
    }),
    horizon: horizon('1h', 'How far ahead to look: what a new replica takes to start, at least.'),
    min: whole({ doc: 'The fewest replicas.', fallback: 1, min: 0, max: 100_000 }),
    max: whole({ doc: 'The most replicas.', fallback: 1_000, min: 1, max: 100_000 }),
  },
);

const cost_signals = rows(
  {
    doc: 'Signals that tell what the instances of a service use; for `learn_costs: signals`.',
    takes: 'a list of at most 64 signals',
    max: 64,
  },
  {
    service: text({ doc: "The service's name.", fallback: '', pattern: /^\S/, takes: 'text' }),
    resource: choice(['cpu', 'memory', 'io', 'network'], { doc: 'The resource.', fallback: 'cpu' }),
    signal: text({
      doc: 'The signal of `observe.prometheus.signals` that tells what each instance uses of it; costs are in its unit.',
      fallback: '',
      pattern: /^\S/,
      takes: "a signal's name",
    }),
  },
);

const holidays = rows(
  {
    doc: 'Spans that are unlike other days; spans of one name are taken to be alike.',
    takes: 'a list of at most 1000 spans',
    max: 1_000,
  },
  {
    name: text({ doc: 'What the span is.', fallback: '', pattern: /^\S/, takes: 'text' }),
    from: text({
      doc: 'Its first day, UTC.',
      fallback: '',
      pattern: /^\d{4}-\d\d-\d\d$/,
      takes: 'a date such as 2026-12-24',
    }),
    to: text({
      doc: 'Its last day, UTC.',
      fallback: '',
      pattern: /^\d{4}-\d\d-\d\d$/,
      takes: 'a date such as 2026-12-26',
    }),
  },
);

/** `forecast` in the settings file. */
export const forecast = section(
  'Forecasts of every class at one minute, one hour and one day; made in threads of their own, off the data path.',
  {
    enabled: toggle({ doc: 'Keep history and forecast.', fallback: true }),
    seasons: list({
      doc: 'Lengths after which demand repeats itself.',
      fallback: ['1d', '7d'],
      takes: 'a list of at most 4 durations',
      pattern: /^\d+(m|h|d|w)$/,
      max: 4,
    }),
    refit: text({
      doc: 'When models are fitted anew, as a cron expression in UTC; a new one replaces the old only where it was better.',
      fallback: '30 3 * * *',
      pattern: /^\S+( \S+){4,5}$/,
      takes: 'a cron expression',
    }),
    threads: whole({ doc: 'Threads that fit models.', fallback: 1, min: 1, max: 64 }),
    anomalies_per_day: number({
      doc: 'False alarms that are tolerated, a class.',
      fallback: 0.2,
      min: 0.001,
      max: 100,
    }),
    learn_after: duration({
      doc: 'How long a change of level lasts before it is taken for the new level.',
      fallback: '2h',
      min: '5m',
      max: '7d',
    }),
    metric_classes: whole({
      doc: 'Classes whose forecasts are metrics; those with the most arrivals come first.',
      fallback: 200,
      min: 0,
      max: 10_000,
    }),
    learn_costs: choice(['off', 'host', 'signals'], {
      doc: "Whether what a request of each rule costs is learned, by regression of what is used on what is admitted: from this host's load, where the service runs alone on it, or from `cost_signals`. What is learned replaces the costs of `observe.classes` once it is sure enough.",
      fallback: 'off',
    }),
    cost_signals,
    alerts,
    replicas,
    holidays,
    webhook_timeout: duration({
      doc: 'How long a webhook may take.',
      fallback: '5s',
      min: '100ms',
      max: '1m',
    }),
  },
);

/**
 * Every metric of the process, in a registry of its own: the reference's names as people have them on dashboards,
 * and Tidegate's own under `tidegate_`. Label sets are bounded; the data path pays one addition a figure.
 */
import { setImmediate as nextTurn } from 'node:timers/promises';
import { Registry, collectDefaultMetrics } from 'prom-client';
import { FAILURE_MODES } from '../core/buckets';
import type { Clock } from '../core/clock';
import { CATALOGUE } from '../core/error-catalogue';
import type { TidegateError } from '../core/errors';
import type { DecisionTelemetry, RuleCounters } from '../core/ports';
import { QUEUE_ENDS, type QueueEnd, type QueueObserver } from '../core/queueing';
import { BoundedCounts } from './bounded-counts';
import { DeniedKeys } from './denied-keys';
import { registerHistogram, type HistogramSeries } from './flat-histogram';
import type { HeavyKey } from '../limiter/heavy-keys';
import { sanitiseMetricKey } from './metric-key';
import { ControlSeries } from './control-series';
import type { MetricsShare } from './metrics-share';
import { RuleSeries, type RuleFigure } from './rule-series';
import { registerByLabel, registerFigure, registerSampled } from './sampled-metric';
import { topSamples } from './top-samples';
import { sortedInTurns } from './sorted-in-turns';
import { registerSources, type MetricSources } from './state-metrics';

/** How a decision ended. */
export const CALL_RESULTS = ['ok', 'over_limit', 'error'] as const;
/** One of {@link CALL_RESULTS}. */
export type CallResult = (typeof CALL_RESULTS)[number];

/** How a call of the store ended. */
export const STORE_OUTCOMES = ['ok', 'error', 'timeout'] as const;
/** One of {@link STORE_OUTCOMES}. */
export type StoreOutcome = (typeof STORE_OUTCOMES)[number];

/** What to measure and how much to keep. */
export interface MetricsOptions {
  /** Tidegate's version, for the build metric. */
  readonly version: string;
  /** Metric keys with series of their own; default 10,000. */
  readonly maxSeries?: number;
  /** Keys on the list of those denied most; default 20. */
  readonly topKeys?: number;
  /** Longer keys on that list are cut; default 200 characters. */
  readonly maxKeyLength?: number;
  /** How long until a denial counts half on that list; default 10 minutes. */
  readonly topHalfLifeMs?: number;
  /** Whether to measure the process and its event loop; default true. */
  readonly processMetrics?: boolean;
}

/** The reference's histogram is cut like this; dashboards name its bounds in `le`. */
const REFERENCE_BOUNDS_S = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10];
/** From 5 us to a second: decisions in memory take microseconds, Envoy gives up after 20 ms by default. */
const DECISION_BOUNDS_S = [
  0.000_005, 0.000_01, 0.000_025, 0.000_05, 0.000_1, 0.000_25, 0.000_5, 0.001, 0.002_5, 0.005, 0.01, 0.02,
  0.05, 0.1, 0.25, 1,
];
const STORE_BOUNDS_S = [
  0.000_1, 0.000_25, 0.000_5, 0.001, 0.002, 0.003, 0.005, 0.007_5, 0.01, 0.02, 0.05, 0.1, 1,
];

/** Waits last for milliseconds; some are allowed a minute. */
const WAIT_BOUNDS_S = [0.001, 0.002_5, 0.005, 0.01, 0.015, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 5, 60];

/** There from the start, so that the first failure is seen as a rate. */
const STORE_CODES = Object.keys(CATALOGUE).filter((code) => code.startsWith('TG_STORE_'));

/** More domains that no file has are counted together: prom-client writes their lines in one go. */
const MAX_UNKNOWN_DOMAINS = 1_000;
/** Some 0.5 ms of work. */
const FIGURES_A_TURN = 2_000;

const GRPC_METHOD = 'ShouldRateLimit';
const MS_PER_S = 1_000;

/** The process's metrics. */
export class Metrics implements DecisionTelemetry, QueueObserver {
  private readonly registry = new Registry();
  private readonly rules: RuleSeries;
  private readonly deniedKeys: DeniedKeys;
  private readonly unknownDomains: BoundedCounts;
  private readonly callErrors = { redis_error: 0, service_error: 0 };
  private readonly failureModes = new BoundedCounts(0, FAILURE_MODES);
  private readonly storeFailures = new BoundedCounts(Object.keys(CATALOGUE).length, STORE_CODES);
  private readonly configLoads = { success: 0, error: 0 };
  private readonly responseTime: HistogramSeries;
  private readonly decisionTime: Readonly<Record<CallResult, HistogramSeries>>;
  private readonly storeTime: Readonly<Record<StoreOutcome, HistogramSeries>>;
  private readonly queueTime: Readonly<Record<QueueEnd, HistogramSeries>>;
  /** What the control path tells. */
  readonly control = new ControlSeries();
  private globalShadows = 0;
  private calls = 0;

  constructor(options: MetricsOptions, clock: Pick<Clock, 'monotonicMs'>) {
    const maxSeries = options.maxSeries ?? 10_000;
    this.rules = new RuleSeries(maxSeries);
    this.unknownDomains = new BoundedCounts(Math.min(maxSeries, MAX_UNKNOWN_DOMAINS));
    this.deniedKeys = new DeniedKeys(
      {
        topKeys: options.topKeys ?? 20,
        maxKeyLength: options.maxKeyLength ?? 200,
        halfLifeMs: options.topHalfLifeMs ?? 600_000,
      },
      clock,
    );
    this.registerReference();
    this.registerOwn(options.version);
    this.responseTime = registerHistogram(this.registry, {
      name: 'ratelimit_service_response_time_seconds',
      help: 'How long calls took, by method.',
      label: 'grpc_method',
      values: [GRPC_METHOD],
      bounds: REFERENCE_BOUNDS_S,
    })[GRPC_METHOD];
    this.decisionTime = registerHistogram(this.registry, {
      name: 'tidegate_decision_duration_seconds',
      help: 'How long decisions took from the request to its answer, by result.',
      label: 'result',
      values: CALL_RESULTS,
      bounds: DECISION_BOUNDS_S,
    });
    this.storeTime = registerHistogram(this.registry, {
      name: 'tidegate_store_duration_seconds',
      help: 'How long the store took to answer, by outcome.',
      label: 'outcome',
      values: STORE_OUTCOMES,
      bounds: STORE_BOUNDS_S,
    });
    this.queueTime = registerHistogram(this.registry, {
      name: 'tidegate_queue_wait_seconds',
      help: 'How long calls waited for tokens, by how that ended.',
      label: 'end',
      values: QUEUE_ENDS,
      bounds: WAIT_BOUNDS_S,
    });
    if (options.processMetrics ?? true) collectDefaultMetrics({ register: this.registry });
  }

  countersFor(metricKey: string): RuleCounters {
    return this.rules.countersFor(metricKey);
  }

  /** The counters of a configured rule: requests' values cannot take their room. */
  countersForRule(id: string): RuleCounters {
    return this.rules.countersFor(id, true);
  }

  domainNotFound(domain: string): void {
    this.unknownDomains.add(domain.length > 0 ? sanitiseMetricKey(domain) : 'none');
  }

  globalShadow(): void {
    this.globalShadows += 1;
  }

  callFailed(kind: 'service' | 'redis', _error: TidegateError): void {
    this.callErrors[kind === 'redis' ? 'redis_error' : 'service_error'] += 1;
  }

  failureModeUsed(mode: string, error: TidegateError): void {
    this.failureModes.add(mode);
    this.storeFailures.add(error.code);
  }

  denied(metricKey: string, bucketKey: string, hits: number): void {
    this.deniedKeys.add(metricKey, bucketKey, hits);
  }

  /** ShouldRateLimit calls were answered, each after so long. */
  callFinished(result: CallResult, durationMs: number, calls = 1): void {
    const durationS = durationMs / MS_PER_S;
    this.calls += calls;
    this.responseTime.observe(durationS, calls);
    this.decisionTime[result].observe(durationS, calls);
  }

  /** The store answered, failed, or did not answer in time. */
  storeFinished(outcome: StoreOutcome, durationMs: number): void {
    this.storeTime[outcome].observe(durationMs / MS_PER_S);
  }

  /** A call that was to wait for tokens has ended. */
  ended(end: QueueEnd, waitedMs: number): void {
    this.queueTime[end].observe(waitedMs / MS_PER_S);
  }

  /** Limits were loaded, or rejected. */
  configLoaded(success: boolean): void {
    this.configLoads[success ? 'success' : 'error'] += 1;
  }

  /** The figures of a rule's metric key, when it has counters of its own. */
  ruleFigures(metricKey: string): Readonly<Record<RuleFigure, number>> | undefined {
    return this.rules.figuresOf(metricKey);
  }

  /** Adds the metrics that other parts hold. Call it once, when the parts are there. */
  observe(sources: MetricSources): void {
    registerSources(this.registry, sources);
  }

  /** Takes out what was counted of decisions, for the process that shows it; plain data. */
  takeShare(): MetricsShare {
    const { redis_error: redis, service_error: service } = this.callErrors;
    const share: MetricsShare = {
      calls: this.calls,
      globalShadows: this.globalShadows,
      callErrors: [redis, service],
      rules: this.rules.take(),
      denied: this.deniedKeys.take(),
      unknownDomains: this.unknownDomains.take(),
      failureModes: this.failureModes.take(),
      storeFailures: this.storeFailures.take(),
      histograms: this.histograms().map((series) => series.take()),
    };
    this.calls = 0;
    this.globalShadows = 0;
    this.callErrors.redis_error = 0;
    this.callErrors.service_error = 0;
    return share;
  }

  /** Adds what another process counted. */
  addShare(share: MetricsShare): void {
    this.calls += share.calls;
    this.globalShadows += share.globalShadows;
    this.callErrors.redis_error += share.callErrors[0];
    this.callErrors.service_error += share.callErrors[1];
    for (const rule of share.rules) this.rules.add(rule);
    for (const [rule, key, hits] of share.denied) this.deniedKeys.add(rule, key, hits);
    for (const [name, count] of share.unknownDomains) this.unknownDomains.add(name, count);
    for (const [name, count] of share.failureModes) this.failureModes.add(name, count);
    for (const [name, count] of share.storeFailures) this.storeFailures.add(name, count);
    this.histograms().forEach((series, at) => {
      const part = share.histograms[at];
      if (part !== undefined) series.add(part);
    });
  }

  private histograms(): readonly HistogramSeries[] {
    return [
      this.responseTime,
      ...CALL_RESULTS.map((result) => this.decisionTime[result]),
      ...STORE_OUTCOMES.map((outcome) => this.storeTime[outcome]),
      ...QUEUE_ENDS.map((end) => this.queueTime[end]),
    ];
  }

  /** The keys denied most, lately. */
  topDenied(): HeavyKey[] {
    return this.deniedKeys.top();
  }

  /** The text that Prometheus scrapes, and its content type. */
  async scrape(): Promise<{ readonly contentType: string; readonly body: string }> {
    const rest = await this.registry.metrics();
    const body = `${await this.rules.render()}\n${rest}\n${await this.control.render()}`;
    return { contentType: this.registry.contentType, body };
  }

  /** The reference's counters under its dotted names, sorted. Lets the event loop turn between slices. */
  async stats(): Promise<readonly (readonly [name: string, value: number])[]> {
    const figures: [name: string, value: number][] = [];
    // A rule that is added meanwhile is listed or not.
    for (const figure of this.rules.stats()) {
      if (figures.push(figure) % FIGURES_A_TURN === 0) await nextTurn();
    }
    const add = (name: string, value: number): void => {
      figures.push([name, value]);
    };
    for (const [domain, count] of this.unknownDomains.entries()) {
      add(`ratelimit.service.rate_limit.${domain}.domain_not_found`, count);
    }
    for (const [kind, count] of Object.entries(this.callErrors)) {
      add(`ratelimit.service.call.should_rate_limit.${kind}`, count);
    }
    add('ratelimit.service.config_load_success', this.configLoads.success);
    add('ratelimit.service.config_load_error', this.configLoads.error);
    add('ratelimit.service.global_shadow_mode', this.globalShadows);
    add(`ratelimit_server.${GRPC_METHOD}.total_requests`, this.calls);
    return summedByName(await sortedInTurns(figures));
  }

  /** The names of all metrics, without `_bucket` and the like. */
  names(): string[] {
    return [
      ...this.rules.metricNames(),
      ...this.control.metricNames(),
      ...this.registry.getMetricsAsArray().map((metric) => metric.name),
    ];
  }

  private registerReference(): void {
    const { registry } = this;
    const counter = (name: string, help: string, read: () => number): void =>
      registerFigure(registry, 'counter', `ratelimit_service_${name}`, help, read);
    registerByLabel(
      registry,
      'counter',
      'ratelimit_service_rate_limit_domain_not_found',
      'Requests for a domain that no limits file has.',
      'domain',
      () => this.unknownDomains.entries(),
    );
    registerByLabel(
      registry,
      'counter',
      'ratelimit_service_should_rate_limit_error',
      'Calls that were answered with an error: redis_error for a store, service_error for the request.',
      'err_type',
      () => Object.entries(this.callErrors),
    );
    registerByLabel(
      registry,
      'counter',
      'ratelimit_service_total_requests',
      'Calls, by method.',
      'grpc_method',
      () => [[GRPC_METHOD, this.calls]],
    );
    counter('config_load_success', 'Loads of the limits that succeeded.', () => this.configLoads.success);
    counter('config_load_error', 'Loads of the limits that were rejected.', () => this.configLoads.error);
    counter(
      'global_shadow_mode',
      'Answers that global shadow mode turned from over limit to OK.',
      () => this.globalShadows,
    );
  }

  private registerOwn(version: string): void {
    const { registry } = this;
    registerSampled(registry, {
      name: 'tidegate_build_info',
      help: 'The version of Tidegate and of Node; always 1.',
      type: 'gauge',
      sample: () => [{ labels: { version, node: process.version }, value: 1 }],
    });
    registerByLabel(
      registry,
      'counter',
      'tidegate_failure_mode_used_total',
      'Buckets that could not be asked, by the failure mode that answered for them.',
      'mode',
      () => this.failureModes.entries(),
    );
    registerByLabel(
      registry,
      'counter',
      'tidegate_store_failures_total',
      "Buckets that could not be asked, by the error's code.",
      'code',
      () => this.storeFailures.entries(),
    );
    registerFigure(
      registry,
      'gauge',
      'tidegate_metric_series',
      'Metric keys with series of their own.',
      () => this.rules.size,
    );
    registerFigure(
      registry,
      'counter',
      'tidegate_metric_keys_folded_total',
      'Look-ups of metric keys beyond the bound, counted in the series named other.',
      () => this.rules.folded,
    );
    registerSampled(registry, {
      name: 'tidegate_top_denied_hits',
      help: 'Denied hits of the keys denied most; an estimate whose weight halves as time passes.',
      type: 'gauge',
      sample: () => topSamples(this.topDenied()),
    });
  }
}

/** Adds up figures of one name: distinct metric keys may look alike once printable. */
function summedByName(sorted: readonly [name: string, value: number][]): [name: string, value: number][] {
  const summed: [name: string, value: number][] = [];
  for (const [name, value] of sorted) {
    const last = summed.at(-1);
    if (last?.[0] === name) last[1] += value;
    else summed.push([name, value]);
  }
  return summed;
}

import { TidegateError } from '../../src/core/errors';
import { ruleLabels, sanitiseMetricKey } from '../../src/telemetry/metric-key';
import { Metrics, type MetricsOptions } from '../../src/telemetry/metrics';

const clock = { monotonicMs: () => 0 };

function measuring(options: Partial<MetricsOptions> = {}): Metrics {
  return new Metrics({ version: '0.0.0', processMetrics: false, ...options }, clock);
}

async function lines(metrics: Metrics, start: string): Promise<string[]> {
  const { body } = await metrics.scrape();
  return body.split('\n').filter((line) => line.startsWith(start));
}

describe('a metric key', () => {
  it.each([
    ['mongo.database_users', { domain: 'mongo', key1: 'database_users' }],
    ['mongo.database_users.key', { domain: 'mongo', key1: 'database_users', key2: 'key' }],
    ['mongo.a_1.b_2.c_3.d_4', { domain: 'mongo', key1: 'a_1', key2: 'b_2' }],
    ['edge.ip_10.0.0.1', { domain: 'edge', key1: 'ip_10_0_0_1' }],
    ['edge.path_a:b|c', { domain: 'edge', key1: 'path_a_b_c' }],
    ['edge.host_a.b', { domain: 'edge', key1: 'host_a', key2: 'b' }],
    ['alone', { domain: 'alone', key1: '' }],
    ['a.line\nfeed', { domain: 'a', key1: 'line_feed' }],
  ])('%j has the labels %j', (key, labels) => {
    expect(ruleLabels(sanitiseMetricKey(key))).toEqual(labels);
  });

  it('is well-formed and bounded whatever it was', () => {
    expect(sanitiseMetricKey('\ud800')).toBe('\ufffd');
    expect(sanitiseMetricKey('x'.repeat(10_000))).toHaveLength(512);
  });
});

describe('the metrics', () => {
  it("counts a rule under the reference's names and labels", async () => {
    const metrics = measuring();
    const counters = metrics.countersFor('mongo.database_users.key');
    counters.totalHits(10);
    counters.overLimit(3);
    counters.nearLimit(2);
    counters.withinLimit(7);
    counters.shadowMode(1);
    expect(await lines(metrics, 'ratelimit_service_rate_limit_')).toEqual([
      'ratelimit_service_rate_limit_total_hits{domain="mongo",key1="database_users",key2="key"} 10',
      'ratelimit_service_rate_limit_over_limit{domain="mongo",key1="database_users",key2="key"} 3',
      'ratelimit_service_rate_limit_near_limit{domain="mongo",key1="database_users",key2="key"} 2',
      'ratelimit_service_rate_limit_within_limit{domain="mongo",key1="database_users",key2="key"} 7',
      'ratelimit_service_rate_limit_shadow_mode{domain="mongo",key1="database_users",key2="key"} 1',
    ]);
  });

  it('gives one key the same counters, and adds up keys that share labels', async () => {
    const metrics = measuring();
    expect(metrics.countersFor('d.k')).toBe(metrics.countersFor('d.k'));
    metrics.countersFor('d.k').nearLimit(4);
    expect(metrics.ruleFigures('d.k')).toMatchObject({ near_limit: 4, total_hits: 0 });
    expect(metrics.ruleFigures('d.unknown')).toBeUndefined();
    metrics.countersFor('d.a.b.c').totalHits(1);
    metrics.countersFor('d.a.b.d').totalHits(2);
    expect(await lines(metrics, 'ratelimit_service_rate_limit_total_hits{domain="d",key1="a"')).toEqual([
      'ratelimit_service_rate_limit_total_hits{domain="d",key1="a",key2="b"} 3',
    ]);
    expect(await metrics.stats()).toContainEqual(['ratelimit.service.rate_limit.d.a.b.d.total_hits', 2]);
  });

  it('folds keys beyond its bound into one series and says so', async () => {
    const metrics = measuring({ maxSeries: 2 });
    for (let i = 0; i < 100; i += 1) metrics.countersFor(`d.k_${i}`).totalHits(1);
    expect(await lines(metrics, 'ratelimit_service_rate_limit_total_hits')).toEqual([
      'ratelimit_service_rate_limit_total_hits{domain="d",key1="k_0"} 1',
      'ratelimit_service_rate_limit_total_hits{domain="d",key1="k_1"} 1',
      'ratelimit_service_rate_limit_total_hits{domain="other",key1="other"} 98',
    ]);
    expect(await lines(metrics, 'tidegate_metric_')).toEqual([
      'tidegate_metric_series 2',
      'tidegate_metric_keys_folded_total 98',
    ]);
  });

  it('lets other work go on while it makes the text of many series', async () => {
    const metrics = measuring({ maxSeries: 5_000 });
    for (let i = 0; i < 5_000; i += 1) metrics.countersFor(`d.k_${i}`).totalHits(i);
    let turns = 0;
    let done = false;
    const turn = (): void => {
      turns += 1;
      if (!done) setImmediate(turn);
    };
    setImmediate(turn);
    const counted = await lines(metrics, 'ratelimit_service_rate_limit_total_hits{');
    done = true;
    expect(counted).toHaveLength(5_000);
    expect(counted[4_999]).toBe('ratelimit_service_rate_limit_total_hits{domain="d",key1="k_4999"} 4999');
    expect(turns).toBeGreaterThanOrEqual(20);
  });

  it('counts calls, errors, unknown domains, shadow mode and loads', async () => {
    const metrics = measuring({ maxSeries: 1 });
    const failure = new TidegateError('TG_STORE_TIMEOUT', 'late');
    metrics.callFinished('ok', 1);
    metrics.callFinished('over_limit', 30);
    metrics.callFailed('redis', failure);
    metrics.callFailed('service', failure);
    metrics.domainNotFound('a');
    metrics.domainNotFound('b');
    metrics.domainNotFound('c');
    metrics.globalShadow();
    metrics.configLoaded(true);
    metrics.configLoaded(false);
    const { body } = await metrics.scrape();
    for (const line of [
      'ratelimit_service_total_requests{grpc_method="ShouldRateLimit"} 2',
      'ratelimit_service_should_rate_limit_error{err_type="redis_error"} 1',
      'ratelimit_service_should_rate_limit_error{err_type="service_error"} 1',
      'ratelimit_service_rate_limit_domain_not_found{domain="a"} 1',
      'ratelimit_service_rate_limit_domain_not_found{domain="other"} 2',
      'ratelimit_service_global_shadow_mode 1',
      'ratelimit_service_config_load_success 1',
      'ratelimit_service_config_load_error 1',
      'ratelimit_service_response_time_seconds_bucket{grpc_method="ShouldRateLimit",le="0.005"} 1',
      'ratelimit_service_response_time_seconds_bucket{grpc_method="ShouldRateLimit",le="0.05"} 2',
      'ratelimit_service_response_time_seconds_bucket{grpc_method="ShouldRateLimit",le="+Inf"} 2',
      'ratelimit_service_response_time_seconds_sum{grpc_method="ShouldRateLimit"} 0.031',
      'ratelimit_service_response_time_seconds_count{grpc_method="ShouldRateLimit"} 2',
      'tidegate_decision_duration_seconds_bucket{result="ok",le="0.0005"} 0',
      'tidegate_decision_duration_seconds_bucket{result="ok",le="0.001"} 1',
      'tidegate_decision_duration_seconds_count{result="over_limit"} 1',
      'tidegate_decision_duration_seconds_count{result="error"} 0',
    ]) {
      expect(body.split('\n')).toContain(line);
    }
  });

  it("lists the reference's counters under its own names, sorted", async () => {
    const metrics = measuring();
    metrics.countersFor('d.k').overLimit(2);
    metrics.domainNotFound('nowhere');
    expect((await metrics.stats()).map(([name, value]) => `${name}: ${value}`)).toEqual([
      'ratelimit.service.call.should_rate_limit.redis_error: 0',
      'ratelimit.service.call.should_rate_limit.service_error: 0',
      'ratelimit.service.config_load_error: 0',
      'ratelimit.service.config_load_success: 0',
      'ratelimit.service.global_shadow_mode: 0',
      'ratelimit.service.rate_limit.d.k.near_limit: 0',
      'ratelimit.service.rate_limit.d.k.over_limit: 2',
      'ratelimit.service.rate_limit.d.k.shadow_mode: 0',
      'ratelimit.service.rate_limit.d.k.total_hits: 0',
      'ratelimit.service.rate_limit.d.k.within_limit: 0',
      'ratelimit.service.rate_limit.nowhere.domain_not_found: 1',
      'ratelimit_server.ShouldRateLimit.total_requests: 0',
    ]);
  });

  it('counts domains beyond its bound together', async () => {
    const metrics = measuring();
    for (let i = 0; i < 1_500; i += 1) metrics.domainNotFound(`d${i}`);
    const domains = await lines(metrics, 'ratelimit_service_rate_limit_domain_not_found{');
    expect(domains).toHaveLength(1_001);
    expect(domains).toContain('ratelimit_service_rate_limit_domain_not_found{domain="other"} 500');
  });

  it('adds up keys that look alike in the list of counters', async () => {
    const metrics = measuring();
    metrics.countersFor('d.a:b').overLimit(2);
    metrics.countersFor('d.a|b').overLimit(3);
    expect(await metrics.stats()).toContainEqual(['ratelimit.service.rate_limit.d.a_b.over_limit', 5]);
  });

  it('counts store failures by code and failure modes by mode', async () => {
    const metrics = measuring();
    metrics.failureModeUsed('local', new TidegateError('TG_STORE_BREAKER_OPEN', 'open'));
    metrics.storeFinished('timeout', 10);
    expect(await lines(metrics, 'tidegate_failure_mode_used_total')).toEqual([
      'tidegate_failure_mode_used_total{mode="allow"} 0',
      'tidegate_failure_mode_used_total{mode="deny"} 0',
      'tidegate_failure_mode_used_total{mode="local"} 1',
      'tidegate_failure_mode_used_total{mode="error"} 0',
    ]);
    const failures = await lines(metrics, 'tidegate_store_failures_total');
    expect(failures).toContain('tidegate_store_failures_total{code="TG_STORE_BREAKER_OPEN"} 1');
    expect(failures).toContain('tidegate_store_failures_total{code="TG_STORE_TIMEOUT"} 0');
    expect(await lines(metrics, 'tidegate_store_duration_seconds_count{outcome="timeout"}')).toEqual([
      'tidegate_store_duration_seconds_count{outcome="timeout"} 1',
    ]);
  });

  it('shows at most so many heavy keys, as labels that cannot break the text', async () => {
    const metrics = measuring({ topKeys: 3 });
    metrics.denied('d.k', 'quote " back \\ line \n', 1_000);
    for (let i = 0; i < 50; i += 1) metrics.denied('d.k', `d|k=${i}`, i < 2 ? 100 : 1);
    const shown = await lines(metrics, 'tidegate_top_denied_hits');
    expect(shown).toHaveLength(3);
    expect(shown[0]).toBe('tidegate_top_denied_hits{rule="d.k",key="quote \\" back \\\\ line  "} 1000');
    expect(metrics.topDenied()).toHaveLength(3);
  });

  it('reads what other parts hold when it is scraped', async () => {
    const metrics = measuring();
    const state: { lastErrorCode?: string } = {};
    metrics.observe({
      breakerState: () => 'half_open',
      lateRefunds: () => 4,
      memoryStore: () => ({ buckets: 5, forgotten: 6, evictedEarly: 7 }),
      limits: () => ({ version: 8, rules: 9, loadedAtMs: 10_500, ...state }),
      openConnections: () => 11,
    });
    expect(await lines(metrics, 'tidegate_limits_last_')).toEqual(['tidegate_limits_last_load_successful 1']);
    state.lastErrorCode = 'TG_LIMITS_SYNTAX';
    const { body } = await metrics.scrape();
    for (const line of [
      'tidegate_store_breaker_state{state="half_open"} 1',
      'tidegate_store_breaker_state{state="open"} 0',
      'tidegate_store_late_refunds_total 4',
      'tidegate_memory_store_buckets 5',
      'tidegate_memory_store_forgotten_total 6',
      'tidegate_memory_store_evicted_early_total 7',
      'tidegate_limits_version 8',
      'tidegate_limits_rules 9',
      'tidegate_limits_loaded_timestamp_seconds 10.5',
      'tidegate_limits_last_load_successful 0',
      'tidegate_limits_last_error{code="TG_LIMITS_SYNTAX"} 1',
      'tidegate_open_connections 11',
    ]) {
      expect(body.split('\n')).toContain(line);
    }
  });

  it('keeps two processes in one apart, and measures the process when asked', async () => {
    const first = measuring({ processMetrics: true });
    const second = measuring({ processMetrics: true });
    first.countersFor('d.k').totalHits(1);
    expect(await lines(second, 'ratelimit_service_rate_limit_total_hits')).toEqual([]);
    expect(first.names()).toEqual(
      expect.arrayContaining([
        'process_cpu_seconds_total',
        'nodejs_eventloop_lag_p99_seconds',
        'tidegate_build_info',
      ]),
    );
  });
});

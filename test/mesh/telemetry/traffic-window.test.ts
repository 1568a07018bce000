/** What the window says, in simulated time: it is what came in its whole seconds, neither more nor less. */
import fc from 'fast-check';
import type { TrafficSnapshot } from '../../../src/core/traffic-telemetry';
import type { PlainMessage } from '../../../src/mesh/definitions';
import { AccessLogMessage } from '../../../src/mesh/telemetry/access-log-message';
import { trafficFigures } from '../../../src/mesh/telemetry/traffic-figures';
import { TrafficWindow } from '../../../src/mesh/telemetry/traffic-window';
import { entry, logs, type LoggedRequest } from './entries';

const SECONDS = 5;

/** A window and what was put in, second by second. */
class Run {
  readonly window: TrafficWindow;
  readonly #message = new AccessLogMessage();

  constructor(maxSeries = 100, maxWords = 1_000_000, seconds = SECONDS) {
    this.window = new TrafficWindow({ seconds, maxSeries, maxWords });
  }

  second(...requests: readonly LoggedRequest[]): this {
    return this.raw(logs(...requests.map((one): PlainMessage => entry(one))));
  }

  raw(bytes: Uint8Array, times = 1): this {
    this.#message.read(bytes, 65_536);
    for (let time = 0; time < times; time += 1) {
      for (let at = 0; at < this.#message.size; at += 1) this.window.add(this.#message, at);
    }
    this.window.advance();
    return this;
  }

  get figures(): ReturnType<typeof trafficFigures> {
    return trafficFigures(this.window);
  }
}

const many = (count: number, request: LoggedRequest = {}): LoggedRequest[] =>
  Array.from({ length: count }, () => request);
const total = (figures: Pick<TrafficSnapshot, 'series' | 'coveredMs'>): number =>
  Math.round((figures.series.reduce((sum, one) => sum + one.ratePerS, 0) * figures.coveredMs) / 1_000);

describe('the window', () => {
  test('tells rates over what it covers while it fills, and over its length then', () => {
    const run = new Run().second(...many(10)).second(...many(20));
    expect(run.figures).toMatchObject({ coveredMs: 2_000, series: [{ ratePerS: 15 }] });
    run.second().second().second().second();
    expect(run.figures).toMatchObject({ coveredMs: 5_000, series: [{ ratePerS: 4 }] });
    expect(run.second().figures.series).toEqual([]);
  });

  test('sums over routes, clusters and hosts', () => {
    const { figures } = new Run().second(
      ...many(2, { route: 'a', cluster: 'x', address: '1.1.1.1' }),
      ...many(3, { route: 'b', cluster: 'x', address: '1.1.1.1' }),
      ...many(5, { route: 'b', cluster: 'y', address: '1.1.1.1' }),
      ...many(7, { route: '', cluster: 'y', address: '' }),
      ...many(1, { route: 'a', cluster: '', address: 'fd00::1', port: 443 }),
    );
    const rates = (of: readonly (object & { ratePerS: number })[]): unknown[] =>
      of.map(({ ratePerS, ...rest }) => {
        const names = Object.values(rest).filter((value) => typeof value === 'string');
        return [...names, ratePerS];
      });
    expect(rates(figures.routes)).toEqual([
      ['a', 3],
      ['b', 8],
    ]);
    expect(rates(figures.clusters)).toEqual([
      ['x', 5],
      ['y', 12],
    ]);
    expect(rates(figures.hosts)).toEqual([
      ['x', '1.1.1.1:80', 5],
      ['y', '1.1.1.1:80', 5],
      ['', '[fd00::1]:443', 1],
    ]);
  });

  test.each<[string, LoggedRequest, number, number]>([
    ['200', {}, 0, 0],
    ['404', { status: 404 }, 0, 0],
    ['500', { status: 500 }, 1, 0],
    ['503 without an upstream', { status: 503, flags: { no_healthy_upstream: true } }, 1, 0],
    ['a reset after the headers', { status: 200, flags: { upstream_remote_reset: true } }, 1, 0],
    ['a client that went away', { status: 0, flags: { downstream_connection_termination: true } }, 0, 0],
    ['429 by the rate limit', { status: 429, flags: { rate_limited: true } }, NaN, 1],
    ['another status by the rate limit', { status: 503, flags: { rate_limited: true } }, NaN, 1],
    ['429 by the upstream', { status: 429 }, NaN, 1],
    ['gRPC OK', { response: { response_trailers: { 'grpc-status': '0' } } }, 0, 0],
    ['gRPC NOT_FOUND', { response: { response_trailers: { 'grpc-status': '5' } } }, 0, 0],
    ['gRPC UNAVAILABLE', { response: { response_trailers: { 'grpc-status': '14' } } }, 1, 0],
    ['gRPC INTERNAL at once', { response: { response_headers: { 'grpc-status': '13' } } }, 1, 0],
    ['gRPC RESOURCE_EXHAUSTED', { response: { response_trailers: { 'grpc-status': '8' } } }, NaN, 1],
  ])('%s counts as an error, or as limited, or neither', (_what, request, errorShare, limitedPerS) => {
    expect(new Run().second(request).figures.series).toMatchObject([
      { errorShare, limitedPerS, ratePerS: 1 },
    ]);
  });

  test('tells response flags by their short names, and forgets them with the window', () => {
    const run = new Run(100, 1_000_000, 2).second(
      { flags: { upstream_connection_failure: true, upstream_retry_limit_exceeded: true } },
      { flags: { upstream_connection_failure: true, unauthorized_details: {} } },
      {},
    );
    expect(run.figures.series[0]?.flags).toEqual({ UF: 2, URX: 1, UAEX: 1 });
    expect(run.second({}).second({}).figures.series[0]?.flags).toEqual({});
  });

  test('what a rate limit stopped changes neither errors nor response times', () => {
    const { figures } = new Run().second(
      ...many(90, { status: 429, flags: { rate_limited: true }, ms: 0.1 }),
      ...many(5, { status: 500, ms: 100 }),
      ...many(5, { ms: 100 }),
    );
    expect(figures.clusters).toMatchObject([{ ratePerS: 100, limitedPerS: 90, errorShare: 0.5 }]);
    expect(figures.clusters[0]?.latencyP50Ms).toBeGreaterThan(95);
  });

  test('a busy series takes the place of the least busy one; `other` has what has no place', () => {
    const run = new Run(2);
    const name = (cluster: string): LoggedRequest => ({ cluster });
    run.second(...many(10, name('a')), name('b'), ...many(5, name('c')), name('d'));
    // The place is taken at the end of the second; what gave way is counted where it went.
    expect(run.figures.clusters.map(({ cluster }) => cluster)).toEqual(['a']);
    expect(run.figures.other.ratePerS).toBe(7);
    run.second(...many(10, name('a')), name('b'), ...many(5, name('c')), name('d'));
    expect(run.figures.clusters.map(({ cluster, ratePerS }) => [cluster, ratePerS])).toEqual([
      ['a', 10],
      ['c', 2.5],
    ]);
    expect(run.figures.other.ratePerS).toBe(4.5);
  });

  test('thousands of new names in a second do not keep a busy one out', () => {
    const run = new Run(10);
    const noise = Array.from({ length: 3_000 }, (_, index) => ({ cluster: `n${index}` }));
    const mixed = noise.flatMap((one, index) => (index % 20 === 0 ? [{ cluster: 'busy' }, one] : [one]));
    run
      .second(...noise.slice(0, 10))
      .second(...mixed)
      .second(...mixed);
    expect(run.figures.clusters.map(({ cluster }) => cluster)).toContain('busy');
    expect(run.figures.series.length).toBeLessThanOrEqual(10);
  });

  test('a place that is not used is free again', () => {
    const run = new Run(1).second({ cluster: 'a' }, ...many(9, { cluster: 'b' }));
    run.second().second({ cluster: 'z' });
    expect(run.figures.clusters.map(({ cluster }) => cluster)).toEqual(['z']);
  });

  test('names that are too long together are counted as other', () => {
    const { figures } = new Run().second({ cluster: 'x'.repeat(1_100) });
    expect(figures.series).toEqual([]);
    expect(figures.other.ratePerS).toBe(1);
  });

  test('writes down no more than it has room for, and has room again later', () => {
    const run = new Run(10, 4_096, 1);
    const thousand = logs(...many(1_000).map((one) => entry(one)));
    run.raw(thousand, 50);
    expect(total(run.figures)).toBeLessThanOrEqual(3 * 4_096);
    expect(total(run.figures)).toBeGreaterThan(4_000);
    expect(total(run.second().second(...many(3)).figures)).toBe(3);
  });

  test('has room for the bound in every second, with flags', () => {
    const [perSecond, seconds] = [500, 4];
    const run = new Run(10, 2 * perSecond * (seconds + 1), seconds);
    const flagged = logs(
      ...many(perSecond, { flags: { upstream_remote_reset: true } }).map((one) => entry(one)),
    );
    for (let second = 0; second < 12; second += 1) run.raw(flagged);
    expect(total(run.figures)).toBe(perSecond * seconds);
    expect(run.figures.series[0]?.flags).toEqual({ UR: perSecond * seconds });
  });

  test('agrees with a count of the same requests, whatever they are', () => {
    const request = fc.record({
      cluster: fc.constantFrom('a', 'b', 'c', 'd', 'e'),
      status: fc.constantFrom(200, 404, 429, 503),
      flags: fc.constantFrom({}, { no_route_found: true }, { upstream_overflow: true, delay_injected: true }),
    });
    const run = fc.array(fc.array(request, { maxLength: 12 }), { minLength: 1, maxLength: 20 });
    fc.assert(
      fc.property(run, fc.integer({ min: 1, max: 6 }), (seconds, maxSeries) => {
        const window = new Run(maxSeries);
        seconds.forEach((requests) => window.second(...requests));
        const expected = seconds.slice(-SECONDS).flat();
        const { clusters, other, coveredMs, series } = window.figures;
        expect(coveredMs).toBe(Math.min(seconds.length, SECONDS) * 1_000);
        expect(series.length).toBeLessThanOrEqual(maxSeries);
        const counted = [...clusters, other];
        const sum = (of: (one: (typeof counted)[number]) => number): number =>
          Math.round(counted.reduce((all, one) => all + of(one), 0));
        const perS = coveredMs / 1_000;
        const overall = (test: (one: (typeof expected)[number]) => boolean): number =>
          expected.filter(test).length;
        expect(sum((one) => one.ratePerS * perS)).toBe(expected.length);
        expect(sum((one) => one.limitedPerS * perS)).toBe(overall(({ status }) => status === 429));
        expect(sum((one) => one.flags['NR'] ?? 0)).toBe(overall(({ flags }) => 'no_route_found' in flags));
        expect(sum((one) => one.flags['UO'] ?? 0)).toBe(overall(({ flags }) => 'upstream_overflow' in flags));
        const errors = overall(
          ({ status, flags }) => status !== 429 && (status === 503 || 'upstream_overflow' in flags),
        );
        const served = (one: (typeof counted)[number]): number => (one.ratePerS - one.limitedPerS) * perS;
        expect(sum((one) => (served(one) > 0 ? one.errorShare * served(one) : 0))).toBe(errors);
        if (maxSeries >= 5) {
          expect(other.ratePerS).toBe(0);
          const byCluster = new Set(expected.map(({ cluster }) => cluster));
          expect(new Set(clusters.map(({ cluster }) => cluster))).toEqual(byCluster);
        }
      }),
      { numRuns: 150 },
    );
  });
});

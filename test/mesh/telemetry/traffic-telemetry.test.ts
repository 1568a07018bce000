/** Telemetry over a real gRPC connection: what clients send, and what hostile ones may. */
import { definitions } from '../../../src/mesh/definitions';
import { targetHealthOf } from '../../../src/mesh/telemetry/target-health';
import {
  TrafficTelemetry,
  type TrafficTelemetryOptions,
} from '../../../src/mesh/telemetry/traffic-telemetry';
import { until } from '../../parts/until';
import { entry, logs, report, socketAddress } from './entries';
import { startTelemetryServer, type ClientStream, type TelemetryServer } from './telemetry-server';

const OK = 0;
const INVALID_ARGUMENT = 3;
const RESOURCE_EXHAUSTED = 8;

let nowMs = 0;
let telemetry: TrafficTelemetry;
let server: TelemetryServer | undefined;
const told: unknown[] = [];

async function start(more: Partial<TrafficTelemetryOptions> = {}, maxBytes?: number): Promise<void> {
  nowMs = 5_000_000;
  told.length = 0;
  const tell = (...what: unknown[]): void => void told.push(what);
  telemetry = new TrafficTelemetry({
    windowMs: 10_000,
    maxSeries: 100,
    maxEntriesPerS: 10_000,
    nowMs: () => nowMs,
    log: { debug: tell, info: tell, warn: tell, error: tell },
    ...more,
  });
  server = await startTelemetryServer(telemetry, 250, maxBytes);
}
afterEach(() => {
  server?.stop();
  server = undefined;
});

function open(method: 'logs' | 'loads'): ClientStream {
  if (server === undefined) throw new Error('there is no server');
  return server.open(method);
}
/** A second on, so that what came counts; counters of the snapshot too. */
const nextSecond = (): ReturnType<TrafficTelemetry['snapshot']> => {
  nowMs += 1_000;
  return telemetry.snapshot();
};
const counted = async (what: string, check: () => boolean): Promise<void> =>
  void (await until(what, check, 10_000));

describe('access logs', () => {
  test('are counted, and answered when the client ends', async () => {
    await start();
    const { stream, answers, ended } = open('logs');
    for (let at = 0; at < 40; at += 1) {
      stream.write(logs(entry({ status: 503, ms: 200 }), entry({ ms: 100 })));
      stream.write(logs(entry({ ms: 100 })));
    }
    await counted('they came', () => nextSecond().counters.entries === 120);
    expect(telemetry.snapshot()).toMatchObject({
      counters: { entries: 120, streams: 1, dropped: 0, malformed: 0 },
      hosts: [{ cluster: 'c', host: '10.0.0.1:80' }],
    });
    const health = targetHealthOf(telemetry.snapshot(), { cluster: 'c' });
    expect(health).toEqual(targetHealthOf(telemetry.snapshot(), { cluster: 'c', host: '10.0.0.1:80' }));
    expect(health.errorShare).toBeCloseTo(1 / 3, 9);
    expect(Math.abs(health.latencyP50Ms / 100 - 1)).toBeLessThan(0.05);
    expect(Math.abs(health.latencyP99Ms / 200 - 1)).toBeLessThan(0.05);
    expect([health.cpu, health.memory]).toEqual([NaN, NaN]);
    stream.end();
    expect(await ended).toBe(OK);
    expect(answers.map((bytes) => bytes.length)).toEqual([0]);
    expect(nextSecond().counters.streams).toBe(0);
  });

  test('make one snapshot a second', async () => {
    await start();
    const first = telemetry.snapshot();
    nowMs += 999;
    expect(telemetry.snapshot()).toBe(first);
    nowMs += 1;
    expect(telemetry.snapshot()).not.toBe(first);
    expect(structuredClone(telemetry.snapshot())).toEqual(telemetry.snapshot());
  });

  test('leave nothing after a silence, however long', async () => {
    await start();
    const { stream } = open('logs');
    stream.write(logs(entry()));
    await counted('it came', () => nextSecond().counters.entries === 1);
    nowMs += 1e9;
    expect(telemetry.snapshot()).toMatchObject({ series: [], coveredMs: 10_000 });
  });

  test('over the bound of a second are only counted, and memory does not grow with them', async () => {
    await start({ maxEntriesPerS: 100 });
    const { stream } = open('logs');
    const bytes = logs(...Array.from({ length: 1_000 }, (_, index) => entry({ route: `r${index}` })));
    for (let message = 0; message < 50; message += 1) stream.write(bytes);
    stream.write(logs(entry()));
    stream.end();
    await until('all came', () => stream.readableEnded);
    const { counters, series, other } = nextSecond();
    expect(counters).toMatchObject({ entries: 50_001, dropped: 49_901 });
    expect(series.reduce((sum, one) => sum + one.ratePerS, other.ratePerS)).toBe(100);
  });
});

describe('load reports', () => {
  const locality = {
    total_successful_requests: 8,
    total_error_requests: 2,
    total_issued_requests: 12,
    total_requests_in_progress: 4,
    load_metric_stats: [
      { metric_name: 'cpu_utilization', num_requests_finished_with_metric: 4, total_metric_value: 2 },
    ],
    mem_utilization: { num_requests_finished_with_metric: 2, total_metric_value: 0.5 },
    upstream_endpoint_stats: [
      {
        address: socketAddress('10.0.0.1', 80),
        total_successful_requests: 5,
        total_error_requests: 5,
        total_issued_requests: 10,
        load_metric_stats: [
          { metric_name: 'cpu_utilization', num_requests_finished_with_metric: 1, total_metric_value: 0.75 },
        ],
      },
    ],
  };
  const stats = {
    cluster_name: 'c',
    upstream_locality_stats: [locality, { total_successful_requests: 2, total_issued_requests: 2 }],
    total_dropped_requests: 3,
    dropped_requests: [{ category: 'throttle', dropped_count: 3 }],
    load_report_interval: { seconds: 1 },
  };

  test('are asked for with the first request, once', async () => {
    await start();
    const { stream, answers } = open('loads');
    stream.write(report());
    await until('an answer', () => answers.length > 0);
    expect(definitions().decode('envoy.service.load_stats.v3.LoadStatsResponse', answers[0]!)).toMatchObject({
      send_all_clusters: true,
      report_endpoint_granularity: true,
      load_reporting_interval: { nanos: 250_000_000 },
    });
    stream.write(report(stats));
    await counted('it came', () => nextSecond().counters.reports === 2);
    expect(answers).toHaveLength(1);
  });

  test('of several Envoys add up, by cluster and host, with what hosts tell of themselves', async () => {
    await start();
    const [a, b] = [open('loads'), open('loads')];
    a.stream.write(report(stats));
    b.stream.write(report(stats));
    await until('both are read', () => a.answers.length + b.answers.length === 2);
    const snapshot = nextSecond();
    expect(snapshot.loads).toEqual([
      {
        cluster: 'c',
        host: '',
        issuedPerS: 28,
        successfulPerS: 20,
        errorsPerS: 4,
        inProgress: 2,
        droppedPerS: 6,
        dropsPerS: { throttle: 6 },
        metrics: { cpu_utilization: 0.5, mem_utilization: 0.25 },
      },
      {
        cluster: 'c',
        host: '10.0.0.1:80',
        issuedPerS: 20,
        successfulPerS: 10,
        errorsPerS: 10,
        inProgress: 0,
        droppedPerS: 0,
        dropsPerS: {},
        metrics: { cpu_utilization: 0.75 },
      },
    ]);
    expect(targetHealthOf(snapshot, { cluster: 'c', host: '10.0.0.1:80' })).toMatchObject({
      errorShare: 0.5,
      cpu: 0.75,
      memory: NaN,
    });
    expect(targetHealthOf(snapshot, { cluster: 'c' })).toMatchObject({ cpu: 0.5, memory: 0.25 });
    expect(targetHealthOf(snapshot, { cluster: 'nobody' })).toMatchObject({ errorShare: NaN, cpu: NaN });
    nowMs += 20_000;
    expect(telemetry.snapshot().loads).toEqual([]);
  });

  test('of more clusters and hosts than the bound are left out, and counted', async () => {
    await start({ maxSeries: 10 });
    const { stream, answers } = open('loads');
    stream.write(
      report(...Array.from({ length: 30 }, (_, index) => ({ ...stats, cluster_name: `c${index}` }))),
    );
    await until('it is read', () => answers.length === 1);
    const { loads, counters } = nextSecond();
    expect(loads).toHaveLength(10);
    expect(counters.reportsOver).toBe(25);
  });

  test('leave values out that are no numbers', async () => {
    await start();
    const { stream, answers } = open('loads');
    const metric = (total: number): object => ({
      metric_name: 'cpu_utilization',
      num_requests_finished_with_metric: 1,
      total_metric_value: total,
    });
    const localities = [{ load_metric_stats: [metric(NaN), metric(Infinity), metric(0.5)] }];
    stream.write(report({ cluster_name: 'c', upstream_locality_stats: localities }));
    await until('it is read', () => answers.length === 1);
    expect(nextSecond().loads[0]?.metrics).toEqual({ cpu_utilization: 0.5 });
  });
});

describe('hostile streams', () => {
  test.each(['logs', 'loads'] as const)(
    'a message that is none ends its stream, and changes nothing: %s',
    async (method) => {
      await start();
      const good = open(method);
      const bad = open(method);
      good.stream.write(method === 'logs' ? logs(entry()) : report());
      const begun =
        method === 'logs'
          ? logs(entry({ route: 'topsecret' }), entry())
          : report({ cluster_name: 'topsecret', upstream_locality_stats: [{ total_issued_requests: 5 }] });
      bad.stream.write(Buffer.concat([begun, Uint8Array.of(0x12, 0x7f, 0x00)]));
      expect(await bad.ended).toBe(INVALID_ARGUMENT);
      const { counters, series, loads } = nextSecond();
      expect(counters).toMatchObject({ malformed: 1, streams: 1, entries: method === 'logs' ? 1 : 0 });
      expect([series.length, loads.length]).toEqual([method === 'logs' ? 1 : 0, 0]);
      expect(JSON.stringify(told)).not.toContain('topsecret');
      expect(told).toHaveLength(1);
      good.stream.write(method === 'logs' ? logs(entry()) : report());
      await counted('the other goes on', () => {
        const now = nextSecond().counters;
        return now.entries + now.reports === 2;
      });
    },
  );

  test('malformed streams are told at most every ten seconds', async () => {
    await start();
    for (let attempt = 0; attempt < 5; attempt += 1) {
      const { stream, ended } = open('logs');
      stream.write(Uint8Array.of(0));
      expect(await ended).toBe(INVALID_ARGUMENT);
    }
    expect(told).toHaveLength(1);
    expect(nextSecond().counters.malformed).toBe(5);
  });

  test('a message over the size that the server takes ends its stream', async () => {
    await start({}, 1_000);
    const { stream, ended } = open('logs');
    stream.write(logs(...Array.from({ length: 50 }, () => entry())));
    expect(await ended).toBe(RESOURCE_EXHAUSTED);
    await until('it is gone', () => nextSecond().counters.streams === 0);
    expect(telemetry.snapshot().counters.entries).toBe(0);
  });

  test('more streams than the bound are refused, until one was silent for long', async () => {
    await start({ maxStreams: 2 });
    const [a, b] = [open('logs'), open('logs')];
    a.stream.write(logs(entry()));
    await counted('a is heard', () => nextSecond().counters.entries === 1);
    b.stream.write(logs(entry()));
    await counted('b is heard', () => nextSecond().counters.entries === 2);
    expect(await open('logs').ended).toBe(RESOURCE_EXHAUSTED);
    nowMs += 29_000;
    b.stream.write(logs(entry()));
    await counted('b is heard again', () => nextSecond().counters.entries === 3);
    const c = open('logs');
    expect(await a.ended).toBe(OK);
    c.stream.write(logs(entry()));
    await counted('c is heard', () => nextSecond().counters.entries === 4);
    expect(telemetry.snapshot().counters).toMatchObject({ streams: 2, streamsRefused: 2 });
  });

  test('a thousand clients that go away leave nothing', async () => {
    await start();
    for (let round = 0; round < 20; round += 1) {
      const streams = Array.from({ length: 50 }, () => open('logs'));
      for (const { stream } of streams) stream.write(logs(entry()));
      await until('they are there', () => nextSecond().counters.entries === (round + 1) * 50);
      for (const { stream } of streams) stream.cancel();
      await until('they are gone', () => nextSecond().counters.streams === 0);
    }
    expect(telemetry.snapshot().counters).toMatchObject({ entries: 1_000, malformed: 0, streamsRefused: 0 });
  });

  test('closing ends the streams', async () => {
    await start();
    const [a, b] = [open('logs'), open('loads')];
    a.stream.write(logs(entry()));
    b.stream.write(report());
    await counted('both are there', () => nextSecond().counters.streams === 2);
    telemetry.close();
    expect(await Promise.all([a.ended, b.ended])).toEqual([OK, OK]);
  });
});

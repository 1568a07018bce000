/** What a real Envoy tells of its traffic: access logs over gRPC, and load reports. */
import { createServer, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { TrafficSnapshot } from '../../src/core/traffic-telemetry';
import { targetHealthOf } from '../../src/mesh/telemetry/target-health';
import { TrafficTelemetry } from '../../src/mesh/telemetry/traffic-telemetry';
import { startTelemetryServer, type TelemetryServer } from '../mesh/telemetry/telemetry-server';
import { startEnvoy, type RunningEnvoy } from '../parts/envoy';
import { until } from '../parts/until';

const log = { debug: () => {}, info: () => {}, warn: () => {}, error: () => {} };
const SLOW_MS = 60;
const HTTP2 = {
  typed_extension_protocol_options: {
    'envoy.extensions.upstreams.http.v3.HttpProtocolOptions': {
      '@type': 'type.googleapis.com/envoy.extensions.upstreams.http.v3.HttpProtocolOptions',
      explicit_http_config: { http2_protocol_options: {} },
    },
  },
};

const socketAddress = (port: number): object => ({
  socket_address: { address: '127.0.0.1', port_value: port },
});

interface Service {
  readonly port: number;
  readonly stop: () => void;
}

async function startService(answer: (response: ServerResponse) => void): Promise<Service> {
  const server = createServer((_request, response) => answer(response));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const stop = (): void => {
    server.closeAllConnections();
    server.close();
  };
  return { port: (server.address() as AddressInfo).port, stop };
}

function bootstrap(control: number, ports: Readonly<Record<string, number>>): Record<string, unknown> {
  const cluster = (name: string, port: number, more: object): object => ({
    name,
    type: 'STATIC',
    connect_timeout: '1s',
    load_assignment: {
      cluster_name: name,
      endpoints: [{ lb_endpoints: [{ endpoint: { address: socketAddress(port) } }] }],
    },
    ...more,
  });
  const accessLog = {
    name: 'envoy.access_loggers.http_grpc',
    typed_config: {
      '@type': 'type.googleapis.com/envoy.extensions.access_loggers.grpc.v3.HttpGrpcAccessLogConfig',
      common_config: {
        log_name: 'mesh',
        transport_api_version: 'V3',
        grpc_service: { envoy_grpc: { cluster_name: 'control' } },
        buffer_flush_interval: '0.1s',
      },
    },
  };
  const routes = Object.keys(ports).map((name) => ({
    name: `to-${name}`,
    match: { prefix: `/${name}` },
    route: { cluster: name },
  }));
  return {
    node: { id: 'edge-1', cluster: 'edge' },
    admin: { address: socketAddress(0) },
    cluster_manager: {
      load_stats_config: {
        api_type: 'GRPC',
        transport_api_version: 'V3',
        grpc_services: [{ envoy_grpc: { cluster_name: 'control' } }],
      },
    },
    static_resources: {
      listeners: [
        {
          name: 'in',
          address: socketAddress(0),
          filter_chains: [
            {
              filters: [
                {
                  name: 'hcm',
                  typed_config: {
                    '@type':
                      'type.googleapis.com/envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager',
                    stat_prefix: 'in',
                    access_log: [accessLog],
                    route_config: {
                      name: 'web',
                      virtual_hosts: [{ name: 'all', domains: ['*'], routes }],
                    },
                    http_filters: [
                      {
                        name: 'router',
                        typed_config: {
                          '@type': 'type.googleapis.com/envoy.extensions.filters.http.router.v3.Router',
                        },
                      },
                    ],
                  },
                },
              ],
            },
          ],
        },
      ],
      clusters: [
        cluster('control', control, HTTP2),
        ...Object.entries(ports).map(([name, port]) =>
          cluster(name, port, {
            lrs_report_endpoint_metrics: ['cpu_utilization', 'mem_utilization'],
          }),
        ),
      ],
    },
  };
}

describe('a real Envoy tells', () => {
  const services: Record<string, Service> = {};
  let telemetry: TrafficTelemetry;
  let server: TelemetryServer;
  let envoy: RunningEnvoy;

  beforeAll(async () => {
    const orca = 'TEXT cpu_utilization=0.75, mem_utilization=0.5';
    services['failing'] = await startService((response) => response.writeHead(500).end('no'));
    services['slow'] = await startService((response) => {
      setTimeout(() => response.writeHead(200, { 'endpoint-load-metrics': orca }).end('yes'), SLOW_MS);
    });
    // A port that nobody listens on.
    const gone = await startService((response) => response.end());
    gone.stop();
    services['gone'] = gone;
    telemetry = new TrafficTelemetry({
      windowMs: 60_000,
      maxSeries: 100,
      maxEntriesPerS: 10_000,
      nowMs: () => performance.now(),
      log,
    });
    server = await startTelemetryServer(telemetry, 200);
    const ports = Object.fromEntries(Object.entries(services).map(([name, { port }]) => [name, port]));
    envoy = await startEnvoy(bootstrap(server.port, ports));
  });

  afterAll(async () => {
    await envoy?.stop();
    server?.stop();
    for (const { stop } of Object.values(services)) stop();
  });

  const ask = async (path: string): Promise<number> => {
    const response = await fetch(`${envoy.url('in')}${path}`);
    await response.arrayBuffer();
    return response.status;
  };
  const askTimes = async (path: string, times: number): Promise<number[]> => {
    const statuses: number[] = [];
    for (let time = 0; time < times; time += 1) statuses.push(await ask(path));
    return statuses;
  };
  const host = (name: string): string => `127.0.0.1:${services[name]?.port}`;
  /** How many requests a rate of a snapshot stands for. */
  const requests = (snapshot: TrafficSnapshot, ratePerS: number | undefined): number =>
    Math.round(((ratePerS ?? 0) * snapshot.coveredMs) / 1_000);

  test('rates, errors, response times and flags of each route, cluster and host', async () => {
    expect(new Set(await askTimes('/failing', 20))).toEqual(new Set([500]));
    expect(new Set(await askTimes('/slow', 20))).toEqual(new Set([200]));
    expect(new Set(await askTimes('/gone', 5))).toEqual(new Set([503]));
    expect(await ask('/nowhere')).toBe(404);
    const snapshot = await until('all are told', () => {
      const now = telemetry.snapshot();
      return requests(
        now,
        now.series.reduce((sum, one) => sum + one.ratePerS, 0),
      ) === 46
        ? now
        : undefined;
    });

    const of = (name: string): TrafficSnapshot['series'][number] | undefined =>
      snapshot.series.find(({ cluster }) => cluster === name);
    expect(of('failing')).toMatchObject({ route: 'to-failing', host: host('failing'), errorShare: 1 });
    expect(of('slow')).toMatchObject({ route: 'to-slow', host: host('slow'), errorShare: 0, flags: {} });
    expect(of('gone')).toMatchObject({ route: 'to-gone', errorShare: 1, flags: { UF: 5 } });
    expect(snapshot.series.find(({ cluster }) => cluster === '')).toMatchObject({ flags: { NR: 1 } });
    expect(['failing', 'slow', 'gone'].map((name) => requests(snapshot, of(name)?.ratePerS))).toEqual([
      20, 20, 5,
    ]);
    expect(snapshot.counters).toMatchObject({ entries: 46, dropped: 0, malformed: 0, other: 0 });

    const slow = targetHealthOf(snapshot, { cluster: 'slow', host: host('slow') });
    const failing = targetHealthOf(snapshot, { cluster: 'failing' });
    expect([slow.errorShare, failing.errorShare]).toEqual([0, 1]);
    expect(slow.latencyP50Ms).toBeGreaterThan(SLOW_MS * 0.95);
    expect(slow.latencyP50Ms).toBeGreaterThan(failing.latencyP50Ms);
    expect(of('slow')?.latencyP99Ms).toBeGreaterThanOrEqual(slow.latencyP50Ms);
  });

  test('load of clusters and endpoints, and what endpoints report of themselves', async () => {
    const before = (name: string, at: string): number => {
      const found = telemetry.snapshot().loads.find((load) => load.cluster === name && load.host === at);
      return found === undefined ? 0 : found.successfulPerS + found.errorsPerS;
    };
    await askTimes('/failing', 5);
    await askTimes('/slow', 5);
    await until(
      'both are reported, with endpoints',
      () =>
        before('failing', host('failing')) > 0 && before('slow', host('slow')) > 0 && before('slow', '') > 0,
    );
    const snapshot = telemetry.snapshot();
    const load = (name: string, at: string) =>
      snapshot.loads.find((one) => one.cluster === name && one.host === at);
    expect(load('failing', host('failing'))).toMatchObject({ successfulPerS: 0, droppedPerS: 0 });
    expect(load('failing', host('failing'))?.errorsPerS).toBeGreaterThan(0);
    expect(load('slow', host('slow'))).toMatchObject({ errorsPerS: 0 });
    expect(load('slow', '')?.metrics).toEqual({ cpu_utilization: 0.75, mem_utilization: 0.5 });
    const health = targetHealthOf(snapshot, { cluster: 'slow', host: host('slow') });
    expect([health.cpu, health.memory]).toEqual([0.75, 0.5]);
  });

  test('again after the server was away', async () => {
    const { port } = server;
    const { entries } = telemetry.snapshot().counters;
    expect(entries).toBeGreaterThan(0);
    server.stop();
    telemetry = new TrafficTelemetry({
      windowMs: 10_000,
      maxSeries: 100,
      maxEntriesPerS: 10_000,
      nowMs: () => performance.now(),
      log,
    });
    server = await startTelemetryServer(telemetry, 200, undefined, port);
    await until('requests are told again', async () => {
      await ask('/failing');
      return telemetry.snapshot().clusters.some(({ cluster }) => cluster === 'failing');
    });
    await until('load is reported again', async () => {
      await ask('/failing');
      return telemetry.snapshot().loads.some(({ cluster }) => cluster === 'failing');
    });
    expect(telemetry.snapshot().counters.malformed).toBe(0);
  });
});

/**
 * Three instances of a shop behind one Envoy, each with a bucket of its own, all of it from Tidegate: listener, routes, clusters by
 * ADS, with access logs and load reports back.
 */
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { Agent, request } from 'node:http';
import { tmpdir } from 'node:os';
import path from 'node:path';
import type { EnvoyConfig } from '../../scripts/parts/envoy-config.cjs';
import { freePort } from './free-port';
import { writeLimits } from './limits-file';
import { startTidegate, type TidegateProcess } from './tidegate-process';
import { startUpstream, type Upstream } from './upstream';

const TYPE = 'type.googleapis.com/envoy';
const HTTP2 = {
  'envoy.extensions.upstreams.http.v3.HttpProtocolOptions': {
    '@type': `${TYPE}.extensions.upstreams.http.v3.HttpProtocolOptions`,
    explicit_http_config: { http2_protocol_options: {} },
  },
};

/** A shop that waits for its Tidegate and its Envoy. */
export interface Shop {
  readonly upstreams: readonly Upstream[];
  /** Where Envoy will listen. */
  readonly url: string;
  /** Starts a Tidegate for it; `env` counts before the shop's own settings. */
  start(mode: string, env?: Readonly<Record<string, string>>): Promise<TidegateProcess>;
  stop(): Promise<void>;
}

/** The instances, which are clusters. */
export const INSTANCES = ['shop-a', 'shop-b', 'shop-c'] as const;

function addressOf(address: string): object {
  const at = address.lastIndexOf(':');
  return {
    socket_address: { address: address.slice(0, at), port_value: Number(address.slice(at + 1)) },
  };
}

function cluster(name: string, address: string, extra: object = {}): object {
  return {
    name,
    type: 'STATIC',
    connect_timeout: '1s',
    load_assignment: {
      cluster_name: name,
      endpoints: [{ lb_endpoints: [{ endpoint: { address: addressOf(address) } }] }],
    },
    ...extra,
  };
}

/** A limits file with a bucket for each instance, that holds twice a second's worth. */
function shopLimits(ratesPerS: readonly number[]): string {
  const rules = INSTANCES.map(
    (name, at) => `
  - key: destination_cluster
    value: ${name}
    rate_limit: {unit: second, requests_per_unit: ${ratesPerS[at]}, capacity: ${2 * (ratesPerS[at] ?? 0)}}`,
  );
  return `domain: shop\ndescriptors:${rules.join('')}\n`;
}

/** The settings of traffic: one group, and VIPs as a class that moves last. */
function shopSettings(folder: string, mode: string): Readonly<Record<string, string>> {
  const targets = INSTANCES.map((name) => ({
    group: 'shop',
    cluster: name,
    bucket: `shop.destination_cluster_${name}`,
  }));
  const classes = [
    { group: 'shop', name: 'vip', priority: 'CRITICAL', header: 'x-user-tier', values: ['vip'] },
  ];
  return {
    TIDEGATE_MESH_PATH: folder,
    TIDEGATE_MESH_TARGETS: JSON.stringify(targets),
    TIDEGATE_MESH_CLASSES: JSON.stringify(classes),
    TIDEGATE_MESH_TRAFFIC_MODE: mode,
    TIDEGATE_MESH_TELEMETRY_ACCESS_LOGS: 'true',
    TIDEGATE_MESH_TELEMETRY_LOAD_REPORTS: 'true',
    // How long a busy machine takes to answer says nothing here.
    TIDEGATE_MESH_TRAFFIC_HEALTH_LATENCY_FROM: '1000',
    TIDEGATE_MESH_TRAFFIC_HEALTH_LATENCY_TO: '1000',
  };
}

/** Writes the resources. @param port of Envoy's listener. @param upstreams of the instances, `host:port`. @returns their folder. */
async function writeResources(port: number, upstreams: readonly string[]): Promise<string> {
  const folder = await mkdtemp(path.join(tmpdir(), 'tidegate-shop-'));
  const write = (name: string, resources: readonly object[]): Promise<void> =>
    writeFile(path.join(folder, `${name}.json`), JSON.stringify({ resources }));
  await write(
    'clusters',
    INSTANCES.map((name, at) => ({
      '@type': `${TYPE}.config.cluster.v3.Cluster`,
      ...cluster(name, upstreams[at] ?? ''),
    })),
  );
  await write('routes', [
    {
      '@type': `${TYPE}.config.route.v3.RouteConfiguration`,
      name: 'routes',
      virtual_hosts: [
        {
          name: 'all',
          domains: ['*'],
          rate_limits: [{ actions: [{ destination_cluster: {} }] }],
          routes: [
            {
              name: 'shop',
              match: { prefix: '/' },
              route: {
                weighted_clusters: { clusters: INSTANCES.map((name) => ({ name, weight: 1 })) },
              },
            },
          ],
        },
      ],
    },
  ]);
  await write('listeners', [
    {
      '@type': `${TYPE}.config.listener.v3.Listener`,
      name: 'in',
      address: addressOf(`127.0.0.1:${port}`),
      filter_chains: [{ filters: [connectionManager()] }],
    },
  ]);
  return folder;
}

/** Makes a shop. @param ratesPerS the limits of the instances. */
export async function openShop(ratesPerS: readonly number[]): Promise<Shop> {
  const [port, limits, ...upstreams] = await Promise.all([
    freePort(),
    writeLimits(shopLimits(ratesPerS)),
    ...INSTANCES.map(() => startUpstream()),
  ]);
  const folder = await writeResources(
    port,
    upstreams.map(({ address }) => address),
  );
  return {
    upstreams,
    url: `http://127.0.0.1:${port}/`,
    start: (mode, env = {}) =>
      startTidegate({ limits: limits.path, env: { ...shopSettings(folder, mode), ...env } }),
    stop: async () => {
      const gone = rm(folder, { recursive: true, force: true });
      await Promise.all([limits.remove(), gone, ...upstreams.map((one) => one.stop())]);
    },
  };
}

function connectionManager(): object {
  return {
    name: 'envoy.filters.network.http_connection_manager',
    typed_config: {
      '@type': `${TYPE}.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager`,
      stat_prefix: 'in',
      rds: { route_config_name: 'routes', config_source: { ads: {}, resource_api_version: 'V3' } },
      access_log: [
        {
          name: 'envoy.access_loggers.http_grpc',
          typed_config: {
            '@type': `${TYPE}.extensions.access_loggers.grpc.v3.HttpGrpcAccessLogConfig`,
            common_config: {
              log_name: 'in',
              transport_api_version: 'V3',
              buffer_flush_interval: '0.2s',
              grpc_service: { envoy_grpc: { cluster_name: 'control' } },
            },
          },
        },
      ],
      http_filters: [
        {
          name: 'envoy.filters.http.ratelimit',
          typed_config: {
            '@type': `${TYPE}.extensions.filters.http.ratelimit.v3.RateLimit`,
            domain: 'shop',
            timeout: '1s',
            failure_mode_deny: false,
            rate_limit_service: {
              transport_api_version: 'V3',
              grpc_service: { envoy_grpc: { cluster_name: 'limits' } },
            },
          },
        },
        {
          name: 'envoy.filters.http.router',
          typed_config: { '@type': `${TYPE}.extensions.filters.http.router.v3.Router` },
        },
      ],
    },
  };
}

/** An Envoy that has only what it needs to find Tidegate. */
export function shopEnvoy(tidegate: { readonly data: string; readonly control: string }): EnvoyConfig {
  const service = { envoy_grpc: { cluster_name: 'control' } };
  return {
    node: { id: 'edge-1', cluster: 'edge' },
    admin: { address: addressOf('127.0.0.1:0') },
    cluster_manager: {
      load_stats_config: {
        api_type: 'GRPC',
        transport_api_version: 'V3',
        grpc_services: [service],
      },
    },
    dynamic_resources: {
      ads_config: { api_type: 'GRPC', transport_api_version: 'V3', grpc_services: [service] },
      lds_config: { ads: {}, resource_api_version: 'V3' },
      cds_config: { ads: {}, resource_api_version: 'V3' },
    },
    static_resources: {
      clusters: [
        cluster('control', tidegate.control, { typed_extension_protocol_options: HTTP2 }),
        cluster('limits', tidegate.data, { typed_extension_protocol_options: HTTP2 }),
      ],
    },
  };
}

/** Calls at a rate that may change, whatever the answers take: one in five is a VIP's. */
export class OpenLoad {
  /** Answers by status, of VIPs and of all. 0: no answer. */
  readonly vip = new Map<number, number>();
  readonly all = new Map<number, number>();
  private readonly agent = new Agent({ keepAlive: true, maxSockets: 64 });
  private readonly pending = new Set<Promise<void>>();
  private readonly startedMs = performance.now();
  private readonly timer: NodeJS.Timeout;
  private due = 0;
  private sent = 0;
  private lastMs = 0;

  /** @param ratePerS by the ms since it began. */
  constructor(
    private readonly url: string,
    private readonly ratePerS: (atMs: number) => number,
  ) {
    this.timer = setInterval(() => this.turn(), 10);
  }

  /** ms since it began. */
  get atMs(): number {
    return performance.now() - this.startedMs;
  }

  /** Ends, once all are answered. */
  async stop(): Promise<void> {
    clearInterval(this.timer);
    await Promise.all(this.pending);
    this.agent.destroy();
  }

  private turn(): void {
    const nowMs = this.atMs;
    this.due += (this.ratePerS(nowMs) * (nowMs - this.lastMs)) / 1_000;
    this.lastMs = nowMs;
    while (this.sent < this.due) {
      this.sent += 1;
      const vip = this.sent % 5 === 0;
      const call = this.call(vip).then((status) => {
        this.pending.delete(call);
        this.all.set(status, (this.all.get(status) ?? 0) + 1);
        if (vip) this.vip.set(status, (this.vip.get(status) ?? 0) + 1);
      });
      this.pending.add(call);
    }
  }

  private call(vip: boolean): Promise<number> {
    return new Promise((resolve) => {
      const headers = vip ? { 'x-user-tier': 'vip' } : {};
      const ask = request(this.url, { agent: this.agent, headers }, (answer) => {
        answer.resume();
        answer.once('end', () => resolve(answer.statusCode ?? 0));
        answer.once('error', () => resolve(0));
      });
      ask.once('error', () => resolve(0));
      ask.end();
    });
  }
}

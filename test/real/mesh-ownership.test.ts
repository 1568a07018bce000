/**
 * Tidegate owns only some of what a real Envoy has - its routes, its endpoints, or a runtime layer - and the rest stands in
 * Envoy's own file, as another control plane's would. Weights move traffic, and no request fails.
 */
import { Server, ServerCredentials } from '@grpc/grpc-js';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TrafficView } from '../../src/core/mesh-view';
import { ENDPOINT_TYPE, ROUTE_TYPE } from '../../src/mesh/resource-types';
import { SnapshotCache, snapshotOf } from '../../src/mesh/snapshot-cache';
import { WeightedResources, type GroupShares } from '../../src/mesh/weights/weighted-resources';
import type { ResourceDocument } from '../../src/mesh/weights/rows';
import { XdsServices } from '../../src/mesh/xds-services';
import { route, target, VIP } from '../mesh/weights/resources';
import { startEnvoy, type RunningEnvoy } from '../parts/envoy';
import { freePort } from '../parts/free-port';
import { writeLimits } from '../parts/limits-file';
import { startTidegate } from '../parts/tidegate-process';
import { until } from '../parts/until';
import { startUpstream, type Upstream } from '../parts/upstream';

const TYPE = 'type.googleapis.com/envoy';
const TTL_MS = 3_000;
const log = { debug: () => {}, info: () => {}, warn: () => {}, error: () => {} };
const ads = { ads: {}, resource_api_version: 'V3' };
const ownService = {
  resource_api_version: 'V3',
  api_config_source: {
    api_type: 'GRPC',
    transport_api_version: 'V3',
    grpc_services: [{ envoy_grpc: { cluster_name: 'control' } }],
  },
};

let upstreams: readonly [Upstream, Upstream];
let envoy: RunningEnvoy | undefined;
let stopControl: (() => void) | undefined;

beforeEach(async () => {
  upstreams = [await startUpstream(), await startUpstream()];
});

afterEach(async () => {
  await envoy?.stop();
  stopControl?.();
  envoy = undefined;
  stopControl = undefined;
  await Promise.all(upstreams.map((one) => one.stop()));
});

const address = (text: string): object => {
  const [host, port] = text.split(':');
  return { address: { socket_address: { address: host, port_value: Number(port) } } };
};
const endpoint = (text: string): object => ({ endpoint: address(text) });

/** A control plane on a port of its own, as an ended process leaves it when it is killed. */
async function startControl(
  weights: WeightedResources,
  heartbeatMs = 1_000,
): Promise<{ port: number; apply: (shares: GroupShares) => void }> {
  const cache = new SnapshotCache();
  const apply = (shares: GroupShares): void =>
    void cache.set('all', snapshotOf(weights.apply(shares).resources));
  apply(new Map());
  const services = new XdsServices({
    cache,
    groupOf: () => 'all',
    log,
    nowMs: () => performance.now(),
    heartbeatMs,
  });
  const server = new Server();
  for (const { definition, implementation } of services.grpcServices())
    server.addService(definition, implementation);
  const port = await new Promise<number>((resolve, reject) => {
    server.bindAsync('127.0.0.1:0', ServerCredentials.createInsecure(), (error, bound) =>
      error === null ? resolve(bound) : reject(error),
    );
  });
  stopControl = () => {
    services.close();
    server.forceShutdown();
  };
  return { port, apply };
}

const cluster = (name: string, ...places: readonly string[]): object => ({
  name,
  type: 'STATIC',
  load_assignment: { cluster_name: name, endpoints: [{ lb_endpoints: places.map(endpoint) }] },
});

interface Owned {
  readonly port: number;
  readonly routes: object;
  readonly clusters: readonly object[];
  readonly runtime?: object;
}

function bootstrap({ port, routes, clusters, runtime }: Owned): Record<string, unknown> {
  const http2 = `${TYPE}.extensions.upstreams.http.v3.HttpProtocolOptions`;
  const control = {
    ...cluster('control', `127.0.0.1:${port}`),
    typed_extension_protocol_options: {
      'envoy.extensions.upstreams.http.v3.HttpProtocolOptions': {
        '@type': http2,
        explicit_http_config: { http2_protocol_options: {} },
      },
    },
  };
  const manager = {
    '@type': `${TYPE}.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager`,
    stat_prefix: 'in',
    ...routes,
    http_filters: [
      { name: 'router', typed_config: { '@type': `${TYPE}.extensions.filters.http.router.v3.Router` } },
    ],
  };
  return {
    node: { id: 'edge-1', cluster: 'edge' },
    admin: address('127.0.0.1:0'),
    dynamic_resources: {
      ads_config: { ...ownService.api_config_source },
    },
    static_resources: {
      clusters: [control, ...clusters],
      listeners: [
        {
          name: 'in',
          ...address('127.0.0.1:0'),
          filter_chains: [{ filters: [{ name: 'hcm', typed_config: manager }] }],
        },
      ],
    },
    ...(runtime === undefined ? {} : { layered_runtime: { layers: [runtime] } }),
  };
}

async function ask(headers: Record<string, string> = {}): Promise<number> {
  const response = await fetch(`${envoy?.url('in') ?? ''}/`, { headers });
  await response.arrayBuffer();
  return response.status;
}

/** Which part of 200 requests reached the first upstream; all have to succeed. */
async function firstPart(headers: Record<string, string> = {}): Promise<number> {
  const before = upstreams.map(({ seen }) => seen);
  const statuses = new Set(await Promise.all(Array.from({ length: 200 }, () => ask(headers))));
  expect([...statuses]).toEqual([200]);
  const [first = 0, second = 0] = upstreams.map(({ seen }, at) => seen - (before[at] ?? 0));
  return first / (first + second);
}

/** As many and as long as settings may have. */
const LONG = Array.from({ length: 997 }, (_, at) => `${at}-${'+x'.repeat(120)}`);
const gold = { 'x-tier': 'gold' };
const document = (typeUrl: string, value: object): ResourceDocument => ({
  typeUrl,
  value,
  file: 'folder',
  path: 'resources[0]',
});
const input = { classes: [], runtimeLayer: '', runtimeTtlMs: TTL_MS };

test.each([
  ['the aggregated service', ads],
  ['a service of routes alone', ownService],
])(
  'only routes, by %s: each class goes where its own weights say',
  async (_name, source) => {
    const routes = {
      name: 'web',
      virtual_hosts: [{ name: 'all', domains: ['*'], routes: [route({ a: 1, b: 1 })] }],
    };
    const weights = new WeightedResources({
      ...input,
      resources: [document(ROUTE_TYPE, routes)],
      targets: [target('web:a'), target('web:b')],
      classes: [
        VIP,
        {
          ...VIP,
          name: 'many',
          values: ['silver', 'bro*', '*.x', ...LONG],
          methods: ['GET', 'HEAD'],
          path: '/',
        },
      ],
    });
    const { port, apply } = await startControl(weights);
    envoy = await startEnvoy(
      bootstrap({
        port,
        routes: { rds: { route_config_name: 'web', config_source: source } },
        clusters: [cluster('a', upstreams[0].address), cluster('b', upstreams[1].address)],
      }),
    );
    expect(await firstPart()).toBeGreaterThan(0.3);
    const shares = [
      [1, 0],
      [0.5, 0.5],
      [0, 1],
    ];
    apply(new Map([['web', shares]]));
    await until('others move', async () => (await firstPart()) === 0, 20_000);
    expect(await firstPart(gold)).toBe(1);
    for (const tier of ['silver', 'bronze', 'a.x', LONG[996] ?? '']) {
      const part = await firstPart({ 'x-tier': tier });
      expect([tier.slice(0, 9), part > 0.3 && part < 0.7]).toEqual([tier.slice(0, 9), true]);
    }
    expect(await firstPart({ 'x-tier': 'silvery' })).toBe(0);
    expect(await envoy.stat('http.in.rds.web.update_rejected')).toBe(0);
  },
  60_000,
);

test('only endpoints: their weights move traffic, and each keeps a trickle', async () => {
  const places = upstreams.map((one) => one.address);
  const weights = new WeightedResources({
    ...input,
    resources: [
      document(ENDPOINT_TYPE, { cluster_name: 'a', endpoints: [{ lb_endpoints: places.map(endpoint) }] }),
    ],
    targets: places.map((place) => target(`one:a/${place}`)),
  });
  const { port, apply } = await startControl(weights);
  const eds = { name: 'a', type: 'EDS', eds_cluster_config: { eds_config: ownService } };
  const toA = [{ match: { prefix: '/' }, route: { cluster: 'a' } }];
  envoy = await startEnvoy(
    bootstrap({
      port,
      routes: { route_config: { virtual_hosts: [{ name: 'all', domains: ['*'], routes: toA }] } },
      clusters: [eds],
    }),
  );
  expect(await firstPart()).toBeCloseTo(0.5, 1);
  apply(new Map([['one', [[0.9, 0.1]]]]));
  await until('the first gets more', async () => Math.abs((await firstPart()) - 0.9) < 0.03, 20_000);
  apply(new Map([['one', [[0, 1]]]]));
  await until('the first is drained', async () => (await firstPart()) < 0.01, 20_000);
  expect(await envoy.stat('cluster.a.update_rejected')).toBe(0);
}, 60_000);

test.each([
  ['state of the world', 'GRPC'],
  ['incremental', 'DELTA_GRPC'],
])(
  'only a runtime layer, by %s: once nothing is heard of Tidegate, the configured weights hold again',
  async (_name, variant) => {
    const rows = ['a', 'b'].map((name) => target(`web:${name}`, { runtimePrefix: 'theirs' }));
    const weights = new WeightedResources({
      ...input,
      resources: [],
      targets: rows,
      runtimeLayer: 'tidegate',
    });
    const { port, apply } = await startControl(weights);
    const source = {
      ...ownService,
      api_config_source: { ...ownService.api_config_source, api_type: variant },
    };
    const theirs = [route({ a: 50, b: 50 }, {}, { runtime_key_prefix: 'theirs' })];
    envoy = await startEnvoy(
      bootstrap({
        port,
        routes: { route_config: { virtual_hosts: [{ name: 'all', domains: ['*'], routes: theirs }] } },
        clusters: [cluster('a', upstreams[0].address), cluster('b', upstreams[1].address)],
        runtime: { name: 'tidegate', rtds_layer: { name: 'tidegate', rtds_config: source } },
      }),
    );
    expect(await firstPart()).toBeCloseTo(0.5, 0);
    apply(new Map([['web', [[0, 1]]]]));
    await until('all goes to the second', async () => (await firstPart()) === 0, 20_000);
    const movedMs = performance.now();
    await until('it stays for longer than it lives', async () => {
      expect(await firstPart()).toBe(0);
      return performance.now() - movedMs > TTL_MS + 1_000;
    });
    stopControl?.();
    const killedMs = performance.now();
    await until('the configured weights hold', async () => (await firstPart()) > 0.3, 20_000);
    // Not before it has run out, and soon after.
    const tookMs = performance.now() - killedMs;
    expect(tookMs).toBeGreaterThan(TTL_MS - 1_500);
    expect(tookMs).toBeLessThan(TTL_MS + 5_000);
  },
  60_000,
);

test.each([
  ['state of the world', 'GRPC'],
  ['incremental', 'DELTA_GRPC'],
])(
  'a layer that ran out while nothing was said, by %s, is back with the next word',
  async (_name, variant) => {
    const rows = ['a', 'b'].map((name) => target(`web:${name}`, { runtimePrefix: 'theirs' }));
    const weights = new WeightedResources({
      ...input,
      resources: [],
      targets: rows,
      runtimeLayer: 'tidegate',
    });
    const { port, apply } = await startControl(weights, 2 * TTL_MS);
    apply(new Map([['web', [[0, 1]]]]));
    const source = {
      ...ownService,
      api_config_source: { ...ownService.api_config_source, api_type: variant },
    };
    const theirs = [route({ a: 50, b: 50 }, {}, { runtime_key_prefix: 'theirs' })];
    envoy = await startEnvoy(
      bootstrap({
        port,
        routes: { route_config: { virtual_hosts: [{ name: 'all', domains: ['*'], routes: theirs }] } },
        clusters: [cluster('a', upstreams[0].address), cluster('b', upstreams[1].address)],
        runtime: { name: 'tidegate', rtds_layer: { name: 'tidegate', rtds_config: source } },
      }),
    );
    await until('all goes to the second', async () => (await firstPart()) === 0);
    await until('the layer ran out', async () => (await firstPart()) > 0.3);
    await until('it is back', async () => (await firstPart()) === 0);
  },
  60_000,
);

test('a Tidegate as users run it owns only a layer, and is killed: no request fails', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'tidegate-empty-'));
  const limits = await writeLimits('domain: shop\n');
  const targets = ['a', 'b'].map((name) => ({
    group: 'web',
    cluster: name,
    weight: 50,
    runtime_prefix: 'theirs',
  }));
  const tidegate = await startTidegate({
    limits: limits.path,
    env: {
      TIDEGATE_MESH_PATH: folder,
      TIDEGATE_MESH_TARGETS: JSON.stringify(targets),
      TIDEGATE_MESH_TRAFFIC_MODE: 'active',
      TIDEGATE_MESH_TRAFFIC_RUNTIME_LAYER: 'tidegate',
      TIDEGATE_MESH_TRAFFIC_RUNTIME_LIFE: `${TTL_MS}ms`,
    },
  });
  try {
    const theirs = [route({ a: 50, b: 50 }, {}, { runtime_key_prefix: 'theirs' })];
    envoy = await startEnvoy(
      bootstrap({
        port: Number(tidegate.control.split(':')[1]),
        routes: { route_config: { virtual_hosts: [{ name: 'all', domains: ['*'], routes: theirs }] } },
        clusters: [cluster('a', upstreams[0].address), cluster('b', upstreams[1].address)],
        runtime: { name: 'tidegate', rtds_layer: { name: 'tidegate', rtds_config: ads } },
      }),
    );
    await until('nothing to warn of', async () => {
      const answer = await fetch(`http://${tidegate.admin}/api/v1/traffic`);
      return ((await answer.json()) as TrafficView).warnings.length === 0;
    });
    expect(await envoy.stat('runtime.update_success')).toBeGreaterThan(0);
    expect(await firstPart()).toBeCloseTo(0.5, 0);
    tidegate.child.signal('SIGKILL');
    await tidegate.child.exited;
    const killedMs = performance.now();
    await until('its layer is gone', async () => {
      expect(await firstPart()).toBeCloseTo(0.5, 0);
      return performance.now() - killedMs > TTL_MS + 1_000;
    });
  } finally {
    await tidegate.stop();
    await limits.remove();
    rmSync(folder, { recursive: true, force: true });
  }
}, 60_000);

test('a port that nobody serves keeps Envoy on what its own file says', async () => {
  const port = await freePort();
  const theirs = [route({ a: 100, b: 0 }, {}, { runtime_key_prefix: 'theirs' })];
  envoy = await startEnvoy(
    bootstrap({
      port,
      routes: { route_config: { virtual_hosts: [{ name: 'all', domains: ['*'], routes: theirs }] } },
      clusters: [cluster('a', upstreams[0].address), cluster('b', upstreams[1].address)],
      runtime: {
        name: 'tidegate',
        rtds_layer: { name: 'tidegate', rtds_config: { ...ownService, initial_fetch_timeout: '1s' } },
      },
    }),
  );
  expect(await firstPart()).toBe(1);
}, 60_000);

/** Our discovery server with a real Envoy: what is set is used, changes cost no request, refusals are seen. */
import { Server, ServerCredentials } from '@grpc/grpc-js';
import { resourceFromJson } from '../../src/mesh/resource';
import { CLUSTER_TYPE, ENDPOINT_TYPE, LISTENER_TYPE, ROUTE_TYPE } from '../../src/mesh/resource-types';
import { SnapshotCache, snapshotOf, type Snapshot } from '../../src/mesh/snapshot-cache';
import { XdsServices } from '../../src/mesh/xds-services';
import { startEnvoy, type RunningEnvoy } from '../parts/envoy';
import { freePort } from '../parts/free-port';
import { until } from '../parts/until';
import { startUpstream, type Upstream } from '../parts/upstream';

const GROUP = 'all';
const log = { debug: () => {}, info: () => {}, warn: () => {}, error: () => {} };

interface ControlPlane {
  readonly services: XdsServices;
  readonly port: number;
  stop(): void;
}

async function startControlPlane(cache: SnapshotCache, port = 0): Promise<ControlPlane> {
  const services = new XdsServices({ cache, groupOf: () => GROUP, log, nowMs: () => performance.now() });
  const server = new Server();
  for (const { definition, implementation } of services.grpcServices())
    server.addService(definition, implementation);
  const bound = await new Promise<number>((resolve, reject) => {
    server.bindAsync(`127.0.0.1:${port}`, ServerCredentials.createInsecure(), (error, at) =>
      error === null ? resolve(at) : reject(error),
    );
  });
  const stop = (): void => {
    services.close();
    server.forceShutdown();
  };
  return { services, port: bound, stop };
}

const socketAddress = (address: string): object => {
  const [host, port] = address.split(':');
  return { socket_address: { address: host, port_value: Number(port) } };
};

function bootstrap(port: number, delta: boolean): Record<string, unknown> {
  const endpoint = { endpoint: { address: socketAddress(`127.0.0.1:${port}`) } };
  return {
    node: { id: 'edge-1', cluster: 'edge' },
    admin: { address: socketAddress('127.0.0.1:0') },
    dynamic_resources: {
      ads_config: {
        api_type: delta ? 'DELTA_GRPC' : 'GRPC',
        transport_api_version: 'V3',
        grpc_services: [{ envoy_grpc: { cluster_name: 'control' } }],
      },
      lds_config: { ads: {}, resource_api_version: 'V3' },
      cds_config: { ads: {}, resource_api_version: 'V3' },
    },
    static_resources: {
      clusters: [
        {
          name: 'control',
          type: 'STATIC',
          connect_timeout: '1s',
          typed_extension_protocol_options: {
            'envoy.extensions.upstreams.http.v3.HttpProtocolOptions': {
              '@type': 'type.googleapis.com/envoy.extensions.upstreams.http.v3.HttpProtocolOptions',
              explicit_http_config: { http2_protocol_options: {} },
            },
          },
          load_assignment: { cluster_name: 'control', endpoints: [{ lb_endpoints: [endpoint] }] },
        },
      ],
    },
  };
}

const ads = { ads: {}, resource_api_version: 'V3' };

interface Wanted {
  readonly port: number;
  readonly upstreams: readonly [Upstream, Upstream];
  readonly weights: readonly [number, number];
  readonly clusterTimeout?: string;
  /** An upgrade type twice is no mistake that a definition tells; Envoy refuses such a route. */
  readonly badRoute?: boolean;
  /** Only the second cluster, and routes to it alone. */
  readonly withoutFirst?: boolean;
}

function wantedSnapshot({
  port,
  upstreams,
  weights,
  clusterTimeout = '1s',
  badRoute = false,
  withoutFirst = false,
}: Wanted): Snapshot {
  const clusters = ['a', 'b'].map((name) =>
    resourceFromJson(CLUSTER_TYPE, {
      name,
      type: 'EDS',
      connect_timeout: clusterTimeout,
      eds_cluster_config: { eds_config: ads },
    }),
  );
  const endpoints = upstreams.map(({ address }, index) =>
    resourceFromJson(ENDPOINT_TYPE, {
      cluster_name: 'ab'[index],
      endpoints: [{ lb_endpoints: [{ endpoint: { address: socketAddress(address) } }] }],
    }),
  );
  const manager = {
    '@type':
      'type.googleapis.com/envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager',
    stat_prefix: 'in',
    rds: { route_config_name: 'web', config_source: ads },
    http_filters: [
      {
        name: 'router',
        typed_config: { '@type': 'type.googleapis.com/envoy.extensions.filters.http.router.v3.Router' },
      },
    ],
  };
  const listener = resourceFromJson(LISTENER_TYPE, {
    name: 'in',
    address: socketAddress(`127.0.0.1:${port}`),
    filter_chains: [{ filters: [{ name: 'hcm', typed_config: manager }] }],
  });
  const weighted = weights
    .map((weight, index) => ({ name: 'ab'[index], weight }))
    .slice(withoutFirst ? 1 : 0);
  const upgrades = [{ upgrade_type: 'websocket' }, { upgrade_type: 'websocket' }];
  const route = resourceFromJson(ROUTE_TYPE, {
    name: 'web',
    virtual_hosts: [
      {
        name: 'all',
        domains: ['*'],
        routes: [
          {
            match: { prefix: '/' },
            route: {
              weighted_clusters: { clusters: weighted },
              ...(badRoute ? { upgrade_configs: upgrades } : {}),
            },
          },
        ],
      },
    ],
  });
  const from = withoutFirst ? 1 : 0;
  return snapshotOf([...clusters.slice(from), ...endpoints.slice(from), listener, route]);
}

describe.each([
  ['state of the world', false],
  ['incremental', true],
])('Envoy with %s', (_name, delta) => {
  let upstreams: [Upstream, Upstream];
  let control: ControlPlane;
  let envoy: RunningEnvoy;
  let port: number;
  const cache = new SnapshotCache();
  const url = (): string => `http://127.0.0.1:${port}/`;
  const set = (weights: [number, number], more: Partial<Wanted> = {}): void =>
    void cache.set(GROUP, wantedSnapshot({ port, upstreams, weights, ...more }));
  const stand = (typeUrl: string) =>
    control.services.view().streams[0]?.types.find((type) => type.typeUrl === typeUrl);
  const allAccepted = (): boolean =>
    [CLUSTER_TYPE, ENDPOINT_TYPE, LISTENER_TYPE, ROUTE_TYPE].every((typeUrl) => {
      const type = stand(typeUrl);
      return (
        type?.pending === false && type.sentVersion !== undefined && type.sentVersion === type.ackedVersion
      );
    });
  const ask = async (): Promise<number> => {
    const response = await fetch(url());
    await response.arrayBuffer();
    return response.status;
  };
  /** Requests one after the other while something happens. Returns their statuses. */
  const during = async (act: () => Promise<void>): Promise<number[]> => {
    const statuses: number[] = [];
    let over = false;
    const asking = (async () => {
      while (!over) statuses.push(await ask());
    })();
    await act().finally(() => (over = true));
    await asking;
    return statuses;
  };

  beforeAll(async () => {
    upstreams = [await startUpstream(), await startUpstream()];
    port = await freePort();
    set([100, 0]);
    control = await startControlPlane(cache);
    envoy = await startEnvoy(bootstrap(control.port, delta));
    await until('all is accepted', allAccepted);
  });

  afterAll(async () => {
    await envoy?.stop();
    control?.stop();
    await Promise.all((upstreams ?? []).map((one) => one.stop()));
  });

  test('listener, route, clusters and endpoints are used, and seen as accepted', async () => {
    expect(await ask()).toBe(200);
    expect(control.services.view().streams).toMatchObject([
      { node: { id: 'edge-1', cluster: 'edge' }, delta },
    ]);
  });

  test('a change of weights moves the traffic without a failed request', async () => {
    const statuses = await during(async () => {
      set([0, 100]);
      await until('the routes are accepted', allAccepted);
      const before = upstreams[0].seen;
      const there = upstreams[1].seen;
      await until('requests reach the other', () => upstreams[1].seen > there + 20);
      expect(upstreams[0].seen - before).toBeLessThanOrEqual(1);
    });
    expect(statuses.filter((status) => status !== 200)).toEqual([]);
  });

  test('a changed cluster is warm at once, though its endpoints did not change', async () => {
    const startMs = performance.now();
    const statuses = await during(async () => {
      set([0, 100], { clusterTimeout: '2s' });
      await until('all is accepted', allAccepted);
      await until(
        'no cluster warms',
        async () => (await envoy.stat('cluster_manager.warming_clusters')) === 0,
      );
    });
    expect(statuses.filter((status) => status !== 200)).toEqual([]);
    // Envoy gives up on missing endpoints after 15 s.
    expect(performance.now() - startMs).toBeLessThan(10_000);
  });

  test('a cluster goes after the routes that used it, without a failed request', async () => {
    set([100, 0], { clusterTimeout: '2s' });
    await until('all is accepted', allAccepted);
    const statuses = await during(async () => {
      for (let round = 0; round < 5; round += 1) {
        set([0, 100], { clusterTimeout: '2s', withoutFirst: true });
        await until('it is gone', async () => !(await envoy.admin('/clusters')).includes('a::'));
        set([100, 0], { clusterTimeout: '2s' });
        await until('it is back', async () => (await envoy.admin('/clusters')).includes('a::127'));
        const before = upstreams[0].seen;
        await until('it is used', () => upstreams[0].seen > before + 5);
      }
    });
    expect(statuses.filter((status) => status !== 200)).toEqual([]);
  }, 60_000);

  test('a route that Envoy refuses is seen with its reason, parked, and harms nothing', async () => {
    set([50, 50], { clusterTimeout: '2s', badRoute: true });
    await until('it is refused', () => stand(ROUTE_TYPE)?.rejection !== undefined);
    expect(stand(ROUTE_TYPE)?.rejection?.message).toContain('websocket');
    expect(await ask()).toBe(200);
    const refused = await envoy.stat('http.in.rds.web.update_rejected');
    expect(refused).toBe(1);
    set([0, 100], { clusterTimeout: '2s' });
    set([50, 50], { clusterTimeout: '2s' });
    await until('the next is accepted', () => allAccepted() && stand(ROUTE_TYPE)?.rejection === undefined);
  });

  test('a restart of the server changes nothing and fails nothing', async () => {
    const modified = await envoy.stat('cluster_manager.cluster_modified');
    const listeners = await envoy.stat('listener_manager.listener_modified');
    const statuses = await during(async () => {
      control.stop();
      control = await startControlPlane(cache, control.port);
      await until(
        'Envoy is back',
        () => control.services.view().streams.length === 1 && stand(ROUTE_TYPE) !== undefined,
      );
    });
    expect(statuses.filter((status) => status !== 200)).toEqual([]);
    expect(await envoy.stat('cluster_manager.cluster_modified')).toBe(modified);
    expect(await envoy.stat('listener_manager.listener_modified')).toBe(listeners);
    set([100, 0], { clusterTimeout: '2s' });
    await until(
      'a change after it arrives',
      () => stand(ROUTE_TYPE)?.ackedVersion === cache.get(GROUP)?.get(ROUTE_TYPE)?.version,
    );
  });
});

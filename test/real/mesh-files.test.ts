/** Envoy fed from a folder of files by a Tidegate as users run it: served, changed, and a mistake that changes nothing. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { MeshStatusView } from '../../src/core/mesh-view';
import { startEnvoy, type RunningEnvoy } from '../parts/envoy';
import { writeLimits, type LimitsFile } from '../parts/limits-file';
import { startTidegate, type TidegateProcess } from '../parts/tidegate-process';
import { until } from '../parts/until';

let folder: string;
let limits: LimitsFile;
let tidegate: TidegateProcess;
let envoy: RunningEnvoy;
let port: number;

const TYPE = 'type.googleapis.com/envoy';

function listener(answer: string): string {
  return `resources:
  - '@type': ${TYPE}.config.listener.v3.Listener
    name: in
    address: { socket_address: { address: 127.0.0.1, port_value: ${port} } }
    filter_chains:
      - filters:
          - name: hcm
            typed_config:
              '@type': ${TYPE}.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager
              stat_prefix: in
              http_filters:
                - name: router
                  typed_config: { '@type': ${TYPE}.extensions.filters.http.router.v3.Router }
              route_config:
                virtual_hosts:
                  - name: all
                    domains: ['*']
                    routes:
                      - match: { prefix: / }
                        direct_response: { status: 200, body: { inline_string: ${answer} } }
`;
}

const write = (text: string): void => writeFileSync(join(folder, 'listeners.yaml'), text);

async function answer(): Promise<string> {
  try {
    return await (await fetch(`http://127.0.0.1:${port}/`)).text();
  } catch {
    return '';
  }
}

async function mesh(): Promise<MeshStatusView> {
  return (await (await fetch(`http://${tidegate.admin}/api/v1/mesh`)).json()) as MeshStatusView;
}

beforeAll(async () => {
  const probe = createServer();
  await new Promise<void>((resolve) => probe.listen(0, '127.0.0.1', resolve));
  port = (probe.address() as AddressInfo).port;
  await new Promise((resolve) => probe.close(resolve));
  folder = mkdtempSync(join(tmpdir(), 'tidegate-mesh-'));
  write(listener('one'));
  limits = await writeLimits('domain: shop\n');
  tidegate = await startTidegate({
    limits: limits.path,
    env: { TIDEGATE_MESH_PATH: folder, TIDEGATE_MESH_POLL_INTERVAL: '100ms' },
  });
  const [host, controlPort] = tidegate.control.split(':');
  const address = { socket_address: { address: host, port_value: Number(controlPort) } };
  envoy = await startEnvoy({
    node: { id: 'edge-1', cluster: 'edge' },
    admin: { address: { socket_address: { address: '127.0.0.1', port_value: 0 } } },
    dynamic_resources: {
      ads_config: {
        api_type: 'GRPC',
        transport_api_version: 'V3',
        grpc_services: [{ envoy_grpc: { cluster_name: 'control' } }],
      },
      lds_config: { ads: {}, resource_api_version: 'V3' },
    },
    static_resources: {
      clusters: [
        {
          name: 'control',
          type: 'STATIC',
          typed_extension_protocol_options: {
            'envoy.extensions.upstreams.http.v3.HttpProtocolOptions': {
              '@type': `${TYPE}.extensions.upstreams.http.v3.HttpProtocolOptions`,
              explicit_http_config: { http2_protocol_options: {} },
            },
          },
          load_assignment: {
            cluster_name: 'control',
            endpoints: [{ lb_endpoints: [{ endpoint: { address } }] }],
          },
        },
      ],
    },
  });
}, 60_000);

afterAll(async () => {
  await envoy?.stop();
  await tidegate?.stop();
  await limits?.remove();
  rmSync(folder, { recursive: true, force: true });
});

test('what the folder holds is served, what is changed arrives, and a mistake keeps what was there', async () => {
  await until('the listener', async () => (await answer()) === 'one', 20_000);
  expect((await mesh()).streams).toMatchObject([{ node: { id: 'edge-1', cluster: 'edge' }, group: 'all' }]);
  write(listener('two'));
  await until('the change', async () => (await answer()) === 'two', 20_000);
  await until('its acceptance', async () => {
    const { streams, groups } = await mesh();
    const wanted = groups[0]?.types[0]?.version;
    const [listeners] = streams[0]?.types ?? [];
    return wanted !== undefined && listeners?.ackedVersion === listeners?.sentVersion && !listeners?.pending;
  });
  write(listener('three').replace('prefix: /', 'prefx: /'));
  const told = await until('the mistake', () =>
    tidegate.logs().find(({ msg }) => msg === 'resources not reloaded; the old ones stay'),
  );
  expect(JSON.stringify(told)).toContain('TG_MESH_UNKNOWN_FIELD');
  expect(JSON.stringify(told)).toContain('prefx');
  expect(await answer()).toBe('two');
}, 60_000);

/**
 * Envoys fed from a folder of files by a Tidegate as users run it: served, changed, a mistake that changes nothing, and
 * groups of nodes with resources of their own.
 */
import { mkdirSync, mkdtempSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { MeshStatusView } from '../../src/core/mesh-view';
import { startEnvoy, type RunningEnvoy } from '../parts/envoy';
import { freePort } from '../parts/free-port';
import { writeLimits, type LimitsFile } from '../parts/limits-file';
import { startTidegate, type TidegateProcess } from '../parts/tidegate-process';
import { until } from '../parts/until';

let folder: string;
let limits: LimitsFile;
let tidegate: TidegateProcess;
let envoy: RunningEnvoy;
let core: RunningEnvoy;
let port: number;
let corePort: number;

const TYPE = 'type.googleapis.com/envoy';

function listener(answer: string, at = port): string {
  return `resources:
  - '@type': ${TYPE}.config.listener.v3.Listener
    name: in
    address: { socket_address: { address: 127.0.0.1, port_value: ${at} } }
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

/** Whole, as tools replace files: half a file would be a mistake of its own. */
function write(text: string, name = 'listeners.yaml'): void {
  const file = join(folder, name);
  writeFileSync(`${file}.new`, text);
  renameSync(`${file}.new`, file);
}

async function answer(at = port): Promise<string> {
  try {
    return await (await fetch(`http://127.0.0.1:${at}/`)).text();
  } catch {
    return '';
  }
}

async function mesh(): Promise<MeshStatusView> {
  return (await (await fetch(`http://${tidegate.admin}/api/v1/mesh`)).json()) as MeshStatusView;
}

function startNode(id: string, cluster: string): Promise<RunningEnvoy> {
  const [host, controlPort] = tidegate.control.split(':');
  const address = { socket_address: { address: host, port_value: Number(controlPort) } };
  return startEnvoy({
    node: { id, cluster, metadata: { zone: 'a', rack: 7 } },
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
}

beforeAll(async () => {
  [port, corePort] = [await freePort(), await freePort()];
  folder = mkdtempSync(join(tmpdir(), 'tidegate-mesh-'));
  mkdirSync(join(folder, 'core'));
  write(listener('one'));
  write(listener('core', corePort), join('core', 'in.yaml'));
  limits = await writeLimits('domain: shop\n');
  tidegate = await startTidegate({
    limits: limits.path,
    env: {
      TIDEGATE_MESH_PATH: folder,
      TIDEGATE_MESH_POLL_INTERVAL: '100ms',
      TIDEGATE_MESH_NODES: JSON.stringify([{ group: 'core', cluster: 'co*', metadata: ['zone=a'] }]),
    },
  });
  envoy = await startNode('edge-1', 'edge');
}, 60_000);

afterAll(async () => {
  await envoy?.stop();
  await core?.stop();
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

test('nodes of a group get what is in its folder instead of what has the same name for all', async () => {
  core = await startNode('core-1', 'core');
  await until("the group's listener", async () => (await answer(corePort)) === 'core', 20_000);
  expect(await answer()).toBe('two');
  const { streams, groups } = await mesh();
  expect(streams.map(({ node, group }) => [node?.id, group]).sort()).toEqual([
    ['core-1', 'core'],
    ['edge-1', 'all'],
  ]);
  expect(groups.map(({ group, types }) => [group, types[0]?.resources]).sort()).toEqual([
    ['all', 1],
    ['core', 1],
  ]);
  write(listener('three'));
  await until('the mistake is mended', async () => (await answer()) === 'three');
  // A mistake of a group's keeps what was there, and is told with its file.
  write(listener('x').replace('stat_prefix', 'stat_prefx'), join('core', 'more.yaml'));
  await until('the mistake', () =>
    tidegate.logs().some((line) => JSON.stringify(line).includes(join('core', 'more.yaml'))),
  );
  expect(await answer(corePort)).toBe('core');
}, 60_000);

/** Traffic leaves an instance that fails, keeps a trickle on it, and comes back when it is well: real Envoy, by its own access logs. */
import { createServer as createHttpServer } from 'node:http';
import { createServer, type AddressInfo } from 'node:net';
import type { TrafficView } from '../../src/core/mesh-view';
import { startEnvoy, type RunningEnvoy } from '../parts/envoy';
import { writeLimits, type LimitsFile } from '../parts/limits-file';
import {
  OpenLoad,
  shopEnvoy,
  shopLimits,
  shopSettings,
  writeShopResources,
  type ShopResources,
} from '../parts/shop-mesh';
import { startTidegate, type TidegateProcess } from '../parts/tidegate-process';
import { until } from '../parts/until';
import { startUpstream, type Upstream } from '../parts/upstream';

const FLOOR = 0.05;

/** An upstream that answers 500 while it is told to. */
async function startIll(): Promise<{ readonly address: string; ill: boolean; stop(): Promise<void> }> {
  const state = { ill: false };
  const server = createHttpServer((_request, response) => {
    response.statusCode = state.ill ? 500 : 200;
    response.end('hello\n');
  });
  server.keepAliveTimeout = 600_000;
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return Object.assign(state, {
    address: `127.0.0.1:${(server.address() as AddressInfo).port}`,
    stop: () =>
      new Promise<void>((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  });
}

let limits: LimitsFile;
let well: readonly Upstream[];
let ill: Awaited<ReturnType<typeof startIll>>;
let resources: ShopResources;
let tidegate: TidegateProcess;
let envoy: RunningEnvoy;
let port: number;

beforeAll(async () => {
  const probe = createServer();
  await new Promise<void>((resolve) => probe.listen(0, '127.0.0.1', resolve));
  port = (probe.address() as AddressInfo).port;
  await new Promise((resolve) => probe.close(resolve));
  [well, ill, limits] = await Promise.all([
    Promise.all([startUpstream(), startUpstream()]),
    startIll(),
    writeLimits(shopLimits([500, 500, 500])),
  ]);
  resources = await writeShopResources(port, [ill.address, ...well.map(({ address }) => address)]);
  tidegate = await startTidegate({
    limits: limits.path,
    env: {
      ...shopSettings(resources.folder, 'active'),
      TIDEGATE_MESH_TELEMETRY_WINDOW: '3s',
      TIDEGATE_MESH_TRAFFIC_FLOOR: String(FLOOR),
      TIDEGATE_MESH_TRAFFIC_LEAVE_PER_S: '1',
      TIDEGATE_MESH_TRAFFIC_RETURN_PER_S: '0.5',
      // Errors are what this is about: how long a busy machine takes to answer says nothing here.
      TIDEGATE_MESH_TRAFFIC_HEALTH_LATENCY_FROM: '1000',
      TIDEGATE_MESH_TRAFFIC_HEALTH_LATENCY_TO: '1000',
    },
  });
  envoy = await startEnvoy(shopEnvoy(tidegate));
}, 60_000);

afterAll(async () => {
  await envoy?.stop();
  await tidegate?.stop();
  await Promise.all([
    limits?.remove(),
    resources?.remove(),
    ill?.stop(),
    ...(well ?? []).map((one) => one.stop()),
  ]);
});

async function group(): Promise<TrafficView['groups'][number] | undefined> {
  const answer = await fetch(`http://${tidegate.admin}/api/v1/traffic`);
  return ((await answer.json()) as TrafficView).groups[0];
}

const shareOf = (one: TrafficView['groups'][number] | undefined): number =>
  one?.targets[0]?.shares.at(-1) ?? NaN;

test('an instance that fails keeps its floor, says why, and gets its share back once it answers well', async () => {
  await until('a way through', async () => (await fetch(`http://127.0.0.1:${port}/`)).ok);
  const load = new OpenLoad(`http://127.0.0.1:${port}/`, () => 90);
  await until('its configured share', async () => Math.abs(shareOf(await group()) - 1 / 3) < 0.01);
  ill.ill = true;
  const drained = await until(
    'traffic to leave',
    async () => {
      const now = await group();
      return shareOf(now) <= FLOOR + 0.001 && now;
    },
    30_000,
  );
  expect(drained.targets[0]?.reason).toMatchObject({ rule: 'drained', healthFactor: 0 });
  expect(drained.why).toContain('shop-a');
  expect(drained.targets[0]?.health?.errorShare).toBeGreaterThan(0.4);
  // VIPs leave a target that is ill too.
  expect(drained.targets[0]?.shares[0]).toBeLessThanOrEqual(FLOOR + 0.001);
  const before = await envoy.stat('cluster.shop-a.upstream_rq_total');
  await until('a trickle', async () => (await envoy.stat('cluster.shop-a.upstream_rq_total')) > before);
  ill.ill = false;
  await until('traffic to come back', async () => Math.abs(shareOf(await group()) - 1 / 3) < 0.01, 60_000);
  await load.stop();
  await until('the metrics', async () => {
    const metrics = await (await fetch(`http://${tidegate.admin}/metrics`)).text();
    return (
      /tidegate_traffic_share\{nodes="all",group="shop",target="shop-a"\} 0\.3[23]/.test(metrics) &&
      /tidegate_mesh_accepted_total [1-9]/.test(metrics)
    );
  });
}, 150_000);

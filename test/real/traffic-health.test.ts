/** Traffic leaves an instance that fails, keeps a trickle on it, and comes back when it is well: real Envoy, by its own access logs. */
import type { TrafficView } from '../../src/core/mesh-view';
import { startEnvoy, type RunningEnvoy } from '../parts/envoy';
import { OpenLoad, openShop, shopEnvoy, type Shop } from '../parts/shop-mesh';
import type { TidegateProcess } from '../parts/tidegate-process';
import { until } from '../parts/until';

const FLOOR = 0.05;

let shop: Shop;
let tidegate: TidegateProcess;
let envoy: RunningEnvoy;

beforeAll(async () => {
  shop = await openShop([500, 500, 500]);
  tidegate = await shop.start('active', {
    TIDEGATE_MESH_TELEMETRY_WINDOW: '3s',
    TIDEGATE_MESH_TRAFFIC_FLOOR: String(FLOOR),
    TIDEGATE_MESH_TRAFFIC_LEAVE_PER_S: '1',
    TIDEGATE_MESH_TRAFFIC_RETURN_PER_S: '0.5',
  });
  envoy = await startEnvoy(shopEnvoy(tidegate));
}, 60_000);

afterAll(async () => {
  await envoy?.stop();
  await tidegate?.stop();
  await shop?.stop();
});

async function group(): Promise<TrafficView['groups'][number] | undefined> {
  const answer = await fetch(`http://${tidegate.admin}/api/v1/traffic`);
  return ((await answer.json()) as TrafficView).groups[0];
}

const shareOf = (one: TrafficView['groups'][number] | undefined): number =>
  one?.targets[0]?.shares.at(-1) ?? NaN;

test('an instance that fails keeps its floor, says why, and gets its share back once it answers well', async () => {
  await until('a way through', async () => (await fetch(shop.url)).ok);
  const load = new OpenLoad(shop.url, () => 90);
  const [ill] = shop.upstreams;
  const answer = (status: number): void => {
    if (ill !== undefined) ill.status = status;
  };
  await until('its configured share', async () => Math.abs(shareOf(await group()) - 1 / 3) < 0.01);
  answer(500);
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
  answer(200);
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

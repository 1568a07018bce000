/** Tidegate is restarted while traffic is moved: Envoy's weights never go back to what drains the bucket. */
import { startEnvoy, type RunningEnvoy } from '../parts/envoy';
import { OpenLoad, openShop, shopEnvoy, type Shop } from '../parts/shop-mesh';
import type { TidegateProcess } from '../parts/tidegate-process';
import { until } from '../parts/until';

/** A third of the load is 40 a second: more than the first instance may take. */
const TIGHT_PER_S = 30;
const LOAD_PER_S = 120;

let shop: Shop;
beforeAll(async () => {
  shop = await openShop([TIGHT_PER_S, 300, 300]);
});
afterAll(() => shop?.stop());

const start = (env: Readonly<Record<string, string>> = {}): Promise<TidegateProcess> =>
  shop.start('active', { TIDEGATE_MESH_TRAFFIC_HORIZON: '10s', ...env });

interface Weighted {
  readonly name?: string;
  readonly route?: {
    readonly weighted_clusters?: { readonly clusters: readonly { name: string; weight: number }[] };
  };
}

/** The part of all but VIPs that Envoy sends to the first instance, by the routes that it has. */
async function shareInEnvoy(envoy: RunningEnvoy): Promise<number> {
  const dump = JSON.parse(await envoy.admin('/config_dump?resource=dynamic_route_configs')) as {
    readonly configs: readonly {
      route_config: { virtual_hosts: readonly { routes: readonly Weighted[] }[] };
    }[];
  };
  const routes = dump.configs[0]?.route_config.virtual_hosts[0]?.routes ?? [];
  const clusters = routes.find(({ name }) => name === 'shop')?.route?.weighted_clusters?.clusters ?? [];
  const all = clusters.reduce((sum, { weight }) => sum + weight, 0);
  return (clusters.find(({ name }) => name === 'shop-a')?.weight ?? NaN) / all;
}

test('a restart gives an instance that was relieved nothing back', async () => {
  let tidegate = await start();
  const [, controlPort = ''] = tidegate.control.split(':');
  const [, dataPort = ''] = tidegate.data.split(':');
  const envoy = await startEnvoy(shopEnvoy(tidegate));
  try {
    const { url } = shop;
    await until('a way through', async () => (await fetch(url)).ok);
    const load = new OpenLoad(url, () => LOAD_PER_S);
    await until('traffic to move', async () => (await shareInEnvoy(envoy)) < 0.26, 30_000);
    tidegate.child.signal('SIGKILL');
    await tidegate.child.exited;
    tidegate = await start({ TIDEGATE_CONTROL_PORT: controlPort, TIDEGATE_DATA_PORT: dataPort });
    const updates = await envoy.stat('http.in.rds.routes.update_success');
    const shares: number[] = [];
    await until(
      'weights by the new process',
      async () => {
        shares.push(await shareInEnvoy(envoy));
        return (await envoy.stat('http.in.rds.routes.update_success')) > updates;
      },
      30_000,
    );
    shares.push(await shareInEnvoy(envoy));
    await load.stop();
    expect(Math.max(...shares)).toBeLessThan(0.28);
    expect(await envoy.stat('http.in.rds.routes.update_rejected')).toBe(0);
  } finally {
    await envoy.stop();
    await tidegate.stop();
  }
}, 120_000);

/** Traffic moves before a bucket runs dry: real Envoy, three instances, all configuration over xDS. */
import type { TrafficView } from '../../src/core/mesh-view';
import type { TrafficSnapshot } from '../../src/core/traffic-telemetry';
import { startEnvoy, type RunningEnvoy } from '../parts/envoy';
import { OpenLoad, openShop, shopEnvoy, type Shop } from '../parts/shop-mesh';
import type { TidegateProcess } from '../parts/tidegate-process';
import { until } from '../parts/until';

/** What the first instance may take; the others could take all of it. */
const TIGHT_PER_S = 30;
const BEGIN_PER_S = 45;
const END_PER_S = 150;
const CALM_MS = 6_000;
const RISE_MS = 15_000;
const LOAD_MS = CALM_MS + RISE_MS + 6_000;

let shop: Shop;
beforeAll(async () => {
  shop = await openShop([TIGHT_PER_S, 300, 300]);
});
afterAll(() => shop?.stop());

const start = (mode: string, env: Readonly<Record<string, string>> = {}): Promise<TidegateProcess> =>
  shop.start(mode, { TIDEGATE_MESH_TRAFFIC_HORIZON: '10s', ...env });

async function get<T>({ admin }: TidegateProcess, path: string): Promise<T> {
  const response = await fetch(`http://${admin}${path}`);
  if (!response.ok) throw new Error(`${path}: ${response.status} ${await response.text()}`);
  return (await response.json()) as T;
}

const traffic = (tidegate: TidegateProcess): Promise<TrafficView> => get(tidegate, '/api/v1/traffic');

async function answers(): Promise<boolean> {
  try {
    return (await fetch(shop.url)).ok;
  } catch {
    return false;
  }
}

/** Calm, then rising for a while, then as much as it comes to. */
function rising(atMs: number): number {
  const part = Math.min(1, Math.max(0, (atMs - CALM_MS) / RISE_MS));
  return BEGIN_PER_S + part * (END_PER_S - BEGIN_PER_S);
}

/** The shares of the first instance. */
interface Look {
  readonly atMs: number;
  readonly vip: number;
  readonly others: number;
  readonly why: string;
}

/** Lets the load rise; looks at the shares all the while. */
async function ride(mode: string) {
  const tidegate = await start(mode);
  let envoy: RunningEnvoy | undefined;
  try {
    envoy = await startEnvoy(shopEnvoy(tidegate));
    await until('a way through', answers);
    const load = new OpenLoad(shop.url, rising);
    const looks: Look[] = [];
    await until(
      'the load',
      async () => {
        const { groups } = await traffic(tidegate);
        const [vip, others] = groups[0]?.targets[0]?.shares ?? [];
        if (vip !== undefined && others !== undefined)
          looks.push({ atMs: load.atMs, vip, others, why: groups[0]?.why ?? '' });
        return load.atMs > LOAD_MS;
      },
      LOAD_MS + 10_000,
    );
    const view = await traffic(tidegate);
    const told = await get<TrafficSnapshot>(tidegate, '/api/v1/traffic/telemetry');
    await load.stop();
    return { load, looks, view, told };
  } finally {
    await envoy?.stop();
    await tidegate.stop();
  }
}

test('a load that would drain one bucket moves off before the first denial, what is important last, and the API says why', async () => {
  const off = await ride('shadow');
  expect([...off.load.all.keys()].sort()).toEqual([200, 429]);
  expect(off.view).toMatchObject({ mode: 'shadow', differences: [], warnings: [] });

  const startedMs = Date.now();
  const { load, looks, view, told } = await ride('active');
  expect(told.atMs).toBeGreaterThan(startedMs);
  expect(told.atMs).toBeLessThanOrEqual(Date.now());
  expect([...load.all]).toEqual([[200, expect.any(Number)]]);
  expect([...load.vip]).toEqual([[200, expect.any(Number)]]);
  const last = looks.at(-1);
  expect(last?.others).toBeLessThan(0.3);
  expect(looks.filter(({ vip, others }) => vip < others - 1e-9).slice(0, 3)).toEqual([]);
  expect(last?.vip).toBeGreaterThan(0.3);

  const [group] = view.groups;
  expect(group?.targets[0]?.reason).toMatchObject({ rule: 'moved_off' });
  expect(group?.why).toContain('shop-a');
  expect(view.changes.length).toBeGreaterThan(0);
  expect(view.differences.length).toBeGreaterThan(0);
  expect(view.warnings).toEqual([]);

  const routes = new Map(told.routes.map(({ route, ratePerS }) => [route, ratePerS]));
  expect(routes.get('shop/vip')).toBeGreaterThan(10);
  expect(routes.get('shop')).toBeGreaterThan(50);
  expect(told.loads.some(({ cluster }) => cluster === 'shop-b')).toBe(true);
}, 150_000);

test('neither Tidegate nor Envoy loses a request by a restart of Tidegate', async () => {
  let tidegate = await start('active');
  const [, controlPort = ''] = tidegate.control.split(':');
  const [, dataPort = ''] = tidegate.data.split(':');
  const envoy = await startEnvoy(shopEnvoy(tidegate));
  try {
    await until('a way through', answers);
    const load = new OpenLoad(shop.url, () => 40);
    await until('some load', () => load.atMs > 1_500);
    tidegate.child.signal('SIGKILL');
    await tidegate.child.exited;
    await until('a while alone', () => load.atMs > 3_000);
    tidegate = await start('active', {
      TIDEGATE_CONTROL_PORT: controlPort,
      TIDEGATE_DATA_PORT: dataPort,
    });
    await until(
      'Envoy is back',
      async () => (await get<{ streams: readonly object[] }>(tidegate, '/api/v1/mesh')).streams.length > 0,
    );
    const { atMs } = load;
    await until('some load after', () => load.atMs > atMs + 1_500);
    await load.stop();
    expect([...load.all]).toEqual([[200, expect.any(Number)]]);
    expect(await envoy.stat('http.in.rds.routes.update_rejected')).toBe(0);
  } finally {
    await envoy.stop();
    await tidegate.stop();
  }
}, 90_000);

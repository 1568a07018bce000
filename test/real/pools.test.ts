/** A pool as users run it: limits that follow demand, tokens that are lent, and the reasons in the API. */
import type { ControlAsks } from '../../src/core/control-desk';
import { writeLimits, type LimitsFile } from '../parts/limits-file';
import { startTidegate, type TidegateProcess } from '../parts/tidegate-process';
import { until } from '../parts/until';

const RATE_PER_S = 20;
const TOTAL_PER_S = 40;
const LIMITS = `
domain: shop
descriptors:
  - key: service
    value: pay
    rate_limit: {unit: second, requests_per_unit: ${RATE_PER_S}, priority: CRITICAL}
  - key: service
    value: mail
    rate_limit: {unit: second, requests_per_unit: ${RATE_PER_S}, priority: LOW}
`;
const TOKEN = 'a-token-of-this-test';

let limits: LimitsFile;
let tidegate: TidegateProcess;

beforeAll(async () => {
  limits = await writeLimits(LIMITS);
});
afterAll(async () => limits?.remove());

function start(mode: string): Promise<TidegateProcess> {
  return startTidegate({
    limits: limits.path,
    env: {
      TIDEGATE_ADMIN_TOKEN: TOKEN,
      TIDEGATE_POOLS_TICK: '200ms',
      TIDEGATE_POOLS_INTERVAL: '1s',
      TIDEGATE_POOLS_SIZING_COOLDOWN: '0s',
      TIDEGATE_POOLS_LIST: JSON.stringify([{ name: 'shop', mode, total_per_s: TOTAL_PER_S }]),
      TIDEGATE_POOLS_MEMBERS: JSON.stringify([{ pool: 'shop', match: 'shop.*' }]),
    },
  });
}

async function get<T>(path: string): Promise<T> {
  const response = await fetch(`http://${tidegate.admin}${path}`);
  if (!response.ok) throw new Error(`${path}: ${response.status} ${await response.text()}`);
  return (await response.json()) as T;
}

const buckets = async () =>
  (await get<ControlAsks['buckets']['answer']>('/api/v1/buckets?pool=shop')).buckets;

async function ask(service: string): Promise<boolean> {
  const body = JSON.stringify({
    domain: 'shop',
    descriptors: [{ entries: [{ key: 'service', value: service }] }],
  });
  const response = await fetch(`http://${tidegate.admin}/json`, { method: 'POST', body });
  return response.status === 200;
}

/** Asks for a service at some 35 calls a second until told to stop. */
function load(service: string): () => Promise<{ admitted: number; asked: number; seconds: number }> {
  const startedMs = performance.now();
  let admitted = 0;
  let asked = 0;
  const pending: Promise<void>[] = [];
  const timer = setInterval(() => {
    asked += 1;
    const counted = (passed: boolean): void => void (admitted += passed ? 1 : 0);
    // Where the test has failed already there may be nobody to ask any more.
    pending.push(ask(service).then(counted, () => undefined));
  }, 28);
  return async () => {
    clearInterval(timer);
    await Promise.all(pending);
    return { admitted, asked, seconds: (performance.now() - startedMs) / 1_000 };
  };
}

function put(path: string, body: object, token = TOKEN): Promise<Response> {
  return fetch(`http://${tidegate.admin}${path}`, {
    method: 'PUT',
    headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
    body: JSON.stringify(body),
  });
}

test('in an active pool a service gets what another leaves, never more than the total, and the API says why', async () => {
  tidegate = await start('active');
  try {
    await until('the members', async () => (await buckets()).length === 2);
    const stop = load('pay');
    const grown = await until(
      'a larger limit',
      async () => {
        const pay = (await buckets()).find(({ id }) => id === 'shop.service_pay');
        const asked = pay?.why.effectivePerS ?? 0;
        return pay !== undefined && pay.ratePerS > 1.2 * RATE_PER_S && asked > RATE_PER_S && pay;
      },
      30_000,
    );
    expect(grown).toMatchObject({ service: 'shop', priority: 'CRITICAL', nominalPerS: RATE_PER_S });
    expect(grown.why.rule).not.toBe('nominal');
    expect((await buckets()).reduce((sum, { ratePerS }) => sum + ratePerS, 0)).toBeLessThanOrEqual(
      TOTAL_PER_S * 1.000_001,
    );
    const { admitted, seconds } = await stop();
    const capacities = (await buckets()).reduce((sum, { maxPerS }) => sum + maxPerS, 0);
    expect(admitted).toBeLessThanOrEqual(TOTAL_PER_S * seconds + 4 * capacities);
    const { pools } = await get<ControlAsks['pools']['answer']>('/api/v1/pools');
    expect(pools).toMatchObject([
      { name: 'shop', mode: 'active', leader: true, state: 'normal', stale: false },
    ]);
    const { decisions } = await get<ControlAsks['decisions']['answer']>('/api/v1/decisions?pool=shop');
    expect(decisions.some(({ id, applied }) => id === 'shop.service_pay' && applied)).toBe(true);
    await until('the metrics', async () => {
      const text = await (await fetch(`http://${tidegate.admin}/metrics`)).text();
      return text.includes('tidegate_pool_leader{pool="shop"} 1') && text.includes('tidegate_member_rate{');
    });
  } finally {
    await tidegate.stop();
  }
}, 60_000);

test('in shadow nothing changes, and it is told what would have been; a person may order otherwise', async () => {
  tidegate = await start('shadow');
  try {
    await until('the members', async () => (await buckets()).length === 2);
    const stop = load('pay');
    await until(
      'a proposal',
      async () => (await buckets()).some(({ proposedPerS }) => proposedPerS > 1.2 * RATE_PER_S),
      30_000,
    );
    expect((await buckets()).map(({ ratePerS }) => ratePerS)).toEqual([RATE_PER_S, RATE_PER_S]);
    await stop();
    const order = { pool: 'shop', member: 'shop.service_pay', author: 'ada', reason: 'a sale', ttl: '1m' };
    expect((await put('/api/v1/overrides', { ...order, ratePerS: 30 }, 'wrong')).status).toBe(401);
    expect((await put('/api/v1/overrides', { ...order, ratePerS: 30 })).status).toBe(200);
    const mode = { mode: 'active', author: 'ada', reason: 'a sale' };
    expect((await put('/api/v1/pools/shop/mode', mode)).status).toBe(200);
    const pay = await until(
      'the override',
      async () => {
        const found = (await buckets()).find(({ id }) => id === 'shop.service_pay');
        return found !== undefined && found.ratePerS > RATE_PER_S && found;
      },
      20_000,
    );
    expect(pay.ratePerS).toBeCloseTo(30, 3);
    expect(pay.why.rule).toBe('override');
    expect(pay.override).toMatchObject({ author: 'ada', reason: 'a sale' });
    const { audit } = await get<ControlAsks['audit']['answer']>('/api/v1/audit');
    expect(audit.map(({ action, author }) => `${author} ${action}`)).toEqual([
      'ada mode',
      'ada override.put',
    ]);
  } finally {
    await tidegate.stop();
  }
}, 60_000);

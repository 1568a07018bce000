import { once } from 'node:events';
import { mkdtempSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { readHere } from '../../src/app/limits-reading';
import { Refusal } from '../../src/app/refusal';
import { start, type Running } from '../../src/app/start';
import { settingsFor } from '../../src/cli/settings';
import { RlsCode } from '../../src/core/rls';
import { oneDescriptor, RlsClient } from './rls-client';

const LIMITS =
  'domain: shop\ndescriptors:\n  - key: tenant\n    rate_limit: { unit: day, requests_per_unit: LIMIT }\n';
const PORTS = ['--data.port=0', '--admin.port=0', '--control.port=0', '--log.level=silent'];

let dir: string;
let path: string;
let running: Running | undefined;
let client: RlsClient | undefined;

beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'tidegate-app-'));
  path = join(dir, 'limits.yaml');
  writeLimits(LIMITS.replace('LIMIT', '2'));
});
afterEach(async () => {
  client?.close();
  await running?.stop('test');
  running = undefined;
  client = undefined;
  rmSync(dir, { recursive: true, force: true });
});

/** Replaces the file as editors and tools do: whole, by a rename. */
function writeLimits(text: string): void {
  writeFileSync(`${path}.new`, text);
  renameSync(`${path}.new`, path);
}

async function serve(...flags: string[]): Promise<{ running: Running; client: RlsClient; admin: string }> {
  // The worker that reads reloaded limits runs compiled code; the tests with real Envoys reload through it.
  running = await start(
    settingsFor([...PORTS, '--forecast.enabled=false', '--limits', path, ...flags], {}),
    readHere,
  );
  client = new RlsClient(running.addresses.data);
  return { running, client, admin: `http://${running.addresses.admin}` };
}

async function getJson(url: string): Promise<unknown> {
  return (await fetch(url)).json();
}

/** Asks until the answer satisfies; the test's own time limit ends it otherwise. */
async function until<T>(ask: () => Promise<T>, satisfied: (answer: T) => boolean): Promise<T> {
  for (;;) {
    const answer = await ask();
    if (satisfied(answer)) return answer;
    await new Promise((resolve) => setImmediate(resolve));
  }
}

const gold = oneDescriptor('shop', { tenant: 'gold' });

describe('a served RateLimitService', () => {
  it('lets requests pass to the limit and then denies, with what Envoy shows its callers', async () => {
    const { client } = await serve();
    const first = await client.decide(gold);
    expect(first).toMatchObject({
      overallCode: RlsCode.OK,
      statuses: [{ code: RlsCode.OK, currentLimit: { requestsPerUnit: 2, unit: 4 }, limitRemaining: 1 }],
      responseHeadersToAdd: [],
    });
    expect(await client.decide(gold)).toMatchObject({ overallCode: RlsCode.OK });
    const denied = await client.decide(gold);
    expect(denied).toMatchObject({
      overallCode: RlsCode.OVER_LIMIT,
      statuses: [{ code: RlsCode.OVER_LIMIT, limitRemaining: 0 }],
    });
    const [retryAfter] = denied.responseHeadersToAdd;
    expect(retryAfter?.key).toBe('retry-after');
    // The bucket regains a token in half a day.
    expect(Number(retryAfter?.value)).toBeGreaterThan(43_000);
    expect(Number(retryAfter?.value)).toBeLessThanOrEqual(43_200);
  });

  it.each([
    [{ ...gold, domain: '' }, 3, 'TG_REQUEST_NO_DOMAIN'],
    [{ ...gold, descriptors: [] }, 3, 'TG_REQUEST_NO_DESCRIPTORS'],
    [oneDescriptor('shop', { '': 'x' }), 3, 'TG_REQUEST_EMPTY_KEY'],
    [
      { ...gold, descriptors: Array.from({ length: 1_001 }, () => gold.descriptors[0] ?? never()) },
      8,
      'TG_REQUEST_TOO_LARGE',
    ],
  ])('refuses request %# with a status and a code, and goes on serving', async (request, code, text) => {
    const { client } = await serve();
    await expect(client.decide(request)).rejects.toMatchObject({
      code,
      details: expect.stringContaining(text) as string,
    });
    await expect(client.decide(gold)).resolves.toMatchObject({ overallCode: RlsCode.OK });
  });

  it('answers /json as the reference does: 200, 429, 400', async () => {
    const { admin } = await serve();
    const post = (body: string) => fetch(`${admin}/json`, { method: 'POST', body });
    const body = JSON.stringify({
      domain: 'shop',
      descriptors: [{ entries: [{ key: 'tenant', value: 'tin' }], hitsAddend: '2' }],
    });
    const passed = await post(body);
    expect(passed.status).toBe(200);
    expect(await passed.json()).toMatchObject({
      overallCode: 'OK',
      statuses: [{ code: 'OK', currentLimit: { requestsPerUnit: 2, unit: 'DAY' } }],
    });
    expect((await post(body)).status).toBe(429);
    expect((await post('{"domain":"shop","nonsense":1}')).status).toBe(400);
    expect((await post('not json')).status).toBe(400);
  });

  it('is healthy while it serves, and counts what it did', async () => {
    const { client, admin } = await serve();
    await client.decide(gold);
    expect(await client.health('')).toBe(1);
    expect(await client.health('ratelimit')).toBe(1);
    expect((await fetch(`${admin}/healthcheck`)).status).toBe(200);
    const metrics = await (await fetch(`${admin}/metrics`)).text();
    expect(metrics).toMatch(/ratelimit_service_rate_limit_total_hits\{domain="shop",key1="tenant"\} 1/);
    expect(await (await fetch(`${admin}/rlconfig`)).text()).toContain(
      'shop.tenant: unit=DAY requests_per_unit=2, shadow_mode: false, quota_mode: false',
    );
  });
});

describe('reloading limits', () => {
  it('takes up a change of the file, and keeps what the buckets have counted', async () => {
    const { client, admin } = await serve('--algorithm=fixed_window');
    await client.decide(gold);
    writeLimits(LIMITS.replace('LIMIT', '5'));
    await until(
      () => getJson(`${admin}/api/v1/config`),
      (config) => JSON.stringify(config).includes('"generation":2'),
    );
    expect(await client.decide(gold)).toMatchObject({
      statuses: [{ currentLimit: { requestsPerUnit: 5 }, limitRemaining: 3 }],
    });
  });

  it('keeps the old limits when the new ones are wrong, and says what is wrong, and recovers', async () => {
    const { client, admin } = await serve();
    writeLimits(
      'domain: shop\ndescriptors:\n  - key: tenant\n    rate_limit: { unit: fortnight }\n    colour: red\n',
    );
    const config = await until(
      () => getJson(`${admin}/api/v1/config`),
      (seen) => JSON.stringify(seen).includes('TG_LIMITS_BAD_UNIT'),
    );
    expect(JSON.stringify(config)).toContain('TG_LIMITS_UNKNOWN_KEY');
    expect(await client.decide(gold)).toMatchObject({ statuses: [{ currentLimit: { requestsPerUnit: 2 } }] });
    expect(await (await fetch(`${admin}/metrics`)).text()).toMatch(/ratelimit_service_config_load_error 1/);
    writeLimits(LIMITS.replace('LIMIT', '7'));
    await until(
      () => client.decide(gold),
      (answer) => answer.statuses[0]?.currentLimit?.requestsPerUnit === 7,
    );
  });
});

describe('starting', () => {
  it('refuses limits with mistakes, all of them listed, and leaves nothing open', async () => {
    writeLimits('domain: shop\ndescriptors:\n  - value: x\n  - key: a\n    rate_limit: { unit: never }\n');
    const refusal = await serve().then(never, (thrown: unknown) => thrown);
    expect(refusal).toBeInstanceOf(Refusal);
    expect((refusal as Refusal).errors.map((error) => error.code)).toEqual([
      'TG_LIMITS_EMPTY_KEY',
      'TG_LIMITS_BAD_UNIT',
    ]);
  });

  it('starts empty when told to, unhealthy, and serves once the limits are mended', async () => {
    writeLimits('domain: [');
    const { client, admin } = await serve('--limits.allow_empty_start');
    await expect(client.decide(gold)).rejects.toMatchObject({
      code: 14,
      details: expect.stringContaining('TG_NO_LIMITS') as string,
    });
    expect((await fetch(`${admin}/healthcheck`)).status).toBe(500);
    expect(await client.health('')).toBe(2);
    writeLimits(LIMITS.replace('LIMIT', '2'));
    await until(
      () => client.health(''),
      (status) => status === 1,
    );
    expect(await client.decide(gold)).toMatchObject({ overallCode: RlsCode.OK });
  });

  it('names a port that is taken', async () => {
    const blocker = createServer().listen(0, '127.0.0.1');
    await once(blocker, 'listening');
    const { port } = blocker.address() as { port: number };
    await expect(serve(`--admin.port=${port}`)).rejects.toMatchObject({ code: 'TG_LISTEN' });
    blocker.close();
  });
});

function never(): never {
  throw new Error('this must not be reached');
}

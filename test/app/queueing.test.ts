/** Calls that wait for tokens, through the data port. */
import { Client, credentials, Metadata } from '@grpc/grpc-js';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { readHere } from '../../src/app/limits-reading';
import { SHOULD_RATE_LIMIT } from '../../src/app/rls-handler';
import { start, type Running } from '../../src/app/start';
import { settingsFor } from '../../src/cli/settings';
import { RlsCode } from '../../src/core/rls';
import { encodeRateLimitRequest } from '../../src/wire';
import { until } from '../parts/until';
import { oneDescriptor, RlsClient } from './rls-client';

const LIMITS = `domain: shop
descriptors:
  - key: soon
    rate_limit: { per: 200ms, requests_per_unit: 1, queue: { max_wait: 5s } }
  - key: late
    rate_limit: { per: 3s, requests_per_unit: 1, queue: { max_wait: 10s } }
`;

let dir: string;
let running: Running;
let client: RlsClient;

beforeEach(async () => {
  dir = mkdtempSync(join(tmpdir(), 'tidegate-queue-'));
  const path = join(dir, 'limits.yaml');
  writeFileSync(path, LIMITS);
  const flags = ['--data.port=0', '--admin.port=0', '--control.port=0', '--log.level=silent'];
  running = await start(settingsFor([...flags, '--forecast.enabled=false', '--limits', path], {}), readHere);
  client = new RlsClient(running.addresses.data);
});
afterEach(async () => {
  client.close();
  await running.stop('test');
  rmSync(dir, { recursive: true, force: true });
});

async function metric(name: string): Promise<number> {
  const text = await (await fetch(`http://${running.addresses.admin}/metrics`)).text();
  const line = text.split('\n').find((one) => one.startsWith(`${name} `));
  return Number(line?.slice(name.length));
}

it('are admitted when their token is there', async () => {
  const fromMs = performance.now();
  const asked = Array.from({ length: 4 }, () => client.decide(oneDescriptor('shop', { soon: '1' })));
  const codes = (await Promise.all(asked)).map((answer) => answer.overallCode);
  expect(codes).toEqual([RlsCode.OK, RlsCode.OK, RlsCode.OK, RlsCode.OK]);
  expect(performance.now() - fromMs).toBeGreaterThan(590);
  expect(await metric('tidegate_queue_wait_seconds_count{end="served"}')).toBe(3);
});

it('leave when their caller cancels', async () => {
  await client.decide(oneDescriptor('shop', { late: '1' }));
  const raw = new Client(running.addresses.data, credentials.createInsecure());
  const message = Buffer.from(encodeRateLimitRequest(oneDescriptor('shop', { late: '1' })));
  const asIs = (bytes: Buffer): Buffer => bytes;
  const call = raw.makeUnaryRequest(
    SHOULD_RATE_LIMIT,
    asIs,
    asIs,
    message,
    new Metadata(),
    {},
    () => undefined,
  );
  await until('it waits', async () => (await metric('tidegate_queue_depth')) === 1);
  call.cancel();
  await until('it left', async () => (await metric('tidegate_queue_depth')) === 0);
  expect(await metric('tidegate_queue_wait_seconds_count{end="cancelled"}')).toBe(1);
  raw.close();
});

it('are answered when the process stops', async () => {
  await client.decide(oneDescriptor('shop', { late: '1' }));
  const waiting = client.decide(oneDescriptor('shop', { late: '1' }));
  await until('it waits', async () => (await metric('tidegate_queue_depth')) === 1);
  const fromMs = performance.now();
  await running.stop('test');
  expect((await waiting).overallCode).toBe(RlsCode.OVER_LIMIT);
  expect(performance.now() - fromMs).toBeLessThan(1_500);
});

import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { Webhooks } from '../../../src/app/forecasting/webhook';
import { until } from '../../parts/until';
import { recordedLogger } from './recorded-logger';

const servers: Server[] = [];
afterEach(() => {
  for (const server of servers.splice(0)) {
    server.closeAllConnections();
    server.close();
  }
});

/** A receiver that answers each call with the next of the statuses; undefined answers nothing. */
async function receiver(
  statuses: readonly (number | undefined)[],
): Promise<{ url: string; bodies: unknown[] }> {
  const bodies: unknown[] = [];
  const left = [...statuses];
  const server = createServer((request, response) => {
    let body = '';
    request.on('data', (part: Buffer) => (body += part.toString()));
    request.on('end', () => {
      bodies.push(JSON.parse(body));
      const status = left.shift();
      if (status !== undefined) response.writeHead(status).end();
    });
  });
  servers.push(server);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/hook?key=secret`, bodies };
}

const options = { timeoutMs: 200, retryAfterMs: [1, 1], maxWaiting: 3 };

describe('webhooks', () => {
  it('are told in order, and again when they fail', async () => {
    const { url, bodies } = await receiver([500, 200, 204]);
    const { logger, lines } = recordedLogger();
    const webhooks = new Webhooks(options, logger);
    webhooks.send('a', url, { n: 1 });
    webhooks.send('a', url, { n: 2 });
    await webhooks.idle();
    expect(bodies).toEqual([{ n: 1 }, { n: 1 }, { n: 2 }]);
    expect(lines).toEqual([]);
    expect(webhooks.lost).toBe(0);
  });

  it.each<[string, readonly (number | undefined)[], string]>([
    ['refuse', [500, 500, 500], 'answered 500'],
    ['do not answer', [undefined, undefined, undefined], 'no answer in time'],
    ['send elsewhere', [302, 302, 302], 'alert a'],
  ])('that %s are given up, which the log says without the URL', async (_, statuses, words) => {
    const { url, bodies } = await receiver(statuses);
    const { logger, lines } = recordedLogger();
    const webhooks = new Webhooks(options, logger);
    webhooks.send('a', url, {});
    await webhooks.idle();
    expect(bodies).toHaveLength(3);
    expect(webhooks.lost).toBe(1);
    expect(lines).toHaveLength(1);
    expect(JSON.stringify(lines)).toContain('TG_WEBHOOK_FAILED');
    expect(JSON.stringify(lines)).toContain(words);
    expect(JSON.stringify(lines)).not.toContain('secret');
  });

  it('drop the oldest of too many, and give up what waits when closed', async () => {
    const { url, bodies } = await receiver([undefined, 200]);
    const { logger } = recordedLogger();
    const webhooks = new Webhooks({ ...options, timeoutMs: 60_000 }, logger);
    for (let n = 0; n < 6; n += 1) webhooks.send('a', url, { n });
    expect(webhooks.lost).toBe(2);
    await webhooks.close();
    expect(bodies.length).toBeLessThanOrEqual(1);
  });
});

describe('a receiver that is down', () => {
  it('holds up no other, and its own messages are those that are dropped', async () => {
    const dead = await receiver(Array<undefined>(20).fill(undefined));
    const well = await receiver(Array<number>(20).fill(200));
    const { logger } = recordedLogger();
    const webhooks = new Webhooks({ timeoutMs: 60_000, retryAfterMs: [], maxWaiting: 3 }, logger);
    for (let n = 0; n < 10; n += 1) webhooks.send('dead', dead.url, { n });
    webhooks.send('well', well.url, { n: 1 });
    await until('the one that is well is told', () => well.bodies.length === 1);
    expect(webhooks.lost).toBeGreaterThan(0);
    await webhooks.close();
  });
});

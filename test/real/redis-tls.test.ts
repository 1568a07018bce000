import { readFileSync } from 'node:fs';
import type { RedisTls } from '../../src/store/redis/options';
import { RedisStore } from '../../src/store/redis/redis-store';
import { decide, take, verdicts } from '../parts/redis-asking';
import { type Certificates, makeCertificates } from '../parts/redis-certificates';
import { eventually, RedisServer } from '../parts/redis-server';
import { TidegateError } from '../../src/core/errors';

let certificates: Certificates;
let server: RedisServer;

beforeAll(async () => {
  certificates = await makeCertificates('DNS:redis.example');
  server = await RedisServer.start({
    tlsOnly: true,
    settings: [
      ['tls-cert-file', certificates.serverCert],
      ['tls-key-file', certificates.serverKey],
      ['tls-ca-cert-file', certificates.ca],
      ['tls-auth-clients', 'no'],
    ],
    admin: { tls: { rejectUnauthorized: false } },
  });
});
afterAll(async () => {
  await server.stop();
  await certificates.remove();
});

describe('a Redis store over TLS', () => {
  it.each<[string, () => RedisTls, string, RegExp | undefined]>([
    ['refuses a certificate of another host', () => ({}), 'TG_STORE_UNAVAILABLE', /does not match/],
    [
      'accepts it when told to skip the host name',
      () => ({ skipHostnameVerification: true }),
      'ok',
      undefined,
    ],
  ])('%s', async (_, more, verdict, reason) => {
    const tls = { ca: readFileSync(certificates.ca), ...more() };
    const store = new RedisStore({ kind: 'redis', urls: [server.address], tls });
    await eventually(
      `the answer is ${verdict}`,
      async () => (await verdicts(store, [take('k')]))[0] === verdict,
    );
    const [result] = await decide(store, [take('k')]);
    if (reason !== undefined) expect((result as TidegateError).message).toMatch(reason);
    else expect(result).not.toBeInstanceOf(TidegateError);
    await store.close();
  });

  it('refuses a certificate of an unknown authority, even when told to skip the host name', async () => {
    const store = new RedisStore({
      kind: 'redis',
      urls: [server.address],
      tls: { skipHostnameVerification: true },
    });
    expect(await verdicts(store, [take('k')])).toEqual(['TG_STORE_UNAVAILABLE']);
    const [error] = await decide(store, [take('k')]);
    expect((error as TidegateError).message).toMatch(/certificate/);
    await store.close();
  });
});

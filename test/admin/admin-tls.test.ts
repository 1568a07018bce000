import { readFileSync, mkdtempSync, rmSync } from 'node:fs';
import { request } from 'node:https';
import { tmpdir } from 'node:os';
import type { TLSSocket } from 'node:tls';
import { join } from 'node:path';
import { createAdminServer } from '../../src/admin/admin-server';
import { Authority, type Pair } from '../transport/certificates';
import { fakeControl } from './fake-control';
import { fakeDeps } from './fake-deps';
import { closeAll, logger, serve } from './serving';

const dir = mkdtempSync(join(tmpdir(), 'tidegate-admin-tls-'));
const authority = new Authority(dir, 'ca');
const ca = readFileSync(authority.cert);
const read = ({ cert, key }: Pair) => ({ cert: readFileSync(cert), key: readFileSync(key) });
const first = read(authority.issue('first', 'IP:127.0.0.1'));
const second = read(authority.issue('second', 'IP:127.0.0.1'));
const friend = read(authority.issue('friend', 'DNS:friend.example'));
const foe = read(authority.issue('foe', 'DNS:foe.example'));
const stranger = read(new Authority(dir, 'other').issue('stranger', 'DNS:friend.example'));

afterEach(() => closeAll());
afterAll(() => rmSync(dir, { recursive: true, force: true }));

const refusedTls = expect.objectContaining({ code: 'TG_TLS' }) as Error;

interface Call {
  readonly method?: string;
  readonly path?: string;
  readonly body?: object;
  readonly headers?: Readonly<Record<string, string>>;
}

/** Asks over a new connection, for /healthcheck unless told. @returns the answer and the name on the server's certificate. */
function ask(
  port: number,
  client: Partial<ReturnType<typeof read>> = {},
  { body: sent, path = '/healthcheck', ...call }: Call = {},
): Promise<{ status: number | undefined; body: string; name: string }> {
  return new Promise((resolve, reject) => {
    const options = { host: '127.0.0.1', port, path, ca, agent: false, ...client, ...call } as const;
    const asking = request(options, (response) => {
      const socket = response.socket as TLSSocket;
      const name = String(socket.getPeerCertificate().subject.CN);
      let body = '';
      response.on('data', (chunk) => (body += String(chunk)));
      response.on('end', () => resolve({ status: response.statusCode, body, name }));
    });
    asking.on('error', reject);
    asking.end(sent === undefined ? undefined : JSON.stringify(sent));
  });
}

describe('the admin port over TLS', () => {
  it('shows new connections the certificate that was put in, and keeps the old on a bad one', async () => {
    const { server, port } = await serve({}, { tls: { material: first } });
    expect(await ask(port)).toMatchObject({ body: 'OK', name: 'first' });
    server.replaceCertificate(second);
    expect(await ask(port)).toMatchObject({ body: 'OK', name: 'second' });
    const mismatched = { cert: first.cert, key: second.key };
    expect(() => server.replaceCertificate(mismatched)).toThrow(refusedTls);
    expect(await ask(port)).toMatchObject({ body: 'OK', name: 'second' });
  });

  it('takes only clients of its CA that it accepts', async () => {
    const acceptsClient = (certificate: { checkHost(name: string): string | undefined }) =>
      certificate.checkHost('friend.example') !== undefined;
    const { port, server } = await serve({}, { tls: { material: { ...first, ca }, acceptsClient } });
    expect((await ask(port, friend)).body).toBe('OK');
    await expect(ask(port)).rejects.toThrow();
    await expect(ask(port, foe)).rejects.toThrow();
    await expect(ask(port, stranger)).rejects.toThrow();
    server.replaceCertificate({ ...second, ca });
    expect(await ask(port, friend)).toMatchObject({ body: 'OK', name: 'second' });
    await expect(ask(port)).rejects.toThrow();
  });

  it('does not start with a certificate that cannot be used, and has none to replace without TLS', async () => {
    const options = { host: '127.0.0.1', port: 0, maxBodyBytes: 1_024 };
    const broken = { ...options, tls: { material: { cert: 'none', key: first.key } } };
    expect(() => createAdminServer(broken, fakeDeps(), logger)).toThrow(refusedTls);
    const plain = createAdminServer(options, fakeDeps(), logger);
    expect(() => plain.replaceCertificate(first)).toThrow(refusedTls);
    await plain.close(0);
  });
});

describe('a change over TLS', () => {
  const reload: Call = { method: 'POST', path: '/api/v1/limits/reload' };
  const mode = { mode: 'off', reason: 'trouble' };
  const order = (body: object): Call => ({ method: 'PUT', path: '/api/v1/pools/shop/mode', body });
  const demands = { tls: { material: { ...first, ca } } };

  it('needs no token from a client whose certificate is accepted', async () => {
    const { port } = await serve({}, { ...demands, token: '' });
    expect((await ask(port, friend, reload)).status).toBe(200);
    const foreign = { ...reload, headers: { origin: 'https://evil.example' } };
    expect((await ask(port, friend, foreign)).status).toBe(403);
    await expect(ask(port, stranger, reload)).rejects.toThrow();
  });

  it('needs the token where no certificate is demanded, even from a client that has one', async () => {
    const { port } = await serve({}, { tls: { material: first } });
    expect((await ask(port, friend, reload)).status).toBe(401);
    const token = { ...reload, headers: { authorization: 'Bearer right' } };
    expect((await ask(port, {}, token)).status).toBe(200);
  });

  it('is by whom the call names, else by the subject of the certificate', async () => {
    const asked: unknown[] = [];
    const { port } = await serve({ control: fakeControl(asked) }, { ...demands, token: '' });
    expect((await ask(port, friend, order(mode))).status).toBe(200);
    expect((await ask(port, friend, order({ ...mode, author: 'ops' }))).status).toBe(200);
    expect((await ask(port, friend, order({ ...mode, author: '' }))).status).toBe(400);
    expect(asked).toEqual([
      ['putMode', { pool: 'shop', ...mode, author: 'CN=friend' }],
      ['putMode', { pool: 'shop', ...mode, author: 'ops' }],
    ]);
  });
});

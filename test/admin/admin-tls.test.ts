import { readFileSync, mkdtempSync, rmSync } from 'node:fs';
import { request } from 'node:https';
import { tmpdir } from 'node:os';
import type { TLSSocket } from 'node:tls';
import { join } from 'node:path';
import { createAdminServer } from '../../src/admin/admin-server';
import { Authority, type Pair } from '../transport/certificates';
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

/** Asks for /healthcheck over a new connection. @returns the body and the name on the server's certificate. */
function ask(
  port: number,
  client: Partial<ReturnType<typeof read>> = {},
): Promise<{ body: string; name: string }> {
  return new Promise((resolve, reject) => {
    const options = { host: '127.0.0.1', port, path: '/healthcheck', ca, agent: false, ...client } as const;
    const call = request(options, (response) => {
      const socket = response.socket as TLSSocket;
      const name = String(socket.getPeerCertificate().subject.CN);
      let body = '';
      response.on('data', (chunk) => (body += String(chunk)));
      response.on('end', () => resolve({ body, name }));
    });
    call.on('error', reject);
    call.end();
  });
}

describe('the admin port over TLS', () => {
  it('shows new connections the certificate that was put in, and keeps the old on a bad one', async () => {
    const { server, port } = await serve({}, { tls: { material: first } });
    expect(await ask(port)).toEqual({ body: 'OK', name: 'first' });
    server.replaceCertificate(second);
    expect(await ask(port)).toEqual({ body: 'OK', name: 'second' });
    const mismatched = { cert: first.cert, key: second.key };
    expect(() => server.replaceCertificate(mismatched)).toThrow(refusedTls);
    expect(await ask(port)).toEqual({ body: 'OK', name: 'second' });
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
    expect(await ask(port, friend)).toEqual({ body: 'OK', name: 'second' });
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

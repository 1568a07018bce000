/** TLS on the data port with real certificates: handshakes, client certificates, and certificates that change. */
import { credentials, type ChannelCredentials } from '@grpc/grpc-js';
import {
  copyFileSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { connect as connectTls, type DetailedPeerCertificate } from 'node:tls';
import { TidegateError } from '../../src/core/errors';
import type { BoundAddress, Server } from '../../src/core/ports';
import {
  createFastDataServer,
  createGrpcDataServer,
  type GrpcServerOptions,
  type TlsFiles,
} from '../../src/transport';
import { Authority, type Pair } from './certificates';
import { RawClient, until, type Ended } from './raw-client';

const methods = new Map([['/t.Echo/Now', (message: Uint8Array) => message]]);
const bytes = Buffer.from('any bytes');
const LOCAL = ['DNS:localhost', 'IP:127.0.0.1'];
const UNAVAILABLE = 14;

describe.each([
  ['fast', createFastDataServer],
  ['grpc-js', createGrpcDataServer],
])('TLS, on the %s server', (_name, createDataServer) => {
  let dir: string;
  let authority: Authority;
  let stranger: Authority;
  let first: Pair;
  let second: Pair;
  let client: Pair;
  const open: { close: () => unknown }[] = [];

  beforeAll(() => {
    dir = mkdtempSync(join(tmpdir(), 'tidegate-tls-'));
    authority = new Authority(dir, 'authority');
    stranger = new Authority(dir, 'stranger');
    first = authority.issue('first', ...LOCAL);
    second = authority.issue('second', ...LOCAL);
    client = authority.issue(
      'client',
      'DNS:envoy.mesh.example',
      'URI:spiffe://mesh.example/ns/a/sa/envoy',
      'IP:10.1.2.3',
    );
  });
  afterEach(async () => {
    for (const part of open.splice(0)) await part.close();
  });
  afterAll(() => rmSync(dir, { recursive: true, force: true }));

  const serve = async (tls: TlsFiles, more: Partial<GrpcServerOptions> = {}): Promise<BoundAddress> => {
    const server: Server = createDataServer(
      { host: '127.0.0.1', port: 0, tls, tlsIntervalMs: 5, ...more },
      methods,
    );
    const address = await server.listen();
    open.push({ close: () => server.close(0) });
    return address;
  };

  const channel = (own?: Pair, ca = authority): ChannelCredentials =>
    credentials.createSsl(
      readFileSync(ca.cert),
      own === undefined ? null : readFileSync(own.key),
      own === undefined ? null : readFileSync(own.cert),
    );

  /** One call over a connection of its own. */
  const callOnce = async (address: BoundAddress, using: ChannelCredentials): Promise<Ended> => {
    const caller = new RawClient(address, using);
    try {
      return await caller.call('/t.Echo/Now', bytes);
    } finally {
      caller.close();
    }
  };

  /** The common name of the certificate that a new handshake is shown. */
  const shownName = (address: BoundAddress, own?: Pair): Promise<string> =>
    new Promise((resolve, reject) => {
      const socket = connectTls(
        {
          host: '127.0.0.1',
          port: address.port,
          ALPNProtocols: ['h2'],
          ca: readFileSync(authority.cert),
          ...(own && { cert: readFileSync(own.cert), key: readFileSync(own.key) }),
        },
        () => {
          const shown: DetailedPeerCertificate = socket.getPeerCertificate(true);
          socket.destroy();
          resolve(String(shown.subject.CN));
        },
      );
      socket.once('error', reject);
    });

  /** A directory with a pair of its own under fixed names, to be changed by the test. */
  const place = (name: string, pair: Pair): Pair => {
    mkdirSync(join(dir, name));
    const placed = { cert: join(dir, name, 'tls.crt'), key: join(dir, name, 'tls.key') };
    copyFileSync(pair.cert, placed.cert);
    copyFileSync(pair.key, placed.key);
    return placed;
  };

  const filesOf = (pair: Pair, more: Partial<TlsFiles> = {}): TlsFiles => ({
    certFile: pair.cert,
    keyFile: pair.key,
    ...more,
  });

  it('serves those who trust its authority, over HTTP/2 only', async () => {
    const refusals: TidegateError[] = [];
    const address = await serve(filesOf(first), { clientRefused: (error) => refusals.push(error) });
    expect(await callOnce(address, channel())).toMatchObject({ code: 0, answer: bytes });
    expect(await callOnce(address, channel(undefined, stranger))).toMatchObject({ code: UNAVAILABLE });
    expect(await callOnce(address, credentials.createInsecure())).toMatchObject({ code: UNAVAILABLE });
    const withoutAlpn = connectTls({
      host: '127.0.0.1',
      port: address.port,
      ca: readFileSync(authority.cert),
    });
    withoutAlpn.on('error', () => undefined);
    await new Promise((resolve) => withoutAlpn.resume().once('close', resolve));
    expect(refusals.map(({ code }) => code)).toContain('TG_TLS_CLIENT');
    expect(refusals.at(-1)!.message).toMatch(/ALPN/);
  });

  it('takes no TLS older than 1.2', async () => {
    const address = await serve(filesOf(first));
    const old = connectTls({
      host: '127.0.0.1',
      port: address.port,
      ca: readFileSync(authority.cert),
      ALPNProtocols: ['h2'],
      minVersion: 'TLSv1.1',
      maxVersion: 'TLSv1.1',
      ciphers: 'DEFAULT@SECLEVEL=0',
    });
    await new Promise((resolve, reject) => {
      old.once('error', resolve);
      old.once('secureConnect', () => reject(new Error('TLS 1.1 was accepted')));
    });
  });

  describe('with a client CA', () => {
    it('wants a certificate of it', async () => {
      const address = await serve(filesOf(first, { clientCaFile: authority.cert }));
      const foreign = stranger.issue('client', 'DNS:envoy.mesh.example');
      expect(await callOnce(address, channel(client))).toMatchObject({ code: 0 });
      expect(await callOnce(address, channel())).toMatchObject({ code: UNAVAILABLE });
      expect(await callOnce(address, channel(foreign))).toMatchObject({ code: UNAVAILABLE });
    });

    const names: [string, string[], boolean][] = [
      ['no names', [], true],
      ['the host name', ['envoy.mesh.example'], true],
      ['the host name in other case', ['ENVOY.mesh.example'], true],
      ['the URI', ['spiffe://mesh.example/ns/a/sa/envoy'], true],
      ['the address', ['10.1.2.3'], true],
      ['one of several', ['other.example', '10.1.2.3'], true],
      ['another host name', ['other.mesh.example'], false],
      ['a part of the host name', ['mesh.example'], false],
      ['another URI of the same start', ['spiffe://mesh.example/ns/a/sa'], false],
      ['another address', ['10.1.2.4'], false],
      ['the common name', ['client'], false],
      ['a name of the type in the text', ['DNS:envoy.mesh.example'], false],
    ];
    it.each(names)('and %s to match: %p lets in %p', async (_name, clientSans, allowed) => {
      const refusals: TidegateError[] = [];
      const address = await serve(filesOf(first, { clientCaFile: authority.cert, clientSans }), {
        clientRefused: (error) => refusals.push(error),
      });
      const ended = await callOnce(address, channel(client));
      expect(ended.code).toBe(allowed ? 0 : UNAVAILABLE);
      expect(refusals.map(({ code }) => code)).toEqual(allowed ? [] : ['TG_TLS_CLIENT']);
    });

    it('a wildcard of the certificate covers a host name', async () => {
      const wild = authority.issue('wild', 'DNS:*.mesh.example');
      const files = { clientCaFile: authority.cert };
      const covered = await serve(filesOf(first, { ...files, clientSans: ['a.mesh.example'] }));
      const deeper = await serve(filesOf(first, { ...files, clientSans: ['a.b.mesh.example'] }));
      expect(await callOnce(covered, channel(wild))).toMatchObject({ code: 0 });
      expect(await callOnce(deeper, channel(wild))).toMatchObject({ code: UNAVAILABLE });
    });

    it('a name within another name is not that name', async () => {
      const sly = authority.issue('sly', 'URI:https://x/, DNS:envoy.mesh.example');
      const address = await serve(
        filesOf(first, { clientCaFile: authority.cert, clientSans: ['envoy.mesh.example'] }),
      );
      expect(await callOnce(address, channel(sly))).toMatchObject({ code: UNAVAILABLE });
    });
  });

  describe('when the files change', () => {
    const counted = (): { reloads: number; kept: TidegateError[]; events: Partial<GrpcServerOptions> } => {
      const seen = {
        reloads: 0,
        kept: [] as TidegateError[],
        events: {
          tlsReloaded: () => void (seen.reloads += 1),
          tlsKept: (error: TidegateError) => void seen.kept.push(error),
        },
      };
      return seen;
    };

    it('shows new handshakes the new certificate, and goes on with old connections', async () => {
      const placed = place('replaced', first);
      const seen = counted();
      const address = await serve(filesOf(placed), seen.events);
      const before = new RawClient(address, channel());
      open.push(before);
      expect(await before.call('/t.Echo/Now', bytes)).toMatchObject({ code: 0 });
      expect(await shownName(address)).toBe('first');
      copyFileSync(second.key, placed.key);
      copyFileSync(second.cert, placed.cert);
      await until(() => seen.reloads > 0, 'the files are read again');
      expect(await shownName(address)).toBe('second');
      expect(await before.call('/t.Echo/Now', bytes)).toMatchObject({ code: 0 });
      expect(await callOnce(address, channel())).toMatchObject({ code: 0 });
    });

    it('follows the symlink swap of a mounted Secret', async () => {
      const mount = join(dir, 'mount');
      for (const [version, pair] of Object.entries({ v1: first, v2: second })) {
        mkdirSync(join(mount, version), { recursive: true });
        copyFileSync(pair.cert, join(mount, version, 'tls.crt'));
        copyFileSync(pair.key, join(mount, version, 'tls.key'));
      }
      symlinkSync('v1', join(mount, '..data'));
      symlinkSync('..data/tls.crt', join(mount, 'tls.crt'));
      symlinkSync('..data/tls.key', join(mount, 'tls.key'));
      const seen = counted();
      const address = await serve(
        { certFile: join(mount, 'tls.crt'), keyFile: join(mount, 'tls.key') },
        seen.events,
      );
      expect(await shownName(address)).toBe('first');
      symlinkSync('v2', join(mount, '..data_tmp'));
      renameSync(join(mount, '..data_tmp'), join(mount, '..data'));
      await until(() => seen.reloads > 0, 'the swap is noticed');
      expect(await shownName(address)).toBe('second');
      expect(seen.kept).toEqual([]);
    });

    const broken: [string, (placed: Pair) => void, string, RegExp][] = [
      ['a certificate that is none', (at) => writeFileSync(at.cert, 'none'), 'cert', /no PEM certificate/],
      [
        'a certificate that is cut short',
        (at) => writeFileSync(at.cert, readFileSync(first.cert, 'utf8').replace(/\n.{20}/, '\n')),
        'cert',
        /cannot be read/,
      ],
      ['the key of another', (at) => copyFileSync(second.key, at.key), 'key', /does not go with/],
      ['a key that is gone', (at) => rmSync(at.key), 'key', /cannot be read \(ENOENT\)/],
    ];
    it.each(broken)(
      'keeps the old ones in place of %s, and takes good ones after',
      async (name, breakIt, part, message) => {
        const placed = place(name, first);
        const seen = counted();
        const address = await serve(filesOf(placed), seen.events);
        breakIt(placed);
        await until(() => seen.kept.length > 0, 'the fault is reported');
        expect(seen.kept[0]).toMatchObject({ code: 'TG_TLS', at: { file: placed[part as keyof Pair] } });
        expect(seen.kept[0]!.message).toMatch(message);
        expect(await shownName(address)).toBe('first');
        copyFileSync(second.cert, placed.cert);
        copyFileSync(second.key, placed.key);
        await until(() => seen.reloads > 0, 'the good files are read');
        expect(await shownName(address)).toBe('second');
        expect(seen.kept).toHaveLength(1);
      },
    );

    it('asks for certificates of the new CA', async () => {
      const ca = join(dir, 'client-ca.pem');
      copyFileSync(authority.cert, ca);
      const seen = counted();
      const address = await serve(filesOf(first, { clientCaFile: ca }), seen.events);
      const foreign = stranger.issue('client', 'DNS:envoy.mesh.example');
      expect(await callOnce(address, channel(client))).toMatchObject({ code: 0 });
      copyFileSync(stranger.cert, ca);
      await until(() => seen.reloads > 0, 'the CA is read again');
      expect(await callOnce(address, channel(foreign))).toMatchObject({ code: 0 });
      expect(await callOnce(address, channel(client))).toMatchObject({ code: UNAVAILABLE });
    });
  });

  const unusable: [string, () => TlsFiles][] = [
    ['no certificate file', () => ({ certFile: join(dir, 'nowhere'), keyFile: first.key })],
    ['a key of another certificate', () => ({ certFile: first.cert, keyFile: second.key })],
    ['a CA that is a key', () => filesOf(first, { clientCaFile: first.key })],
  ];
  it.each(unusable)('does not start with %s', async (_name, files) => {
    await expect(serve(files())).rejects.toMatchObject({ code: 'TG_TLS' });
  });

  it('says nothing of what is in a key', async () => {
    const key = join(dir, 'secret.key');
    writeFileSync(key, '-----BEGIN PRIVATE KEY-----\nc2VjcmV0\n-----END PRIVATE KEY-----\n');
    const thrown: unknown = await serve({ certFile: first.cert, keyFile: key }).catch(
      (error: unknown) => error,
    );
    const shown = thrown instanceof TidegateError ? thrown.toString() : '';
    expect(shown).toContain('TG_TLS');
    expect(shown).not.toContain('c2VjcmV0');
  });
});

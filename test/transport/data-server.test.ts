/** The data port: calls in, answers and statuses out, limits on what a connection may do, and a gentle close. */
import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { connect as connectHttp2 } from 'node:http2';
import { connect, createServer, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { TidegateError } from '../../src/core/errors';
import type { BoundAddress, CallContext, Server, UnaryHandler, UnaryMethods } from '../../src/core/ports';
import { createFastDataServer, createGrpcDataServer, type GrpcServerOptions } from '../../src/transport';
import { RawClient, until } from './raw-client';

const RESOURCE_EXHAUSTED = 8;
const UNIMPLEMENTED = 12;
const UNAVAILABLE = 14;

describe.each([
  ['fast', createFastDataServer],
  ['grpc-js', createGrpcDataServer],
])('the data server (%s)', (_name, createDataServer) => {
  const open: { close: () => unknown }[] = [];
  const contexts: CallContext[] = [];
  let release: () => void;
  let held: number;
  let dir: string;

  const methods: UnaryMethods = new Map<string, UnaryHandler>([
    [
      '/t.Echo/Now',
      (message, context) => {
        contexts.push(context);
        return message;
      },
    ],
    ['/t.Echo/Later', async (message: Uint8Array) => message],
    [
      '/t.Echo/Held',
      async (message: Uint8Array) => {
        held += 1;
        await new Promise<void>((resolve) => (release = resolve));
        return message;
      },
    ],
    [
      '/t.Fail/Throws',
      () => {
        throw new TidegateError('TG_REQUEST_NO_DOMAIN', 'no domain\r\nx: y \ud800 ü', {
          at: { key: 'domain' },
        });
      },
    ],
    ['/t.Fail/Rejects', () => Promise.reject(new TidegateError('TG_STORE_TIMEOUT', 'too slow'))],
    [
      '/t.Fail/Bug',
      () => {
        throw new Error('password is hunter2');
      },
    ],
  ]);

  const serve = async (
    options: Partial<GrpcServerOptions> = {},
  ): Promise<[Server, BoundAddress, RawClient]> => {
    const server = createDataServer({ host: '127.0.0.1', port: 0, ...options }, methods);
    const address = await server.listen();
    const client = new RawClient(address);
    open.push(client, { close: () => server.close(0) });
    return [server, address, client];
  };

  beforeEach(() => {
    contexts.length = 0;
    held = 0;
    dir = mkdtempSync(join(tmpdir(), 'tidegate-data-'));
  });
  afterEach(async () => {
    for (const part of open.splice(0)) await part.close();
    rmSync(dir, { recursive: true, force: true });
  });

  const bytes = Buffer.from('any bytes');

  it.each(['/t.Echo/Now', '/t.Echo/Later'])('answers %s with the bytes of its handler', async (path) => {
    const [, address, client] = await serve();
    expect(address.address).toBe(`127.0.0.1:${address.port}`);
    expect(await client.call(path, bytes)).toEqual({ code: 0, details: '', answer: bytes });
    expect(await client.call(path, Buffer.alloc(0))).toMatchObject({ code: 0, answer: Buffer.alloc(0) });
  });

  it('hands on what is left of the time and the trace context', async () => {
    const [, , client] = await serve();
    const traceparent = '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01';
    await client.call('/t.Echo/Now', bytes, { deadlineMs: 5_000, metadata: { traceparent } });
    expect(contexts).toHaveLength(1);
    expect(contexts[0]!.traceparent).toBe(traceparent);
    expect(contexts[0]!.timeoutMs).toBeGreaterThan(1_000);
    expect(contexts[0]!.timeoutMs).toBeLessThanOrEqual(5_001);
  });

  it('knows a call without a timeout and without a trace', async () => {
    const [, address] = await serve();
    const session = connectHttp2(`http://${address.address}`);
    open.push(session);
    const stream = session.request({
      ':method': 'POST',
      ':path': '/t.Echo/Now',
      'content-type': 'application/grpc',
      te: 'trailers',
    });
    stream.end(Buffer.from([0, 0, 0, 0, 0]));
    stream.resume();
    await new Promise((resolve) => stream.once('close', resolve));
    expect(contexts).toEqual([{ timeoutMs: Infinity }]);
  });

  const failures: [string, number, string][] = [
    ['/t.Fail/Throws', 3, 'TG_REQUEST_NO_DOMAIN: domain: no domain  x: y \ufffd ü'],
    ['/t.Fail/Rejects', 14, 'TG_STORE_TIMEOUT: too slow'],
    ['/t.Fail/Bug', 13, 'TG_INTERNAL: an internal error, see the log'],
  ];
  it.each(failures)('tells the caller of %s its status and code', async (path, code, details) => {
    const [, , client] = await serve();
    expect(await client.call(path, bytes)).toEqual({ code, details, answer: undefined });
  });

  it('does not implement other methods', async () => {
    const [, , client] = await serve();
    expect(await client.call('/t.Echo/Never', bytes)).toMatchObject({ code: UNIMPLEMENTED });
    expect(await client.call('/t.Echo/Now', bytes)).toMatchObject({ code: 0 });
  });

  it('reads messages up to the bound and no longer ones', async () => {
    const [, , client] = await serve({ maxMessageBytes: 1_000 });
    expect(await client.call('/t.Echo/Now', Buffer.alloc(1_000))).toMatchObject({ code: 0 });
    const refused = await client.call('/t.Echo/Now', Buffer.alloc(1_001));
    expect(refused).toMatchObject({ code: RESOURCE_EXHAUSTED });
    expect(contexts).toHaveLength(1);
  });

  it('announces how many calls a connection may have', async () => {
    const [, address] = await serve({ maxConcurrentStreams: 7 });
    const session = connectHttp2(`http://${address.address}`);
    open.push(session);
    await new Promise((resolve) => session.once('remoteSettings', resolve));
    expect(session.remoteSettings.maxConcurrentStreams).toBe(7);
  });

  it('asks a connection to close at its age', async () => {
    const [, address] = await serve({ maxConnectionAgeMs: 50, maxConnectionAgeGraceMs: 50 });
    const session = connectHttp2(`http://${address.address}`);
    const goaway = new Promise<number>((resolve) => session.once('goaway', resolve));
    const closed = new Promise((resolve) => session.once('close', resolve));
    expect(await goaway).toBe(0);
    await closed;
  });

  it('cuts a connection whose calls outlive its age and grace', async () => {
    const [, , client] = await serve({ maxConnectionAgeMs: 50, maxConnectionAgeGraceMs: 50 });
    expect(await client.call('/t.Echo/Held', bytes)).toMatchObject({ code: UNAVAILABLE });
    expect(held).toBe(1);
  });

  it('takes an age that no timer can wait for as never', async () => {
    const [, , client] = await serve({ maxConnectionAgeMs: 3_650 * 86_400_000 });
    expect(await client.call('/t.Echo/Later', bytes)).toMatchObject({ code: 0 });
    expect(await client.call('/t.Echo/Now', bytes)).toMatchObject({ code: 0 });
  });

  it('drops connections beyond its bound', async () => {
    const [, address, client] = await serve({ maxConnections: 1 });
    expect(await client.call('/t.Echo/Now', bytes)).toMatchObject({ code: 0 });
    const second = connect(address.port, '127.0.0.1');
    second.on('error', () => undefined);
    await new Promise((resolve) => second.once('close', resolve));
    expect(await client.call('/t.Echo/Now', bytes)).toMatchObject({ code: 0 });
  });

  describe('on a Unix socket', () => {
    it('serves, and leaves no file behind', async () => {
      const socketPath = join(dir, 'rls.sock');
      const [server, address, client] = await serve({ socketPath });
      expect(address).toEqual({ address: `unix:${socketPath}`, port: 0 });
      expect(await client.call('/t.Echo/Now', bytes)).toMatchObject({ code: 0 });
      await server.close(0);
      expect(existsSync(socketPath)).toBe(false);
    });

    it('takes over the socket of a process that was killed', async () => {
      const socketPath = join(dir, 'rls.sock');
      const script = `net.createServer().listen(process.argv[1], () => process.kill(process.pid, 'SIGKILL'))`;
      spawnSync(process.execPath, ['-e', script, socketPath]);
      expect(existsSync(socketPath)).toBe(true);
      const [, , client] = await serve({ socketPath });
      expect(await client.call('/t.Echo/Now', bytes)).toMatchObject({ code: 0 });
    });

    it('takes over no socket that is served, and no other file', async () => {
      const socketPath = join(dir, 'rls.sock');
      await serve({ socketPath });
      await expect(serve({ socketPath })).rejects.toMatchObject({ code: 'TG_LISTEN' });
      const file = join(dir, 'a-file');
      writeFileSync(file, 'kept');
      await expect(serve({ socketPath: file })).rejects.toMatchObject({ code: 'TG_LISTEN' });
      expect(existsSync(file)).toBe(true);
    });
  });

  it('says that an address is taken', async () => {
    const [, address] = await serve();
    await expect(serve({ port: address.port })).rejects.toMatchObject({
      code: 'TG_LISTEN',
      message: `cannot listen on 127.0.0.1:${address.port} (EADDRINUSE)`,
    });
  });

  it('says that an address is not its own', async () => {
    await expect(serve({ host: '192.0.2.1' })).rejects.toMatchObject({ code: 'TG_LISTEN' });
  });

  describe('when closed', () => {
    it('lets calls in flight finish and takes no new connection', async () => {
      const [server, address, client] = await serve();
      const call = client.call('/t.Echo/Held', bytes);
      await until(() => held === 1, 'the call is in flight');
      const closed = server.close(10_000);
      const late: Socket = connect(address.port, '127.0.0.1');
      const refused = await new Promise<NodeJS.ErrnoException>((resolve) => late.once('error', resolve));
      expect(refused.code).toBe('ECONNREFUSED');
      release();
      expect(await call).toMatchObject({ code: 0, answer: bytes });
      await closed;
    });

    it('cuts calls that outlast the grace', async () => {
      const [server, , client] = await serve();
      const call = client.call('/t.Echo/Held', bytes);
      await until(() => held === 1, 'the call is in flight');
      await server.close(20);
      expect((await call).code).not.toBe(0);
    });

    it('does not wait for idle connections, or for ones that never said anything', async () => {
      const [server, address, client] = await serve();
      await client.call('/t.Echo/Now', bytes);
      const silent = connect(address.port, '127.0.0.1');
      await new Promise((resolve) => silent.once('connect', resolve));
      const gone = new Promise((resolve) => silent.resume().once('close', resolve));
      await server.close(60_000);
      await gone;
    });

    it('frees its address, may be closed again, and cannot listen again', async () => {
      const [server, address] = await serve();
      await server.close(0);
      await server.close(0);
      const next = createServer().listen(address.port, '127.0.0.1');
      await new Promise((resolve) => next.once('listening', resolve));
      next.close();
      await expect(server.listen()).rejects.toMatchObject({ code: 'TG_LISTEN' });
    });

    it('may be closed without ever having listened', async () => {
      await createDataServer({ host: '127.0.0.1', port: 0 }, methods).close(1_000);
    });
  });
});

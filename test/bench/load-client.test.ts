/** The load client of bench/: it must read every correct server, and must not take a broken one for a fast one. */
import { Metadata, Server, ServerCredentials, status, type handleUnaryCall } from '@grpc/grpc-js';
import { execFile } from 'node:child_process';
import { createServer, type ServerHttp2Stream } from 'node:http2';
import type { AddressInfo } from 'node:net';
import path from 'node:path';

const CLIENT = path.join(__dirname, '../../bench/load/main.mjs');
const METHOD = '/envoy.service.ratelimit.v3.RateLimitService/ShouldRateLimit';
const OK = Buffer.from([0x08, 1]);
const OVER_LIMIT = Buffer.from([0x08, 2]);

interface LoadResult {
  readonly ok: number;
  readonly overLimit: number;
  readonly failed: number;
  readonly lost: number;
  readonly callsPerS: number;
  readonly latencyUs: Readonly<Record<'p50' | 'p90' | 'p99' | 'p999' | 'max', number>>;
  readonly failures: Readonly<Record<string, number>>;
}

function load(port: number, ...args: string[]): Promise<{ exitCode: number; result: LoadResult }> {
  const all = [CLIENT, '--target', `127.0.0.1:${port}`, '--warmup-s', '0', '--duration-s', '0.3', ...args];
  return new Promise((resolve, reject) => {
    execFile(process.execPath, all, (error, stdout, stderr) => {
      if (stdout === '') reject(new Error(stderr));
      else
        resolve({
          exitCode: error === null ? 0 : Number(error.code),
          result: JSON.parse(stdout) as LoadResult,
        });
    });
  });
}

async function withGrpcServer<T>(
  handler: handleUnaryCall<Buffer, Buffer>,
  use: (port: number) => Promise<T>,
): Promise<T> {
  const same = (bytes: Buffer): Buffer => bytes;
  const server = new Server();
  server.addService(
    {
      ShouldRateLimit: {
        path: METHOD,
        requestStream: false,
        responseStream: false,
        requestSerialize: same,
        requestDeserialize: same,
        responseSerialize: same,
        responseDeserialize: same,
      },
    },
    { ShouldRateLimit: handler },
  );
  const port = await new Promise<number>((resolve, reject) => {
    server.bindAsync('127.0.0.1:0', ServerCredentials.createInsecure(), (error, bound) =>
      error === null ? resolve(bound) : reject(error),
    );
  });
  try {
    return await use(port);
  } finally {
    server.forceShutdown();
  }
}

async function withHttp2Server<T>(
  answer: (stream: ServerHttp2Stream) => void,
  use: (port: number) => Promise<T>,
): Promise<T> {
  const sessions = new Set<{ destroy(): void }>();
  const server = createServer().on('session', (session) => sessions.add(session));
  server.on('stream', (stream) => {
    stream.on('error', () => undefined);
    answer(stream);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  try {
    return await use((server.address() as AddressInfo).port);
  } finally {
    for (const session of sessions) session.destroy();
    await new Promise((resolve) => server.close(resolve));
  }
}

const message = (body: Buffer): Buffer => Buffer.concat([Buffer.from([0, 0, 0, 0, body.length]), body]);

describe('the load client', () => {
  it('counts OK and OVER_LIMIT apart, in a closed loop over many keys', async () => {
    let calls = 0;
    const alternate: handleUnaryCall<Buffer, Buffer> = (_call, reply) =>
      reply(null, (calls += 1) % 4 === 0 ? OVER_LIMIT : OK);
    const { exitCode, result } = await withGrpcServer(alternate, (port) =>
      load(port, '--keys', 'zipf:1.1:1000'),
    );
    expect({ exitCode, failed: result.failed, lost: result.lost }).toEqual({
      exitCode: 0,
      failed: 0,
      lost: 0,
    });
    expect(result.overLimit).toBeGreaterThan(10);
    expect(result.ok / result.overLimit).toBeGreaterThan(2.5);
    expect(result.ok / result.overLimit).toBeLessThan(3.5);
  });

  it('sends at the rate asked for, and charges a stall to every call that it kept waiting', async () => {
    let stalledAtMs = 0;
    const stall: handleUnaryCall<Buffer, Buffer> = (_call, reply) => {
      if (stalledAtMs === 0) {
        stalledAtMs = performance.now();
        while (performance.now() < stalledAtMs + 150);
      }
      reply(null, OK);
    };
    const { result } = await withGrpcServer(stall, (port) => load(port, '--rate', '500'));
    expect(result.ok).toBe(150);
    // Calls due during the stall of 150 ms, half of the run, waited 75 ms on average.
    expect(result.latencyUs.p90).toBeGreaterThan(75_000);
  });

  it('exits with 1 and says why when the server answers errors', async () => {
    const refuse: handleUnaryCall<Buffer, Buffer> = (_call, reply) =>
      reply({ code: status.UNAVAILABLE, details: 'x'.repeat(300), metadata: new Metadata() });
    const { exitCode, result } = await withGrpcServer(refuse, (port) => load(port, '--streams', '2'));
    expect(exitCode).toBe(1);
    expect(result).toMatchObject({ ok: 0, callsPerS: 0, failures: { 'grpc-status 14': 8 } });
  });

  it('says in one line that it cannot connect, and exits with 2', async () => {
    const port = await withHttp2Server(
      () => undefined,
      async (bound) => bound,
    );
    await expect(load(port)).rejects.toThrow(/^127\.0\.0\.1:\d+: connection: ECONNREFUSED\n$/);
  });

  const trailing = (code: string) => (stream: ServerHttp2Stream) => {
    stream.on('wantTrailers', () => stream.sendTrailers({ 'grpc-status': code }));
  };
  const broken: readonly [string, (stream: ServerHttp2Stream) => void, string][] = [
    ['HTTP errors', (stream) => stream.respond({ ':status': 503 }, { endStream: true }), 'HTTP status 503'],
    ['streams that are reset', (stream) => stream.close(2), 'stream reset with code 2'],
    ['no trailers', (stream) => (stream.respond({ ':status': 200 }), stream.end(message(OK))), 'no trailers'],
    [
      'no message',
      (stream) => (
        trailing('0')(stream),
        stream.respond({ ':status': 200 }, { waitForTrailers: true }),
        stream.end()
      ),
      'no message',
    ],
    [
      'a message without a verdict',
      (stream) => {
        trailing('0')(stream);
        stream.respond({ ':status': 200 }, { waitForTrailers: true });
        stream.end(message(Buffer.from([0x12, 0])));
      },
      'a message without a verdict',
    ],
  ];
  it.each(broken)('fails calls of a server with %s', async (_name, answer, reason) => {
    const { exitCode, result } = await withHttp2Server(answer, (port) =>
      load(port, '--streams', '3', '--connections', '1'),
    );
    expect(exitCode).toBe(1);
    expect(result).toMatchObject({ ok: 0, overLimit: 0, failures: { [reason]: 3 } });
  });

  it('reads header blocks that fill and evict the dynamic table, and that span frames', async () => {
    let calls = 0;
    const chatty = (stream: ServerHttp2Stream): void => {
      calls += 1;
      trailing('0')(stream);
      const big = calls % 50 === 0 ? { 'x-big': `${calls}-`.repeat(4_000) } : {};
      const headers = {
        ':status': 200,
        'x-call': `${calls}`,
        [`x-name-${calls % 90}`]: 'Ünïcode~{|}<>\\^'.slice(2),
        ...big,
      };
      stream.respond(headers, { waitForTrailers: true });
      stream.end(message(OK));
    };
    const { exitCode, result } = await withHttp2Server(chatty, (port) => load(port));
    expect({ exitCode, failures: result.failures }).toEqual({ exitCode: 0, failures: {} });
    expect(result.ok).toBeGreaterThan(100);
  });
});

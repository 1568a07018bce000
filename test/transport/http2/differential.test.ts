/**
 * The same calls to our HTTP/2 and to grpc-js, with the same handlers behind both: the same answers, statuses, messages
 * and trailers. What each says in its own words is left out.
 */
import fc from 'fast-check';
import {
  type ClientHttp2Session,
  connect,
  type IncomingHttpHeaders,
  type IncomingHttpStatusHeader,
} from 'node:http2';
import { deflateSync, gzipSync } from 'node:zlib';
import { TidegateError } from '../../../src/core/errors';
import type { CallContext, Server, UnaryHandler } from '../../../src/core/ports';
import { createFastDataServer, createGrpcDataServer } from '../../../src/transport';
import { RawClient } from '../raw-client';

const MAX_MESSAGE_BYTES = 70_000;
const MAX_ENCODINGS = 'identity,deflate,gzip';

/** Answers by what the message says, so that both servers' handlers do the same. */
const respond: UnaryHandler = (message, context) => {
  const bytes = Buffer.from(message);
  switch (bytes[0]! & 7) {
    case 1:
      throw new TidegateError('TG_REQUEST_NO_DOMAIN', `100 % wrong: ${bytes.toString('latin1', 1, 40)}`);
    case 2:
      return Promise.resolve(bytes.reverse());
    case 3:
      return Promise.reject(new TidegateError('TG_STORE_TIMEOUT', 'zu späť 🙈'));
    case 4:
      throw new Error('a secret');
    case 5:
      return new Promise((resolve) => setImmediate(resolve, bytes));
    case 6:
      return Buffer.from(JSON.stringify(seen(context)));
    case 7:
      return Buffer.alloc(bytes.length * 3, bytes);
    default:
      return bytes;
  }
};

const seen = ({ timeoutMs, traceparent }: CallContext): object => ({
  hasTimeout: timeoutMs !== Infinity,
  traceparent,
});

const text = (value: string | string[] | undefined): string | undefined => value?.toString();

interface Reply {
  readonly status: number | undefined;
  readonly contentType: string | undefined;
  readonly body: string;
  readonly grpcStatus: string | undefined;
  readonly grpcMessage: string | undefined;
  readonly acceptEncoding: string | undefined;
  readonly reset: number;
}

describe('our HTTP/2 and grpc-js', () => {
  const methods = new Map([['/t.Some/Method', respond]]);
  const options = { host: '127.0.0.1', port: 0, maxMessageBytes: MAX_MESSAGE_BYTES };
  const servers: Server[] = [];
  const clients: RawClient[] = [];
  const sessions: ClientHttp2Session[] = [];

  beforeAll(async () => {
    for (const create of [createFastDataServer, createGrpcDataServer]) {
      const server = create(options, methods);
      const address = await server.listen();
      servers.push(server);
      clients.push(new RawClient(address));
      sessions.push(connect(`http://${address.address}`));
    }
  });
  afterAll(async () => {
    for (const session of sessions) session.destroy();
    for (const client of clients) client.close();
    await Promise.all(servers.map((server) => server.close(0)));
  });

  test('answer random calls alike', async () => {
    const body = fc.oneof(
      { weight: 8, arbitrary: fc.uint8Array({ maxLength: 300 }) },
      fc.integer({ min: 0, max: 90_000 }).map((length) => new Uint8Array(length).fill(length & 7)),
    );
    const metadata = fc.record(
      {
        traceparent: fc.constant('00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01'),
        'x-some': fc.stringMatching(/^[!-~]{0,200}$/),
        'x-more': fc.stringMatching(/^[!-~]{1,20}$/),
      },
      { requiredKeys: [] },
    );
    const path = fc.constantFrom('/t.Some/Method', '/t.Some/Method', '/t.Some/Method', '/t.Some/Other', '/');
    const calls = fc.array(fc.tuple(path, body, metadata), { minLength: 1, maxLength: 20 });
    let count = 0;
    await fc.assert(
      fc.asyncProperty(calls, async (all) => {
        const [ours, theirs] = await Promise.all(
          clients.map((client) =>
            Promise.all(all.map(([to, bytes, more]) => client.call(to, bytes, { metadata: more }))),
          ),
        );
        all.forEach(([to, bytes], index) => {
          const [our, their] = [ours![index]!, theirs![index]!];
          expect(our.code).toBe(their.code);
          expect(our.answer).toEqual(their.answer);
          // Errors of handlers are told in the same words; those of the transport in its own.
          const own = to !== '/t.Some/Method' || bytes.length > MAX_MESSAGE_BYTES;
          if (!own) expect(our.details).toBe(their.details);
          count += 1;
        });
      }),
      { numRuns: 120 },
    );
    expect(count).toBeGreaterThan(500);
  });

  const ask = (
    session: ClientHttp2Session,
    headers: Record<string, string>,
    body: Uint8Array,
  ): Promise<Reply> =>
    new Promise((resolve) => {
      const stream = session.request(headers);
      let head: IncomingHttpHeaders & IncomingHttpStatusHeader = {};
      let trailers: IncomingHttpHeaders = {};
      const chunks: Buffer[] = [];
      stream.on('response', (given: IncomingHttpHeaders & IncomingHttpStatusHeader) => {
        head = given;
      });
      stream.on('trailers', (given: IncomingHttpHeaders) => {
        trailers = given;
      });
      stream.on('data', (chunk: Buffer) => chunks.push(chunk));
      stream.on('error', () => undefined);
      stream.on('close', () => {
        const all = { ...head, ...trailers };
        resolve({
          status: head[':status'],
          contentType: head['content-type']?.replace('+proto', ''),
          body: Buffer.concat(chunks).toString('hex'),
          grpcStatus: text(all['grpc-status']),
          grpcMessage: text(all['grpc-message']),
          acceptEncoding: text(all['grpc-accept-encoding']),
          reset: stream.rstCode ?? 0,
        });
      });
      stream.end(body);
    });

  const framed = (bytes: Uint8Array, flag = 0): Buffer => {
    const head = Buffer.alloc(5);
    head[0] = flag;
    head.writeUInt32BE(bytes.length, 1);
    return Buffer.concat([head, bytes]);
  };
  const hello = Buffer.from([8, 1, 2, 3]);
  const requests: [string, Record<string, string>, Buffer][] = [
    ['a call', {}, framed(hello)],
    ['an empty message', {}, framed(Buffer.alloc(0))],
    ['gzip', { 'grpc-encoding': 'gzip' }, framed(gzipSync(hello), 1)],
    ['deflate', { 'grpc-encoding': 'deflate' }, framed(deflateSync(hello), 1)],
    ['gzip announced, not used', { 'grpc-encoding': 'gzip' }, framed(hello)],
    ['gzip that is none', { 'grpc-encoding': 'gzip' }, framed(hello, 1)],
    ['gzip that is too long', { 'grpc-encoding': 'gzip' }, framed(gzipSync(Buffer.alloc(100_000)), 1)],
    ['an unknown encoding', { 'grpc-encoding': 'snappy' }, framed(hello, 1)],
    ['no message', {}, Buffer.alloc(0)],
    ['two messages', {}, Buffer.concat([framed(hello), framed(hello)])],
    ['a message that is too long', {}, framed(Buffer.alloc(MAX_MESSAGE_BYTES + 1))],
    ['an unknown method', { ':path': '/t.Some/Never' }, framed(hello)],
    ['a path that is none', { ':path': 'x' }, framed(hello)],
    ['another content type', { 'content-type': 'text/html' }, framed(hello)],
    ['a subtype', { 'content-type': 'application/grpc+proto' }, framed(hello)],
    ['a timeout', { 'grpc-timeout': '10S' }, framed(Buffer.from([6]))],
    ['a timeout that is none', { 'grpc-timeout': 'soon' }, framed(hello)],
    ['a long answer', {}, framed(Buffer.alloc(60_000, 7))],
  ];
  /** Where the two differ, and why ours is the better answer. */
  const OURS: Record<string, Partial<Reply>> = {
    // gRPC's compression spec: the answer lists what is supported.
    'an unknown encoding': { acceptEncoding: MAX_ENCODINGS },
  };

  test.each(requests)('treat %s alike', async (name, more, body) => {
    const headers = {
      ':method': 'POST',
      ':path': '/t.Some/Method',
      'content-type': 'application/grpc',
      te: 'trailers',
      ...more,
    };
    const [ours, theirs] = await Promise.all(sessions.map((session) => ask(session, headers, body)));
    const compared = ({ grpcMessage: _message, acceptEncoding: _encodings, ...rest }: Reply): object => rest;
    expect({ ...compared(ours!), acceptEncoding: ours!.acceptEncoding }).toEqual({
      ...compared(theirs!),
      acceptEncoding: undefined,
      ...OURS[name],
    });
    expect(ours!.grpcStatus === '0' || ours!.status !== 200 || ours!.grpcMessage !== undefined).toBe(true);
  });
});

/** Peers that break HTTP/2 or gRPC: each gets its error, and the server goes on answering others. */
import fc from 'fast-check';
import { connect, type Socket } from 'node:net';
import { gzipSync } from 'node:zlib';
import type { BoundAddress, Server, UnaryMethods } from '../../src/core/ports';
import {
  createFastDataServer,
  createGrpcDataServer,
  healthMethods,
  rateLimitHealth,
} from '../../src/transport';
import { decodeRateLimitRequest, encodeRateLimitRequest, encodeRateLimitResponse } from '../../src/wire';
import { RawClient } from './raw-client';

const PATH = '/envoy.service.ratelimit.v3.RateLimitService/ShouldRateLimit';
const DATA = 0;
const HEADERS = 1;
const RST_STREAM = 3;
const SETTINGS = 4;
const PING = 6;
const CONTINUATION = 9;
const END_STREAM = 1;
const END_HEADERS = 4;

function frame(type: number, flags: number, stream: number, payload: Uint8Array): Buffer {
  const head = Buffer.alloc(9);
  head.writeUIntBE(payload.length, 0, 3);
  head[3] = type;
  head[4] = flags;
  head.writeUInt32BE(stream, 5);
  return Buffer.concat([head, payload]);
}

/** Header lines as HPACK literals without index or Huffman. */
function block(lines: Record<string, string>): Buffer {
  const text = (value: string): Buffer => {
    const raw = Buffer.from(value, 'latin1');
    if (raw.length < 127) return Buffer.concat([Buffer.from([raw.length]), raw]);
    const length = [127];
    let rest = raw.length - 127;
    for (; rest >= 128; rest = Math.floor(rest / 128)) length.push((rest % 128) | 128);
    return Buffer.concat([Buffer.from([...length, rest]), raw]);
  };
  return Buffer.concat(
    Object.entries(lines).flatMap(([name, value]) => [Buffer.from([0]), text(name), text(value)]),
  );
}

const call = (more: Record<string, string> = {}): Buffer =>
  block({
    ':method': 'POST',
    ':scheme': 'http',
    ':authority': 'a',
    ':path': PATH,
    'content-type': 'application/grpc',
    te: 'trailers',
    ...more,
  });

const PREFACE = Buffer.concat([
  Buffer.from('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n'),
  frame(SETTINGS, 0, 0, Buffer.alloc(0)),
]);
const rst = (stream: number): Buffer => frame(RST_STREAM, 0, stream, Buffer.from([0, 0, 0, 8]));
const message = (body: Uint8Array, compressed = 0): Buffer => {
  const head = Buffer.alloc(5);
  head[0] = compressed;
  head.writeUInt32BE(body.length, 1);
  return Buffer.concat([head, body]);
};
const whole = (headers: Buffer, body: Uint8Array): Buffer =>
  Buffer.concat([frame(HEADERS, END_HEADERS, 1, headers), frame(DATA, END_STREAM, 1, body)]);

const methods: UnaryMethods = new Map([
  [
    PATH,
    async (bytes: Uint8Array) => {
      const request = decodeRateLimitRequest(bytes);
      return encodeRateLimitResponse({
        overallCode: 1,
        statuses: request.descriptors.map(() => ({ code: 1, limitRemaining: 1 })),
        responseHeadersToAdd: [],
      });
    },
  ],
  ...healthMethods(rateLimitHealth(() => true)),
]);

describe.each([
  ['fast', createFastDataServer],
  ['grpc-js', createGrpcDataServer],
])('a data server (%s) with a hostile peer', (_name, createDataServer) => {
  let server: Server;
  let address: BoundAddress;
  let good: RawClient;
  const faults: unknown[] = [];
  const record = (fault: unknown): void => void faults.push(fault);

  beforeAll(async () => {
    process.on('uncaughtExceptionMonitor', record);
    server = createDataServer({ host: '127.0.0.1', port: 0, maxMessageBytes: 100_000 }, methods);
    address = await server.listen();
    good = new RawClient(address);
  });
  afterAll(async () => {
    process.off('uncaughtExceptionMonitor', record);
    good.close();
    await server.close(0);
  });

  /** That another client is answered, and nothing was thrown where nobody catches. */
  const stillServes = async (): Promise<void> => {
    const request = encodeRateLimitRequest({
      domain: 'd',
      hitsAddend: 0,
      descriptors: [{ entries: [{ key: 'k', value: 'v' }], negativeHits: false }],
    });
    expect(await good.call(PATH, request)).toMatchObject({ code: 0 });
    expect(faults).toEqual([]);
  };

  /**
   * Sends bytes and then a ping: resolves when the server answers the ping, hangs up, or has been silent for a while
   * (it waits for the rest of what was begun, or has said goodbye and waits for the peer to go).
   */
  const send = (bytes: Uint8Array, silenceMs = 200): Promise<Buffer> =>
    new Promise((resolve) => {
      const mark = Buffer.from('the-end!');
      const got: Buffer[] = [];
      const socket: Socket = connect(address.port, '127.0.0.1', () => {
        socket.write(Buffer.concat([bytes, frame(PING, 0, 0, mark)]));
      });
      const done = (): void => {
        socket.destroy();
        resolve(Buffer.concat(got));
      };
      socket.setTimeout(silenceMs, done);
      socket.on('data', (data) => {
        got.push(data);
        if (data.includes(mark)) setImmediate(done);
      });
      socket.on('error', done);
      socket.on('close', done);
    });

  const attacks: [string, Uint8Array][] = [
    ['HTTP/1.1', Buffer.from('GET / HTTP/1.1\r\nhost: a\r\n\r\n')],
    ['a TLS handshake', Buffer.from('16030100c8010000c40303', 'hex')],
    ['noise', Buffer.alloc(100_000, 0xa5)],
    ['a preface and noise', Buffer.concat([PREFACE, Buffer.alloc(100_000, 0x5a)])],
    [
      'another content type',
      Buffer.concat([PREFACE, whole(call({ 'content-type': 'text/html' }), message(Buffer.alloc(0)))]),
    ],
    [
      'another content type, reset at once',
      Buffer.concat([PREFACE, frame(HEADERS, 4, 1, call({ 'content-type': 'a/b' })), rst(1)]),
    ],
    [
      'an unknown method, reset at once',
      Buffer.concat([PREFACE, frame(HEADERS, 4, 1, call({ ':path': '/a/B' })), rst(1)]),
    ],
    [
      'a method that is not text',
      Buffer.concat([PREFACE, whole(call({ ':path': '/\x80\xff"%' }), message(Buffer.alloc(0)))]),
    ],
    ['GET', Buffer.concat([PREFACE, whole(call({ ':method': 'GET' }), Buffer.alloc(0))])],
    [
      'CONNECT',
      Buffer.concat([PREFACE, frame(HEADERS, 5, 1, block({ ':method': 'CONNECT', ':authority': 'a' }))]),
    ],
    [
      'a timeout that is none',
      Buffer.concat([PREFACE, whole(call({ 'grpc-timeout': 'x\xe9' }), message(Buffer.alloc(0)))]),
    ],
    [
      'a timeout without end',
      Buffer.concat([PREFACE, whole(call({ 'grpc-timeout': '99999999H' }), message(Buffer.alloc(0)))]),
    ],
    [
      'metadata that is not base64',
      Buffer.concat([PREFACE, whole(call({ 'x-bin': '%%%' }), message(Buffer.alloc(0)))]),
    ],
    ['a call reset before its message', Buffer.concat([PREFACE, frame(HEADERS, 4, 1, call()), rst(1)])],
    [
      'a call reset after its message',
      Buffer.concat([PREFACE, whole(call(), message(Buffer.alloc(0))), rst(1)]),
    ],
    [
      'a call reset within its message',
      Buffer.concat([
        PREFACE,
        frame(HEADERS, 4, 1, call()),
        frame(DATA, 0, 1, Buffer.from([0, 0, 0])),
        rst(1),
      ]),
    ],
    ['no message', Buffer.concat([PREFACE, frame(HEADERS, 5, 1, call())])],
    ['half a message', Buffer.concat([PREFACE, whole(call(), Buffer.from([0, 0, 0, 0, 9, 1]))])],
    [
      'two messages',
      Buffer.concat([
        PREFACE,
        whole(call(), Buffer.concat([message(Buffer.alloc(0)), message(Buffer.alloc(0))])),
      ]),
    ],
    [
      'a message of 4 GiB, announced',
      Buffer.concat([PREFACE, whole(call(), Buffer.from([0, 255, 255, 255, 255]))]),
    ],
    [
      'compression that is none',
      Buffer.concat([PREFACE, whole(call({ 'grpc-encoding': 'gzip' }), message(Buffer.from([1, 2]), 1))]),
    ],
    [
      'an encoding that nobody knows',
      Buffer.concat([PREFACE, whole(call({ 'grpc-encoding': 'zip\xe9' }), message(Buffer.from([1]), 1))]),
    ],
    [
      'a gzip bomb',
      Buffer.concat([
        PREFACE,
        whole(call({ 'grpc-encoding': 'gzip' }), message(gzipSync(Buffer.alloc(8_000_000)), 1)),
      ]),
    ],
    ['a header of 100 kB', Buffer.concat([PREFACE, ...inFrames(call({ 'x-long': 'x'.repeat(100_000) }))])],
    ['a thousand headers', Buffer.concat([PREFACE, ...inFrames(call(manyHeaders(1_000)))])],
    [
      'headers that never end',
      Buffer.concat([
        PREFACE,
        frame(HEADERS, 0, 1, call()),
        ...Array.from({ length: 2_000 }, () => frame(CONTINUATION, 0, 1, block({ a: 'b' }))),
      ]),
    ],
    [
      '5,000 streams opened and reset',
      Buffer.concat([
        PREFACE,
        ...Array.from({ length: 5_000 }, (_, i) =>
          Buffer.concat([frame(HEADERS, 4, 2 * i + 1, call()), rst(2 * i + 1)]),
        ),
      ]),
    ],
    [
      '5,000 settings frames',
      Buffer.concat([
        PREFACE,
        ...Array.from({ length: 5_000 }, () => frame(SETTINGS, 0, 0, Buffer.alloc(0))),
      ]),
    ],
    [
      '5,000 pings',
      Buffer.concat([PREFACE, ...Array.from({ length: 5_000 }, () => frame(PING, 0, 0, Buffer.alloc(8)))]),
    ],
  ];
  it.each(attacks)('survives %s', async (_name, bytes) => {
    await send(bytes);
    await stillServes();
  });

  it('survives random frames on a good connection', async () => {
    const frames = fc.array(fc.tuple(fc.nat(10), fc.nat(255), fc.nat(9), fc.uint8Array({ maxLength: 64 })), {
      minLength: 1,
      maxLength: 8,
    });
    await fc.assert(
      fc.asyncProperty(frames, async (parts) => {
        await send(Buffer.concat([PREFACE, ...parts.map(([t, f, s, p]) => frame(t, f, s, p))]), 25);
      }),
      { numRuns: 150 },
    );
    await stillServes();
  });

  const bodies: [string, Uint8Array, number, RegExp][] = [
    ['garbage', Buffer.alloc(50, 0xff), 3, /^TG_REQUEST_MALFORMED: /],
    ['text that is not UTF-8', Buffer.from([0x0a, 1, 0xff]), 3, /^TG_REQUEST_BAD_UTF8: /],
    [
      '10,000 descriptors',
      Buffer.alloc(20_000, Buffer.from([0x12, 0])),
      8,
      /^TG_REQUEST_TOO_LARGE: .* at most 1024 /,
    ],
    ['more bytes than allowed', Buffer.alloc(100_001), 8, /larger than/],
  ];
  it.each(bodies)('tells the sender of %s what is wrong', async (_name, body, code, details) => {
    const ended = await good.call(PATH, body);
    expect(ended.code).toBe(code);
    expect(ended.details).toMatch(details);
    await stillServes();
  });

  it('refuses a long health check', async () => {
    expect(await good.call('/grpc.health.v1.Health/Check', Buffer.alloc(5_000))).toMatchObject({ code: 8 });
  });

  it('answers all of many calls that come at once', async () => {
    const request = Buffer.from(encodeRateLimitRequest({ domain: 'd', hitsAddend: 0, descriptors: [] }));
    const ended = await Promise.all(Array.from({ length: 1_000 }, () => good.call(PATH, request)));
    expect(ended.filter(({ code }) => code !== 0)).toEqual([]);
  });
});

/** A header block cut into frames of 16 kB. */
function inFrames(headers: Buffer): Buffer[] {
  const frames: Buffer[] = [];
  for (let at = 0; at < headers.length; at += 16_384) {
    const last = at + 16_384 >= headers.length;
    const flags = (last ? END_HEADERS : 0) | (at === 0 ? END_STREAM : 0);
    frames.push(frame(at === 0 ? HEADERS : CONTINUATION, flags, 1, headers.subarray(at, at + 16_384)));
  }
  return frames;
}

function manyHeaders(count: number): Record<string, string> {
  return Object.fromEntries(Array.from({ length: count }, (_, i) => [`x-${i}`, 'v']));
}

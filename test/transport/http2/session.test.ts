/** What the server says on the wire: frames cut anywhere, windows, tables, early answers, deadlines, goodbyes. */
import fc from 'fast-check';
import { connect, type ClientHttp2Session } from 'node:http2';
import type { TidegateError } from '../../../src/core/errors';
import type { BoundAddress, Server, UnaryHandler } from '../../../src/core/ports';
import { createFastDataServer, type FastServerOptions } from '../../../src/transport';
import { ErrorCode, Flag, FrameType, PREFACE, Setting } from '../../../src/transport/http2/protocol';
import { UnaryCalls } from '../../../src/transport/http2/unary-calls';
import { until } from '../raw-client';
import {
  call,
  callBlock,
  ECHO,
  frame,
  HELD,
  message,
  RawPeer,
  reset,
  type SeenFrame,
  setting,
  settings,
  uint32,
} from './raw-peer';

const { DATA, HEADERS, RST_STREAM, PING, GOAWAY, CONTINUATION, WINDOW_UPDATE } = FrameType;

describe('the HTTP/2 server', () => {
  const open: { close: () => unknown }[] = [];
  let releases: (() => void)[] = [];
  let server: Server;
  const methods = new Map<string, UnaryHandler>([
    [ECHO, (bytes) => bytes],
    ['/t.Large/Answer', () => new Uint8Array(60_000).fill(7)],
    [HELD, (bytes) => new Promise((resolve) => releases.push(() => resolve(bytes)))],
  ]);

  const serve = async (options: Partial<FastServerOptions> = {}): Promise<BoundAddress> => {
    server = createFastDataServer({ host: '127.0.0.1', port: 0, ...options }, methods);
    const serving = server;
    open.push({ close: () => serving.close(0) });
    return serving.listen();
  };
  const peerOf = async (options?: Partial<FastServerOptions>, opening?: Uint8Array): Promise<RawPeer> => {
    const peer = new RawPeer(await serve(options), opening);
    open.push(peer);
    return peer;
  };

  beforeEach(() => (releases = []));
  afterEach(async () => {
    for (const part of open.splice(0).reverse()) await part.close();
  });

  const ofStream = (peer: RawPeer, stream: number): SeenFrame[] =>
    peer.frames.filter((one) => one.stream === stream);
  const ended = (peer: RawPeer, stream: number): Promise<void> =>
    until(
      () => ofStream(peer, stream).some(({ type, flags }) => type === RST_STREAM || (flags & 1) === 1),
      `stream ${stream} ended`,
    );
  const body = (peer: RawPeer, stream: number): Buffer =>
    Buffer.concat(
      ofStream(peer, stream)
        .filter(({ type }) => type === DATA)
        .map(({ payload }) => payload),
    );

  test('frames may be cut anywhere by reads', async () => {
    const address = await serve();
    const calls = Buffer.concat([
      PREFACE,
      settings(),
      call(1),
      call(3, ECHO, Buffer.alloc(300, 1)),
      call(5, '/t.No/Such'),
      call(7),
    ]);
    const cuts = fc.array(fc.integer({ min: 1, max: calls.length - 1 }), { maxLength: 12 });
    const whole = new RawPeer(address, calls);
    await ended(whole, 7);
    const expected = whole.frames.map(({ type, stream, payload }) => [type, stream, payload.toString('hex')]);
    whole.close();
    await fc.assert(
      fc.asyncProperty(cuts, async (places) => {
        const peer = new RawPeer(address, Buffer.alloc(0));
        peer.socket.setNoDelay(true);
        const sorted = [...new Set(places)].sort((a, b) => a - b);
        for (const [index, at] of [0, ...sorted].entries()) {
          await new Promise((resolve) => peer.socket.write(calls.subarray(at, sorted[index]), resolve));
          await new Promise((resolve) => setImmediate(resolve));
        }
        await ended(peer, 7);
        expect(
          peer.frames.map(({ type, stream, payload }) => [type, stream, payload.toString('hex')]),
        ).toEqual(expected);
        peer.close();
      }),
      { numRuns: 60 },
    );
  });

  test('every byte for itself', async () => {
    const peer = await peerOf({}, Buffer.alloc(0));
    for (const byte of Buffer.concat([PREFACE, settings(), call(1)])) {
      await new Promise((resolve) => peer.socket.write(Buffer.from([byte]), resolve));
    }
    await ended(peer, 1);
    expect(body(peer, 1)).toEqual(message(Buffer.from('hi')));
  });

  test('a thousand heads first, then a thousand messages', async () => {
    const peer = await peerOf();
    const ids = Array.from({ length: 1_000 }, (_, index) => 2 * index + 1);
    peer.send(...ids.map((id) => frame(HEADERS, 4, id, callBlock(ECHO))));
    peer.send(...ids.map((id) => frame(DATA, 1, id, message(Buffer.from(`n${id}`)))));
    await ended(peer, 1_999);
    for (const id of [1, 127, 255, 257, 1_001, 1_999])
      expect(body(peer, id)).toEqual(message(Buffer.from(`n${id}`)));
  });

  test('a head in CONTINUATION frames, padding, priority, and trailers', async () => {
    const peer = await peerOf();
    const block = callBlock(ECHO);
    const padded = Buffer.concat([
      Buffer.from([3]),
      uint32(0),
      Buffer.from([9]),
      block.subarray(0, 20),
      Buffer.alloc(3),
    ]);
    peer.send(
      frame(HEADERS, Flag.PADDED | Flag.PRIORITY, 1, padded),
      frame(CONTINUATION, 0, 1, block.subarray(20, 21)),
      frame(CONTINUATION, Flag.END_HEADERS, 1, block.subarray(21)),
      frame(
        DATA,
        Flag.PADDED,
        1,
        Buffer.concat([Buffer.from([2]), message(Buffer.from('abc')).subarray(0, 6), Buffer.alloc(2)]),
      ),
      frame(DATA, 0, 1, Buffer.from('bc')),
      frame(HEADERS, 5, 1, Buffer.from([0, 1, 0x78, 1, 0x79])),
    );
    await ended(peer, 1);
    expect(body(peer, 1)).toEqual(message(Buffer.from('abc')));
  });

  test('an answer waits for both windows, and is sent in order', async () => {
    const peer = await peerOf(
      {},
      Buffer.concat([PREFACE, settings(setting(Setting.INITIAL_WINDOW_SIZE, 2))]),
    );
    peer.send(call(1, ECHO, Buffer.from('12345')));
    await peer.settled('a-------');
    expect(body(peer, 1)).toHaveLength(2);
    peer.send(frame(WINDOW_UPDATE, 0, 1, uint32(3)));
    await peer.settled('b-------');
    expect(body(peer, 1)).toHaveLength(5);
    peer.send(settings(setting(Setting.INITIAL_WINDOW_SIZE, 1_000)));
    await ended(peer, 1);
    expect(body(peer, 1)).toEqual(message(Buffer.from('12345')));
    expect(ofStream(peer, 1).map(({ type }) => type)).toEqual([HEADERS, DATA, DATA, DATA, HEADERS]);
  });

  test('the window of the connection bounds all answers, and none is longer than a frame may be', async () => {
    const peer = await peerOf(
      {},
      Buffer.concat([PREFACE, settings(setting(Setting.INITIAL_WINDOW_SIZE, 1_000_000))]),
    );
    peer.send(call(1, '/t.Large/Answer'), call(3, '/t.Large/Answer'));
    await peer.settled();
    expect(body(peer, 1).length + body(peer, 3).length).toBe(65_535);
    peer.send(frame(WINDOW_UPDATE, 0, 0, uint32(100_000)));
    await ended(peer, 3);
    expect(body(peer, 3)).toEqual(message(Buffer.alloc(60_000, 7)));
    expect(Math.max(...peer.frames.map(({ payload }) => payload.length))).toBeLessThanOrEqual(16_384);
  });

  test.each([0, 50, 104, 4_096, 65_536])(
    'a peer with a header table of %d bytes',
    async (headerTableSize) => {
      const { address } = await serve();
      const session = connect(`http://${address}`, { settings: { headerTableSize } });
      open.push(session);
      for (let count = 0; count < 3; count += 1) expect(await nodeCall(session, 'x')).toEqual(ANSWERED);
      expect(await nodeCall(session, 'x', '/t.No/Such')).toMatchObject({ grpcStatus: '12' });
      for (const size of [0, 4_096, 40, 128]) {
        await new Promise<void>((resolve) => session.settings({ headerTableSize: size }, () => resolve()));
        for (let count = 0; count < 2; count += 1) expect(await nodeCall(session, 'x')).toEqual(ANSWERED);
      }
    },
  );

  test('a table that shrinks and grows within one frame is begun anew', async () => {
    const peer = await peerOf();
    peer.send(call(1), call(3));
    await ended(peer, 3);
    peer.send(
      settings(setting(Setting.HEADER_TABLE_SIZE, 0), setting(Setting.HEADER_TABLE_SIZE, 4_096)),
      call(5),
      call(7),
    );
    await ended(peer, 7);
    const blocks = (stream: number): Buffer[] =>
      ofStream(peer, stream)
        .filter(({ type }) => type === HEADERS)
        .map(({ payload }) => payload);
    const sizeUpdates = Buffer.from([0x20, 0x3f, 0xe1, 0x1f]);
    expect(blocks(5)).toEqual([Buffer.concat([sizeUpdates, blocks(1)[0]!]), blocks(1)[1]]);
    expect(blocks(7)).toEqual(blocks(3));
  });

  test('after its first answer a good one takes 35 bytes beside its message', async () => {
    const peer = await peerOf();
    peer.send(call(1), call(3));
    await ended(peer, 3);
    const bytes = ofStream(peer, 3).reduce((sum, { payload }) => sum + 9 + payload.length, 0);
    expect(bytes).toBe(35 + 'hi'.length);
  });

  test('a message that is too long is answered at once, and the rest of it dropped', async () => {
    const peer = await peerOf({ maxMessageBytes: 1_000 });
    peer.send(
      frame(HEADERS, 4, 1, callBlock(ECHO)),
      frame(DATA, 0, 1, Buffer.concat([Buffer.from([0]), uint32(5_000)])),
    );
    await ended(peer, 1);
    expect(await peer.reset(1)).toBe(ErrorCode.NO_ERROR);
    expect(ofStream(peer, 1)[0]!.payload.includes('grpc-status\x018')).toBe(true);
    peer.send(frame(DATA, 0, 1, Buffer.alloc(5_000)), frame(DATA, 1, 1, Buffer.alloc(10)), call(3));
    await ended(peer, 3);
    expect(ofStream(peer, 1)).toHaveLength(2);
  });

  test.each([0, 1, 2, 3, 4])('a body of %d bytes is no message', async (length) => {
    const peer = await peerOf();
    peer.send(
      frame(HEADERS, 4, 1, callBlock(ECHO)),
      frame(DATA, 1, 1, Buffer.alloc(length)),
      frame(HEADERS, 4, 3, callBlock(ECHO, ['content-length', String(length)])),
      frame(DATA, 1, 3, Buffer.alloc(length)),
    );
    const expected = length === 0 ? 'grpc-status\x0212' : 'grpc-status\x0213';
    for (const stream of [1, 3]) {
      await ended(peer, stream);
      expect(ofStream(peer, stream)[0]!.payload.includes(expected)).toBe(true);
    }
  });

  test('a fault of the server ends one connection, and is reported', async () => {
    const faults: TidegateError[] = [];
    const address = await serve({ faulted: (error) => faults.push(error) });
    const peer = new RawPeer(address);
    const other = new RawPeer(address);
    open.push(peer, other);
    await peer.settled();
    const broken = jest.spyOn(UnaryCalls.prototype, 'data').mockImplementationOnce(() => {
      throw new Error('a fault');
    });
    peer.send(call(1));
    expect(await peer.goaway()).toBe(ErrorCode.INTERNAL_ERROR);
    broken.mockRestore();
    expect(faults).toMatchObject([{ code: 'TG_INTERNAL', message: 'a fault' }]);
    other.send(call(1));
    await ended(other, 1);
  });

  test.each<[string, string, number, string]>([
    ['GET', '/', 404, 'This port answers gRPC calls only.\n'],
    ['HEAD', '/', 404, ''],
    ['PUT', ECHO, 405, ''],
  ])('%s %s is answered %d', async (method, path, status, text) => {
    const { address } = await serve();
    const session = connect(`http://${address}`);
    open.push(session);
    expect(await nodeCall(session, undefined, path, method)).toMatchObject({ status, text });
  });

  test('the windows that we give are opened again', async () => {
    const { address } = await serve({ maxMessageBytes: 3_000_000 });
    const session = connect(`http://${address}`);
    open.push(session);
    for (let count = 0; count < 3; count += 1) {
      expect(await nodeCall(session, 'x'.repeat(2_000_000), '/t.Large/Answer')).toMatchObject({
        grpcStatus: '0',
      });
    }
  });

  test('a call that was reset is forgotten, whenever its handler answers', async () => {
    const peer = await peerOf();
    peer.send(call(1, HELD), call(3, HELD));
    await until(() => releases.length === 2, 'the calls are held');
    peer.send(reset(1));
    await peer.settled();
    for (const release of releases) release();
    await ended(peer, 3);
    expect(ofStream(peer, 1)).toEqual([]);
    expect(body(peer, 3)).toEqual(message(Buffer.from('hi')));
  });

  test('a handler that is too late is answered for', async () => {
    const peer = await peerOf({ limits: { sweepMs: 10 } });
    const late = callBlock(HELD, ['grpc-timeout', '30m']);
    peer.send(frame(HEADERS, 4, 1, late), frame(DATA, 1, 1, message(Buffer.from('hi'))));
    await ended(peer, 1);
    expect(ofStream(peer, 1)[0]!.payload.includes('grpc-status\x014')).toBe(true);
    releases[0]!();
    await peer.settled();
    expect(ofStream(peer, 1)).toHaveLength(1);
  });

  test('a goodbye lets in what was on its way, and then nothing more', async () => {
    const peer = await peerOf();
    peer.send(call(1, HELD));
    await until(() => releases.length === 1, 'the call is held');
    const closed = server.close(60_000);
    expect((await peer.frame(GOAWAY)).payload.readUInt32BE(0)).toBe(0x7fff_ffff);
    peer.send(call(3));
    await ended(peer, 3);
    const mark = peer.frames.find(({ type, flags }) => type === PING && flags === 0)!.payload;
    peer.send(frame(PING, Flag.ACK, 0, mark), call(5));
    await until(
      () => peer.frames.filter(({ type }) => type === GOAWAY).length === 2,
      'the second GOAWAY came',
    );
    expect(peer.frames.filter(({ type }) => type === GOAWAY)[1]!.payload.readUInt32BE(0)).toBe(3);
    releases[0]!();
    await ended(peer, 1);
    await peer.gone();
    await closed;
    expect(ofStream(peer, 5)).toEqual([]);
  });

  test('a peer that never says that it heard the goodbye is not waited for', async () => {
    const peer = await peerOf();
    await peer.settled();
    await server.close(60_000);
    expect(peer.frames.filter(({ type }) => type === GOAWAY)).toHaveLength(2);
  });
});

const ANSWERED = { status: 200, grpcStatus: '0', contentType: 'application/grpc', text: 'x' };

interface Answered {
  readonly status: unknown;
  readonly grpcStatus: unknown;
  readonly contentType: unknown;
  readonly text: string;
}

/** One request with Node's client, which decodes header blocks with nghttp2. */
function nodeCall(
  session: ClientHttp2Session,
  text?: string,
  path = ECHO,
  method = 'POST',
): Promise<Answered> {
  return new Promise((resolve, reject) => {
    const grpc = text === undefined ? {} : { 'content-type': 'application/grpc', te: 'trailers' };
    const stream = session.request({ ':method': method, ':path': path, ...grpc });
    const seen: Record<string, unknown> = {};
    const chunks: Buffer[] = [];
    stream.on('response', (headers) => void Object.assign(seen, headers));
    stream.on('trailers', (trailers: object) => void Object.assign(seen, trailers));
    stream.on('data', (chunk: Buffer) => chunks.push(chunk));
    stream.on('error', reject);
    stream.on('close', () => {
      const all = Buffer.concat(chunks);
      resolve({
        status: seen[':status'],
        grpcStatus: seen['grpc-status'],
        contentType: seen['content-type'],
        text: (text === undefined ? all : all.subarray(5)).toString('latin1'),
      });
    });
    if (text === undefined) stream.end();
    else stream.end(message(Buffer.from(text)));
  });
}

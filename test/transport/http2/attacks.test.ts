/**
 * The known attacks on HTTP/2 servers. For each: where it ends, what it can make the server keep and do until then, and
 * that another connection is served meanwhile.
 */
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import type { BoundAddress, Server, UnaryHandler } from '../../../src/core/ports';
import { createFastDataServer, type FastServerOptions } from '../../../src/transport';
import { DEFAULT_LIMITS, type Http2Limits } from '../../../src/transport/http2';
import {
  ErrorCode,
  Flag,
  FrameType,
  MAX_31_BITS,
  PREFACE,
  Setting,
} from '../../../src/transport/http2/protocol';
import { RawClient, until } from '../raw-client';
import { TestEncoder } from './hpack-bytes';
import {
  call,
  callBlock,
  ECHO,
  frame,
  HELD,
  message,
  RawPeer,
  reset,
  setting,
  settings,
  uint32,
} from './raw-peer';

const { ENHANCE_YOUR_CALM } = ErrorCode;
const { DATA, HEADERS, PING, PRIORITY, CONTINUATION, WINDOW_UPDATE, SETTINGS } = FrameType;
const MIB = 1_048_576;
/** What an attack may leave behind in memory: buffers of the runtime and of the test itself. */
const NOISE_BYTES = 24 * MIB;

setFlagsFromString('--expose-gc');
const collectGarbage = runInNewContext('gc') as () => void;

function usedBytes(): number {
  collectGarbage();
  const { heapUsed, arrayBuffers } = process.memoryUsage();
  return heapUsed + arrayBuffers;
}

describe('a server under attack', () => {
  const open: { close: () => unknown }[] = [];
  let held = 0;
  let good: RawClient;
  const methods = new Map<string, UnaryHandler>([
    [ECHO, (bytes) => bytes],
    ['/t.Large/Answer', () => new Uint8Array(16_000)],
    [
      HELD,
      () => {
        held += 1;
        return new Promise<Uint8Array>(() => undefined);
      },
    ],
  ]);

  const serve = async (
    limits: Partial<Http2Limits> = {},
    options: Partial<FastServerOptions> = {},
  ): Promise<[BoundAddress, Server]> => {
    const server = createFastDataServer({ host: '127.0.0.1', port: 0, limits, ...options }, methods);
    const address = await server.listen();
    good = new RawClient(address);
    open.push(good, { close: () => server.close(0) });
    return [address, server];
  };
  const attack = (address: BoundAddress, opening?: Uint8Array): RawPeer => {
    const peer = new RawPeer(address, opening);
    open.push(peer);
    return peer;
  };
  const stillServes = async (): Promise<void> => {
    const bytes = Buffer.from('good');
    expect(await good.call(ECHO, bytes, { deadlineMs: 5_000 })).toMatchObject({ code: 0, answer: bytes });
  };

  beforeEach(() => (held = 0));
  afterEach(async () => {
    for (const part of open.splice(0)) await part.close();
  });

  const floods: [string, (index: number) => Uint8Array][] = [
    ['pings', () => frame(PING, 0, 0, Buffer.alloc(8))],
    ['acknowledged pings', () => frame(PING, Flag.ACK, 0, Buffer.alloc(8))],
    ['settings', () => settings(setting(Setting.HEADER_TABLE_SIZE, 4_096))],
    ['acknowledged settings', () => frame(SETTINGS, Flag.ACK, 0)],
    ['priorities', () => frame(PRIORITY, 0, 1, Buffer.alloc(5))],
    ['frames of an unknown type', () => frame(0x55, 0, 0, Buffer.alloc(4))],
    ['windows opened by one byte', () => frame(WINDOW_UPDATE, 0, 0, uint32(1))],
    ['requests that are malformed', (index) => frame(HEADERS, 5, 2 * index + 1, Buffer.from([0x82]))],
    [
      'streams opened and reset (rapid reset)',
      (index) => Buffer.concat([frame(HEADERS, 4, 2 * index + 1, callBlock(ECHO)), reset(2 * index + 1)]),
    ],
    [
      'streams reset by a priority on itself',
      (index) => frame(HEADERS, 0x25, 2 * index + 1, selfDependent(index)),
    ],
  ];
  test.each(floods)('a flood of %s ends the connection at the budget', async (_name, next) => {
    const [address] = await serve();
    const before = usedBytes();
    const peer = attack(address);
    const flood = peer.flood(next, 50_000);
    await stillServes();
    await flood;
    expect(await peer.goaway()).toBe(ENHANCE_YOUR_CALM);
    await peer.gone();
    await stillServes();
    expect(usedBytes() - before).toBeLessThan(NOISE_BYTES);
  });

  test.each<[string, Buffer]>([
    ['empty', Buffer.alloc(0)],
    ['of one byte', Buffer.from([0])],
    ['of padding only', Buffer.alloc(200, 199)],
  ])('a flood of DATA frames, %s, ends the connection at the budget', async (name, payload) => {
    const [address] = await serve();
    const peer = attack(address);
    peer.send(frame(HEADERS, 4, 1, callBlock(ECHO)));
    const flags = name.includes('padding') ? Flag.PADDED : 0;
    await peer.flood(() => frame(DATA, flags, 1, payload), 50_000);
    expect(await peer.goaway()).toBe(ENHANCE_YOUR_CALM);
    await stillServes();
  });

  test.each<[string, Buffer, number]>([
    ['empty', Buffer.alloc(0), DEFAULT_LIMITS.maxContinuations],
    ['of 16 KiB', Buffer.alloc(16_384, 0x82), DEFAULT_LIMITS.maxHeaderBlockBytes / 16_384],
  ])('a flood of CONTINUATION frames, %s, ends the connection', async (_name, payload, most) => {
    const [address] = await serve();
    const before = usedBytes();
    const peer = attack(address);
    peer.send(frame(HEADERS, 0, 1, callBlock(ECHO)));
    await peer.flood(() => frame(CONTINUATION, 0, 1, payload), 10_000, most + 1);
    expect(await peer.goaway()).toBe(ENHANCE_YOUR_CALM);
    await stillServes();
    expect(usedBytes() - before).toBeLessThan(NOISE_BYTES);
  });

  test('resets do not let calls run without a bound', async () => {
    const [address] = await serve({ maxConcurrentStreams: 50 });
    const peer = attack(address);
    await peer.flood((index) => Buffer.concat([call(2 * index + 1, HELD), reset(2 * index + 1)]), 2_000);
    await peer.settled();
    expect(held).toBe(50);
    expect(await peer.reset(2 * 60 + 1)).toBe(ErrorCode.REFUSED_STREAM);
    await stillServes();
  });

  test('calls beyond the bound are refused', async () => {
    const [address] = await serve({ maxConcurrentStreams: 50 });
    const peer = attack(address);
    await peer.flood((index) => call(2 * index + 1, HELD), 200);
    await peer.settled();
    expect(held).toBe(50);
    expect(await peer.reset(101)).toBe(ErrorCode.REFUSED_STREAM);
    await stillServes();
  });

  test('an HPACK bomb is refused and costs nothing', async () => {
    const [address] = await serve();
    const before = usedBytes();
    const peer = attack(address);
    const encoder = new TestEncoder();
    const large = ['x', 'v'.repeat(4_000)] as const;
    peer.send(frame(HEADERS, 5, 1, Buffer.concat([callBlock(ECHO), encoder.field(large, 'added')])));
    // 16,000 times 4 kB are 64 MB a block.
    const bomb = Buffer.concat([callBlock(ECHO), Buffer.alloc(16_000, encoder.field(large, 'indexed'))]);
    const { user } = process.cpuUsage();
    for (let stream = 3; stream < 203; stream += 2) peer.send(frame(HEADERS, 5, stream, bomb));
    await peer.settled();
    expect(process.cpuUsage().user - user).toBeLessThan(2_000_000);
    const answer = await peer.frame(HEADERS, 201);
    expect(answer.payload.includes('grpc-status\x018')).toBe(true);
    expect(usedBytes() - before).toBeLessThan(NOISE_BYTES);
    await stillServes();
  });

  test('headers larger than announced are refused, and the connection goes on', async () => {
    const [address] = await serve();
    const peer = attack(address);
    const announced = (await peer.frame(SETTINGS)).payload;
    expect(announced.includes(setting(Setting.MAX_HEADER_LIST_SIZE, 16_384))).toBe(true);
    const block = callBlock(ECHO, ['x', 'y'.repeat(16_350)]);
    peer.send(
      frame(HEADERS, 1, 1, block.subarray(0, 9_000)),
      frame(CONTINUATION, 4, 1, block.subarray(9_000)),
    );
    const answer = await peer.frame(HEADERS, 1);
    expect(answer.payload.includes('grpc-status\x018')).toBe(true);
    peer.send(call(3));
    expect((await peer.frame(DATA, 3)).payload.subarray(5).toString()).toBe('hi');
  });

  test('settings that concern every stream cost no more for being said thousands of times', async () => {
    const [address] = await serve();
    const peer = attack(address);
    const ids = Array.from({ length: 1_000 }, (_, index) => 2 * index + 1);
    peer.send(...ids.map((id) => call(id, HELD)));
    await until(() => held === ids.length, 'the calls are held');
    const sizes = [setting(Setting.INITIAL_WINDOW_SIZE, 1), setting(Setting.HEADER_TABLE_SIZE, 7)];
    const large = settings(Buffer.concat(Array.from({ length: 1_300 }, () => sizes).flat()));
    const { user } = process.cpuUsage();
    for (let count = 0; count < 100; count += 1) peer.send(large);
    await peer.settled();
    expect(process.cpuUsage().user - user).toBeLessThan(1_500_000);
    await stillServes();
  });

  test('a peer that opens no window gets so many calls, for so long', async () => {
    const [address] = await serve({ maxConcurrentStreams: 100, requestMs: 300, sweepMs: 50 });
    const before = usedBytes();
    const opening = Buffer.concat([PREFACE, settings(setting(Setting.INITIAL_WINDOW_SIZE, 0))]);
    const peer = attack(address, opening);
    await peer.flood((index) => call(2 * index + 1, '/t.Large/Answer'), 3_000);
    // 16 kB wait for each call, up to the backlog's bound; what comes then is refused until some of it is given up.
    expect(await peer.reset(201)).toBe(ErrorCode.REFUSED_STREAM);
    expect(await peer.reset(1)).toBe(ErrorCode.CANCEL);
    expect(usedBytes() - before).toBeLessThan(NOISE_BYTES);
    await stillServes();
  });

  test('a peer that reads nothing is no longer read from, and then cut', async () => {
    const [address] = await serve({ stalledMs: 500, sweepMs: 50 });
    const before = usedBytes();
    const large = setting(Setting.INITIAL_WINDOW_SIZE, MAX_31_BITS);
    const window = frame(WINDOW_UPDATE, 0, 0, uint32(MAX_31_BITS - 65_535));
    const peer = attack(address, Buffer.concat([PREFACE, settings(large), window]));
    peer.socket.pause();
    let stream = 1;
    let sentBytes = 0;
    const most = 200 * MIB;
    // A closed window shows as a write that does not end.
    while (!peer.closed && sentBytes < most) {
      const batch = Buffer.concat(Array.from({ length: 500 }, () => call((stream += 2), '/t.Large/Answer')));
      sentBytes += batch.length;
      const taken = await new Promise((resolve) => {
        peer.socket.once('close', () => resolve(false));
        peer.socket.write(batch, () => resolve(true));
      });
      if (taken === false) break;
      await stillServes();
    }
    await peer.gone();
    expect(sentBytes).toBeLessThan(most);
    expect(usedBytes() - before).toBeLessThan(64 * MIB);
    await stillServes();
  });

  test('when stream identifiers run out, the peer is asked to connect anew', async () => {
    const [address] = await serve();
    const peer = attack(address);
    peer.send(call(MAX_31_BITS));
    expect((await peer.frame(DATA)).payload.subarray(5).toString()).toBe('hi');
    expect(await peer.goaway()).toBe(ErrorCode.NO_ERROR);
    peer.send(frame(PING, Flag.ACK, 0, (await peer.frame(PING)).payload));
    await peer.gone();
    const wrapped = attack(address);
    wrapped.send(call(MAX_31_BITS), call(1));
    await until(
      () => wrapped.frames.filter(({ type }) => type === FrameType.GOAWAY).length === 2,
      'it failed',
    );
    const last = wrapped.frames.filter(({ type }) => type === FrameType.GOAWAY)[1]!;
    expect(last.payload.readUInt32BE(4)).toBe(ErrorCode.PROTOCOL_ERROR);
  });

  const stuck: [string, Uint8Array][] = [
    ['nothing', Buffer.alloc(0)],
    ['half a preface', PREFACE.subarray(0, 10)],
    ['a preface without SETTINGS', PREFACE],
    [
      'half a frame',
      Buffer.concat([PREFACE, settings(), frame(HEADERS, 5, 1, callBlock(ECHO)).subarray(0, 30)]),
    ],
    ['headers that never end', Buffer.concat([PREFACE, settings(), frame(HEADERS, 1, 1, callBlock(ECHO))])],
  ];
  test.each(stuck)('a peer that sends %s and then waits is cut', async (_name, bytes) => {
    const [address] = await serve({ handshakeMs: 100, sweepMs: 20 });
    const peer = attack(address, bytes);
    await peer.gone();
    await stillServes();
  });

  test('a request that does not end is given up', async () => {
    const [address] = await serve({ requestMs: 100, sweepMs: 20 });
    const peer = attack(address);
    peer.send(frame(HEADERS, 4, 1, callBlock(ECHO)), frame(DATA, 0, 1, Buffer.alloc(100)));
    expect(await peer.reset(1)).toBe(ErrorCode.CANCEL);
    await stillServes();
  });

  test('messages that are not complete take so much memory, over all connections', async () => {
    const limits = { maxPartialBytes: 2 * MIB, maxPartialBytesOfAll: 3 * MIB };
    const [address] = await serve(limits);
    const before = usedBytes();
    const peers = Array.from({ length: 3 }, () => attack(address));
    for (const peer of peers) {
      for (let stream = 1; stream < 400; stream += 2) {
        const begun = frame(
          DATA,
          0,
          stream,
          Buffer.concat([message(Buffer.alloc(16_000)).subarray(0, 12_000)]),
        );
        peer.send(frame(HEADERS, 4, stream, callBlock(ECHO)), begun);
      }
      await peer.settled();
    }
    expect(usedBytes() - before).toBeLessThan(limits.maxPartialBytesOfAll + NOISE_BYTES);
    const refused = peers.map((peer) => peer.frames.filter(({ type }) => type === HEADERS).length);
    // 24 kB are kept for each, so 87 fit into 2 MiB and 43 into what is left of 3 MiB.
    expect(refused.map((count) => 200 - count)).toEqual([87, 44, 0]);
    for (const peer of peers) peer.close();
    await until(async () => {
      const long = await good.call(ECHO, Buffer.alloc(900_000));
      return long.code === 0;
    }, 'the memory is given back');
  });

  test('an idle connection is asked to leave', async () => {
    const [address] = await serve({ maxIdleMs: 100, sweepMs: 20 });
    const peer = attack(address);
    expect(await peer.goaway()).toBe(ErrorCode.NO_ERROR);
    await peer.gone();
    await stillServes();
  });

  test('a thousand idle connections take little memory', async () => {
    const [address] = await serve();
    const before = usedBytes();
    const peers: ReturnType<typeof attack>[] = [];
    // Not all at once: a preface that waits its turn on a busy machine would be one that came too late.
    while (peers.length < 1_000) {
      const some = Array.from({ length: 50 }, () => attack(address));
      await Promise.all(some.map((peer) => peer.frame(SETTINGS)));
      peers.push(...some);
    }
    for (const peer of peers) peer.send(call(1));
    await Promise.all(peers.map((peer) => peer.frame(DATA, 1)));
    // Both ends are in this process.
    expect((usedBytes() - before) / peers.length).toBeLessThan(40_000);
    await stillServes();
  });

  test('a gzip bomb is not blown up', async () => {
    const [address] = await serve({ maxMessageBytes: 100_000 });
    const before = usedBytes();
    const peer = attack(address);
    const { gzipSync } = await import('node:zlib');
    const bomb = message(gzipSync(Buffer.alloc(12_000_000)), 1);
    for (let stream = 1; stream < 100; stream += 2) {
      peer.send(
        frame(HEADERS, 4, stream, callBlock(ECHO, ['grpc-encoding', 'gzip'])),
        frame(DATA, 1, stream, bomb),
      );
    }
    const answer = await peer.frame(HEADERS, 99);
    expect(answer.payload.includes('grpc-status\x018')).toBe(true);
    expect(usedBytes() - before).toBeLessThan(NOISE_BYTES);
    await stillServes();
  });
});

/** A header block behind a priority that depends on its own stream. */
function selfDependent(index: number): Buffer {
  return Buffer.concat([uint32(2 * index + 1), Buffer.from([16]), callBlock(ECHO)]);
}

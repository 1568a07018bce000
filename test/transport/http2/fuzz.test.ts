/**
 * Bytes that are almost HTTP/2, without sockets so that there can be many: the server never throws, what it writes is
 * always whole frames that a client may get, and a connection that goes on still answers.
 */
import fc from 'fast-check';
import { Duplex } from 'node:stream';
import type { UnaryHandler } from '../../../src/core/ports';
import { Http2Server } from '../../../src/transport/http2';
import { FrameType, PREFACE, Setting } from '../../../src/transport/http2/protocol';
import { call, callBlock, ECHO, frame, framesIn, HELD, reset, setting, settings, uint32 } from './raw-peer';

/** A socket whose other end keeps what was written. */
class Wire extends Duplex {
  readonly written: Buffer[] = [];
  override _read(): void {}
  override _write(chunk: Buffer, _encoding: string, done: () => void): void {
    this.written.push(Buffer.from(chunk));
    done();
  }
}

const methods = new Map<string, UnaryHandler>([
  [ECHO, (bytes) => bytes],
  [HELD, (bytes) => Promise.resolve(bytes)],
]);

/** What a peer may send, right and wrong. */
const id = fc.oneof(
  { weight: 5, arbitrary: fc.integer({ min: 0, max: 12 }) },
  fc.integer({ min: 0, max: 2 ** 31 - 1 }),
);
const anyFrame = fc
  .tuple(
    fc.integer({ min: 0, max: 11 }),
    fc.integer({ min: 0, max: 255 }),
    id,
    fc.uint8Array({ maxLength: 40 }),
  )
  .map(([type, flags, stream, payload]) => frame(type, flags, stream, payload));
const oneFrame = fc.oneof(
  anyFrame,
  id.map((stream) => call(stream)),
  id.map((stream) => call(stream, HELD)),
  id.map((stream) => reset(stream)),
  fc
    .tuple(id, fc.uint8Array({ maxLength: 8, max: 3 }))
    .map(([stream, body]) =>
      Buffer.concat([
        frame(FrameType.HEADERS, 4, stream, callBlock(ECHO)),
        frame(FrameType.DATA, 1, stream, body),
      ]),
    ),
  fc
    .tuple(id, fc.integer({ min: 0, max: 255 }))
    .map(([stream, flags]) => frame(FrameType.HEADERS, flags, stream, callBlock(ECHO))),
  fc
    .tuple(id, fc.integer({ min: 0, max: 255 }))
    .map(([stream, flags]) => frame(FrameType.CONTINUATION, flags, stream, callBlock(ECHO).subarray(9))),
  fc
    .tuple(id, fc.nat(2 ** 31 - 1))
    .map(([stream, size]) => frame(FrameType.WINDOW_UPDATE, 0, stream, uint32(size))),
  fc
    .tuple(fc.integer({ min: 1, max: 7 }), fc.nat(100_000))
    .map(([parameter, value]) => settings(setting(parameter, value))),
  fc.constant(settings(setting(Setting.INITIAL_WINDOW_SIZE, 0))),
);
/** Mostly calls on the streams that come next, with odd frames among them. */
const step = fc.oneof(
  { weight: 4, arbitrary: fc.constantFrom(ECHO, HELD) },
  { weight: 1, arbitrary: oneFrame },
);
const session = fc.array(step, { minLength: 1, maxLength: 25 }).map((steps) => {
  let stream = -1;
  return Buffer.concat(steps.map((one) => (typeof one === 'string' ? call((stream += 2), one) : one)));
});
const mistakes = fc.array(fc.tuple(fc.nat(), fc.integer({ min: 0, max: 255 })), { maxLength: 3 });
const reads = fc.array(fc.integer({ min: 1, max: 400 }), { minLength: 1, maxLength: 8 });

test('whatever comes, whole frames go back', async () => {
  const faults: unknown[] = [];
  const record = (fault: unknown): void => void faults.push(fault);
  process.on('uncaughtExceptionMonitor', record);
  const server = new Http2Server({ limits: { maxConcurrentStreams: 5 }, faulted: record }, methods);
  let answers = 0;
  await fc.assert(
    fc.asyncProperty(session, mistakes, reads, async (frames, wrong, sizes) => {
      const bytes = Buffer.concat([PREFACE, settings(), frames, settings()]);
      for (const [place, value] of wrong)
        bytes[PREFACE.length + (place % (bytes.length - PREFACE.length))] = value;
      const wire = new Wire();
      server.accept(wire);
      for (let at = 0, turn = 0; at < bytes.length; turn += 1) {
        const end = at + sizes[turn % sizes.length]!;
        wire.emit('data', bytes.subarray(at, end));
        at = end;
      }
      await new Promise((resolve) => setImmediate(resolve));
      expect(faults).toEqual([]);
      const written = Buffer.concat(wire.written);
      const seen = framesIn(written);
      expect(seen.reduce((sum, { payload }) => sum + 9 + payload.length, 0)).toBe(written.length);
      const closing = seen.findIndex(
        ({ type, payload }) => type === FrameType.GOAWAY && payload.readUInt32BE(4) !== 0,
      );
      if (closing >= 0) expect(closing).toBe(seen.length - 1);
      // After a stream's last frame nothing comes on it but a reset.
      const ended = new Set<number>();
      for (const { type, flags, stream } of seen) {
        if (stream === 0) continue;
        if (ended.has(stream)) expect(type).toBe(FrameType.RST_STREAM);
        if (type <= FrameType.HEADERS && (flags & 1) === 1) ended.add(stream);
        if (type === FrameType.HEADERS) answers += 1;
      }
      wire.destroy();
    }),
    { numRuns: 6_000 },
  );
  await server.close(0);
  process.off('uncaughtExceptionMonitor', record);
  expect(faults).toEqual([]);
  // Enough of it was right to be answered.
  expect(answers).toBeGreaterThan(10_000);
});

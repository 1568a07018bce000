/** An HTTP/2 peer that sends any bytes, and sees every frame that comes back. */
import { connect, type Socket } from 'node:net';
import { FrameType, PREFACE } from '../../../src/transport/http2/protocol';
import type { BoundAddress } from '../../../src/core/ports';
import { until } from '../raw-client';
import { type HeaderLine, TestEncoder } from './hpack-bytes';

export const ECHO = '/t.Echo/Now';
export const HELD = '/t.Echo/Held';

export interface SeenFrame {
  readonly type: number;
  readonly flags: number;
  readonly stream: number;
  readonly payload: Buffer;
}

export function frame(
  type: number,
  flags: number,
  stream: number,
  payload: Uint8Array = Buffer.alloc(0),
): Buffer {
  const head = Buffer.alloc(9);
  head.writeUIntBE(payload.length, 0, 3);
  head[3] = type;
  head[4] = flags;
  head.writeUInt32BE(stream, 5);
  return Buffer.concat([head, payload]);
}

export const uint32 = (value: number): Buffer => {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32BE(value);
  return bytes;
};
export const setting = (parameter: number, value: number): Buffer =>
  Buffer.concat([Buffer.from([0, parameter]), uint32(value)]);
export const settings = (...payload: Buffer[]): Buffer =>
  frame(FrameType.SETTINGS, 0, 0, Buffer.concat(payload));
export const reset = (stream: number): Buffer => frame(FrameType.RST_STREAM, 0, stream, uint32(8));
export const message = (body: Uint8Array, flag = 0): Buffer =>
  Buffer.concat([Buffer.from([flag]), uint32(body.length), body]);

/** A call's header block, without the dynamic table. */
export function callBlock(path: string, ...more: HeaderLine[]): Buffer {
  const encoder = new TestEncoder();
  const lines: HeaderLine[] = [
    [':method', 'POST'],
    [':scheme', 'http'],
    [':path', path],
    [':authority', 'a'],
    ['content-type', 'application/grpc'],
    ['te', 'trailers'],
    ...more,
  ];
  return Buffer.concat(lines.map((line) => encoder.field(line)));
}

/** A whole call. */
export const call = (stream: number, path = ECHO, body: Uint8Array = Buffer.from('hi')): Buffer =>
  Buffer.concat([
    frame(FrameType.HEADERS, 4, stream, callBlock(path)),
    frame(FrameType.DATA, 1, stream, message(body)),
  ]);

/** The frames in what was read; what is left over is cut off. */
export function framesIn(bytes: Buffer): SeenFrame[] {
  const seen: SeenFrame[] = [];
  for (let at = 0; at + 9 <= bytes.length;) {
    const end = at + 9 + bytes.readUIntBE(at, 3);
    if (end > bytes.length) break;
    seen.push({
      type: bytes[at + 3]!,
      flags: bytes[at + 4]!,
      stream: bytes.readUInt32BE(at + 5),
      payload: bytes.subarray(at + 9, end),
    });
    at = end;
  }
  return seen;
}

/** One connection. It never answers on its own. */
export class RawPeer {
  closed = false;
  readonly socket: Socket;
  private readonly chunks: Buffer[] = [];

  constructor(address: BoundAddress, opening: Uint8Array = Buffer.concat([PREFACE, settings()])) {
    this.socket = connect(address.port, '127.0.0.1').setMaxListeners(0);
    this.socket.on('data', (chunk: Buffer) => this.chunks.push(chunk));
    this.socket.on('error', () => undefined).on('close', () => (this.closed = true));
    this.socket.write(opening);
  }

  get frames(): SeenFrame[] {
    const whole = Buffer.concat(this.chunks);
    this.chunks.splice(0, this.chunks.length, whole);
    return framesIn(whole);
  }

  send(...parts: Uint8Array[]): void {
    if (this.socket.writable) this.socket.write(Buffer.concat(parts));
  }

  /** Sends the same bytes again and again until the server hangs up, or so many were sent. @returns how many. */
  async flood(next: (index: number) => Uint8Array, count: number, batch = 200): Promise<number> {
    let sent = 0;
    while (sent < count && !this.closed && this.socket.writable) {
      const parts = Array.from({ length: batch }, (_, index) => next(sent + index));
      sent += batch;
      await new Promise((resolve) => {
        this.socket.once('close', resolve);
        this.socket.write(Buffer.concat(parts), resolve);
      });
    }
    return sent;
  }

  /** Waits for a frame of that type, on that stream if one is given. */
  async frame(type: number, stream?: number): Promise<SeenFrame> {
    let found: SeenFrame | undefined;
    await until(() => {
      found = this.frames.find((one) => one.type === type && (stream ?? one.stream) === one.stream);
      return found !== undefined || this.closed;
    }, `frame ${type} came`);
    if (found === undefined) throw new Error(`the connection was closed without a frame ${type}`);
    return found;
  }

  /** Waits for GOAWAY. @returns its error code. */
  async goaway(): Promise<number> {
    return (await this.frame(FrameType.GOAWAY)).payload.readUInt32BE(4);
  }

  /** Waits for RST_STREAM. @returns its error code. */
  async reset(stream: number): Promise<number> {
    return (await this.frame(FrameType.RST_STREAM, stream)).payload.readUInt32BE(0);
  }

  async gone(): Promise<void> {
    await until(() => this.closed, 'the server hung up');
  }

  /** Has the server answer a ping: all that was sent before is dealt with then. */
  async settled(mark = 'settled!'): Promise<void> {
    this.send(frame(FrameType.PING, 0, 0, Buffer.from(mark)));
    await until(
      () =>
        this.closed ||
        this.frames.some(({ type, payload }) => type === FrameType.PING && payload.includes(mark)),
      'the ping was answered',
    );
  }

  close(): void {
    this.socket.destroy();
  }
}

/**
 * Sends one connection's answers within the peer's windows (RFC 9113, section 5.2). An answer that fits goes out whole;
 * one that does not waits, with what it has left, until a window opens.
 */
import { AnswerWriter, type Field, GRPC_HEAD, MESSAGE_PREFIX_BYTES } from './answer-writer';
import { putHead, putUint32 } from './frame-writer';
import type { Output } from './output';
import {
  DEFAULT_MAX_FRAME_BYTES,
  DEFAULT_WINDOW_BYTES,
  Flag,
  FRAME_HEAD_BYTES,
  FrameType,
  MAX_31_BITS,
} from './protocol';
import type { Refusal } from './refusal';
import type { PendingAnswer, Stream } from './stream';

const STATUS_OK: readonly Field[] = [['grpc-status', '0']];

/** One connection's answers. */
export class Sender {
  /** Bytes of answers that wait for a window. */
  waitingBytes = 0;
  /** Bytes of answers that were put into the output so far. */
  sentBytes = 0;
  private readonly writer = new AnswerWriter();
  private readonly waiting = new Set<Stream>();
  private windowBytes = DEFAULT_WINDOW_BYTES;
  private initialWindowBytes = DEFAULT_WINDOW_BYTES;
  private maxFrameBytes = DEFAULT_MAX_FRAME_BYTES;

  /** @param done called when a stream's answer has left completely. */
  constructor(
    private readonly out: Output,
    private readonly done: (stream: Stream) => void,
  ) {}

  /** A good answer. */
  answer(stream: Stream, message: Uint8Array): void {
    const bytes = MESSAGE_PREFIX_BYTES + message.length;
    if (
      bytes <= this.windowBytes &&
      bytes <= this.initialWindowBytes + stream.windowDelta &&
      bytes <= this.maxFrameBytes
    ) {
      this.windowBytes -= bytes;
      this.sentBytes += bytes;
      this.writer.whole(this.out, stream.id, message);
      this.done(stream);
      return;
    }
    const body = Buffer.allocUnsafe(bytes);
    body[0] = 0;
    putUint32(body, 1, message.length);
    body.set(message, MESSAGE_PREFIX_BYTES);
    this.writer.only(this.out, stream.id, GRPC_HEAD, false);
    this.wait(stream, { body, at: 0, trailers: STATUS_OK });
  }

  /** An answer without a message, or one in plain HTTP. */
  refuse(stream: Stream, { fields, body }: Refusal): void {
    this.writer.only(this.out, stream.id, fields, body === undefined);
    if (body === undefined) this.done(stream);
    else this.wait(stream, { body, at: 0, trailers: undefined });
  }

  /** A stream was closed: what it had left is dropped. */
  forget(stream: Stream): void {
    const { pending } = stream;
    if (pending === undefined) return;
    this.waitingBytes -= pending.body.length - pending.at;
    this.waiting.delete(stream);
  }

  /** The peer opened the connection's window. @returns false when it is opened too far. */
  openWindow(bytes: number): boolean {
    this.windowBytes += bytes;
    if (this.windowBytes > MAX_31_BITS) return false;
    this.pump();
    return true;
  }

  /** The peer opened a stream's window. @returns false when it is opened too far. */
  openStreamWindow(stream: Stream, bytes: number): boolean {
    stream.windowDelta += bytes;
    if (this.initialWindowBytes + stream.windowDelta > MAX_31_BITS) return false;
    if (stream.pending !== undefined) this.pump();
    return true;
  }

  /**
   * The peer's SETTINGS_INITIAL_WINDOW_SIZE, which changes the windows of open streams as well. What waits for it goes
   * out by {@link pump}, behind the acknowledgement.
   */
  resizeWindows(bytes: number): void {
    this.initialWindowBytes = bytes;
  }

  /** Whether a stream's window would be too large with that initial size. */
  wouldOverflow(stream: Stream, initialBytes: number): boolean {
    return initialBytes + stream.windowDelta > MAX_31_BITS;
  }

  /** The peer's SETTINGS_MAX_FRAME_SIZE. */
  resizeFrames(bytes: number): void {
    this.maxFrameBytes = bytes;
  }

  /** The peer's SETTINGS_HEADER_TABLE_SIZE: the smallest that it said, and the last. */
  resizeTable(smallestBytes: number, bytes: number): void {
    this.writer.resizeTable(smallestBytes, bytes);
  }

  private wait(stream: Stream, pending: PendingAnswer): void {
    stream.pending = pending;
    this.waiting.add(stream);
    this.waitingBytes += pending.body.length;
    this.pump();
  }

  /** Sends what the windows allow, first come, first served. */
  pump(): void {
    for (const stream of this.waiting) {
      const { pending } = stream;
      if (pending === undefined) continue;
      this.send(stream, pending);
      if (pending.at < pending.body.length) {
        if (this.windowBytes <= 0) return;
        continue;
      }
      this.waiting.delete(stream);
      stream.pending = undefined;
      if (pending.trailers !== undefined) this.writer.only(this.out, stream.id, pending.trailers, true);
      this.done(stream);
    }
  }

  private send(stream: Stream, pending: PendingAnswer): void {
    const { out } = this;
    for (;;) {
      const left = pending.body.length - pending.at;
      const count = Math.min(
        left,
        this.windowBytes,
        this.initialWindowBytes + stream.windowDelta,
        this.maxFrameBytes,
      );
      if (count <= 0) return;
      const ends = count === left && pending.trailers === undefined;
      out.reserve(FRAME_HEAD_BYTES + count);
      putHead(out, count, FrameType.DATA, ends ? Flag.END_STREAM : 0, stream.id);
      out.bytes.set(pending.body.subarray(pending.at, pending.at + count), out.at);
      out.at += count;
      pending.at += count;
      stream.windowDelta -= count;
      this.windowBytes -= count;
      this.sentBytes += count;
      this.waitingBytes -= count;
    }
  }
}

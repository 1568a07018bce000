/**
 * Cuts what a socket reads into frames: every complete frame of a read in one loop, without copying. A frame that is cut
 * by the end of a read is gathered in a buffer of its own, of exactly its size.
 */
import { DEFAULT_MAX_FRAME_BYTES, FRAME_HEAD_BYTES, readUint31 } from './protocol';

/** Who gets the frames. */
export interface FrameSink {
  /**
   * One frame; its payload is `bytes` from `at` to `end`.
   * @returns false when no more frames are wanted.
   */
  frame(type: number, flags: number, stream: number, bytes: Buffer, at: number, end: number): boolean;
  /** A frame is longer than allowed: a connection error FRAME_SIZE_ERROR. */
  oversized(): void;
}

/** One connection's frames. */
export class FrameReader {
  /** Whether a frame has begun that is not complete. */
  get midFrame(): boolean {
    return this.headBytes > 0;
  }

  /** When the frame that is not complete began, by the time given to {@link read}. */
  cutMs = 0;
  private readonly sink: FrameSink;
  private readonly head = Buffer.allocUnsafe(FRAME_HEAD_BYTES);
  /** How much of a cut frame's head is there. */
  private headBytes = 0;
  private payload: Buffer | undefined;
  private payloadBytes = 0;

  constructor(sink: FrameSink) {
    this.sink = sink;
  }

  /** Takes what was read, from `at` on; a cut frame's bytes are copied, so `chunk` is not needed afterwards. */
  read(chunk: Buffer, at: number, nowMs: number): void {
    let position = this.headBytes > 0 ? this.finishCut(chunk, at) : at;
    const end = chunk.length;
    while (end - position >= FRAME_HEAD_BYTES) {
      const length = (chunk[position]! << 16) | (chunk[position + 1]! << 8) | chunk[position + 2]!;
      if (length > DEFAULT_MAX_FRAME_BYTES) {
        this.sink.oversized();
        return;
      }
      const start = position + FRAME_HEAD_BYTES;
      const next = start + length;
      if (next > end) break;
      const stream = readUint31(chunk, position + 5);
      if (!this.sink.frame(chunk[position + 3]!, chunk[position + 4]!, stream, chunk, start, next)) return;
      position = next;
    }
    if (position < end) {
      this.cutMs = nowMs;
      this.beginCut(chunk, position);
    }
  }

  private beginCut(chunk: Buffer, at: number): void {
    this.headBytes = chunk.copy(this.head, 0, at, at + FRAME_HEAD_BYTES);
    if (this.headBytes === FRAME_HEAD_BYTES) this.gather(chunk, at + FRAME_HEAD_BYTES);
  }

  /** Goes on with a cut frame. @returns where the rest of the chunk begins; its end when nothing more is wanted. */
  private finishCut(chunk: Buffer, at: number): number {
    let position = at;
    if (this.headBytes < FRAME_HEAD_BYTES) {
      const taken = chunk.copy(this.head, this.headBytes, at, at + FRAME_HEAD_BYTES - this.headBytes);
      this.headBytes += taken;
      position += taken;
      if (this.headBytes < FRAME_HEAD_BYTES) return chunk.length;
      if (this.head.readUIntBE(0, 3) > DEFAULT_MAX_FRAME_BYTES) {
        this.sink.oversized();
        return chunk.length;
      }
    }
    position = this.gather(chunk, position);
    const { payload } = this;
    if (payload === undefined || this.payloadBytes < payload.length) return chunk.length;
    this.headBytes = 0;
    this.payload = undefined;
    const wanted = this.sink.frame(
      this.head[3]!,
      this.head[4]!,
      readUint31(this.head, 5),
      payload,
      0,
      payload.length,
    );
    return wanted ? position : chunk.length;
  }

  /** Copies what there is of the cut frame's payload. @returns where it ended. */
  private gather(chunk: Buffer, at: number): number {
    if (this.payload === undefined) {
      this.payload = Buffer.allocUnsafe(this.head.readUIntBE(0, 3));
      this.payloadBytes = 0;
    }
    const taken = chunk.copy(this.payload, this.payloadBytes, at);
    this.payloadBytes += taken;
    return at + taken;
  }
}

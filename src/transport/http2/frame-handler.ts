/**
 * What each frame of a client means (RFC 9113, section 6): checks it, and hands on what it says. A mistake ends its
 * stream or the connection as the RFC has it.
 */
import { writeFrame, writeSettings, writeSettingsAck, writeWindowUpdate } from './frame-writer';
import type { FrameSink } from './frame-reader';
import { HeaderBlock } from './header-block';
import { HeaderDecoder } from './header-decoder';
import type { Output } from './output';
import { applySettings } from './peer-settings';
import { DEFAULT_WINDOW_BYTES, ErrorCode, Flag, FrameType, readUint31, Setting } from './protocol';
import { RequestHead } from './request-head';
import type { Session } from './session';
import { type Stream, StreamState } from './stream';
import type { UnaryCalls } from './unary-calls';

/** Our windows for the peer, bytes; opened again when half is used. */
const CONNECTION_WINDOW_BYTES = 1_048_576;
const STREAM_WINDOW_BYTES = 262_144;
/** A DATA frame shorter than this that does not end its stream counts as one beyond good calls. */
const TINY_DATA_BYTES = 64;

/** The frames of one session. */
export class FrameHandler implements FrameSink {
  /** The header block that is not complete. */
  readonly block: HeaderBlock;
  private readonly out: Output;
  private readonly calls: UnaryCalls;
  private readonly decoder: HeaderDecoder;
  private readonly head = new RequestHead();
  private uncreditedBytes = 0;

  constructor(private readonly session: Session) {
    const { limits, calls, out, readsTraces } = session.services;
    this.out = out;
    this.calls = calls;
    this.decoder = new HeaderDecoder(calls.routes, readsTraces);
    this.block = new HeaderBlock(limits.maxHeaderBlockBytes, limits.maxContinuations);
  }

  /** Says what we allow: our part of the preface. */
  greet(): void {
    const { limits } = this.session.services;
    writeSettings(this.out, [
      [Setting.MAX_CONCURRENT_STREAMS, limits.maxConcurrentStreams],
      [Setting.INITIAL_WINDOW_SIZE, STREAM_WINDOW_BYTES],
      [Setting.MAX_HEADER_LIST_SIZE, limits.maxHeaderListBytes],
    ]);
    writeWindowUpdate(this.out, 0, CONNECTION_WINDOW_BYTES - DEFAULT_WINDOW_BYTES);
  }

  frame(type: number, flags: number, stream: number, bytes: Buffer, at: number, end: number): boolean {
    if (this.session.over) return false;
    if (this.block.stream !== 0 && type !== FrameType.CONTINUATION) {
      return this.session.fail(ErrorCode.PROTOCOL_ERROR, 'a header block was interrupted');
    }
    if (!this.session.greeted && (type !== FrameType.SETTINGS || (flags & Flag.ACK) !== 0)) {
      return this.session.fail(ErrorCode.PROTOCOL_ERROR, 'the first frame has to be SETTINGS');
    }
    switch (type) {
      case FrameType.DATA:
        return this.data(flags, stream, bytes, at, end);
      case FrameType.HEADERS:
        return this.headers(flags, stream, bytes, at, end);
      case FrameType.CONTINUATION:
        return this.continuation(flags, stream, bytes, at, end);
      case FrameType.SETTINGS:
        return this.settings(flags, stream, bytes, at, end);
      case FrameType.WINDOW_UPDATE:
        return this.windowUpdate(stream, bytes, at, end);
      case FrameType.RST_STREAM:
        return this.resetByPeer(stream, end - at);
      case FrameType.PING:
        return this.ping(flags, stream, bytes, at, end);
      case FrameType.PRIORITY:
        return this.priority(stream, bytes, at, end);
      case FrameType.GOAWAY:
        if (stream !== 0) return this.session.fail(ErrorCode.PROTOCOL_ERROR, 'GOAWAY on a stream');
        if (end - at < 8) return this.session.fail(ErrorCode.FRAME_SIZE_ERROR, 'GOAWAY is too short');
        return this.session.spend();
      case FrameType.PUSH_PROMISE:
        return this.session.fail(ErrorCode.PROTOCOL_ERROR, 'a client cannot push');
      default:
        return this.session.spend();
    }
  }

  oversized(): void {
    this.session.fail(ErrorCode.FRAME_SIZE_ERROR, 'a frame is longer than allowed');
  }

  private data(flags: number, id: number, bytes: Buffer, at: number, end: number): boolean {
    const { session } = this;
    const length = end - at;
    if (id === 0) return this.session.fail(ErrorCode.PROTOCOL_ERROR, 'DATA on no stream');
    let start = at;
    let stop = end;
    if ((flags & Flag.PADDED) !== 0) {
      if (length === 0) return this.session.fail(ErrorCode.FRAME_SIZE_ERROR, 'padding is missing');
      start = at + 1;
      stop = end - bytes[at]!;
      if (stop < start) return this.session.fail(ErrorCode.PROTOCOL_ERROR, 'DATA is all padding');
    }
    this.uncreditedBytes += length;
    if (this.uncreditedBytes >= CONNECTION_WINDOW_BYTES / 2) {
      writeWindowUpdate(this.out, 0, this.uncreditedBytes);
      this.uncreditedBytes = 0;
    }
    const tiny = stop - start < TINY_DATA_BYTES;
    const stream = this.session.streams.get(id);
    if (stream === undefined || stream.state !== StreamState.READING)
      return this.lateData(id, flags, stream, tiny);
    const ends = (flags & Flag.END_STREAM) !== 0;
    this.calls.data(session, stream, bytes, start, stop, ends);
    if (ends) return true;
    this.creditStream(stream, length);
    return tiny ? this.session.spend() : true;
  }

  /** DATA on a stream that takes none. */
  private lateData(id: number, flags: number, stream: Stream | undefined, tiny: boolean): boolean {
    if (stream?.state === StreamState.DROPPING) {
      if ((flags & Flag.END_STREAM) === 0) return tiny ? this.session.spend() : true;
      this.session.streams.close(stream);
      return true;
    }
    if ((id & 1) === 0 || id > this.session.lastStream) {
      return this.session.fail(ErrorCode.PROTOCOL_ERROR, 'DATA on a stream that was not opened');
    }
    if (id > this.session.lastServed) return true;
    this.session.reset(id, ErrorCode.STREAM_CLOSED);
    if (stream !== undefined) this.session.close(stream);
    return !this.session.over;
  }

  private creditStream(stream: Stream, length: number): void {
    if (stream.state !== StreamState.READING) return;
    stream.uncreditedBytes += length;
    if (stream.uncreditedBytes < STREAM_WINDOW_BYTES / 2) return;
    writeWindowUpdate(this.out, stream.id, stream.uncreditedBytes);
    stream.uncreditedBytes = 0;
  }

  private headers(flags: number, id: number, bytes: Buffer, at: number, end: number): boolean {
    if ((id & 1) === 0)
      return this.session.fail(ErrorCode.PROTOCOL_ERROR, 'HEADERS on a stream that no client may open');
    let start = at;
    let stop = end;
    let selfDependent = false;
    if ((flags & (Flag.PADDED | Flag.PRIORITY)) !== 0) {
      const padded = (flags & Flag.PADDED) !== 0;
      const prioritized = (flags & Flag.PRIORITY) !== 0;
      if (end - at < (padded ? 1 : 0) + (prioritized ? 5 : 0)) {
        return this.session.fail(ErrorCode.FRAME_SIZE_ERROR, 'HEADERS is too short');
      }
      if (padded) {
        stop -= bytes[at]!;
        start += 1;
      }
      if (prioritized) {
        selfDependent = readUint31(bytes, start) === id;
        start += 5;
      }
      if (stop < start) return this.session.fail(ErrorCode.PROTOCOL_ERROR, 'HEADERS is all padding');
    }
    const ends = (flags & Flag.END_STREAM) !== 0;
    if ((flags & Flag.END_HEADERS) !== 0) return this.request(id, ends, selfDependent, bytes, start, stop);
    this.block.begin(id, ends, selfDependent, this.session.nowMs);
    return this.addToBlock(bytes, start, stop);
  }

  private continuation(flags: number, id: number, bytes: Buffer, at: number, end: number): boolean {
    const { block } = this;
    if (id === 0 || block.stream !== id) {
      return this.session.fail(ErrorCode.PROTOCOL_ERROR, 'CONTINUATION of no header block');
    }
    if (!this.addToBlock(bytes, at, end)) return false;
    if ((flags & Flag.END_HEADERS) === 0) return true;
    const { bytes: whole, length } = block;
    block.clear();
    return this.request(id, block.endsStream, block.selfDependent, whole, 0, length);
  }

  private addToBlock(bytes: Buffer, at: number, end: number): boolean {
    if (this.block.add(bytes, at, end)) return true;
    this.block.clear();
    return this.session.fail(ErrorCode.ENHANCE_YOUR_CALM, 'a header block is larger than allowed');
  }

  /** A header block is complete: it opens a stream, or ends one with trailers. */
  private request(
    id: number,
    ends: boolean,
    selfDependent: boolean,
    bytes: Buffer,
    at: number,
    end: number,
  ): boolean {
    const { head } = this;
    if (!this.decoder.decode(bytes, at, end, head)) {
      return this.session.fail(ErrorCode.COMPRESSION_ERROR, 'a header block cannot be decoded');
    }
    if (id <= this.session.lastStream) return this.laterHeaders(id, ends);
    if (selfDependent || !head.isRequest()) return this.session.turnAway(id, ErrorCode.PROTOCOL_ERROR);
    const stream = this.session.open(id);
    if (stream === undefined) return !this.session.over;
    this.calls.begin(stream, head);
    if (ends) this.calls.finish(this.session, stream);
    return true;
  }

  /** HEADERS on a stream that was opened before. */
  private laterHeaders(id: number, ends: boolean): boolean {
    const stream = this.session.streams.get(id);
    if (stream === undefined) {
      return this.session.streams.remembers(id)
        ? this.session.fail(ErrorCode.STREAM_CLOSED, 'HEADERS on a closed stream')
        : this.session.fail(ErrorCode.PROTOCOL_ERROR, 'a stream identifier went back');
    }
    if (stream.state === StreamState.DROPPING) {
      if (ends) this.session.streams.close(stream);
      return true;
    }
    if (stream.state === StreamState.ANSWERING) {
      return this.session.fail(ErrorCode.STREAM_CLOSED, 'HEADERS on a stream whose request was complete');
    }
    if (ends && this.head.isTrailers()) this.calls.finish(this.session, stream);
    else this.session.malformed(stream);
    return !this.session.over;
  }

  private settings(flags: number, id: number, bytes: Buffer, at: number, end: number): boolean {
    if (id !== 0) return this.session.fail(ErrorCode.PROTOCOL_ERROR, 'SETTINGS on a stream');
    if ((flags & Flag.ACK) !== 0) {
      return end === at
        ? this.session.spend()
        : this.session.fail(ErrorCode.FRAME_SIZE_ERROR, 'an acknowledgement with settings');
    }
    this.session.greeted = true;
    const error = applySettings(bytes, at, end, this.session.sender, this.session.streams);
    if (error !== ErrorCode.NO_ERROR) return this.session.fail(error, 'SETTINGS cannot be applied');
    writeSettingsAck(this.out);
    this.session.sender.pump();
    return this.session.spend();
  }

  private windowUpdate(id: number, bytes: Buffer, at: number, end: number): boolean {
    if (end - at !== 4)
      return this.session.fail(ErrorCode.FRAME_SIZE_ERROR, 'WINDOW_UPDATE has to have four bytes');
    const increment = readUint31(bytes, at);
    if (id === 0) {
      if (increment === 0) return this.session.fail(ErrorCode.PROTOCOL_ERROR, 'WINDOW_UPDATE by nothing');
      if (!this.session.sender.openWindow(increment)) {
        return this.session.fail(ErrorCode.FLOW_CONTROL_ERROR, 'the window is too large');
      }
      return this.session.spend();
    }
    if ((id & 1) === 0 || id > this.session.lastStream) {
      return this.session.fail(ErrorCode.PROTOCOL_ERROR, 'WINDOW_UPDATE on a stream that was not opened');
    }
    const stream = this.session.streams.get(id);
    if (stream === undefined || stream.state === StreamState.DROPPING) return this.session.spend();
    const error = increment === 0 ? ErrorCode.PROTOCOL_ERROR : ErrorCode.FLOW_CONTROL_ERROR;
    if (increment === 0 || !this.session.sender.openStreamWindow(stream, increment)) {
      this.session.reset(id, error);
      this.session.close(stream);
      return !this.session.over;
    }
    return this.session.spend();
  }

  private resetByPeer(id: number, length: number): boolean {
    if (length !== 4)
      return this.session.fail(ErrorCode.FRAME_SIZE_ERROR, 'RST_STREAM has to have four bytes');
    if ((id & 1) === 0 || id > this.session.lastStream) {
      return this.session.fail(ErrorCode.PROTOCOL_ERROR, 'RST_STREAM on a stream that was not opened');
    }
    const stream = this.session.streams.get(id);
    if (stream !== undefined) this.session.close(stream);
    return this.session.spend();
  }

  private ping(flags: number, id: number, bytes: Buffer, at: number, end: number): boolean {
    if (id !== 0) return this.session.fail(ErrorCode.PROTOCOL_ERROR, 'PING on a stream');
    if (end - at !== 8) return this.session.fail(ErrorCode.FRAME_SIZE_ERROR, 'PING has to have eight bytes');
    if ((flags & Flag.ACK) === 0) {
      writeFrame(this.out, FrameType.PING, Flag.ACK, 0, bytes.subarray(at, end));
    } else if (this.session.isDrainMark(bytes.subarray(at, end))) this.session.drainFully();
    return this.session.spend();
  }

  /** Priorities are read as RFC 9113, section 5.3.2, has it: checked, and passed over. */
  private priority(id: number, bytes: Buffer, at: number, end: number): boolean {
    if (id === 0) return this.session.fail(ErrorCode.PROTOCOL_ERROR, 'PRIORITY on no stream');
    const wrongSize = end - at !== 5;
    if (!wrongSize && readUint31(bytes, at) !== id) return this.session.spend();
    const stream = this.session.streams.get(id);
    if (stream !== undefined) this.session.close(stream);
    return this.session.reset(id, wrongSize ? ErrorCode.FRAME_SIZE_ERROR : ErrorCode.PROTOCOL_ERROR);
  }
}

/** Writes the frames that are not answers. Source: RFC 9113, section 6. */
import { Flag, FRAME_HEAD_BYTES, FrameType } from './protocol';
import type { Output } from './output';

/** Stores a frame's head at the output's place; room must be there. */
export function putHead(out: Output, length: number, type: number, flags: number, stream: number): void {
  const { bytes, at } = out;
  bytes[at] = length >>> 16;
  bytes[at + 1] = length >>> 8;
  bytes[at + 2] = length;
  bytes[at + 3] = type;
  bytes[at + 4] = flags;
  putUint32(bytes, at + 5, stream);
  out.at = at + FRAME_HEAD_BYTES;
}

/** Stores four bytes, big-endian. */
export function putUint32(bytes: Uint8Array, at: number, value: number): void {
  bytes[at] = value >>> 24;
  bytes[at + 1] = value >>> 16;
  bytes[at + 2] = value >>> 8;
  bytes[at + 3] = value;
}

/** A whole frame with a payload that is there already. */
export function writeFrame(
  out: Output,
  type: number,
  flags: number,
  stream: number,
  payload: Uint8Array,
): void {
  out.reserve(FRAME_HEAD_BYTES + payload.length);
  putHead(out, payload.length, type, flags, stream);
  out.bytes.set(payload, out.at);
  out.at += payload.length;
}

/** A frame whose payload is one number: RST_STREAM and WINDOW_UPDATE. */
function writeNumber(out: Output, type: number, stream: number, value: number): void {
  out.reserve(FRAME_HEAD_BYTES + 4);
  putHead(out, 4, type, 0, stream);
  putUint32(out.bytes, out.at, value);
  out.at += 4;
}

export function writeReset(out: Output, stream: number, errorCode: number): void {
  writeNumber(out, FrameType.RST_STREAM, stream, errorCode);
}

export function writeWindowUpdate(out: Output, stream: number, increment: number): void {
  writeNumber(out, FrameType.WINDOW_UPDATE, stream, increment);
}

/** @param reason text for whoever reads a trace of it; ASCII. */
export function writeGoaway(out: Output, lastStream: number, errorCode: number, reason: string): void {
  const payload = Buffer.alloc(8 + reason.length);
  putUint32(payload, 0, lastStream);
  putUint32(payload, 4, errorCode);
  payload.write(reason, 8, 'latin1');
  writeFrame(out, FrameType.GOAWAY, 0, 0, payload);
}

/** @param settings pairs of a parameter and its value. */
export function writeSettings(out: Output, settings: readonly (readonly [number, number])[]): void {
  const payload = Buffer.alloc(6 * settings.length);
  settings.forEach(([parameter, value], index) => {
    payload.writeUInt16BE(parameter, 6 * index);
    putUint32(payload, 6 * index + 2, value);
  });
  writeFrame(out, FrameType.SETTINGS, 0, 0, payload);
}

export function writeSettingsAck(out: Output): void {
  out.reserve(FRAME_HEAD_BYTES);
  putHead(out, 0, FrameType.SETTINGS, Flag.ACK, 0);
}

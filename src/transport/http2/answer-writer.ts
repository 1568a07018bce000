/**
 * Writes answers. Two fields go into the peer's dynamic table with the first answer (RFC 7541, section 6.2.1):
 * `content-type: application/grpc` and `grpc-status: 0`; from then on a good answer's two header blocks are three bytes.
 * A peer with a table too small for them, and everything that is seldom, gets literals.
 */
import { putHead, putUint32, writeFrame } from './frame-writer';
import type { Output } from './output';
import { DEFAULT_HEADER_TABLE_BYTES, Flag, FRAME_HEAD_BYTES, FrameType } from './protocol';

/** What the two fields take: names, values, and twice 32. */
const TABLE_BYTES_NEEDED = 12 + 16 + 32 + (11 + 1 + 32);
/** gRPC's prefix: whether the message is compressed, and its length. */
export const MESSAGE_PREFIX_BYTES = 5;

const STATUS_200 = 0x88;
/** After the first answer: the older of the two entries, and the younger. */
const INDEXED_CONTENT_TYPE = 0x80 | 63;
const INDEXED_STATUS_OK = 0x80 | 62;
const LITERAL_ADDED = 0x40;
const LITERAL = 0;
const CONTENT_TYPE_INDEX = 31;
const STATUS_INDEX = 8;

const CONTENT_TYPE_ADDED = Buffer.concat([
  Buffer.from([STATUS_200]),
  literal(LITERAL_ADDED, CONTENT_TYPE_INDEX, 'application/grpc'),
]);
const STATUS_OK_ADDED = literal(LITERAL_ADDED, 'grpc-status', '0');
const CONTENT_TYPE_LITERAL = Buffer.concat([
  Buffer.from([STATUS_200]),
  literal(LITERAL, CONTENT_TYPE_INDEX, 'application/grpc'),
]);
const STATUS_OK_LITERAL = literal(LITERAL, 'grpc-status', '0');

/** The size of all frames of a good answer around its message, at most. */
const MAX_AROUND_BYTES =
  3 * FRAME_HEAD_BYTES + MESSAGE_PREFIX_BYTES + CONTENT_TYPE_ADDED.length + STATUS_OK_ADDED.length + 6;

/** A field for {@link AnswerWriter.only}: its name, or its index in the static table, and its value, ASCII. */
export type Field = readonly [name: string | number, value: string];

const enum Table {
  EMPTY,
  FILLED,
  UNUSED,
}

/** Writes one connection's answers. */
export class AnswerWriter {
  private table: Table = Table.EMPTY;
  /** Size updates that the next header block has to begin with (RFC 7541, section 4.2). */
  private updates: Buffer | undefined;
  private peerTableBytes = DEFAULT_HEADER_TABLE_BYTES;

  /** The peer's SETTINGS_HEADER_TABLE_SIZE: the smallest that it said, and the last. We never use more than the default. */
  resizeTable(smallestBytes: number, lastBytes: number): void {
    const bytes = Math.min(lastBytes, DEFAULT_HEADER_TABLE_BYTES);
    if (smallestBytes >= this.peerTableBytes && bytes === this.peerTableBytes) return;
    this.peerTableBytes = bytes;
    // Through zero, which empties the table, so that it does not matter which sizes came between.
    this.updates = Buffer.concat([integer(0x20, 5, 0), integer(0x20, 5, bytes)]);
    this.table = bytes >= TABLE_BYTES_NEEDED ? Table.EMPTY : Table.UNUSED;
  }

  /** A whole good answer: HEADERS, DATA with the message, trailers. Windows must have been asked before. */
  whole(out: Output, stream: number, message: Uint8Array): void {
    out.reserve(MAX_AROUND_BYTES + message.length);
    if (this.table !== Table.FILLED || this.updates !== undefined) {
      const added = this.table === Table.EMPTY;
      this.block(out, stream, Flag.END_HEADERS, added ? CONTENT_TYPE_ADDED : CONTENT_TYPE_LITERAL);
      putMessage(out, stream, message);
      this.block(
        out,
        stream,
        Flag.END_HEADERS | Flag.END_STREAM,
        added ? STATUS_OK_ADDED : STATUS_OK_LITERAL,
      );
      if (added) this.table = Table.FILLED;
      return;
    }
    putHead(out, 2, FrameType.HEADERS, Flag.END_HEADERS, stream);
    out.bytes[out.at] = STATUS_200;
    out.bytes[out.at + 1] = INDEXED_CONTENT_TYPE;
    out.at += 2;
    putMessage(out, stream, message);
    putHead(out, 1, FrameType.HEADERS, Flag.END_HEADERS | Flag.END_STREAM, stream);
    out.bytes[out.at] = INDEXED_STATUS_OK;
    out.at += 1;
  }

  /** One header block of literals that are not added to the table; the first block of a stream has `:status`. */
  only(out: Output, stream: number, fields: readonly Field[], endsStream: boolean): void {
    const block = Buffer.concat(fields.map(([name, value]) => literal(LITERAL, name, value)));
    out.reserve(FRAME_HEAD_BYTES + 6 + block.length);
    this.block(out, stream, Flag.END_HEADERS | (endsStream ? Flag.END_STREAM : 0), block);
  }

  private block(out: Output, stream: number, flags: number, block: Uint8Array): void {
    const { updates } = this;
    this.updates = undefined;
    if (updates !== undefined) {
      writeFrame(out, FrameType.HEADERS, flags, stream, Buffer.concat([updates, block]));
    } else writeFrame(out, FrameType.HEADERS, flags, stream, block);
  }
}

/** The fields of a good answer's first block, for {@link AnswerWriter.only}. */
export const GRPC_HEAD: readonly Field[] = [
  [STATUS_INDEX, '200'],
  [CONTENT_TYPE_INDEX, 'application/grpc'],
];

/** An answer of another HTTP status. */
export const httpHead = (status: number, contentType?: string): readonly Field[] =>
  contentType === undefined
    ? [[STATUS_INDEX, String(status)]]
    : [
        [STATUS_INDEX, String(status)],
        [CONTENT_TYPE_INDEX, contentType],
      ];

function putMessage(out: Output, stream: number, message: Uint8Array): void {
  const { length } = message;
  putHead(out, MESSAGE_PREFIX_BYTES + length, FrameType.DATA, 0, stream);
  const { bytes, at } = out;
  bytes[at] = 0;
  putUint32(bytes, at + 1, length);
  const start = at + MESSAGE_PREFIX_BYTES;
  if (length > 64) bytes.set(message, start);
  else copyShort(message, bytes, start);
  out.at = start + length;
}

/** Four bytes at a time: a native call, or a turn of a loop each, costs more. */
function copyShort(from: Uint8Array, to: Uint8Array, start: number): void {
  const { length } = from;
  let index = 0;
  let at = start;
  for (; index + 4 <= length; index += 4, at += 4) {
    to[at] = from[index]!;
    to[at + 1] = from[index + 1]!;
    to[at + 2] = from[index + 2]!;
    to[at + 3] = from[index + 3]!;
  }
  for (; index < length; index += 1, at += 1) to[at] = from[index]!;
}

/** A literal field without Huffman code (RFC 7541, section 6.2). */
function literal(pattern: number, name: string | number, value: string): Buffer {
  const prefixBits = pattern === LITERAL_ADDED ? 6 : 4;
  const head =
    typeof name === 'number'
      ? integer(pattern, prefixBits, name)
      : Buffer.concat([Buffer.from([pattern]), text(name)]);
  return Buffer.concat([head, text(value)]);
}

function text(value: string): Buffer {
  return Buffer.concat([integer(0, 7, value.length), Buffer.from(value, 'latin1')]);
}

/** An integer behind a pattern in its first byte's upper bits (RFC 7541, section 5.1). */
function integer(pattern: number, prefixBits: number, value: number): Buffer {
  const limit = (1 << prefixBits) - 1;
  if (value < limit) return Buffer.from([pattern | value]);
  const bytes = [pattern | limit];
  let rest = value - limit;
  for (; rest >= 0x80; rest >>>= 7) bytes.push((rest & 0x7f) | 0x80);
  return Buffer.from([...bytes, rest]);
}

/**
 * Reads protobuf's wire format in place: no copies and no objects, because access logs bring many fields that nobody needs.
 * It never reads outside its range. Source: https://protobuf.dev/programming-guides/encoding/.
 */
import { TidegateError } from '../../core/errors';

const TWO_32 = 0x1_0000_0000;
const VARINT = 0;
const I64 = 1;
const I32 = 5;
/** The wire type of text, bytes and messages. */
export const LEN = 2;

/** A tag as it stands in a message. */
export const tagOf = (field: number, wireType: number): number => field * 8 + wireType;
/** The tag of a varint field. */
export const varintTag = (field: number): number => tagOf(field, VARINT);
/** The tag of a field of text, bytes or a message. */
export const lenTag = (field: number): number => tagOf(field, LEN);
/** The tag of a double. */
export const doubleTag = (field: number): number => tagOf(field, I64);

/** See the file's head. All methods throw `TG_MESH_BAD_REQUEST` where the bytes are no message. */
export class ByteCursor {
  bytes: Uint8Array = new Uint8Array(0);
  /** Where the cursor is. */
  at = 0;
  /** Where the message ends that is being read. */
  end = 0;
  /** The upper 32 bits of the varint read last. */
  #high = 0;

  /** Begins a message. */
  open(bytes: Uint8Array): void {
    this.bytes = bytes;
    this.at = 0;
    this.end = bytes.length;
  }

  /** The next field's tag. */
  tag(): number {
    const tag = this.varint32();
    if (this.#high !== 0 || tag < 8) throw malformed('a field number is out of range');
    return tag;
  }

  /** The lower 32 bits of a varint, unsigned. */
  varint32(): number {
    if (this.at >= this.end) throw malformed('a message is cut short');
    const first = this.bytes[this.at++]!;
    this.#high = 0;
    return first < 0x80 ? first : this.#longVarint(first);
  }

  /** A bool. */
  flag(): boolean {
    return this.varint32() !== 0 || this.#high !== 0;
  }

  /** An int64 as the nearest number. */
  int64(): number {
    const low = this.varint32();
    return (this.#high | 0) * TWO_32 + low;
  }

  /** A uint64 as the nearest number. */
  uint64(): number {
    const low = this.varint32();
    return this.#high * TWO_32 + low;
  }

  /** Eight bytes as a double. */
  double(): number {
    if (this.end - this.at < 8) throw malformed('a message is cut short');
    const view = new DataView(this.bytes.buffer, this.bytes.byteOffset + this.at, 8);
    this.at += 8;
    return view.getFloat64(0, true);
  }

  /** The length of text, bytes or a message that begins where the cursor then is, and lies in its message. */
  length(): number {
    const length = this.varint32();
    if (this.#high !== 0 || length > this.end - this.at)
      throw malformed('a field is longer than its message');
    return length;
  }

  /** Narrows the range to a message within. Returns what {@link leave} needs. */
  enter(): number {
    const length = this.length();
    const outer = this.end;
    this.end = this.at + length;
    return outer;
  }

  /** Goes on behind the message that {@link enter} began. */
  leave(outer: number): void {
    this.at = this.end;
    this.end = outer;
  }

  /** Skips text, bytes or a message. */
  skipLength(): void {
    const length = this.length();
    this.at += length;
  }

  /** Skips a field's value. Groups are none of Envoy's. */
  skip(tag: number): void {
    switch (tag & 7) {
      case LEN:
        this.skipLength();
        return;
      case VARINT:
        this.varint32();
        return;
      case I64:
        this.#skipBytes(8);
        return;
      case I32:
        this.#skipBytes(4);
        return;
      default:
        throw malformed('a field has no known wire type');
    }
  }

  /** UTF-8 text of a range; what is not UTF-8 becomes replacement characters. */
  text(start: number, length: number): string {
    return Buffer.from(this.bytes.buffer, this.bytes.byteOffset + start, length).toString('utf8');
  }

  #skipBytes(count: number): void {
    if (this.end - this.at < count) throw malformed('a message is cut short');
    this.at += count;
  }

  #longVarint(first: number): number {
    let low = first & 0x7f;
    let high = 0;
    for (let shift = 7; ; shift += 7) {
      if (this.at >= this.end) throw malformed('a message is cut short');
      const byte = this.bytes[this.at++]!;
      const bits = byte & 0x7f;
      if (shift < 28) low |= bits << shift;
      else if (shift === 28) {
        low |= bits << 28;
        high = bits >>> 4;
      } else high |= bits << (shift - 32);
      if (byte < 0x80) {
        this.#high = high >>> 0;
        return low >>> 0;
      }
      // The tenth byte has one bit left of the 64.
      if (shift === 63) throw malformed('a varint is longer than 64 bits');
    }
  }
}

/** The error for bytes that are no message. It never holds any of them. */
export function malformed(what: string): TidegateError {
  return new TidegateError('TG_MESH_BAD_REQUEST', what);
}

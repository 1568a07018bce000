/**
 * Reads the protobuf wire format: tags, varints, length-delimited fields, and the skipping of fields nobody knows.
 * It never reads outside its range and never allocates by a length that it has not checked.
 * Source: https://protobuf.dev/programming-guides/encoding/; where that is silent, as Go's decoder does.
 */
import { TidegateError } from '../core/errors';

/** The wire types in use: 0, 1, 2, 3, 4 and 5. */
export const WireType = { VARINT: 0, I64: 1, LEN: 2, START_GROUP: 3, END_GROUP: 4, I32: 5 } as const;

/** Groups nest no deeper than this; nothing that we read has groups at all. */
const MAX_GROUP_DEPTH = 64;
const TWO_32 = 0x1_0000_0000;
/** Longer text is left to TextDecoder, which is faster then. */
const SHORT_TEXT_BYTES = 48;

const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

/**
 * A cursor over one message. Sub-messages are read with the same cursor: {@link enter} narrows its range, and
 * {@link leave} widens it again.
 */
export class ProtoReader {
  readonly #bytes: Uint8Array;
  #position = 0;
  #end: number;
  /** The upper 32 bits of the varint read last. */
  #high = 0;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
    this.#end = bytes.length;
  }

  /** Whether the current message has more fields. */
  get more(): boolean {
    return this.#position < this.#end;
  }

  /** Where the cursor is, bytes from the start of the outermost message. */
  get position(): number {
    return this.#position;
  }

  /**
   * The next field's tag: its number x 8 + its wire type.
   * @throws TidegateError TG_REQUEST_MALFORMED when the number is 0 or over 2^29-1, or the wire type is none.
   */
  tag(): number {
    const low = this.varint32();
    if (this.#high !== 0 || low >>> 3 === 0) throw this.malformed('a field number is out of range');
    const wireType = low & 7;
    if (wireType > WireType.I32) throw this.malformed(`wire type ${wireType} does not exist`);
    return low;
  }

  /** A varint's lower 32 bits, unsigned: what protobuf keeps of it for a uint32. */
  varint32(): number {
    const first = this.#byte();
    this.#high = 0;
    return first < 0x80 ? first : this.#longVarint(first);
  }

  /** A varint as an int32, which is also what an enum is. */
  int32(): number {
    return this.varint32() | 0;
  }

  /** A varint as a bool: whether any of its 64 bits is set. */
  bool(): boolean {
    return this.varint32() !== 0 || this.#high !== 0;
  }

  /** A varint as a uint64; above 2^53-1 it is that. */
  uint64(): number {
    const low = this.varint32();
    const value = this.#high * TWO_32 + low;
    return value > Number.MAX_SAFE_INTEGER ? Number.MAX_SAFE_INTEGER : value;
  }

  /** A varint as an int64, clamped to the integers that a number holds exactly. */
  int64(): number {
    const low = this.varint32();
    const value = (this.#high | 0) * TWO_32 + low;
    return Math.max(Number.MIN_SAFE_INTEGER, Math.min(Number.MAX_SAFE_INTEGER, value));
  }

  /** Eight bytes as a double, little-endian. */
  double(): number {
    const at = this.#advance(8);
    return new DataView(this.#bytes.buffer, this.#bytes.byteOffset + at, 8).getFloat64(0, true);
  }

  /**
   * Text.
   * @throws TidegateError TG_REQUEST_BAD_UTF8
   */
  string(): string {
    const length = this.#length();
    const start = this.#advance(length);
    const end = start + length;
    if (length <= SHORT_TEXT_BYTES) {
      let text = '';
      let at = start;
      for (; at < end; at += 1) {
        const byte = this.#bytes[at]!;
        if (byte >= 0x80) break;
        text += String.fromCharCode(byte);
      }
      if (at === end) return text;
    }
    try {
      return utf8.decode(this.#bytes.subarray(start, end));
    } catch (cause) {
      throw new TidegateError('TG_REQUEST_BAD_UTF8', `the text at byte ${start} is not UTF-8`, { cause });
    }
  }

  /** Narrows the range to a sub-message. @returns what {@link leave} needs to widen it again. */
  enter(): number {
    const length = this.#length();
    const outerEnd = this.#end;
    if (length > outerEnd - this.#position) throw this.malformed('a field is longer than its message');
    this.#end = this.#position + length;
    return outerEnd;
  }

  /** Widens the range again after a sub-message was read to its end. */
  leave(outerEnd: number): void {
    this.#end = outerEnd;
  }

  /** Skips the value of a field that nobody reads. */
  skip(tag: number): void {
    switch (tag & 7) {
      case WireType.VARINT:
        this.varint32();
        return;
      case WireType.I64:
        this.#advance(8);
        return;
      case WireType.LEN:
        this.#advance(this.#length());
        return;
      case WireType.START_GROUP:
        this.#skipGroup(tag >>> 3);
        return;
      case WireType.END_GROUP:
        throw this.malformed('a group ends that never began');
      default:
        this.#advance(4);
    }
  }

  /** The error for a message that is not protobuf, with the place. */
  malformed(what: string): TidegateError {
    return new TidegateError('TG_REQUEST_MALFORMED', `${what}, at byte ${this.#position}`);
  }

  #skipGroup(number: number): void {
    const open = [number];
    while (open.length > 0) {
      const tag = this.tag();
      if ((tag & 7) === WireType.START_GROUP) {
        if (open.length === MAX_GROUP_DEPTH) throw this.malformed('groups nest too deep');
        open.push(tag >>> 3);
      } else if ((tag & 7) === WireType.END_GROUP) {
        if (open.pop() !== tag >>> 3) throw this.malformed('a group ends that is not the innermost');
      } else this.skip(tag);
    }
  }

  #length(): number {
    const length = this.varint32();
    if (this.#high !== 0) throw this.malformed('a length is out of range');
    return length;
  }

  #advance(count: number): number {
    const start = this.#position;
    if (count > this.#end - start) throw this.malformed('a field is cut short');
    this.#position = start + count;
    return start;
  }

  #byte(): number {
    if (this.#position >= this.#end) throw this.malformed('the message is cut short');
    return this.#bytes[this.#position++]!;
  }

  #longVarint(first: number): number {
    let low = first & 0x7f;
    let byte = 0x80;
    for (let shift = 7; shift < 28 && byte >= 0x80; shift += 7) {
      byte = this.#byte();
      low |= (byte & 0x7f) << shift;
    }
    if (byte < 0x80) return low >>> 0;
    byte = this.#byte();
    low |= (byte & 0x0f) << 28;
    let high = (byte >>> 4) & 0x07;
    for (let shift = 3; byte >= 0x80; shift += 7) {
      byte = this.#byte();
      // The tenth byte has one bit left of the 64.
      if (shift === 31 && byte > 1) throw this.malformed('a varint is longer than 64 bits');
      high |= (byte & 0x7f) << shift;
    }
    this.#high = high >>> 0;
    return low >>> 0;
  }
}

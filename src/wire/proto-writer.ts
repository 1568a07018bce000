/**
 * Writes the protobuf wire format into one growing buffer. Fields that hold their default are the caller's to leave out.
 * Source: https://protobuf.dev/programming-guides/encoding/.
 */
const TWO_32 = 0x1_0000_0000;
const TWO_31 = 0x8000_0000;
/** Messages are cut from a common buffer: one of its own each is most of what a short one takes. */
const COMMON_BYTES = 8_192;
/** With less room than this left, the next message begins another. */
const LEAST_ROOM_BYTES = 256;
/** Longer text is left to TextEncoder, which is faster then. */
const SHORT_TEXT_UNITS = 48;
/** A varint of 64 bits is never longer. */
const MAX_VARINT_BYTES = 10;

const utf8 = new TextEncoder();

/** A message under construction. Field numbers are 1 to 15: each tag is one byte. */
export class ProtoWriter {
  #bytes = new Uint8Array(COMMON_BYTES);
  /** Where the message begins, and where its next byte goes. */
  #start = 0;
  #length = 0;

  /** Starts over with an empty message. */
  reset(): this {
    this.#length = this.#start;
    return this;
  }

  /** The message so far; nothing is written to its bytes any more. */
  finish(): Uint8Array {
    const message = this.#bytes.subarray(this.#start, this.#length);
    this.#start = this.#length;
    if (this.#bytes.length - this.#start < LEAST_ROOM_BYTES || this.#bytes.length > COMMON_BYTES) {
      this.#bytes = new Uint8Array(COMMON_BYTES);
      this.#start = 0;
      this.#length = 0;
    }
    return message;
  }

  /** The message so far, for whoever is done with it before the writer is used again. */
  borrow(): Uint8Array {
    return this.#bytes.subarray(this.#start, this.#length);
  }

  /** A whole number from 0 to 2^53-1, as a uint32, uint64 or enum. */
  varint(field: number, value: number): void {
    this.#reserve(1 + MAX_VARINT_BYTES);
    this.#bytes[this.#length++] = field << 3;
    this.#varint(value);
  }

  /** A whole number of at most 2^53-1 either way, as an int64, int32 or enum. */
  int64(field: number, value: number): void {
    if (value >= 0) {
      this.varint(field, value);
      return;
    }
    this.#reserve(1 + MAX_VARINT_BYTES);
    this.#bytes[this.#length++] = field << 3;
    this.#negativeVarint(value);
  }

  /** A bool. */
  bool(field: number, value: boolean): void {
    this.#reserve(2);
    this.#bytes[this.#length++] = field << 3;
    this.#bytes[this.#length++] = value ? 1 : 0;
  }

  /** A double. */
  double(field: number, value: number): void {
    this.#reserve(9);
    this.#bytes[this.#length++] = (field << 3) | 1;
    new DataView(this.#bytes.buffer, this.#length, 8).setFloat64(0, value, true);
    this.#length += 8;
  }

  /** Text, as UTF-8; a lone surrogate becomes U+FFFD. */
  string(field: number, text: string): void {
    // Three bytes a UTF-16 unit is the most that UTF-8 takes.
    const mostBytes = text.length * 3;
    this.#reserve(1 + MAX_VARINT_BYTES + mostBytes);
    this.#bytes[this.#length++] = (field << 3) | 2;
    const start = this.#length;
    if (text.length <= SHORT_TEXT_UNITS && this.#ascii(start, text)) return;
    const { written } = utf8.encodeInto(text, this.#bytes.subarray(start + 1));
    this.#length = start + 1 + written;
    this.#putLength(start - this.#start);
  }

  /** Writes length and text when it is all ASCII. @returns whether it was; if not, nothing counts as written. */
  #ascii(start: number, text: string): boolean {
    const bytes = this.#bytes;
    for (let i = 0; i < text.length; i += 1) {
      const unit = text.charCodeAt(i);
      if (unit >= 0x80) return false;
      bytes[start + 1 + i] = unit;
    }
    bytes[start] = text.length;
    this.#length = start + 1 + text.length;
    return true;
  }

  /** A sub-message, written by `content`. */
  message(field: number, content: (writer: this) => void): void {
    const start = this.begin(field);
    content(this);
    this.end(start);
  }

  /** Starts a sub-message. @returns what {@link end} needs. */
  begin(field: number): number {
    this.#reserve(2);
    this.#bytes[this.#length++] = (field << 3) | 2;
    this.#length += 1;
    return this.#length - 1 - this.#start;
  }

  /** Ends the sub-message that began at `start`. */
  end(start: number): void {
    this.#putLength(start);
  }

  /**
   * One byte was set aside for the length; content of 128 bytes and more moves up to make room for the others.
   * @param place of that byte, from the message's beginning: all of it may move to another buffer.
   */
  #putLength(place: number): void {
    const contentLength = this.#length - this.#start - place - 1;
    if (contentLength < 0x80) {
      this.#bytes[this.#start + place] = contentLength;
      return;
    }
    let extra = 1;
    for (let rest = contentLength >>> 14; rest > 0; rest >>>= 7) extra += 1;
    this.#reserve(extra);
    const start = this.#start + place;
    this.#bytes.copyWithin(start + 1 + extra, start + 1, this.#length);
    this.#length = start;
    this.#varint(contentLength);
    this.#length += contentLength;
  }

  #varint(value: number): void {
    let rest = value;
    while (rest >= TWO_31) {
      this.#bytes[this.#length++] = (rest % 0x80) | 0x80;
      rest = Math.floor(rest / 0x80);
    }
    while (rest >= 0x80) {
      this.#bytes[this.#length++] = (rest & 0x7f) | 0x80;
      rest >>>= 7;
    }
    this.#bytes[this.#length++] = rest;
  }

  /** Two's complement in 64 bits: always ten bytes. */
  #negativeVarint(value: number): void {
    let high = Math.floor(value / TWO_32) >>> 0;
    let low = (value - Math.floor(value / TWO_32) * TWO_32) >>> 0;
    for (let i = 0; i < MAX_VARINT_BYTES - 1; i += 1) {
      this.#bytes[this.#length++] = (low & 0x7f) | 0x80;
      low = ((low >>> 7) | (high << 25)) >>> 0;
      high >>>= 7;
    }
    this.#bytes[this.#length++] = low;
  }

  #reserve(count: number): void {
    if (this.#length + count <= this.#bytes.length) return;
    const written = this.#length - this.#start;
    const grown = new Uint8Array(Math.max(COMMON_BYTES, 2 * (written + count)));
    grown.set(this.#bytes.subarray(this.#start, this.#length));
    this.#bytes = grown;
    this.#start = 0;
    this.#length = written;
  }
}

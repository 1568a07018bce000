/** Figures and texts as few bytes: whole numbers as varints, other numbers as doubles, texts as UTF-8 with their length. */
import { TidegateError } from '../core/errors';

const MIN_BYTES = 1_024;
const MAX_VARINT_BYTES = 8;
const utf8 = new TextEncoder();
const text = new TextDecoder('utf-8', { fatal: true });

/** Appends to a growing buffer. */
export class ByteWriter {
  private bytes = new Uint8Array(MIN_BYTES);
  private view = new DataView(this.bytes.buffer);
  private length = 0;

  /** A whole number, 0 to 2^53-1. */
  whole(value: number): void {
    this.reserve(MAX_VARINT_BYTES);
    let rest = value;
    while (rest >= 0x80) {
      this.bytes[this.length++] = (rest % 0x80) | 0x80;
      rest = Math.floor(rest / 0x80);
    }
    this.bytes[this.length++] = rest;
  }

  /** Any number: one that is whole and not negative takes few bytes. */
  number(value: number): void {
    if (Number.isInteger(value) && value >= 0 && value < 2 ** 52 && !Object.is(value, -0)) {
      this.whole(value * 2);
      return;
    }
    this.whole(1);
    this.double(value);
  }

  double(value: number): void {
    this.reserve(8);
    this.view.setFloat64(this.length, value, true);
    this.length += 8;
  }

  text(value: string): void {
    const encoded = utf8.encode(value);
    this.whole(encoded.length);
    this.reserve(encoded.length);
    this.bytes.set(encoded, this.length);
    this.length += encoded.length;
  }

  /** What was written, in a buffer of its own size. */
  finish(): Uint8Array {
    return this.bytes.slice(0, this.length);
  }

  private reserve(more: number): void {
    if (this.length + more <= this.bytes.length) return;
    const grown = new Uint8Array(Math.max(this.bytes.length * 2, this.length + more));
    grown.set(this.bytes);
    this.bytes = grown;
    this.view = new DataView(grown.buffer);
  }
}

/** Reads what {@link ByteWriter} wrote. Every method throws TG_STORE_REPLY where the bytes end early or make no sense. */
export class ByteReader {
  private readonly view: DataView;
  private at = 0;

  constructor(private readonly bytes: Uint8Array) {
    this.view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  }

  get left(): number {
    return this.bytes.length - this.at;
  }

  whole(): number {
    let value = 0;
    let unit = 1;
    for (let read = 0; read < MAX_VARINT_BYTES; read += 1) {
      const byte = this.bytes[this.at];
      if (byte === undefined) throw malformed('they end early');
      this.at += 1;
      value += (byte & 0x7f) * unit;
      unit *= 0x80;
      if (byte < 0x80) {
        if (value > Number.MAX_SAFE_INTEGER) break;
        return value;
      }
    }
    throw malformed('a number is too long');
  }

  /** A count of things that take at least `bytesEach`, so that no false one makes room for what is not there. */
  count(bytesEach: number): number {
    const count = this.whole();
    if (count * bytesEach > this.left) throw malformed('a count is more than there is');
    return count;
  }

  number(): number {
    const doubled = this.whole();
    if (doubled % 2 === 0) return doubled / 2;
    if (doubled !== 1) throw malformed('a number is of no kind');
    return this.double();
  }

  double(): number {
    if (this.left < 8) throw malformed('they end early');
    const value = this.view.getFloat64(this.at, true);
    this.at += 8;
    return value;
  }

  text(): string {
    const length = this.count(1);
    const part = this.bytes.subarray(this.at, this.at + length);
    this.at += length;
    try {
      return text.decode(part);
    } catch {
      throw malformed('a text is not UTF-8');
    }
  }
}

/** What is said of bytes that make no sense. */
export function malformed(what: string): TidegateError {
  return new TidegateError('TG_STORE_REPLY', `packed bytes make no sense: ${what}`);
}

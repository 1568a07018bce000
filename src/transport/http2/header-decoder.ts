/**
 * Decodes header blocks (RFC 7541) of one connection into a {@link RequestHead}. What nobody reads is measured for the
 * dynamic table and not decoded, so a block costs time by its bytes on the wire, and no memory, whatever it expands to.
 */
import { sameBytes } from '../../core/same-bytes';
import { DynamicTable, FIELD_OVERHEAD_BYTES } from './dynamic-table';
import { BAD_PATH, decimal, isRead, Kind, kindOf, NO_ROUTE, valueOf } from './field-kind';
import { decodedBound, decodeHuffman, measureHuffman, NOT_HUFFMAN } from './huffman';
import { RepeatedBlock } from './repeated-block';
import type { RequestHead } from './request-head';
import { STATIC_TABLE } from './static-table';

const STATIC_COUNT = STATIC_TABLE.length;
/** Names, and values that are read, are no longer than this on the wire; a longer one is taken as malformed. */
const MAX_TEXT_BYTES = 1_024;
/** Integers have at most this many bytes after their prefix: none that we allow needs more. */
const MAX_INTEGER_BYTES = 4;
const BAD = -1;

const scratch = Buffer.alloc(decodedBound(MAX_TEXT_BYTES));

/** The number of a method by its path, {@link NO_ROUTE} where there is none. */
export type Routes = ReadonlyMap<string, number>;

/** Numbers of the static table's fields, index 1 first; what depends on the routes is looked up when it is used. */
const STATIC_KINDS = Uint8Array.from([0, ...STATIC_TABLE.map(([name]) => kindOf(name))]);
const STATIC_VALUES = [0, ...STATIC_TABLE.map(([name, value]) => valueOf(kindOf(name), value))];
const STATIC_NAME_BYTES = [0, ...STATIC_TABLE.map(([name]) => name.length)];
const STATIC_BYTES = [
  0,
  ...STATIC_TABLE.map(([name, value]) => name.length + value.length + FIELD_OVERHEAD_BYTES),
];

/** One connection's decoder. */
export class HeaderDecoder {
  private readonly table = new DynamicTable();
  private readonly repeated = new RepeatedBlock();
  /** Where the last block was decoded into. */
  private lastHead: RequestHead | undefined;
  private readonly routes: Routes;
  private readonly readsTraces: boolean;
  /** The path that was read last, as it was on the wire: the next one is mostly the same. */
  private readonly pathWire = new Uint8Array(128);
  private pathWireBytes = 0;
  private pathRoute = NO_ROUTE;
  private pathBytes = 0;
  private bytes: Buffer = scratch;
  private at = 0;
  private end = 0;
  /** What {@link readValue} read: its size, number and text. */
  private valueBytes = 0;
  private value = 0;
  private text: string | undefined;
  /** Whether the value is one that makes a request malformed. */
  private isBad = false;

  /** @param readsTraces whether `traceparent` is read; else it is as any other field. */
  constructor(routes: Routes, readsTraces: boolean) {
    this.routes = routes;
    this.readsTraces = readsTraces;
  }

  /**
   * Decodes a whole block. One that is the same as the last needs no more than a look, as long as nobody changed `head`.
   * @returns false when it is not HPACK: a connection error COMPRESSION_ERROR. A block that is HPACK but no request
   * says so in `head`.
   */
  decode(bytes: Buffer, start: number, end: number, head: RequestHead): boolean {
    if (this.repeated.is(bytes, start, end, this.table.changes) && head === this.lastHead) return true;
    const { changes } = this.table;
    const isDecoded = this.decodeAnew(bytes, start, end, head);
    this.lastHead = head;
    // A block that changes the table means something else when it comes again.
    if (isDecoded && changes === this.table.changes) this.repeated.note(bytes, start, end, changes);
    else this.repeated.forget();
    return isDecoded;
  }

  private decodeAnew(bytes: Buffer, start: number, end: number, head: RequestHead): boolean {
    head.reset();
    this.bytes = bytes;
    this.at = start;
    this.end = end;
    let fields = 0;
    while (this.at < end) {
      const first = bytes[this.at]!;
      if (first >= 0x80) {
        if (!this.indexedField(head)) return false;
        fields += 1;
      } else if ((first & 0xe0) === 0x20) {
        // Size updates come before the first field (section 4.2).
        const maxBytes = this.integer(5);
        if (fields > 0 || maxBytes === BAD || !this.table.resize(maxBytes)) return false;
      } else {
        if (!this.literalField(head, (first & 0xc0) === 0x40)) return false;
        fields += 1;
      }
    }
    return true;
  }

  private indexedField(head: RequestHead): boolean {
    const index = this.integer(7);
    if (index > STATIC_COUNT) {
      const { table } = this;
      const slot = table.slot(index - STATIC_COUNT - 1);
      if (slot < 0) return false;
      head.take(table.kind(slot), table.value(slot), table.text(slot), table.size(slot));
      return true;
    }
    if (index <= 0) return false;
    const kind = STATIC_KINDS[index]!;
    const value = kind === Kind.PATH ? this.route(STATIC_TABLE[index - 1]![1]) : STATIC_VALUES[index]!;
    head.take(kind, value, undefined, STATIC_BYTES[index]!);
    return true;
  }

  private literalField(head: RequestHead, added: boolean): boolean {
    const index = this.integer(added ? 6 : 4);
    let kind: number;
    let nameBytes: number;
    if (index === BAD) return false;
    if (index === 0) {
      nameBytes = this.readName();
      if (nameBytes < 0) return false;
      kind = this.value;
    } else if (index <= STATIC_COUNT) {
      kind = STATIC_KINDS[index]!;
      nameBytes = STATIC_NAME_BYTES[index]!;
    } else {
      const slot = this.table.slot(index - STATIC_COUNT - 1);
      if (slot < 0) return false;
      kind = this.table.kind(slot);
      nameBytes = this.table.name(slot);
    }
    this.isBad = false;
    if (!this.readValue(kind)) return false;
    if (this.isBad) kind = Kind.FORBIDDEN;
    if (added) this.table.add(kind, nameBytes, this.valueBytes, this.value, this.text);
    head.take(kind, this.value, this.text, nameBytes + this.valueBytes + FIELD_OVERHEAD_BYTES);
    return true;
  }

  /** Reads a literal name; its kind is then in `value`. @returns its size, or {@link BAD}. */
  private readName(): number {
    const huffman = (this.bytes[this.at]! & 0x80) !== 0;
    const wireBytes = this.textLength();
    if (wireBytes === BAD) return BAD;
    const start = this.at;
    this.at = start + wireBytes;
    this.value = Kind.FORBIDDEN;
    const read = wireBytes <= MAX_TEXT_BYTES;
    const length = huffman ? this.expand(start, read) : wireBytes;
    if (length < 0 || !read) return length;
    const kind = kindOf(huffman ? scratch.toString('latin1', 0, length) : this.slice(start));
    this.value = kind === Kind.TRACEPARENT && !this.readsTraces ? Kind.IGNORED : kind;
    return length;
  }

  private readValue(kind: number): boolean {
    if (this.at >= this.end) return false;
    const huffman = (this.bytes[this.at]! & 0x80) !== 0;
    const wireBytes = this.textLength();
    if (wireBytes === BAD) return false;
    const start = this.at;
    this.at = start + wireBytes;
    this.text = undefined;
    this.value = 0;
    if (kind === Kind.PATH && this.isKnownPath(start)) {
      this.value = this.pathRoute;
      this.valueBytes = this.pathBytes;
      return true;
    }
    const read = isRead(kind) && wireBytes <= MAX_TEXT_BYTES;
    const length = huffman ? this.expand(start, read) : this.checked(start);
    if (length < 0) return false;
    this.valueBytes = length;
    if (read) this.understand(kind, start, huffman ? scratch : this.bytes, huffman ? 0 : start, length);
    else if (kind === Kind.PATH) this.value = NO_ROUTE;
    else if (isRead(kind)) this.isBad = true;
    return true;
  }

  /** Takes a value that is read, decoded in `from`. */
  private understand(kind: number, start: number, from: Buffer, at: number, length: number): void {
    if (kind === Kind.CONTENT_LENGTH) {
      this.value = decimal(from, at, at + length);
      return;
    }
    const text = from.toString('latin1', at, at + length);
    if (kind === Kind.PATH) this.learnPath(start, text);
    else if (kind === Kind.TRACEPARENT) this.text = text;
    else this.value = valueOf(kind, text);
  }

  /** Decodes Huffman code into the scratch buffer where that is wanted, or measures it. @returns its size, or {@link BAD}. */
  private expand(start: number, wanted: boolean): number {
    const length = wanted
      ? decodeHuffman(this.bytes, start, this.at, scratch)
      : measureHuffman(this.bytes, start, this.at);
    if (length >= NOT_HUFFMAN) return length;
    this.isBad = true;
    return -2 - length;
  }

  /** The size of a value without Huffman code; looks for octets that no value may have. */
  private checked(start: number): number {
    for (let at = start; at < this.at; at += 1) {
      const octet = this.bytes[at]!;
      if (octet <= 0x0d && (octet === 0 || octet === 0x0a || octet === 0x0d)) this.isBad = true;
    }
    return this.at - start;
  }

  private slice(start: number): string {
    return this.bytes.toString('latin1', start, this.at);
  }

  private route(path: string): number {
    const route = this.routes.get(path);
    if (route !== undefined) return route;
    return path.startsWith('/') || path === '*' ? NO_ROUTE : BAD_PATH;
  }

  /** Whether the value just read is, as it is on the wire, the path that was looked up last. */
  private isKnownPath(start: number): boolean {
    const { bytes, pathWire, pathWireBytes } = this;
    if (this.at - start + 1 !== pathWireBytes) return false;
    return sameBytes(pathWire, 0, bytes, start - 1, pathWireBytes);
  }

  /** Keeps the path's wire bytes with the byte before them, which says its coding and, when short, its length. */
  private learnPath(start: number, text: string): void {
    this.value = this.route(text);
    const wireBytes = this.at - start + 1;
    // Up to here the length is in that one byte.
    if (this.value < 0 || wireBytes >= this.pathWire.length) return;
    this.pathWire.set(this.bytes.subarray(start - 1, this.at));
    this.pathWireBytes = wireBytes;
    this.pathRoute = this.value;
    this.pathBytes = text.length;
  }

  private textLength(): number {
    if (this.at >= this.end) return BAD;
    const length = this.integer(7);
    return length > this.end - this.at ? BAD : length;
  }

  /** An integer with a prefix of that many bits (RFC 7541, section 5.1), or {@link BAD}. */
  private integer(prefixBits: number): number {
    const limit = (1 << prefixBits) - 1;
    let value = this.bytes[this.at++]! & limit;
    if (value < limit) return value;
    for (let shift = 0; shift < 7 * MAX_INTEGER_BYTES; shift += 7) {
      if (this.at >= this.end) return BAD;
      const byte = this.bytes[this.at++]!;
      value += (byte & 0x7f) << shift;
      if (byte < 0x80) return value;
    }
    return BAD;
  }
}

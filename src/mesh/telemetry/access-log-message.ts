/**
 * One message of Envoy's access log service, decoded into flat columns: where names lie in the message, and numbers. Only
 * what is counted is looked at, and nothing is allocated for an entry. The message is read to its end before anything of it
 * is used, so that one that is malformed changes nothing.
 * Source: envoy/service/accesslog/v3/als.proto, envoy/data/accesslog/v3/accesslog.proto.
 */
import { Field } from './access-log-fields';
import { ByteCursor } from './byte-cursor';
import { readResponseFlags } from './response-flags';

/** Entries of one message that are decoded, at most. */
const MAX_ENTRIES = 65_536;
const FIRST_ROOM = 64;

/** The columns of an entry. */
export const Column = {
  ROUTE_START: 0,
  ROUTE_LENGTH: 1,
  CLUSTER_START: 2,
  CLUSTER_LENGTH: 3,
  HOST_START: 4,
  HOST_LENGTH: 5,
  /** -1 for a pipe, and where there is no host. */
  PORT: 6,
  /** A bit for each of Envoy's response flags; see `response-flags.ts`. */
  FLAGS: 7,
  /** 0 where the request was not answered. */
  STATUS: 8,
  /** -1 where none is logged. */
  GRPC_STATUS: 9,
} as const;
const COLUMNS = 10;

/** Kinds of records that are the end of a request: those of old Envoys, which do not say, and `DownstreamEnd`. */
const NOT_SAID = 0;
const DOWNSTREAM_END = 6;
const GRPC_STATUS = Buffer.from('grpc-status', 'latin1');
const NS_PER_MS = 1e6;

/** See the file's head. It is used for one message after the other. */
export class AccessLogMessage {
  /** Entries of all kinds. */
  entries = 0;
  /** Entries that are no end of a request. */
  ignored = 0;
  /** Entries that were not looked at. */
  dropped = 0;
  /** Entries in the columns. */
  size = 0;

  readonly #cursor = new ByteCursor();
  #numbers = new Int32Array(FIRST_ROOM * COLUMNS);
  #latenciesMs = new Float64Array(FIRST_ROOM);
  #kind = NOT_SAID;
  #intermediate = false;
  #downstreamMs = NaN;
  #upstreamMs = NaN;

  /**
   * Reads a StreamAccessLogsMessage; of its entries at most `take` are decoded. Throws `TG_MESH_BAD_REQUEST`.
   * The columns hold until the next call, and refer to `bytes`.
   */
  read(bytes: Uint8Array, take: number): void {
    this.entries = 0;
    this.ignored = 0;
    this.dropped = 0;
    this.size = 0;
    const cursor = this.#cursor;
    cursor.open(bytes);
    while (cursor.at < cursor.end) {
      const tag = cursor.tag();
      if (tag === Field.HTTP_LOGS) this.#readEntries(Math.min(take, MAX_ENTRIES));
      else if (tag === Field.TCP_LOGS) this.#countEntries();
      else cursor.skip(tag);
    }
  }

  /** The message that was read. */
  get bytes(): Uint8Array {
    return this.#cursor.bytes;
  }

  /** A number of an entry; see {@link Column}. */
  number(entry: number, column: number): number {
    return this.#numbers[entry * COLUMNS + column]!;
  }

  /** From the request's first byte to the last sent downstream, or else received from upstream, ms; NaN when not known. */
  latencyMs(entry: number): number {
    return this.#latenciesMs[entry]!;
  }

  #readEntries(take: number): void {
    const cursor = this.#cursor;
    const outer = cursor.enter();
    while (cursor.at < cursor.end) {
      const tag = cursor.tag();
      if (tag !== Field.LOG_ENTRY) cursor.skip(tag);
      else {
        this.entries += 1;
        if (this.size < take) this.#readEntry();
        else {
          this.dropped += 1;
          cursor.skipLength();
        }
      }
    }
    cursor.leave(outer);
  }

  #countEntries(): void {
    const cursor = this.#cursor;
    const outer = cursor.enter();
    while (cursor.at < cursor.end) {
      const tag = cursor.tag();
      if (tag === Field.LOG_ENTRY) {
        this.entries += 1;
        this.ignored += 1;
      }
      cursor.skip(tag);
    }
    cursor.leave(outer);
  }

  #readEntry(): void {
    const cursor = this.#cursor;
    this.#begin();
    const outer = cursor.enter();
    while (cursor.at < cursor.end) {
      const tag = cursor.tag();
      if (tag === Field.COMMON) this.#readCommon();
      else if (tag === Field.RESPONSE) this.#readResponse();
      else cursor.skip(tag);
    }
    cursor.leave(outer);
    if (this.#intermediate || (this.#kind !== NOT_SAID && this.#kind !== DOWNSTREAM_END)) {
      this.ignored += 1;
      return;
    }
    const downstreamMs = this.#downstreamMs;
    this.#latenciesMs[this.size] = downstreamMs >= 0 ? downstreamMs : this.#upstreamMs;
    this.size += 1;
  }

  #begin(): void {
    if (this.size === this.#latenciesMs.length) {
      const numbers = new Int32Array(this.#numbers.length * 2);
      numbers.set(this.#numbers);
      this.#numbers = numbers;
      const latenciesMs = new Float64Array(this.#latenciesMs.length * 2);
      latenciesMs.set(this.#latenciesMs);
      this.#latenciesMs = latenciesMs;
    }
    const start = this.size * COLUMNS;
    this.#numbers.fill(0, start, start + COLUMNS);
    this.#numbers[start + Column.PORT] = -1;
    this.#numbers[start + Column.GRPC_STATUS] = -1;
    this.#kind = NOT_SAID;
    this.#intermediate = false;
    this.#downstreamMs = NaN;
    this.#upstreamMs = NaN;
  }

  #readCommon(): void {
    const cursor = this.#cursor;
    const outer = cursor.enter();
    while (cursor.at < cursor.end) {
      const tag = cursor.tag();
      switch (tag) {
        case Field.LAST_UPSTREAM_RECEIVED:
          this.#upstreamMs = this.#readDurationMs();
          break;
        case Field.LAST_DOWNSTREAM_SENT:
          this.#downstreamMs = this.#readDurationMs();
          break;
        case Field.UPSTREAM_REMOTE:
          this.#readAddress();
          break;
        case Field.UPSTREAM_CLUSTER:
          this.#readText(Column.CLUSTER_START);
          break;
        case Field.RESPONSE_FLAGS:
          this.#set(Column.FLAGS, readResponseFlags(cursor));
          break;
        case Field.ROUTE_NAME:
          this.#readText(Column.ROUTE_START);
          break;
        case Field.INTERMEDIATE:
          this.#intermediate = cursor.flag();
          break;
        case Field.RECORD_TYPE:
          this.#kind = cursor.varint32();
          break;
        default:
          cursor.skip(tag);
      }
    }
    cursor.leave(outer);
  }

  #readAddress(): void {
    const cursor = this.#cursor;
    const outer = cursor.enter();
    while (cursor.at < cursor.end) {
      const tag = cursor.tag();
      if (tag === Field.SOCKET_ADDRESS) {
        this.#set(Column.PORT, 0);
        this.#readSocketAddress();
      } else if (tag === Field.PIPE) this.#readPipe();
      else cursor.skip(tag);
    }
    cursor.leave(outer);
  }

  #readSocketAddress(): void {
    const cursor = this.#cursor;
    const outer = cursor.enter();
    while (cursor.at < cursor.end) {
      const tag = cursor.tag();
      if (tag === Field.SOCKET_HOST) this.#readText(Column.HOST_START);
      else if (tag === Field.SOCKET_PORT) this.#set(Column.PORT, cursor.varint32() & 0xffff);
      else cursor.skip(tag);
    }
    cursor.leave(outer);
  }

  #readPipe(): void {
    const cursor = this.#cursor;
    const outer = cursor.enter();
    while (cursor.at < cursor.end) {
      const tag = cursor.tag();
      if (tag === Field.PIPE_PATH) this.#readText(Column.HOST_START);
      else cursor.skip(tag);
    }
    cursor.leave(outer);
  }

  #readResponse(): void {
    const cursor = this.#cursor;
    const outer = cursor.enter();
    while (cursor.at < cursor.end) {
      const tag = cursor.tag();
      if (tag === Field.RESPONSE_CODE) this.#set(Column.STATUS, this.#readWrapped());
      else if (tag === Field.HEADERS || tag === Field.TRAILERS) this.#readHeader();
      else cursor.skip(tag);
    }
    cursor.leave(outer);
  }

  /** The value of a UInt32Value. */
  #readWrapped(): number {
    const cursor = this.#cursor;
    const outer = cursor.enter();
    let value = 0;
    while (cursor.at < cursor.end) {
      const tag = cursor.tag();
      if (tag === Field.WRAPPED) value = cursor.varint32();
      else cursor.skip(tag);
    }
    cursor.leave(outer);
    return value;
  }

  /** One entry of a map of headers; those of an answer without a body and its trailers both may carry `grpc-status`. */
  #readHeader(): void {
    const cursor = this.#cursor;
    const outer = cursor.enter();
    let isStatus = false;
    let status = -1;
    while (cursor.at < cursor.end) {
      const tag = cursor.tag();
      if (tag === Field.HEADER_NAME) {
        const length = cursor.length();
        isStatus = length === GRPC_STATUS.length && this.#equals(GRPC_STATUS);
        cursor.at += length;
      } else if (tag === Field.HEADER_VALUE) {
        const length = cursor.length();
        status = decimal(cursor.bytes, cursor.at, length);
        cursor.at += length;
      } else cursor.skip(tag);
    }
    cursor.leave(outer);
    if (isStatus) this.#set(Column.GRPC_STATUS, status);
  }

  /** A Duration in ms; NaN when it is negative. */
  #readDurationMs(): number {
    const cursor = this.#cursor;
    const outer = cursor.enter();
    let seconds = 0;
    let nanos = 0;
    while (cursor.at < cursor.end) {
      const tag = cursor.tag();
      if (tag === Field.SECONDS) seconds = cursor.int64();
      else if (tag === Field.NANOS) nanos = cursor.varint32() | 0;
      else cursor.skip(tag);
    }
    cursor.leave(outer);
    const ms = seconds * 1_000 + nanos / NS_PER_MS;
    return ms >= 0 ? ms : NaN;
  }

  #readText(startColumn: number): void {
    const cursor = this.#cursor;
    const length = cursor.length();
    this.#set(startColumn, cursor.at);
    this.#set(startColumn + 1, length);
    cursor.at += length;
  }

  #equals(wanted: Uint8Array): boolean {
    const { bytes, at } = this.#cursor;
    for (let index = 0; index < wanted.length; index += 1) {
      if (bytes[at + index] !== wanted[index]) return false;
    }
    return true;
  }

  #set(column: number, value: number): void {
    this.#numbers[this.size * COLUMNS + column] = value;
  }
}

/** A status of one or two digits; -1 for anything else. */
function decimal(bytes: Uint8Array, start: number, length: number): number {
  if (length < 1 || length > 2) return -1;
  let value = 0;
  for (let at = start; at < start + length; at += 1) {
    const digit = bytes[at]! - 0x30;
    if (digit < 0 || digit > 9) return -1;
    value = value * 10 + digit;
  }
  return value;
}

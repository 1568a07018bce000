/**
 * One HTTP/2 connection (RFC 9113) with prior knowledge that does unary gRPC calls and checks every answer.
 *
 * Written over node:net so that the load generator costs far less than what it measures. It reads every frame that a
 * correct server may send, and counts as failed every call without a 200, an answer, and `grpc-status: 0`.
 */
import { connect } from 'node:net';
import { HeaderReader, KEPT_BLOCK, requestBlock } from './hpack.mjs';
import { readOverallCode, SHOULD_RATE_LIMIT } from './rls-message.mjs';

const FRAME = {
  DATA: 0,
  HEADERS: 1,
  RST_STREAM: 3,
  SETTINGS: 4,
  PING: 6,
  GOAWAY: 7,
  WINDOW_UPDATE: 8,
  CONTINUATION: 9,
};
const FLAG = { ACK: 0x1, END_STREAM: 0x1, END_HEADERS: 0x4, PADDED: 0x8, PRIORITY: 0x20 };
const HEADER_BYTES = 9;
const PREFACE = Buffer.from('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n', 'latin1');
const RECEIVE_WINDOW = 0x3fff_0000;
const INITIAL_WINDOW = 65_535;
const RING = 1 << 14;
const OUT_BYTES = 1 << 16;

/** What became of a call; the last means that it failed, for a reason that {@link Connection.failures} counts. */
export const OUTCOME = { OK: 1, OVER_LIMIT: 2, FAILED: -1 };

/** A client connection. `onDone(startMs, outcome)` is called once for every call given to `call`. */
export class Connection {
  /** How many calls failed, by reason. */
  failures = new Map();

  #socket;
  #onDone;
  #reader = new HeaderReader();
  #block;
  #keptBlock = KEPT_BLOCK;
  #nextId = 1;
  #open = 0;
  #maxOpen = 100;
  #sendWindow = INITIAL_WINDOW;
  #unacknowledged = 0;
  #startMs = new Float64Array(RING);
  #state = new Int8Array(RING);
  #live = new Uint8Array(RING);
  #backlog = [];
  #backlogHead = 0;
  #out = Buffer.allocUnsafe(OUT_BYTES);
  #outEnd = 0;
  #rest = undefined;
  #headerParts = undefined;
  #authority;
  #ready;
  #settle = { resolve: () => {}, reject: () => {} };
  #settled = false;
  #closed = false;

  constructor(host, port, onDone) {
    this.#onDone = onDone;
    this.#authority = `${host}:${port}`;
    this.#block = requestBlock(SHOULD_RATE_LIMIT, this.#authority, true);
    this.#socket = connect({ host, port, noDelay: true });
    this.#ready = new Promise((resolve, reject) => {
      this.#settle = { resolve, reject };
    });
    this.#socket.on('data', (chunk) => this.#guarded(chunk));
    this.#socket.on('error', (error) => this.#fail(`connection: ${error.code ?? error.message}`));
    this.#socket.on('close', () => this.#fail('connection closed by the server'));
    this.#put(PREFACE);
    this.#frame(FRAME.SETTINGS, 0, 0, Buffer.from([0, 4, 0x3f, 0xff, 0, 0]));
    this.#windowUpdate(RECEIVE_WINDOW - INITIAL_WINDOW);
    this.flush();
  }

  /** Resolves once the server's settings are here; rejects when it cannot be reached. */
  ready() {
    return this.#ready;
  }

  /** Calls sent or waiting and not answered. */
  get pending() {
    return this.#open + this.#backlog.length - this.#backlogHead;
  }

  /**
   * Starts a call, or queues it while the server's stream limit or window is used up; `flush` sends.
   * @param {Buffer} request the length-prefixed message
   * @param {number} startMs the time that the call counts from
   */
  call(request, startMs) {
    if (this.#closed) this.#count(startMs, 'no connection');
    else if (this.#backlogHead < this.#backlog.length || !this.#send(request, startMs)) {
      this.#backlog.push(request, startMs);
    }
  }

  /** Writes what was started since the last flush, in one piece. */
  flush() {
    if (this.#outEnd === 0 || this.#closed) return;
    this.#socket.write(this.#out.subarray(0, this.#outEnd));
    this.#out = Buffer.allocUnsafe(OUT_BYTES);
    this.#outEnd = 0;
  }

  /** Closes the connection; calls that are not answered yet are not counted any more. */
  close() {
    this.#closed = true;
    this.#socket.destroy();
  }

  #send(request, startMs) {
    const slot = (this.#nextId >>> 1) & (RING - 1);
    if (this.#open >= this.#maxOpen || this.#sendWindow < request.length || this.#live[slot] === 1)
      return false;
    const id = this.#nextId;
    this.#nextId += 2;
    this.#frame(FRAME.HEADERS, FLAG.END_HEADERS, id, this.#block);
    this.#block = this.#keptBlock;
    this.#frame(FRAME.DATA, FLAG.END_STREAM, id, request);
    this.#sendWindow -= request.length;
    this.#startMs[slot] = startMs;
    this.#state[slot] = 0;
    this.#live[slot] = 1;
    this.#open += 1;
    return true;
  }

  #frame(type, flags, streamId, payload) {
    if (this.#outEnd + HEADER_BYTES + payload.length > OUT_BYTES) this.flush();
    const out = this.#out;
    const at = this.#outEnd;
    out[at] = 0;
    out[at + 1] = payload.length >>> 8;
    out[at + 2] = payload.length & 0xff;
    out[at + 3] = type;
    out[at + 4] = flags;
    out.writeUInt32BE(streamId, at + 5);
    this.#outEnd = at + HEADER_BYTES;
    this.#put(payload);
  }

  #put(bytes) {
    this.#out.set(bytes, this.#outEnd);
    this.#outEnd += bytes.length;
  }

  #windowUpdate(bytes) {
    const payload = Buffer.alloc(4);
    payload.writeUInt32BE(bytes);
    this.#frame(FRAME.WINDOW_UPDATE, 0, 0, payload);
  }

  #guarded(chunk) {
    try {
      this.#receive(chunk);
    } catch (error) {
      this.#fail(`protocol: ${error.message}`);
    }
  }

  #receive(chunk) {
    const bytes = this.#rest === undefined ? chunk : Buffer.concat([this.#rest, chunk]);
    let at = 0;
    while (bytes.length - at >= HEADER_BYTES) {
      const length = (bytes[at] << 16) | (bytes[at + 1] << 8) | bytes[at + 2];
      const start = at + HEADER_BYTES;
      if (bytes.length - start < length) break;
      this.#handle(
        bytes,
        bytes[at + 3],
        bytes[at + 4],
        bytes.readUInt32BE(at + 5) & 0x7fff_ffff,
        start,
        start + length,
      );
      at = start + length;
    }
    this.#rest = at === bytes.length ? undefined : Buffer.from(bytes.subarray(at));
    this.#drainBacklog();
    this.flush();
  }

  #drainBacklog() {
    while (this.#backlogHead < this.#backlog.length) {
      if (!this.#send(this.#backlog[this.#backlogHead], this.#backlog[this.#backlogHead + 1])) return;
      this.#backlogHead += 2;
    }
    this.#backlog.length = 0;
    this.#backlogHead = 0;
  }

  #handle(bytes, type, flags, id, start, end) {
    if (type === FRAME.DATA) this.#data(bytes, flags, id, start, end);
    else if (type === FRAME.HEADERS) this.#headers(bytes, flags, id, start, end);
    else if (type === FRAME.CONTINUATION) this.#continuation(bytes, flags, start, end);
    else if (type === FRAME.RST_STREAM)
      this.#finish(id, `stream reset with code ${bytes.readUInt32BE(start)}`);
    else if (type === FRAME.SETTINGS && (flags & FLAG.ACK) === 0) this.#settings(bytes, start, end);
    else if (type === FRAME.PING && (flags & FLAG.ACK) === 0) {
      this.#frame(FRAME.PING, FLAG.ACK, 0, bytes.subarray(start, end));
    } else if (type === FRAME.WINDOW_UPDATE && id === 0) this.#sendWindow += bytes.readUInt32BE(start);
    else if (type === FRAME.GOAWAY) throw new Error(`GOAWAY with code ${bytes.readUInt32BE(start + 4)}`);
  }

  #settings(bytes, start, end) {
    for (let at = start; at < end; at += 6) {
      const setting = bytes.readUInt16BE(at);
      const value = bytes.readUInt32BE(at + 2);
      if (setting === 3) this.#maxOpen = Math.min(value, RING / 2);
      if (setting === 1 && value < 4096 && !this.#settled) {
        this.#keptBlock = this.#block = requestBlock(SHOULD_RATE_LIMIT, this.#authority, false);
      }
    }
    this.#frame(FRAME.SETTINGS, FLAG.ACK, 0, Buffer.alloc(0));
    this.#settled = true;
    this.#settle.resolve();
  }

  #data(bytes, flags, id, start, end) {
    this.#unacknowledged += end - start;
    if (this.#unacknowledged > RECEIVE_WINDOW / 2) {
      this.#windowUpdate(this.#unacknowledged);
      this.#unacknowledged = 0;
    }
    const padded = (flags & FLAG.PADDED) !== 0;
    const from = padded ? start + 1 : start;
    const to = padded ? end - bytes[start] : end;
    if (to > from) {
      const code = readOverallCode(bytes, from, to);
      this.#state[(id >>> 1) & (RING - 1)] = code === 1 || code === 2 ? code : OUTCOME.FAILED;
    }
    if ((flags & FLAG.END_STREAM) !== 0) this.#finish(id, 'no trailers');
  }

  // Continued blocks are rare for answers of this size, so they are copied.
  #headers(bytes, flags, id, start, end) {
    let from = start;
    let to = end;
    if ((flags & FLAG.PADDED) !== 0) {
      to -= bytes[from];
      from += 1;
    }
    if ((flags & FLAG.PRIORITY) !== 0) from += 5;
    if ((flags & FLAG.END_HEADERS) === 0) {
      this.#headerParts = { id, flags, parts: [Buffer.from(bytes.subarray(from, to))] };
      return;
    }
    this.#headerBlock(bytes, flags, id, from, to);
  }

  #continuation(bytes, flags, start, end) {
    const pending = this.#headerParts;
    if (pending === undefined) throw new Error('CONTINUATION without HEADERS');
    pending.parts.push(Buffer.from(bytes.subarray(start, end)));
    if ((flags & FLAG.END_HEADERS) === 0) return;
    this.#headerParts = undefined;
    const whole = Buffer.concat(pending.parts);
    this.#headerBlock(whole, pending.flags, pending.id, 0, whole.length);
  }

  #headerBlock(bytes, flags, id, start, end) {
    const { httpStatus, grpcStatus } = this.#reader.read(bytes, start, end);
    if (httpStatus !== undefined && httpStatus !== '200') this.#finish(id, `HTTP status ${httpStatus}`);
    else if ((flags & FLAG.END_STREAM) !== 0) {
      this.#finish(id, grpcStatus === '0' ? undefined : `grpc-status ${grpcStatus ?? 'missing'}`);
    }
  }

  #finish(id, failure) {
    const slot = (id >>> 1) & (RING - 1);
    if (this.#live[slot] === 0) return;
    this.#live[slot] = 0;
    this.#open -= 1;
    const state = this.#state[slot];
    if (failure !== undefined) this.#count(this.#startMs[slot], failure);
    else if (state === OUTCOME.OK || state === OUTCOME.OVER_LIMIT) this.#onDone(this.#startMs[slot], state);
    else this.#count(this.#startMs[slot], state === 0 ? 'no message' : 'a message without a verdict');
  }

  #count(startMs, reason) {
    this.failures.set(reason, (this.failures.get(reason) ?? 0) + 1);
    this.#onDone(startMs, OUTCOME.FAILED);
  }

  #fail(reason) {
    if (this.#closed) return;
    this.#closed = true;
    this.#socket.destroy();
    this.#settle.reject(new Error(reason));
    for (let slot = 0; slot < RING; slot += 1) {
      if (this.#live[slot] === 1) this.#finish(slot * 2 + 1, reason);
    }
    for (; this.#backlogHead < this.#backlog.length; this.#backlogHead += 2) {
      this.#count(this.#backlog[this.#backlogHead + 1], reason);
    }
  }
}

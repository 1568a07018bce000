/**
 * Unary gRPC over streams (gRPC over HTTP/2, "Requests" and "Responses"): checks a request's head, puts its message
 * together, calls its handler, and answers. A handler that answers at once costs no promise, closure or copy.
 */
import { type Follower, Later } from '../../core/later';
import { TidegateError } from '../../core/errors';
import type { CallContext, InPlaceHandler, UnaryHandler, UnaryMethods } from '../../core/ports';
import { MESSAGE_PREFIX_BYTES } from './answer-writer';
import { callStatus } from './call-status';
import { BAD_VALUE, Encoding, GRPC_CONTENT, Method, NO_ROUTE } from './field-kind';
import type { Routes } from './header-decoder';
import { Inflater } from './inflation';
import type { Http2Limits } from './limits';
import { readUint32 } from './protocol';
import { grpcError, messageTooLarge, type Refusal, REFUSALS } from './refusal';
import type { RequestHead } from './request-head';
import { type Stream, StreamState } from './stream';

/** What calls need of the connection that they are on. */
export interface CallCarrier {
  /** When what is being read was read, ms of a monotonic clock. */
  readonly nowMs: number;
  answer(stream: Stream, message: Uint8Array): void;
  refuse(stream: Stream, refusal: Refusal): void;
  /** The request breaks HTTP: RST_STREAM with PROTOCOL_ERROR. */
  malformed(stream: Stream): void;
  /** A handler's answer came later: a message, or a refusal. Ignored when the stream is another by now. */
  settle(stream: Stream, id: number, answer: Uint8Array | Refusal): void;
  /** Bytes of messages that are not complete: asks for more (or gives back). @returns whether they may be kept. */
  keep(bytes: number): boolean;
}

const NO_TIMEOUT: CallContext = Object.freeze({ timeoutMs: Infinity });

/** The methods of a server. */
export class UnaryCalls {
  /** The methods' numbers by path. */
  readonly routes: Routes;
  private readonly handlers: readonly UnaryHandler[];
  private readonly inPlace: readonly InPlaceHandler[];
  private readonly tooLarge: Refusal;
  private readonly inflater: Inflater;
  /** The context handed out last: most callers send the same timeout with every call. */
  private lastContext: CallContext = NO_TIMEOUT;

  constructor(
    methods: UnaryMethods,
    private readonly limits: Http2Limits,
  ) {
    this.routes = new Map([...methods.keys()].map((path, index) => [path, index]));
    this.handlers = [...methods.values()];
    this.inPlace = this.handlers.map(inPlaceOf);
    this.inflater = new Inflater(limits.maxMessageBytes);
    this.tooLarge = messageTooLarge(limits.maxMessageBytes);
  }

  /** A request's head is complete. */
  begin(stream: Stream, head: RequestHead): void {
    stream.route = head.route;
    stream.encoding = head.encoding;
    stream.timeoutMs = head.timeoutMs;
    stream.traceparent = head.traceparent;
    stream.contentLength = head.contentLength;
    stream.refusal = this.refusalOf(head);
  }

  /** DATA of a request, `ends` with its last. */
  data(carrier: CallCarrier, stream: Stream, bytes: Buffer, at: number, end: number, ends: boolean): void {
    stream.receivedBytes += end - at;
    const { contentLength } = stream;
    const whole = ends && stream.partial === undefined && stream.refusal === undefined;
    if (whole && (contentLength < 0 || contentLength === stream.receivedBytes)) {
      this.message(carrier, stream, bytes, at, end);
      return;
    }
    if (contentLength >= 0 && stream.receivedBytes > contentLength) {
      carrier.malformed(stream);
      return;
    }
    if (stream.refusal === undefined && end > at) {
      const refusal = this.gather(carrier, stream, bytes, at, end);
      if (refusal !== undefined) {
        carrier.refuse(stream, refusal);
        return;
      }
    }
    if (ends) this.finish(carrier, stream);
  }

  /** The request is complete; what there is of its message is in `partial`. */
  finish(carrier: CallCarrier, stream: Stream): void {
    if (stream.contentLength >= 0 && stream.receivedBytes !== stream.contentLength) {
      carrier.malformed(stream);
      return;
    }
    stream.state = StreamState.ANSWERING;
    if (stream.refusal !== undefined) {
      carrier.refuse(stream, stream.refusal);
      return;
    }
    const { partial } = stream;
    if (partial === undefined) {
      carrier.refuse(stream, REFUSALS.noMessage);
      return;
    }
    stream.partial = undefined;
    carrier.keep(-partial.length);
    this.message(carrier, stream, partial, 0, stream.receivedBytes);
  }

  private refusalOf(head: RequestHead): Refusal | undefined {
    if (head.method !== Method.POST) {
      if (head.method === Method.GET) return REFUSALS.notFound;
      return head.method === Method.HEAD ? REFUSALS.notFoundHead : REFUSALS.badMethod;
    }
    if (head.contentType !== GRPC_CONTENT) return REFUSALS.notGrpc;
    if (head.listBytes > this.limits.maxHeaderListBytes) return REFUSALS.headersTooLarge;
    if (head.route === NO_ROUTE) return REFUSALS.unknownMethod;
    if (head.timeoutMs === BAD_VALUE) return REFUSALS.badTimeout;
    return head.encoding === Encoding.UNKNOWN ? REFUSALS.unknownEncoding : undefined;
  }

  /** Adds to a message that comes in parts; memory is taken by what came, not by the length that it announces. */
  private gather(
    carrier: CallCarrier,
    stream: Stream,
    bytes: Buffer,
    at: number,
    end: number,
  ): Refusal | undefined {
    const before = stream.receivedBytes - (end - at);
    const maxBytes = this.limits.maxMessageBytes + MESSAGE_PREFIX_BYTES;
    if (stream.receivedBytes > maxBytes) return this.tooLarge;
    let { partial } = stream;
    if (partial === undefined || partial.length < stream.receivedBytes) {
      const grown = Math.min(maxBytes, Math.max(64, 2 * stream.receivedBytes));
      if (!carrier.keep(grown - (partial?.length ?? 0))) return REFUSALS.tooManyPartial;
      const larger = Buffer.allocUnsafe(grown);
      if (partial !== undefined) larger.set(partial.subarray(0, before));
      partial = larger;
      stream.partial = larger;
    }
    bytes.copy(partial, before, at, end);
    const hasLength = stream.receivedBytes >= MESSAGE_PREFIX_BYTES;
    return hasLength && readUint32(partial, 1) > this.limits.maxMessageBytes ? this.tooLarge : undefined;
  }

  /** A whole body: one message, if it is right. */
  private message(carrier: CallCarrier, stream: Stream, bytes: Buffer, at: number, end: number): void {
    stream.state = StreamState.ANSWERING;
    const start = at + MESSAGE_PREFIX_BYTES;
    const length = end - start;
    const isWhole = length >= 0 && bytes[at] === 0 && readUint32(bytes, at + 1) === length;
    if (!isWhole || length > this.limits.maxMessageBytes) {
      this.oddMessage(carrier, stream, bytes, at, end);
      return;
    }
    this.run(carrier, stream, bytes, start, end);
  }

  /** A body that is not just one message without compression. */
  private oddMessage(carrier: CallCarrier, stream: Stream, bytes: Buffer, at: number, end: number): void {
    const start = at + MESSAGE_PREFIX_BYTES;
    const length = end < start ? 0 : readUint32(bytes, at + 1);
    if (end === at) carrier.refuse(stream, REFUSALS.noMessage);
    else if (length > this.limits.maxMessageBytes) carrier.refuse(stream, this.tooLarge);
    else if (end < start + length) carrier.refuse(stream, REFUSALS.cutMessage);
    else if (bytes[at]! > 1) carrier.refuse(stream, REFUSALS.badFlag);
    else if (end > start + length) carrier.refuse(stream, REFUSALS.twoMessages);
    else if (stream.encoding === Encoding.IDENTITY) carrier.refuse(stream, REFUSALS.compressedIdentity);
    else if (!carrier.keep(length)) carrier.refuse(stream, REFUSALS.tooManyPartial);
    else void this.runCompressed(carrier, stream, Buffer.from(bytes.subarray(start, end)));
  }

  private run(carrier: CallCarrier, stream: Stream, bytes: Buffer, start: number, end: number): void {
    let result: Uint8Array | PromiseLike<Uint8Array>;
    try {
      result = this.inPlace[stream.route]!(bytes, start, end, this.contextOf(carrier, stream));
    } catch (thrown) {
      carrier.refuse(stream, failure(thrown));
      return;
    }
    if (result instanceof Uint8Array) carrier.answer(stream, result);
    else this.settleLater(carrier, stream, Later.from(result));
  }

  private settleLater(carrier: CallCarrier, stream: Stream, result: Later<Uint8Array>): void {
    stream.awaited = true;
    stream.cancel = result.cancel;
    result.follow(new AwaitedCall(carrier, stream, stream.id));
  }

  private async runCompressed(carrier: CallCarrier, stream: Stream, bytes: Buffer): Promise<void> {
    const { id } = stream;
    stream.awaited = true;
    const { route, encoding } = stream;
    const context = this.contextOf(carrier, stream);
    let message: Buffer | undefined;
    try {
      message = await this.inflater.inflate(encoding, bytes);
    } catch {
      carrier.settle(stream, id, REFUSALS.badCompression);
      return;
    } finally {
      carrier.keep(-bytes.length);
    }
    if (message === undefined) {
      carrier.settle(stream, id, this.tooLarge);
      return;
    }
    let answer: Uint8Array | Refusal;
    try {
      answer = await this.handlers[route]!(message, context);
    } catch (thrown) {
      answer = failure(thrown);
    }
    carrier.settle(stream, id, answer);
  }

  /** Contexts do not change, so one serves all calls with the same timeout and no trace. */
  private contextOf(carrier: CallCarrier, stream: Stream): CallContext {
    const { traceparent } = stream;
    const sinceMs = carrier.nowMs - stream.startedMs;
    const timeoutMs = sinceMs === 0 ? stream.timeoutMs : Math.max(0, stream.timeoutMs - sinceMs);
    if (traceparent !== undefined) return { timeoutMs, traceparent };
    if (timeoutMs !== this.lastContext.timeoutMs) this.lastContext = Object.freeze({ timeoutMs });
    return this.lastContext;
  }
}

/** A handler that reads no messages where they lie is given a view of each. */
function inPlaceOf(handler: UnaryHandler): InPlaceHandler {
  return (
    handler.inPlace ??
    ((bytes, start, end, context) =>
      handler(new Uint8Array(bytes.buffer, bytes.byteOffset + start, end - start), context))
  );
}

/** A call whose handler answers later. */
class AwaitedCall implements Follower<Uint8Array> {
  constructor(
    private readonly carrier: CallCarrier,
    private readonly stream: Stream,
    private readonly id: number,
  ) {}

  taken(message: Uint8Array): void {
    this.carrier.settle(this.stream, this.id, message);
  }

  lost(thrown: unknown): void {
    this.carrier.settle(this.stream, this.id, failure(thrown));
  }
}

function failure(thrown: unknown): Refusal {
  const { code, details } = callStatus(TidegateError.from(thrown));
  return grpcError(code, details);
}

/** One stream's state. Objects are used again for later streams, so whoever keeps one also keeps its identifier. */
import type { Field } from './answer-writer';
import type { Refusal } from './refusal';

/** What is left of an answer whose header block is sent. */
export interface PendingAnswer {
  readonly body: Buffer;
  at: number;
  /** The trailers; without them the last DATA frame ends the stream. */
  readonly trailers: readonly Field[] | undefined;
}

/** Where a stream is, as far as a unary server has to know (RFC 9113, section 5.1). */
export const StreamState = {
  /** Closed; the object may be used again. */
  FREE: 0,
  /** The request is not complete. */
  READING: 1,
  /** The request is complete, its answer is not. */
  ANSWERING: 2,
  /** Answered or reset by us; what the peer still sends of its request is dropped. */
  DROPPING: 3,
} as const;

/** A request and its answer. */
export class Stream {
  id = 0;
  state: number = StreamState.FREE;
  /** Whether it is in the ring, or in the map for those that the ring has no place for. */
  inRing = true;
  route = 0;
  encoding = 0;
  timeoutMs = Infinity;
  startedMs = 0;
  traceparent: string | undefined;
  /** What `content-length` says; negative without one. */
  contentLength = -1;
  /** Bytes of DATA, without padding. */
  receivedBytes = 0;
  /** Bytes of DATA that the peer's window was not yet opened again for. */
  uncreditedBytes = 0;
  /** What will be answered instead of calling a handler. */
  refusal: Refusal | undefined;
  /** The message so far, when it did not come in one frame. */
  partial: Buffer | undefined;
  /** The peer's window for us, less its initial size: what WINDOW_UPDATE added and DATA took. */
  windowDelta = 0;
  /** What waits for the peer's window. */
  pending: PendingAnswer | undefined;
  /** Whether a handler has yet to answer. */
  awaited = false;
  /** Tells a handler that has yet to answer that nobody waits for it. */
  cancel: (() => void) | undefined;

  /** Makes it a new stream. */
  open(id: number, nowMs: number): void {
    this.id = id;
    this.state = StreamState.READING;
    this.startedMs = nowMs;
    this.receivedBytes = 0;
    this.uncreditedBytes = 0;
    this.windowDelta = 0;
    this.awaited = false;
  }

  /** Lets go of all that it holds. The identifier stays, to know the stream by. */
  release(): void {
    this.state = StreamState.FREE;
    this.traceparent = undefined;
    this.refusal = undefined;
    this.partial = undefined;
    this.pending = undefined;
    if (this.cancel === undefined) return;
    const { cancel } = this;
    this.cancel = undefined;
    cancel();
  }
}

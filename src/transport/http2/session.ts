/**
 * One connection's streams and answers, without its socket and its frames: how many there may be, what waits, when a
 * peer has used up its patience, and how the connection ends.
 */
import { AbuseBudget } from './abuse-budget';
import { writeFrame, writeGoaway, writeReset } from './frame-writer';
import type { Http2Limits } from './limits';
import type { Output } from './output';
import { ErrorCode, FrameType, MAX_31_BITS } from './protocol';
import { type Refusal, REFUSALS } from './refusal';
import { Sender } from './sender';
import { type Stream, StreamState } from './stream';
import { StreamTable } from './stream-table';
import type { CallCarrier, UnaryCalls } from './unary-calls';

/** What an answered call earns: frames that a good peer may send beside it. */
const EARNED_BY_CALL = 4;
/** Past this stream identifier a peer is asked to connect anew, before there are no more. */
const LATE_STREAM = MAX_31_BITS - 65_536;
const DRAIN_MARK = Buffer.from('draining', 'latin1');

/** What all sessions of a server share. */
export interface SessionServices {
  readonly limits: Http2Limits;
  readonly calls: UnaryCalls;
  readonly out: Output;
  readonly readsTraces: boolean;
  /** Bytes of messages that are not complete, of all connections. */
  readonly partialOfAll: { bytes: number };
}

/** What a session asks of the connection that it is on. */
export interface SessionHost {
  /** An answer came between reads: have {@link Session.sendSettled} called soon. */
  wake(): void;
  /** All has been said: write it, and hang up. */
  hangUp(): void;
}

/** See the module. */
export class Session implements CallCarrier {
  /** Set by the connection at each read. */
  nowMs: number;
  /** Nothing more is read or answered. */
  over = false;
  /** When a request last began. */
  lastCallMs: number;
  readonly streams = new StreamTable();
  readonly sender: Sender;
  /** Whether the peer's SETTINGS have come. */
  greeted = false;
  readonly services: SessionServices;
  private readonly host: SessionHost;
  private readonly budget: AbuseBudget;
  /** The highest stream that the peer opened. */
  lastStream = 0;
  /** Streams above this are not served; it is lowered when the connection is drained. */
  lastServed = MAX_31_BITS;
  private draining = false;
  private partialBytes = 0;
  /** Handlers whose stream is gone: they still count, or resets would start calls without a bound. */
  private orphans = 0;
  private settled: { stream: Stream; id: number; answer: Uint8Array | Refusal }[] = [];

  constructor(services: SessionServices, host: SessionHost, nowMs: number) {
    const { limits, out } = services;
    this.services = services;
    this.host = host;
    this.nowMs = nowMs;
    this.lastCallMs = nowMs;
    this.budget = new AbuseBudget(limits.abuseBurst, limits.abusePerS, nowMs);
    this.sender = new Sender(out, (stream) => this.answered(stream));
  }

  /** Ends the connection with GOAWAY. @returns false, for the callers that have to. */
  fail(errorCode: number, reason: string): false {
    if (this.over) return false;
    writeGoaway(this.services.out, this.lastStream, errorCode, reason);
    this.finish();
    this.host.hangUp();
    return false;
  }

  /** The connection is gone, or about to be: lets go of everything. */
  finish(): void {
    this.over = true;
    this.settled = [];
    this.streams.forEachActive((stream) => this.close(stream));
  }

  /** Asks the peer to connect anew: no stream is refused until it had time to hear of it. */
  drain(): void {
    if (this.draining || this.over) return;
    this.draining = true;
    writeGoaway(this.services.out, MAX_31_BITS, ErrorCode.NO_ERROR, 'please connect anew');
    writeFrame(this.services.out, FrameType.PING, 0, 0, DRAIN_MARK);
  }

  /** Whether that is the mark of {@link drain}, which the peer sends back when it has heard. */
  isDrainMark(bytes: Uint8Array): boolean {
    return this.draining && DRAIN_MARK.equals(bytes);
  }

  /** The peer has heard of {@link drain}: what it begins from now on is not served. */
  drainFully(): void {
    if (this.over || this.lastServed !== MAX_31_BITS) return;
    this.lastServed = this.lastStream;
    writeGoaway(this.services.out, this.lastStream, ErrorCode.NO_ERROR, '');
    this.endWhenDrained();
  }

  /**
   * A request's head opens a stream.
   * @returns undefined when it is not served: the connection is being drained, or has too much to do.
   */
  open(id: number): Stream | undefined {
    this.lastStream = id;
    if (id > this.lastServed) return undefined;
    const { limits } = this.services;
    const full =
      this.streams.active + this.orphans >= limits.maxConcurrentStreams ||
      this.sender.waitingBytes > limits.maxBacklogBytes;
    if (full) {
      this.turnAway(id, ErrorCode.REFUSED_STREAM);
      return undefined;
    }
    this.lastCallMs = this.nowMs;
    if (id >= LATE_STREAM) this.drain();
    return this.streams.open(id, this.nowMs);
  }

  /** A request's head opens no stream: RST_STREAM. @returns whether the connection goes on. */
  turnAway(id: number, errorCode: number): boolean {
    this.lastStream = id;
    if (id > this.lastServed) return true;
    this.streams.skip(id);
    return this.reset(id, errorCode);
  }

  // What calls ask for.

  answer(stream: Stream, message: Uint8Array): void {
    this.budget.earn(EARNED_BY_CALL);
    this.sender.answer(stream, message);
  }

  refuse(stream: Stream, refusal: Refusal): void {
    this.sender.refuse(stream, refusal);
  }

  malformed(stream: Stream): void {
    this.reset(stream.id, ErrorCode.PROTOCOL_ERROR);
    this.close(stream);
  }

  settle(stream: Stream, id: number, answer: Uint8Array | Refusal): void {
    if (this.over) return;
    if (stream.id !== id || stream.state !== StreamState.ANSWERING || !stream.awaited) {
      this.orphans -= 1;
      return;
    }
    this.settled.push({ stream, id, answer });
    if (this.settled.length === 1) this.host.wake();
  }

  /** Sends what handlers answered since the last read. */
  sendSettled(): void {
    const { settled } = this;
    if (settled.length === 0) return;
    this.settled = [];
    for (const { stream, id, answer } of settled) {
      if (this.over) return;
      if (stream.id !== id || !stream.awaited) {
        this.orphans -= 1;
        continue;
      }
      stream.awaited = false;
      stream.cancel = undefined;
      if (!(answer instanceof Uint8Array)) this.refuse(stream, answer);
      else if (this.nowMs - stream.startedMs > stream.timeoutMs)
        this.refuse(stream, REFUSALS.deadlineExceeded);
      else this.answer(stream, answer);
    }
  }

  keep(bytes: number): boolean {
    const { limits, partialOfAll } = this.services;
    if (
      bytes > 0 &&
      (this.partialBytes + bytes > limits.maxPartialBytes ||
        partialOfAll.bytes + bytes > limits.maxPartialBytesOfAll)
    ) {
      return false;
    }
    this.partialBytes += bytes;
    partialOfAll.bytes += bytes;
    return true;
  }

  /** Looks after requests that do not end and handlers that are late. */
  expire(nowMs: number): void {
    this.nowMs = nowMs;
    const { requestMs } = this.services.limits;
    this.streams.forEachActive((stream) => {
      const ageMs = nowMs - stream.startedMs;
      const stuck = stream.state === StreamState.READING || stream.pending !== undefined;
      if (stuck && ageMs > requestMs) {
        this.reset(stream.id, ErrorCode.CANCEL);
        this.close(stream);
      } else if (stream.awaited && ageMs > stream.timeoutMs) {
        stream.awaited = false;
        this.orphans += 1;
        this.refuse(stream, REFUSALS.deadlineExceeded);
      }
    });
  }

  /** Answers with RST_STREAM, which counts as a mistake of the peer. */
  reset(id: number, errorCode: number): boolean {
    writeReset(this.services.out, id, errorCode);
    return this.spend();
  }

  /** Counts a frame beyond good calls. @returns whether the connection goes on. */
  spend(): boolean {
    if (this.over) return false;
    return (
      this.budget.spend(this.nowMs) ||
      this.fail(ErrorCode.ENHANCE_YOUR_CALM, 'too many frames beyond calls that were answered')
    );
  }

  /** An answer has left completely. */
  private answered(stream: Stream): void {
    if (stream.state === StreamState.READING) {
      // Answered before the request was complete: the rest is not needed (RFC 9113, section 8.1).
      writeReset(this.services.out, stream.id, ErrorCode.NO_ERROR);
      this.giveBack(stream);
      this.streams.drop(stream);
    } else {
      this.streams.close(stream);
    }
    if (this.lastServed !== MAX_31_BITS) this.endWhenDrained();
  }

  /** Closes a stream without a word. */
  close(stream: Stream): void {
    this.giveBack(stream);
    if (stream.awaited) {
      stream.awaited = false;
      this.orphans += 1;
    }
    this.streams.close(stream);
    if (this.lastServed !== MAX_31_BITS) this.endWhenDrained();
  }

  private giveBack(stream: Stream): void {
    if (stream.partial !== undefined) this.keep(-stream.partial.length);
    stream.partial = undefined;
    this.sender.forget(stream);
  }

  private endWhenDrained(): void {
    if (this.over || this.streams.active > 0) return;
    this.finish();
    this.host.hangUp();
  }
}

/**
 * A session on its socket: reads, writes once a turn, stops reading while the peer does not take its answers, and ends
 * what is silent, stuck or too old.
 */
import type { Duplex } from 'node:stream';
import type { Turns } from '../../core/clock';
import { FrameHandler } from './frame-handler';
import { FrameReader } from './frame-reader';
import type { Http2Limits } from './limits';
import type { Output } from './output';
import { ErrorCode, PREFACE } from './protocol';
import { Session, type SessionHost, type SessionServices } from './session';

/** How long a peer has to take the last words and to hang up. */
const LINGER_MS = 1_000;
/** How long a peer has to answer that it heard of the draining. */
const DRAIN_NOTICE_MS = 1_000;
/** The longest time a timer takes is 2^31-1 ms. */
const MAX_TIMER_MS = 2_147_483_647;

/** What connections need of their server. */
export interface ConnectionServices extends SessionServices {
  /** A monotonic clock, ms. */
  readonly nowMs: () => number;
  /** Told when what a read brought is begun, and when it is dealt with. */
  readonly turns: Turns;
  /** Has {@link Connection.writeSettled} called when the running callbacks are done. */
  readonly wake: (connection: Connection) => void;
  readonly closed: (connection: Connection) => void;
  /** Something was thrown that no peer may cause. */
  readonly faulted: (thrown: unknown) => void;
}

/** One peer. */
export class Connection implements SessionHost {
  private readonly session: Session;
  private readonly handler: FrameHandler;
  private readonly frames: FrameReader;
  private readonly limits: Http2Limits;
  private readonly out: Output;
  private readonly startedMs: number;
  private prefaceBytes = 0;
  /** Bytes that the kernel took, and when it last took some while others waited. */
  private takenBytes = 0;
  private takenAtMs: number;
  private ageTimer: NodeJS.Timeout | undefined;
  private noticeTimer: NodeJS.Timeout | undefined;
  private lingerTimer: NodeJS.Timeout | undefined;

  constructor(
    private readonly socket: Duplex,
    private readonly services: ConnectionServices,
  ) {
    this.limits = services.limits;
    this.out = services.out;
    this.startedMs = services.nowMs();
    this.takenAtMs = this.startedMs;
    this.session = new Session(services, this, this.startedMs);
    this.handler = new FrameHandler(this.session);
    this.frames = new FrameReader(this.handler);
    this.scheduleAge();
    socket.on('data', (chunk: Buffer) => this.read(chunk));
    socket.on('drain', () => socket.resume());
    socket.on('error', () => socket.destroy());
    socket.once('close', () => this.closed());
    this.out.begin(socket);
    this.handler.greet();
    this.out.flush();
  }

  /** Sends what handlers answered between reads. */
  writeSettled(): void {
    this.session.nowMs = this.services.nowMs();
    this.out.begin(this.socket);
    try {
      this.session.sendSettled();
    } catch (thrown) {
      this.fault(thrown);
    }
    this.flush();
  }

  wake(): void {
    this.services.wake(this);
  }

  hangUp(): void {
    this.out.flush();
    this.socket.end();
    // What the peer still sends is read and dropped for a moment, since a hard close could take the last words away.
    this.socket.resume();
    this.lingerTimer ??= setTimeout(() => this.socket.destroy(), LINGER_MS);
  }

  /** Asks the peer to leave, and leaves when its calls are done. */
  drain(): void {
    if (!this.session.greeted) {
      this.socket.destroy();
      return;
    }
    this.out.begin(this.socket);
    this.session.drain();
    this.flush();
    this.noticeTimer ??= setTimeout(() => {
      this.out.begin(this.socket);
      this.session.drainFully();
      this.flush();
    }, DRAIN_NOTICE_MS);
  }

  destroy(): void {
    this.socket.destroy();
  }

  /** Looks after what has no timer of its own; called every `sweepMs`. */
  sweep(nowMs: number): void {
    const { session, limits } = this;
    if (session.over) return;
    const greeting = !session.greeted && nowMs - this.startedMs > limits.handshakeMs;
    if (greeting || this.isStalled(nowMs)) {
      this.socket.destroy();
      return;
    }
    this.out.begin(this.socket);
    const { block } = this.handler;
    const blockMs = block.stream === 0 ? 0 : nowMs - block.startedMs;
    const frameMs = this.frames.midFrame ? nowMs - this.frames.cutMs : 0;
    if (Math.max(blockMs, frameMs) > limits.handshakeMs) {
      session.fail(ErrorCode.ENHANCE_YOUR_CALM, 'a frame or header block was begun and not ended');
    } else {
      session.expire(nowMs);
      if (session.streams.active === 0 && nowMs - session.lastCallMs > limits.maxIdleMs) this.drain();
    }
    this.flush();
  }

  private read(chunk: Buffer): void {
    const { session, out } = this;
    if (session.over) return;
    const { turns } = this.services;
    const nowMs = turns.begin();
    session.nowMs = nowMs;
    out.begin(this.socket);
    try {
      const at = this.prefaceBytes < PREFACE.length ? this.readPreface(chunk) : 0;
      if (at >= 0) this.frames.read(chunk, at, nowMs);
    } catch (thrown) {
      this.fault(thrown);
    } finally {
      turns.end();
    }
    this.flush();
  }

  /** A fault of ours must not take the other connections with it. */
  private fault(thrown: unknown): void {
    this.services.faulted(thrown);
    this.session.fail(ErrorCode.INTERNAL_ERROR, 'a fault of the server');
  }

  /** Compares what came with the preface. @returns where the frames begin; -1 when it is none. */
  private readPreface(chunk: Buffer): number {
    const count = Math.min(chunk.length, PREFACE.length - this.prefaceBytes);
    const expected = PREFACE.subarray(this.prefaceBytes, this.prefaceBytes + count);
    if (!expected.equals(chunk.subarray(0, count))) {
      this.session.fail(ErrorCode.PROTOCOL_ERROR, 'this is not HTTP/2');
      return -1;
    }
    this.prefaceBytes += count;
    return count;
  }

  private flush(): void {
    this.out.flush();
    if (this.socket.writableLength > this.limits.maxBacklogBytes && !this.session.over) this.socket.pause();
  }

  /** Whether answers wait that the peer has not taken any of for too long. */
  private isStalled(nowMs: number): boolean {
    const { writableLength } = this.socket;
    const waiting = writableLength > 0 || this.session.sender.waitingBytes > 0;
    const taken = this.session.sender.sentBytes - writableLength;
    if (!waiting || taken !== this.takenBytes) {
      this.takenBytes = taken;
      this.takenAtMs = nowMs;
      return false;
    }
    return nowMs - this.takenAtMs > this.limits.stalledMs;
  }

  private scheduleAge(): void {
    const { maxConnectionAgeMs, maxConnectionAgeGraceMs } = this.limits;
    const ageMs = maxConnectionAgeMs * (0.9 + 0.2 * Math.random());
    if (maxConnectionAgeMs === 0 || ageMs > MAX_TIMER_MS) return;
    this.ageTimer = setTimeout(() => {
      this.drain();
      if (maxConnectionAgeGraceMs > MAX_TIMER_MS) return;
      this.ageTimer = setTimeout(() => this.socket.destroy(), maxConnectionAgeGraceMs);
      this.ageTimer.unref();
    }, ageMs);
    this.ageTimer.unref();
  }

  private closed(): void {
    clearTimeout(this.ageTimer);
    clearTimeout(this.noticeTimer);
    clearTimeout(this.lingerTimer);
    this.session.finish();
    this.services.closed(this);
  }
}

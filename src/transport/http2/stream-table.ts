/**
 * A connection's streams: a ring by identifier for the usual case, where few are open at a time, and a map for those
 * whose place in the ring is taken.
 */
import { Stream, StreamState } from './stream';

const RING = 128;
const MASK = RING - 1;

/** Streams by identifier. */
export class StreamTable {
  /** Streams that count against the limit: request or answer not complete. */
  active = 0;
  private readonly ring: (Stream | undefined)[] = [];
  private readonly overflow = new Map<number, Stream>();

  /** The stream, when it is not closed. */
  get(id: number): Stream | undefined {
    const stream = this.ring[(id >>> 1) & MASK];
    if (stream !== undefined && stream.id === id) {
      return stream.state === StreamState.FREE ? undefined : stream;
    }
    return this.overflow.size === 0 ? undefined : this.overflow.get(id);
  }

  /** Whether a closed stream is remembered to have been open once. */
  remembers(id: number): boolean {
    return this.ring[(id >>> 1) & MASK]?.id === id;
  }

  open(id: number, nowMs: number): Stream {
    this.active += 1;
    let stream = this.place(id);
    if (stream === undefined) {
      stream = new Stream();
      stream.inRing = false;
      this.overflow.set(id, stream);
    }
    stream.open(id, nowMs);
    return stream;
  }

  /** A stream is refused at its head: what the peer still sends on it is dropped, where the ring has a place for it. */
  skip(id: number): void {
    const stream = this.place(id);
    if (stream === undefined) return;
    stream.id = id;
    stream.state = StreamState.DROPPING;
  }

  /** The peer's request goes on, but nobody waits for it: it no longer counts. */
  drop(stream: Stream): void {
    this.active -= 1;
    const { id } = stream;
    stream.release();
    if (stream.inRing) stream.state = StreamState.DROPPING;
    else this.overflow.delete(id);
  }

  close(stream: Stream): void {
    if (stream.state === StreamState.READING || stream.state === StreamState.ANSWERING) this.active -= 1;
    stream.release();
    if (!stream.inRing) this.overflow.delete(stream.id);
  }

  /** Calls `visit` for each stream that counts; it may close that stream. */
  forEachActive(visit: (stream: Stream) => void): void {
    if (this.active === 0) return;
    for (const stream of this.ring) {
      if (stream?.state === StreamState.READING || stream?.state === StreamState.ANSWERING) visit(stream);
    }
    for (const stream of [...this.overflow.values()]) visit(stream);
  }

  /** The object at a stream's place in the ring; undefined when another stream that counts has it. */
  private place(id: number): Stream | undefined {
    const at = (id >>> 1) & MASK;
    let stream = this.ring[at];
    if (stream === undefined) {
      while (this.ring.length <= at) this.ring.push(undefined);
      stream = new Stream();
      this.ring[at] = stream;
    }
    return stream.state === StreamState.READING || stream.state === StreamState.ANSWERING
      ? undefined
      : stream;
  }
}

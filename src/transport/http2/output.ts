/**
 * What is written, gathered so that all frames of a turn leave in one write. One buffer serves all connections: each
 * fills it and flushes before another begins. What the kernel took at once is written over; what is still waiting
 * stays where it is, and the next frames go behind it.
 */
import type { Duplex } from 'node:stream';

const BUFFER_BYTES = 131_072;
/** With less room than this a new buffer is begun. */
const MIN_ROOM_BYTES = 4_096;

/** Where frames are put together. Writers store at `at` in `bytes` after {@link reserve}. */
export class Output {
  bytes: Buffer = Buffer.allocUnsafeSlow(BUFFER_BYTES);
  /** Where the next byte goes. */
  at = 0;
  private start = 0;
  private socket: Duplex | undefined;

  /** All that is put from now on is for this socket. */
  begin(socket: Duplex): void {
    // What a connection put after its last words is dropped here, and what another has not flushed yet goes out.
    if (this.socket !== socket) this.flush();
    this.socket = socket;
  }

  /** Makes room for that many bytes; flushes what there is when it has to. */
  reserve(count: number): void {
    if (this.at + count <= this.bytes.length) return;
    this.flushKept();
    if (this.at + count > this.bytes.length) this.renew(count);
  }

  /** Writes what was gathered. */
  flush(): void {
    this.flushKept();
    this.socket = undefined;
    if (this.bytes.length - this.at < MIN_ROOM_BYTES || this.bytes.length > BUFFER_BYTES) this.renew(0);
  }

  private flushKept(): void {
    const { socket, start, at } = this;
    if (at === start || socket === undefined) {
      this.at = start;
      return;
    }
    if (socket.destroyed || !socket.writable) {
      this.at = start;
      return;
    }
    socket.write(this.bytes.subarray(start, at));
    if (socket.writableLength === 0) this.at = start;
    else this.start = at;
  }

  private renew(count: number): void {
    this.bytes = Buffer.allocUnsafeSlow(Math.max(BUFFER_BYTES, count));
    this.start = 0;
    this.at = 0;
  }
}

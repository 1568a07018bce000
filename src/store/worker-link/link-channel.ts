/** A link's end over a socket of its own between two processes of this machine. */
import type { Socket } from 'node:net';
import { TidegateError } from '../../core/errors';
import type { LinkOutput, Sent } from './frame-writer';

/** Who is behind this end. */
export interface LinkEnd {
  /** Takes in what came; what it throws ends the link. */
  receive(chunk: Uint8Array): void;
  /** The link has ended. @param error why, unless the other side has just gone. */
  ended(error: TidegateError | undefined): void;
}

/** A side that lets the other one send so much without reading it is broken, bytes. */
const MAX_UNSENT_BYTES = 2 ** 26;

/** See the file's head. The socket is the channel's from now on. */
export class LinkChannel implements LinkOutput {
  #end: LinkEnd | undefined;
  #error: TidegateError | undefined;

  constructor(private readonly socket: Socket) {
    socket.on('error', () => undefined);
    socket.once('close', () => {
      const end = this.#end;
      this.#end = undefined;
      end?.ended(this.#error);
    });
  }

  /** Begins to hand over what comes. Sockets that read into a buffer of their own call `received` instead. */
  attach(end: LinkEnd): void {
    this.#end = end;
    this.socket.on('data', (chunk: Buffer) => this.received(chunk));
  }

  /** Takes in what came; it is not kept. */
  received(chunk: Uint8Array): void {
    try {
      this.#end?.receive(chunk);
    } catch (thrown) {
      this.#break(TidegateError.from(thrown));
    }
  }

  get unsentBytes(): number {
    return this.socket.writableLength;
  }

  send(frame: Uint8Array): Sent {
    const { socket } = this;
    if (!socket.writable) return 'gone';
    if (socket.writableLength > MAX_UNSENT_BYTES) {
      this.#break(new TidegateError('TG_INTERNAL', 'the other side of a link does not read'));
      return 'gone';
    }
    socket.write(frame);
    return socket.writableLength === 0 ? 'done' : 'kept';
  }

  #break(error: TidegateError): void {
    this.#error ??= error;
    this.socket.destroy();
  }
}

/** A worker's way to the buckets of the memory store, over the socket that it was started with. */
import { type ConnectOpts, Socket, type SocketConstructorOpts } from 'node:net';
import type { TidegateError } from '../../core/errors';
import { LinkChannel } from '../../store/worker-link/link-channel';
import { LinkStore } from '../../store/worker-link/link-store';
import { LINK_FD } from './messages';

/** What one read takes at most, bytes. */
const READ_BYTES = 65_536;

/** Opens it. @param broke told when what came made no sense; the primary may also just be gone, and with it the process. */
export function openLink(nowMs: () => number, broke: (error: TidegateError) => void): LinkStore {
  const buffer = Buffer.alloc(READ_BYTES);
  const options: SocketConstructorOpts & ConnectOpts = {
    fd: LINK_FD,
    readable: true,
    writable: true,
    onread: {
      buffer,
      callback: (bytes) => {
        channel.received(buffer.subarray(0, bytes));
        return true;
      },
    },
  };
  const channel = new LinkChannel(new Socket(options));
  const link = new LinkStore({ output: channel, nowMs });
  channel.attach({
    receive: (chunk) => link.receive(chunk),
    ended: (error) => {
      link.lost();
      if (error !== undefined) broke(error);
    },
  });
  return link;
}

/** A memory store with workers' links to it, whose frames arrive when the test says. */
import { MemoryStore } from '../../src/store/memory/memory-store';
import type { LinkOutput } from '../../src/store/worker-link/frame-writer';
import { LinkServer, SharedParams } from '../../src/store/worker-link/link-server';
import { LinkStore, type LinkStoreOptions } from '../../src/store/worker-link/link-store';
import { SimulatedClock } from './simulated-clock';

/** The other side is gone. */
export const nowhere: LinkOutput = { unsentBytes: 0, send: () => 'gone' };

/** An output whose frames are handed to somebody; the sender writes over its own at once. */
export function outputTo(receive: (frame: Uint8Array) => void): LinkOutput {
  return {
    unsentBytes: 0,
    send: (frame) => {
      receive(Uint8Array.from(frame));
      frame.fill(0xff);
      return 'done';
    },
  };
}

/** See the file's head. */
export class LinkedPrimary {
  readonly clock = new SimulatedClock();
  readonly store = new MemoryStore({ clock: this.clock });
  /** What workers sent. */
  readonly frames: Uint8Array[] = [];
  private readonly params = new SharedParams();
  /** Frames that have not arrived, when they are held. */
  held: (() => void)[] | undefined;

  link(options: Partial<LinkStoreOptions> = {}): LinkStore {
    const server: LinkServer = new LinkServer(
      this.store,
      this.params,
      outputTo((frame) => link.receive(frame)),
    );
    const output = outputTo((frame) => {
      this.frames.push(frame);
      const deliver = (): void => server.receive(frame);
      if (this.held === undefined) setImmediate(deliver);
      else this.held.push(deliver);
    });
    const link = new LinkStore({ output, nowMs: () => performance.now(), ...options });
    return link;
  }
}

/** The control port as the serving thread sees it, where the control thread has it. */
import { TidegateError } from '../../core/errors';
import type { BoundAddress, Server } from '../../core/ports';

const START_TIMEOUT_MS = 30_000;

/** See the file's head. It closes with the thread. */
export class ControlPort implements Server {
  private address: BoundAddress | undefined;
  private settle: { resolve(address: BoundAddress): void; reject(error: TidegateError): void } | undefined;

  constructor(private readonly begin: () => Promise<void>) {}

  /** Rejects with what the thread says of its address or of its resources. */
  async listen(): Promise<BoundAddress> {
    const bound = new Promise<BoundAddress>((resolve, reject) => (this.settle = { resolve, reject }));
    const late = new TidegateError('TG_LISTEN', 'the control port was not bound in time');
    const timer = setTimeout(() => this.settle?.reject(late), START_TIMEOUT_MS);
    try {
      void this.begin();
      return await bound;
    } finally {
      clearTimeout(timer);
    }
  }

  close(): Promise<void> {
    return Promise.resolve();
  }

  /** The thread listens. */
  bound(address: BoundAddress): void {
    this.address = address;
    this.settle?.resolve(address);
  }

  /** The thread cannot. */
  failed(error: TidegateError): void {
    this.settle?.reject(error);
  }

  /** Where it was bound, for a thread that is begun anew: Envoys look for it there. */
  known(): { readonly controlPort?: number } {
    return this.address === undefined ? {} : { controlPort: this.address.port };
  }
}

/** What pools do, to whoever listens: bounded in listeners; each listener bounds what it holds. */
import type { ControlEvent } from '../../core/control-desk';

const MAX_LISTENERS = 256;

/** See the file's head. */
export class EventHub {
  private readonly listeners = new Set<(event: ControlEvent) => void>();

  /** @returns what ends it. Beyond the bound nobody is told any more. */
  subscribe(listener: (event: ControlEvent) => void): () => void {
    if (this.listeners.size < MAX_LISTENERS) this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  }

  tell(event: ControlEvent): void {
    for (const listener of this.listeners) listener(event);
  }
}

/** Which node serves a slot. */
import type { ScriptPart } from './script-part';
import type { RedisNode } from './redis-node';

/** Finds nodes; knows about redirections where there is more than one. */
export interface RedisRouter {
  /** Whether a script's keys must share a slot. */
  readonly slotted: boolean;
  nodeFor(part: Pick<ScriptPart, 'slot'>): RedisNode | undefined;
  /** The node at an address of a redirection; `from` told it (an address without host means `from`'s host). */
  nodeAt(address: string, from: RedisNode): RedisNode | undefined;
  /** A node said that `slot` is served elsewhere. */
  moved(slot: number, node: RedisNode): void;
  /** Something is wrong with what the router knows: look again soon. */
  suspect(): void;
  ready(): boolean;
  close(): void;
}

/** The router of a single server or a Sentinel group: one node for everything. */
export class SingleRouter implements RedisRouter {
  readonly slotted = false;

  constructor(private readonly node: RedisNode) {}

  nodeFor(): RedisNode {
    return this.node;
  }

  /** A server outside a cluster never redirects. */
  nodeAt(): undefined {
    return undefined;
  }

  moved(): void {
    // There is nothing to learn.
  }

  suspect(): void {
    // The one node reconnects by itself.
  }

  ready(): boolean {
    return this.node.ready;
  }

  close(): void {
    this.node.close();
  }
}

/** Reads CLUSTER SLOTS. */
import { joinHostPort } from './address';
import { SLOT_COUNT } from './hash-slot';

/** One range of slots and who serves it, as `host:port`. */
export interface SlotRange {
  readonly from: number;
  readonly to: number;
  readonly master: string;
  readonly replicas: readonly string[];
}

/**
 * Reads CLUSTER SLOTS' reply. A node without an endpoint has the host that was asked (Redis's own rule); entries that
 * make no sense are left out.
 * @param askedHost the host that gave the reply.
 */
export function readSlotTable(reply: unknown, askedHost: string): SlotRange[] {
  if (!Array.isArray(reply)) return [];
  const ranges: SlotRange[] = [];
  for (const row of reply as unknown[]) {
    if (!Array.isArray(row)) continue;
    const [from, to, ...nodes] = row as unknown[];
    if (!isSlot(from) || !isSlot(to)) continue;
    const names = nodes.map((node) => endpointOf(node, askedHost)).filter((name) => name !== undefined);
    const [master, ...replicas] = names;
    if (master !== undefined) ranges.push({ from, to, master, replicas });
  }
  return ranges;
}

function isSlot(value: unknown): value is number {
  return Number.isInteger(value) && Number(value) >= 0 && Number(value) < SLOT_COUNT;
}

function endpointOf(node: unknown, askedHost: string): string | undefined {
  if (!Array.isArray(node)) return undefined;
  const [host, port] = node as unknown[];
  if (typeof port !== 'number' || host === '?') return undefined;
  return joinHostPort(typeof host === 'string' && host !== '' ? host : askedHost, port);
}

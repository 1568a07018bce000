/**
 * Routes by the cluster's slot table: reads it from any node that answers, follows MOVED at once, and looks again often
 * while a slot has no node that can be asked, seldom otherwise.
 */
import { joinHostPort, splitHostPort } from './address';
import { SLOT_COUNT } from './hash-slot';
import type { RedisNode } from './redis-node';
import type { RedisRouter } from './router';
import type { ScriptPart } from './script-part';
import { readSlotTable, type SlotRange } from './slot-table';

const CALM_REFRESH_MS = 5_000;
const ANXIOUS_REFRESH_MS = 100;
const QUERY_TIMEOUT_MS = 500;
const UNLISTED_GRACE_MS = 30_000;
const MAX_NODES = 2_000;

/** The router of a Redis Cluster. */
export class ClusterRouter implements RedisRouter {
  readonly slotted = true;
  readonly #nodes = new Map<string, RedisNode>();
  readonly #slots: (RedisNode | undefined)[] = Array.from({ length: SLOT_COUNT }, () => undefined);
  #known: readonly string[];
  #listed: ReadonlySet<RedisNode> = new Set();
  #timer: NodeJS.Timeout | undefined;
  #timerDueMs = Infinity;
  #refreshing = false;
  #closed = false;
  #suspected = false;

  /**
   * @param seeds some nodes, as `host:port`.
   * @param connect makes a node of `host:port`; it must call `suspect` when the connection comes up or breaks.
   */
  constructor(
    private readonly seeds: readonly string[],
    private readonly connect: (name: string) => RedisNode,
  ) {
    this.#known = seeds;
    for (const seed of seeds) this.#node(seed);
    this.#schedule(0);
  }

  nodeFor(part: Pick<ScriptPart, 'slot'>): RedisNode | undefined {
    return this.#slots[part.slot];
  }

  nodeAt(address: string, from: RedisNode): RedisNode | undefined {
    const target = splitHostPort(address);
    if (target === undefined) return undefined;
    const host = target.host === '' ? (splitHostPort(from.name)?.host ?? '') : target.host;
    return this.#node(joinHostPort(host, target.port));
  }

  moved(slot: number, node: RedisNode): void {
    if (slot >= 0 && slot < SLOT_COUNT) this.#slots[slot] = node;
    this.suspect();
  }

  suspect(): void {
    this.#suspected = true;
    this.#schedule(this.#listed.size === 0 ? 0 : ANXIOUS_REFRESH_MS);
  }

  ready(): boolean {
    for (const node of this.#listed) if (node.ready) return true;
    return false;
  }

  close(): void {
    this.#closed = true;
    clearTimeout(this.#timer);
    for (const node of this.#nodes.values()) node.close();
    this.#nodes.clear();
  }

  #node(name: string): RedisNode | undefined {
    const known = this.#nodes.get(name);
    if (known !== undefined || this.#closed || this.#nodes.size >= MAX_NODES) return known;
    const node = this.connect(name);
    this.#nodes.set(name, node);
    return node;
  }

  #schedule(delayMs: number): void {
    const dueMs = performance.now() + delayMs;
    if (this.#closed || this.#refreshing || dueMs >= this.#timerDueMs) return;
    clearTimeout(this.#timer);
    this.#timerDueMs = dueMs;
    this.#timer = setTimeout(() => void this.#refresh(), delayMs);
  }

  async #refresh(): Promise<void> {
    this.#timerDueMs = Infinity;
    this.#refreshing = true;
    this.#suspected = false;
    const ranges = await this.#askAround();
    this.#refreshing = false;
    if (this.#closed) return;
    if (ranges !== undefined) this.#apply(ranges);
    this.#schedule(this.#suspected || !this.#whole() ? ANXIOUS_REFRESH_MS : CALM_REFRESH_MS);
  }

  /** The first slot table that any node gives; nodes that are up are asked first, in random order. */
  async #askAround(): Promise<SlotRange[] | undefined> {
    const up = [...this.#nodes.values()].filter((node) => node.ready);
    for (const node of shuffled(up)) {
      const ranges = await askNode(node);
      if (this.#closed || ranges.length > 0) return ranges;
    }
    // Nobody is up: try every node that was ever known, replicas and seeds too; one that comes up calls `suspect`.
    for (const name of [...this.#known, ...this.seeds]) this.#node(name);
    return undefined;
  }

  #apply(ranges: readonly SlotRange[]): void {
    const listed = new Set<RedisNode>();
    this.#slots.fill(undefined);
    for (const range of ranges) {
      const node = this.#node(range.master);
      if (node === undefined) continue;
      listed.add(node);
      this.#slots.fill(node, range.from, range.to + 1);
    }
    this.#listed = listed;
    this.#known = ranges.flatMap((range) => [range.master, ...range.replicas]).slice(0, MAX_NODES);
    const now = performance.now();
    for (const [name, node] of this.#nodes) {
      if (listed.has(node) || now - node.lastUsedMs < UNLISTED_GRACE_MS) continue;
      this.#nodes.delete(name);
      node.close();
    }
  }

  #whole(): boolean {
    for (const node of this.#listed) if (!node.ready) return false;
    return this.#slots.every((node) => node !== undefined);
  }
}

async function askNode(node: RedisNode): Promise<SlotRange[]> {
  let timer: NodeJS.Timeout | undefined;
  const silence = new Promise<undefined>((resolve) => {
    timer = setTimeout(resolve, QUERY_TIMEOUT_MS, undefined);
  });
  const answer = node.call('cluster', 'slots').catch(() => undefined);
  const reply = await Promise.race([answer, silence]);
  clearTimeout(timer);
  return readSlotTable(reply, splitHostPort(node.name)?.host ?? '');
}

function shuffled<T>(items: readonly T[]): T[] {
  return items
    .map((item) => ({ item, rank: Math.random() }))
    .sort((a, b) => a.rank - b.rank)
    .map(({ item }) => item);
}

/** The classes there are, each with its place in a block; bounded, the one idle longest giving way. */
import type { ClassInfo } from '../core/observation';
import { Block, type SlotOwner } from './block';
import { BLOCK_SLOTS } from './chunk';
import type { Coverage } from './coverage';
import { type FigureGroup, GROUP_COLUMNS, groupOf } from './figures';
import type { Level } from './levels';

/** A class with its place. */
export interface KnownClass extends SlotOwner {
  info: ClassInfo;
  readonly group: FigureGroup;
  readonly block: Block;
  readonly slot: number;
  /** The last step with anything in it, Unix ms. */
  lastMs: number;
}

/** Where what has no class of its own is counted. */
export const OTHER_CLASS: ClassInfo = { id: 'other', kind: 'rule' };

/** A class must have been idle for this long before another may take its place, ms. */
const IDLE_MS = 600_000;
/** Candidates for eviction that one scan collects. */
const CANDIDATES_MAX = 256;

/** The classes by id, their blocks, and who gives way to whom. */
export class ClassTable {
  readonly blocks = new Map<number, Block>();
  private readonly known = new Map<string, KnownClass>();
  /** Blocks with a free slot, by group. */
  private readonly roomy: Record<FigureGroup, Set<Block>> = { counts: new Set(), level: new Set() };
  private candidates: KnownClass[] = [];
  private scannedMs = -Infinity;
  private nextOwner = 1;
  private nextBlock = 1;

  constructor(
    private readonly levels: readonly Level[],
    private readonly coverage: readonly Coverage[],
    private readonly classesMax: number,
  ) {}

  get size(): number {
    return this.known.size;
  }

  /** Above every number that a class has or had. */
  get ownersEnd(): number {
    return this.nextOwner;
  }

  /** Leaves out the numbers below one: they belonged to classes that are no more. */
  reserveOwners(end: number): void {
    if (Number.isSafeInteger(end)) this.nextOwner = Math.max(this.nextOwner, end);
  }

  get(id: string): KnownClass | undefined {
    return this.known.get(id);
  }

  all(): Iterable<KnownClass> {
    return this.known.values();
  }

  /**
   * Adds a class, or lets one that ended go on. When there is no room the class idle longest is evicted.
   * @returns undefined when none is idle: all are in use.
   */
  add(info: ClassInfo, atMs: number): { readonly known: KnownClass; readonly evicted?: string } | undefined {
    const before = this.known.get(info.id);
    if (before !== undefined) {
      before.endMs = Infinity;
      // What is known of a class may grow: its service, its tenant. Its place stays.
      if (groupOf(info.kind) === before.group) before.info = info;
      return { known: before };
    }
    let evicted: string | undefined;
    if (this.known.size >= this.classesMax && info.id !== OTHER_CLASS.id) {
      evicted = this.evictIdle(atMs);
      if (evicted === undefined) return undefined;
    }
    const known = this.place(info, this.nextOwner, atMs);
    return evicted === undefined ? { known } : { known, evicted };
  }

  /** Puts a class back where it was before a restart. */
  restore(
    info: ClassInfo,
    at: { owner: number; block: number; slot: number; sinceMs: number; endMs: number; lastMs: number },
  ): KnownClass | undefined {
    if (this.known.has(info.id) || at.slot < 0 || at.slot >= BLOCK_SLOTS) return undefined;
    const group = groupOf(info.kind);
    const block = this.blocks.get(at.block) ?? this.newBlock(group, at.block);
    if (block.columns !== GROUP_COLUMNS[group] || block.slots[at.slot] !== undefined) return undefined;
    return this.settle({ ...at, info, group, block });
  }

  /** Removes a class, with what of it is in open chunks. */
  remove(id: string): void {
    const known = this.known.get(id);
    if (known === undefined) return;
    this.known.delete(id);
    known.block.vacate(known.slot);
    this.roomy[known.group].add(known.block);
  }

  private place(info: ClassInfo, owner: number, sinceMs: number): KnownClass {
    const group = groupOf(info.kind);
    const [roomy] = this.roomy[group];
    const block = roomy ?? this.newBlock(group, this.nextBlock);
    const slot = block.freeSlot();
    return this.settle({ info, group, block, slot, owner, sinceMs, endMs: Infinity, lastMs: sinceMs });
  }

  private settle(known: KnownClass): KnownClass {
    known.block.settle(known.slot, known);
    if (known.block.freeSlot() < 0) this.roomy[known.group].delete(known.block);
    this.known.set(known.info.id, known);
    this.nextOwner = Math.max(this.nextOwner, known.owner + 1);
    return known;
  }

  private newBlock(group: FigureGroup, id: number): Block {
    const block = new Block(
      id,
      GROUP_COLUMNS[group],
      this.levels,
      group === 'counts' ? this.coverage : undefined,
    );
    this.blocks.set(id, block);
    this.roomy[group].add(block);
    this.nextBlock = Math.max(this.nextBlock, id + 1);
    return block;
  }

  private evictIdle(nowMs: number): string | undefined {
    const idle = (one: KnownClass): boolean =>
      one.info.id !== OTHER_CLASS.id && (one.endMs < nowMs || one.lastMs < nowMs - IDLE_MS);
    for (;;) {
      const next = this.candidates.pop();
      if (next === undefined) {
        // One scan a step at most, however many classes ask for room.
        if (this.scannedMs === nowMs) return undefined;
        this.scannedMs = nowMs;
        this.candidates = [...this.known.values()]
          .filter(idle)
          .sort((a, b) => b.lastMs - a.lastMs)
          .slice(-CANDIDATES_MAX);
        if (this.candidates.length === 0) return undefined;
        continue;
      }
      if (this.known.get(next.info.id) !== next || !idle(next)) continue;
      this.remove(next.info.id);
      return next.info.id;
    }
  }
}

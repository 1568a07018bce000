/** A block: {@link BLOCK_SLOTS} classes of one group of figures, with the chunks of theirs that are in memory. */
import { BLOCK_SLOTS, OpenChunk, packChunk, readChunk, unpackChunk } from './chunk';
import { type Coverage } from './coverage';
import { chunkMs, chunkStart, type Level } from './levels';

/** A chunk in memory: open, packed, or both when the packed form is up to date. */
interface Held {
  readonly startMs: number;
  open: OpenChunk | undefined;
  packed: Uint8Array | undefined;
  /** Changed since it was last written. */
  dirty: boolean;
}

/** The class in a slot. */
export interface SlotOwner {
  /** Unique over all classes that ever were; never 0. */
  readonly owner: number;
  /** When it was first seen, Unix ms: before it, its steps are missing, not zero. */
  sinceMs: number;
  /** When it ended, Unix ms; Infinity while it lives. */
  endMs: number;
}

/** The key of a chunk: which block, at which level, from when. */
export interface ChunkKey {
  readonly block: number;
  readonly stepMs: number;
  readonly startMs: number;
}

/** A chunk that has to be written. */
export interface ChunkWrite extends ChunkKey {
  readonly bytes: Uint8Array;
}

/** A block of classes. */
export class Block {
  readonly slots: (SlotOwner | undefined)[] = new Array<SlotOwner | undefined>(BLOCK_SLOTS).fill(undefined);
  private readonly owners = new Float64Array(BLOCK_SLOTS);
  private readonly held: Map<number, Held>[];
  /** The chunk last used at each level: batches come in order of time. */
  private readonly latest: (Held | undefined)[];

  constructor(
    readonly id: number,
    readonly columns: number,
    private readonly levels: readonly Level[],
    /** Of each level; undefined for figures that are missing where nothing came. */
    private readonly coverage: readonly Coverage[] | undefined,
  ) {
    this.held = levels.map(() => new Map<number, Held>());
    this.latest = levels.map(() => undefined);
  }

  /** Puts a class into a slot. */
  settle(slot: number, owner: SlotOwner): void {
    this.slots[slot] = owner;
    this.owners[slot] = owner.owner;
  }

  /** Takes the class out of a slot, with its open figures. */
  vacate(slot: number): void {
    for (const chunks of this.held)
      for (const held of chunks.values()) {
        if (held.open === undefined) continue;
        held.open.clearSlot(slot);
        held.packed = undefined;
        held.dirty = true;
      }
    this.slots[slot] = undefined;
    this.owners[slot] = 0;
  }

  /** A free slot, -1 without one. */
  freeSlot(): number {
    return this.owners.indexOf(0);
  }

  /** Adds one row of figures at every level. */
  add(slot: number, atMs: number, row: ArrayLike<number>, from: number): void {
    for (let level = 0; level < this.levels.length; level += 1) this.addAt(level, slot, atMs, row, from);
  }

  /** Adds one row of figures at one level. */
  addAt(level: number, slot: number, atMs: number, row: ArrayLike<number>, from: number): void {
    const held = this.openAt(level, atMs);
    const chunk = held.open as OpenChunk;
    const { stepMs } = this.levels[level] as Level;
    let index = chunk.index(slot, Math.floor((atMs - held.startMs) / stepMs));
    for (let column = 0; column < this.columns; column += 1) {
      chunk.add(index, row[from + column] ?? 0);
      index += chunk.steps;
    }
    held.packed = undefined;
    held.dirty = true;
  }

  /** When its chunks at a level begin, Unix ms. */
  starts(level: number): readonly number[] {
    return [...(this.held[level] as Map<number, Held>).keys()];
  }

  /** Has a chunk ready for a time at a level, so that classes without anything to add get their zeros. */
  begin(level: number, atMs: number): void {
    this.openAt(level, atMs);
  }

  /** One figure of a step that is in memory, NaN when it is missing. */
  value(level: number, slot: number, column: number, atMs: number): number {
    const spec = this.levels[level] as Level;
    const startMs = chunkStart(spec, atMs);
    const step = Math.floor((atMs - startMs) / spec.stepMs);
    const held = (this.held[level] as Map<number, Held>).get(startMs);
    if (held?.open === undefined) return this.read(level, startMs, slot)?.[column]?.[step] ?? NaN;
    const value = held.open.values[held.open.index(slot, step) + column * held.open.steps] ?? NaN;
    const owner = this.slots[slot];
    if (value === value || owner === undefined || this.coverage?.[level]?.at(startMs)?.[step] !== 1)
      return value;
    return atMs + spec.stepMs > owner.sinceMs && atMs < owner.endMs ? 0 : NaN;
  }

  /**
   * Sets a row at one level where nothing was seen.
   * @returns whether it was missing; what was seen is never overwritten.
   */
  fill(level: number, slot: number, atMs: number, row: ArrayLike<number>): boolean {
    const held = this.openAt(level, atMs);
    const chunk = held.open as OpenChunk;
    const index = chunk.index(slot, Math.floor((atMs - held.startMs) / (this.levels[level] as Level).stepMs));
    if (!Number.isNaN(chunk.values[index])) return false;
    for (let column = 0; column < this.columns; column += 1)
      chunk.values[index + column * chunk.steps] = row[column] ?? 0;
    held.packed = undefined;
    held.dirty = true;
    return true;
  }

  /** Takes a chunk that was written before, as it is; one that is held already stays. */
  load(level: number, startMs: number, bytes: Uint8Array): void {
    const chunks = this.held[level] as Map<number, Held>;
    if (!chunks.has(startMs)) chunks.set(startMs, { startMs, open: undefined, packed: bytes, dirty: false });
  }

  holds(level: number, startMs: number): boolean {
    return (this.held[level] as Map<number, Held>).has(startMs);
  }

  /** The columns of a slot over one chunk; undefined when it is not in memory, or nothing is in it. */
  read(level: number, startMs: number, slot: number): readonly Float64Array[] | undefined {
    const held = (this.held[level] as Map<number, Held>).get(startMs);
    const spec = this.levels[level] as Level;
    if (held === undefined) return undefined;
    if (held.open === undefined)
      return readChunk(held.packed as Uint8Array, this.owners[slot] ?? 0, this.columns, spec.chunkSteps);
    this.fillZeros(level, held, slot);
    const base = held.open.index(slot, 0);
    return Array.from({ length: this.columns }, (_, column) =>
      (held.open as OpenChunk).values.slice(
        base + column * spec.chunkSteps,
        base + (column + 1) * spec.chunkSteps,
      ),
    );
  }

  /** The columns of a slot over a packed chunk of this block that is not held. */
  readPacked(level: number, bytes: Uint8Array, slot: number): readonly Float64Array[] | undefined {
    const { chunkSteps } = this.levels[level] as Level;
    return readChunk(bytes, this.owners[slot] ?? 0, this.columns, chunkSteps);
  }

  /** How many chunks are open that end by a time. */
  openBefore(endMs: number): number {
    let count = 0;
    for (const [held] of this.endedBy(endMs)) if (held.open !== undefined) count += 1;
    return count;
  }

  /** Packs the chunks that end by a time: nothing comes for them any more. */
  seal(endMs: number): void {
    for (const [held, level] of this.endedBy(endMs)) {
      if (held.open === undefined) continue;
      this.pack(level, held);
      held.open = undefined;
      if (this.latest[level] === held) this.latest[level] = undefined;
    }
  }

  /** What changed since it was last written, packed. */
  *changes(): Iterable<ChunkWrite> {
    for (const [level, chunks] of this.held.entries()) {
      for (const held of chunks.values()) {
        if (!held.dirty) continue;
        const { stepMs } = this.levels[level] as Level;
        yield { block: this.id, stepMs, startMs: held.startMs, bytes: this.pack(level, held) };
      }
    }
  }

  /** Notes that a change has been written, unless it changed again. */
  written(write: ChunkWrite): void {
    const level = this.levels.findIndex(({ stepMs }) => stepMs === write.stepMs);
    const held = this.held[level]?.get(write.startMs);
    if (held !== undefined && held.packed === write.bytes) held.dirty = false;
  }

  /** Takes all of its chunks for unwritten. */
  forgetWritten(): void {
    for (const chunks of this.held) for (const held of chunks.values()) held.dirty = true;
  }

  /** Forgets chunks of a level that end by a time; with `writtenOnly`, those alone that are packed and written. */
  drop(level: number, endMs: number, writtenOnly: boolean): void {
    const chunks = this.held[level] as Map<number, Held>;
    const length = chunkMs(this.levels[level] as Level);
    for (const [start, held] of chunks) {
      if (start + length > endMs || (writtenOnly && (held.dirty || held.open !== undefined))) continue;
      chunks.delete(start);
      if (this.latest[level] === held) this.latest[level] = undefined;
    }
  }

  /** Forgets everything from a time on. @returns the keys of chunks that are gone as a whole. */
  rewind(atMs: number): readonly ChunkKey[] {
    const gone: ChunkKey[] = [];
    for (const [level, chunks] of this.held.entries()) {
      const { stepMs } = this.levels[level] as Level;
      for (const [startMs, held] of chunks) {
        const step = Math.floor((atMs - startMs) / stepMs);
        if (step <= 0) {
          chunks.delete(startMs);
          gone.push({ block: this.id, stepMs, startMs });
        } else if (atMs < startMs + chunkMs(this.levels[level] as Level)) {
          this.openAt(level, startMs).open?.clearFrom(step);
          held.packed = undefined;
          held.dirty = true;
        }
      }
      this.latest[level] = undefined;
    }
    return gone;
  }

  /** The start of its oldest chunk at a level, Infinity without one. */
  oldest(level: number): number {
    return Math.min(...(this.held[level] as Map<number, Held>).keys(), Infinity);
  }

  /** What its chunks take, bytes, about. */
  bytes(): number {
    let sum = 0;
    for (const chunks of this.held)
      for (const held of chunks.values())
        sum += 200 + (held.open?.values.byteLength ?? 0) + (held.packed?.byteLength ?? 0);
    return sum;
  }

  private *endedBy(endMs: number): Iterable<[Held, number]> {
    for (const [level, chunks] of this.held.entries()) {
      const length = chunkMs(this.levels[level] as Level);
      for (const held of chunks.values()) if (held.startMs + length <= endMs) yield [held, level];
    }
  }

  private openAt(level: number, atMs: number): Held {
    const spec = this.levels[level] as Level;
    const startMs = chunkStart(spec, atMs);
    const last = this.latest[level];
    if (last?.startMs === startMs && last.open !== undefined) return last;
    const chunks = this.held[level] as Map<number, Held>;
    let held = chunks.get(startMs);
    if (held === undefined) {
      held = { startMs, open: new OpenChunk(this.columns, spec.chunkSteps), packed: undefined, dirty: true };
      chunks.set(startMs, held);
    } else if (held.open === undefined) {
      held.open =
        unpackChunk(held.packed as Uint8Array, this.owners, this.columns, spec.chunkSteps) ??
        new OpenChunk(this.columns, spec.chunkSteps);
    }
    this.latest[level] = held;
    return held;
  }

  private pack(level: number, held: Held): Uint8Array {
    if (held.open === undefined) return held.packed as Uint8Array;
    for (let slot = 0; slot < BLOCK_SLOTS; slot += 1) this.fillZeros(level, held, slot);
    held.packed = packChunk(held.open, this.owners);
    return held.packed;
  }

  private fillZeros(level: number, held: Held, slot: number): void {
    const owner = this.slots[slot];
    const covered = this.coverage?.[level]?.at(held.startMs);
    if (owner === undefined || covered === undefined || held.open === undefined) return;
    const { stepMs } = this.levels[level] as Level;
    const from = Math.floor((owner.sinceMs - held.startMs) / stepMs);
    const to = Math.ceil((owner.endMs - held.startMs) / stepMs);
    held.open.fillZeros(slot, covered, from, to);
  }
}

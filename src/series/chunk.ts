/**
 * A chunk: some steps of up to {@link BLOCK_SLOTS} classes at one level. Open, it is plain figures that can be added to;
 * packed, it is bytes that one class can be read from without unpacking the others.
 */
import { ByteReader, ByteWriter } from './bytes';
import { readColumn, writeColumn } from './column-codec';

/** Classes that share a chunk. */
export const BLOCK_SLOTS = 64;
const FORMAT = 1;
const STEPS_MAX = 1_024;
const COLUMNS_MAX = 16;

/** A chunk that can be added to. Every column of a step is missing (NaN), or none. */
export class OpenChunk {
  /** Slot by slot, column by column, step by step. */
  readonly values: Float64Array;

  constructor(
    readonly columns: number,
    readonly steps: number,
  ) {
    this.values = new Float64Array(BLOCK_SLOTS * columns * steps).fill(NaN);
  }

  /** Where a slot's first column stands at a step; the next column is `steps` further. */
  index(slot: number, step: number): number {
    return slot * this.columns * this.steps + step;
  }

  /** Adds to one figure; a missing one begins at zero. */
  add(index: number, amount: number): void {
    const before = this.values[index] ?? NaN;
    this.values[index] = before === before ? before + amount : amount;
  }

  /** Makes every missing step zero where `covered` says that it was counted, from one step to another. */
  fillZeros(slot: number, covered: Uint8Array, from: number, to: number): void {
    const base = this.index(slot, 0);
    for (let step = Math.max(0, from); step < Math.min(this.steps, to); step += 1) {
      if (covered[step] !== 1 || !Number.isNaN(this.values[base + step])) continue;
      for (let column = 0; column < this.columns; column += 1)
        this.values[base + column * this.steps + step] = 0;
    }
  }

  /** Makes steps missing, from one on. */
  clearFrom(step: number): void {
    for (let row = 0; row < BLOCK_SLOTS * this.columns; row += 1)
      this.values.fill(NaN, row * this.steps + step, (row + 1) * this.steps);
  }

  /** Forgets a slot. */
  clearSlot(slot: number): void {
    this.values.fill(NaN, this.index(slot, 0), this.index(slot + 1, 0));
  }
}

/** Lengths of runs of present and missing steps in turn, beginning with present. */
function writePresence(writer: ByteWriter, first: Float64Array): number {
  const runs: number[] = [];
  let run = 0;
  let present = true;
  let count = 0;
  for (const value of first) {
    const here = value === value;
    if (here) count += 1;
    if (here !== present) {
      runs.push(run);
      run = 0;
      present = here;
    }
    run += 1;
  }
  writer.varint(runs.length);
  for (const length of runs) writer.varint(length);
  return count;
}

function writeSlot(writer: ByteWriter, chunk: OpenChunk, slot: number): void {
  const { columns, steps, values } = chunk;
  const base = chunk.index(slot, 0);
  const first = values.subarray(base, base + steps);
  const count = writePresence(writer, first);
  const written: Float64Array[] = [];
  for (let column = 0; column < columns; column += 1) {
    const all = values.subarray(base + column * steps, base + (column + 1) * steps);
    const present = count === steps ? all : all.filter((_, step) => first[step] === first[step]);
    writeColumn(writer, present, written);
    written.push(present);
  }
}

const writer = new ByteWriter();

/**
 * Packs a chunk.
 * @param owners the unique number of the class in each slot; 0 for an empty slot, which is left out.
 */
export function packChunk(chunk: OpenChunk, owners: ArrayLike<number>): Uint8Array {
  writer.truncate(0);
  const entries: { slot: number; owner: number; from: number; to: number }[] = [];
  for (let slot = 0; slot < BLOCK_SLOTS; slot += 1) {
    const owner = owners[slot] ?? 0;
    if (owner === 0) continue;
    const base = chunk.index(slot, 0);
    if (chunk.values.subarray(base, base + chunk.steps).every(Number.isNaN)) continue;
    const from = writer.length;
    writeSlot(writer, chunk, slot);
    entries.push({ slot, owner, from, to: writer.length });
  }
  const body = writer.copy();
  writer.truncate(0);
  for (const head of [FORMAT, chunk.columns, chunk.steps, entries.length]) writer.varint(head);
  for (const { slot, owner, from, to } of entries) {
    writer.byte(slot);
    writer.varint(owner);
    writer.varint(to - from);
  }
  writer.append(body);
  return writer.copy();
}

interface Entry {
  readonly slot: number;
  readonly owner: number;
  readonly from: number;
}

/** What a packed chunk says of itself; undefined when it is none of this format and shape. */
function readEntries(bytes: Uint8Array, columns: number, steps: number): readonly Entry[] | undefined {
  const reader = new ByteReader(bytes);
  const shape = [reader.varint(), reader.varint(), reader.varint()];
  if (shape[0] !== FORMAT || shape[1] !== columns || shape[2] !== steps) return undefined;
  if (columns > COLUMNS_MAX || steps > STEPS_MAX) return undefined;
  const count = reader.varint();
  if (count > BLOCK_SLOTS) return undefined;
  const entries: Entry[] = [];
  let from = 0;
  for (let index = 0; index < count; index += 1) {
    entries.push({ slot: reader.byte(), owner: reader.varint(), from });
    from += reader.varint();
  }
  if (reader.overrun || reader.left < from || entries.some(({ slot }) => slot >= BLOCK_SLOTS))
    return undefined;
  return entries.map((entry) => ({ ...entry, from: entry.from + reader.at }));
}

/** The columns of one slot; NaN for missing steps. */
function readSlot(bytes: Uint8Array, at: number, columns: number, steps: number): Float64Array[] | undefined {
  const reader = new ByteReader(bytes, at);
  const runs = reader.varint();
  if (runs > steps) return undefined;
  const present = new Uint8Array(steps).fill(1);
  let step = 0;
  for (let run = 0; run < runs; run += 1) {
    step += reader.varint();
    if (step > steps) return undefined;
    present.fill(run % 2 === 0 ? 0 : 1, step);
  }
  const count = present.reduce((sum, one) => sum + one, 0);
  const read: Float64Array[] = [];
  for (let column = 0; column < columns; column += 1) {
    const values = readColumn(reader, count, read);
    if (values === undefined) return undefined;
    read.push(values);
  }
  if (count === steps) return read;
  return read.map((values) => {
    const spread = new Float64Array(steps).fill(NaN);
    let next = 0;
    for (let index = 0; index < steps; index += 1)
      if (present[index] === 1) spread[index] = values[next++] ?? NaN;
    return spread;
  });
}

/** Reads one class's columns out of a packed chunk; undefined when it is not in it, or the bytes are not such a chunk. */
export function readChunk(
  bytes: Uint8Array,
  owner: number,
  columns: number,
  steps: number,
): readonly Float64Array[] | undefined {
  const entry = readEntries(bytes, columns, steps)?.find((one) => one.owner === owner);
  return entry === undefined ? undefined : readSlot(bytes, entry.from, columns, steps);
}

/** Opens a packed chunk again, with those classes that still own their slot; undefined when the bytes are damaged. */
export function unpackChunk(
  bytes: Uint8Array,
  owners: ArrayLike<number>,
  columns: number,
  steps: number,
): OpenChunk | undefined {
  const entries = readEntries(bytes, columns, steps);
  if (entries === undefined) return undefined;
  const chunk = new OpenChunk(columns, steps);
  for (const { slot, owner, from } of entries) {
    if (owners[slot] !== owner) continue;
    const read = readSlot(bytes, from, columns, steps);
    if (read === undefined) return undefined;
    read.forEach((values, column) => chunk.values.set(values, chunk.index(slot, 0) + column * steps));
  }
  return chunk;
}

/**
 * A peer's dynamic table (RFC 7541, sections 2.3.2 and 4), by meaning: of each field its kind, its value as a number,
 * and its sizes, which are what eviction goes by. Text is kept only where somebody reads it.
 */
import { DEFAULT_HEADER_TABLE_BYTES } from './protocol';

/** What a field costs beyond its name and value (RFC 7541, section 4.1). */
export const FIELD_OVERHEAD_BYTES = 32;

/** More fields than this cannot fit: each takes at least its overhead. */
const SLOTS = DEFAULT_HEADER_TABLE_BYTES / FIELD_OVERHEAD_BYTES;
const MASK = SLOTS - 1;

/** At most {@link DEFAULT_HEADER_TABLE_BYTES}, which is what we never announce otherwise. */
export class DynamicTable {
  /** How many fields it has. */
  count = 0;
  /** Grows with each change: as long as it is the same, an index is the same field. */
  changes = 0;
  private usedBytes = 0;
  private maxBytes = DEFAULT_HEADER_TABLE_BYTES;
  /** The slot of the newest field. */
  private newest = 0;
  private readonly kinds = new Uint8Array(SLOTS);
  private readonly nameBytes = new Uint16Array(SLOTS);
  private readonly fieldBytes = new Uint16Array(SLOTS);
  private readonly values = new Float64Array(SLOTS);
  private readonly texts: (string | undefined)[] = [];

  /** The slot of a field by its age, 0 the newest; -1 when there is none so old. */
  slot(age: number): number {
    return age < this.count ? (this.newest - age) & MASK : -1;
  }

  kind(slot: number): number {
    return this.kinds[slot]!;
  }

  value(slot: number): number {
    return this.values[slot]!;
  }

  text(slot: number): string | undefined {
    return this.texts[slot];
  }

  /** The size of the field's name, bytes. */
  name(slot: number): number {
    return this.nameBytes[slot]!;
  }

  /** The size of the whole field with its overhead, bytes. */
  size(slot: number): number {
    return this.fieldBytes[slot]!;
  }

  /** Adds a field, and evicts the oldest ones for it; one that is larger than the table empties it. */
  add(kind: number, nameBytes: number, valueBytes: number, value: number, text: string | undefined): void {
    const size = nameBytes + valueBytes + FIELD_OVERHEAD_BYTES;
    this.changes += 1;
    this.evictTo(this.maxBytes - size);
    if (size > this.maxBytes) return;
    const slot = (this.newest + 1) & MASK;
    this.newest = slot;
    this.kinds[slot] = kind;
    this.nameBytes[slot] = nameBytes;
    this.fieldBytes[slot] = size;
    this.values[slot] = value;
    if (text !== undefined || this.texts[slot] !== undefined) this.texts[slot] = text;
    this.count += 1;
    this.usedBytes += size;
  }

  /** The peer's size update. @returns whether it is within what we allow. */
  resize(maxBytes: number): boolean {
    if (maxBytes > DEFAULT_HEADER_TABLE_BYTES) return false;
    this.maxBytes = maxBytes;
    this.changes += 1;
    this.evictTo(maxBytes);
    return true;
  }

  private evictTo(bytes: number): void {
    while (this.count > 0 && this.usedBytes > bytes) {
      this.count -= 1;
      this.usedBytes -= this.fieldBytes[(this.newest - this.count) & MASK]!;
    }
  }
}

/**
 * Messages and their plans, in columns: the bytes of all messages lie one after the other, and an open-addressed table of four
 * numbers an entry says whose they are. However many plans are kept, there is no object but the plan for any of them, and
 * finding one looks at three places in memory.
 *
 * Only adding and forgetting everything: whoever wants room begins anew, with the same memory.
 */
import { sameBytes } from '../core/same-bytes';
import type { RequestPlan } from './plan';

/** Numbers of an entry: the hash, where the message begins, its length, the plan's index + 1; 0 there says that it is free. */
const ENTRY = 4;
const MIN_ENTRIES = 256;
const MIN_ARENA_BYTES = 16_384;
/** Places that an entry may be at; of more that would share them, those that came last are kept. */
const PROBES = 32;
/** Messages of one hash; each is compared byte by byte, so that many of them would cost whoever meets them. */
const MAX_OF_HASH = 4;

/** See the file's head. */
export class PlanShelf {
  /** Plans that can be found. */
  size = 0;
  private table = new Int32Array(MIN_ENTRIES * ENTRY);
  /** Entries less one; a power of two less one. */
  private mask = MIN_ENTRIES - 1;
  private arena = new Uint8Array(MIN_ARENA_BYTES);
  private arenaUsed = 0;
  private plans: (RequestPlan | undefined)[] = [];

  /** @returns where the plan of a message is, for the other methods, or -1. */
  find(hash: number, bytes: Uint8Array, start: number, end: number): number {
    const { table, mask, arena } = this;
    for (let probe = 0; probe < PROBES; probe += 1) {
      const at = ((hash + probe) & mask) * ENTRY;
      if (table[at + 3] === 0) return -1;
      if (table[at] !== hash || table[at + 2] !== end - start) continue;
      if (sameBytes(arena, table[at + 1]!, bytes, start, end - start)) return at;
    }
    return -1;
  }

  /** Whether a place, any number, is that of a message. */
  holds(at: number, bytes: Uint8Array, start: number, end: number): boolean {
    const { table, arena } = this;
    if (!(at >= 0 && at < table.length) || table[at + 3] === 0 || table[at + 2] !== end - start) return false;
    return sameBytes(arena, table[at + 1]!, bytes, start, end - start);
  }

  /** The plan at a place; undefined once it was taken. */
  plan(at: number): RequestPlan | undefined {
    return this.plans[this.table[at + 3]! - 1];
  }

  /** Takes a plan out. */
  take(at: number): RequestPlan | undefined {
    const index = this.table[at + 3]! - 1;
    const plan = this.plans[index];
    if (plan === undefined) return undefined;
    this.plans[index] = undefined;
    this.size -= 1;
    return plan;
  }

  /** Keeps a plan, in place of one that the message had. */
  put(hash: number, bytes: Uint8Array, start: number, end: number, plan: RequestPlan): void {
    const known = this.find(hash, bytes, start, end);
    if (known !== -1) {
      this.take(known);
      this.set(known, plan);
      return;
    }
    if (this.plans.length * 2 > this.mask) this.grow();
    const at = placeFor(this.table, this.mask, hash);
    const displaced = this.table[at + 3]! > 0;
    if (displaced) this.take(at);
    this.table[at] = hash;
    this.table[at + 1] = this.keep(bytes, start, end);
    this.table[at + 2] = end - start;
    if (!displaced) this.table[at + 3] = this.plans.push(undefined);
    this.set(at, plan);
  }

  /** Forgets everything; the memory is used again. */
  clear(): void {
    this.table.fill(0);
    this.plans = [];
    this.arenaUsed = 0;
    this.size = 0;
  }

  private set(at: number, plan: RequestPlan): void {
    this.plans[this.table[at + 3]! - 1] = plan;
    this.size += 1;
  }

  /** Copies a message. @returns where it begins. */
  private keep(bytes: Uint8Array, start: number, end: number): number {
    const begin = this.arenaUsed;
    const used = begin + end - start;
    if (used > this.arena.length) {
      const larger = new Uint8Array(Math.max(used, this.arena.length * 2));
      larger.set(this.arena);
      this.arena = larger;
    }
    for (let at = start; at < end; at += 1) this.arena[begin + at - start] = bytes[at]!;
    this.arenaUsed = used;
    return begin;
  }

  private grow(): void {
    const { table } = this;
    const mask = this.mask * 2 + 1;
    const larger = new Int32Array((mask + 1) * ENTRY);
    for (let from = 0; from < table.length; from += ENTRY) {
      const index = table[from + 3]!;
      if (index === 0 || this.plans[index - 1] === undefined) continue;
      const at = placeFor(larger, mask, table[from]!);
      if (larger[at + 3]! > 0) this.forget(larger[at + 3]! - 1);
      for (let number = 0; number < ENTRY; number += 1) larger[at + number] = table[from + number]!;
    }
    this.table = larger;
    this.mask = mask;
  }

  private forget(index: number): void {
    if (this.plans[index] === undefined) return;
    this.plans[index] = undefined;
    this.size -= 1;
  }
}

/** The first free place of a hash; where none is free, or that hash has its share, one that is taken. */
function placeFor(table: Int32Array, mask: number, hash: number): number {
  let first = (hash & mask) * ENTRY;
  let ofHash = 0;
  for (let probe = 0; probe < PROBES; probe += 1) {
    const at = ((hash + probe) & mask) * ENTRY;
    if (table[at + 3] === 0) return at;
    if (table[at] !== hash) continue;
    if (ofHash === 0) first = at;
    ofHash += 1;
    if (ofHash === MAX_OF_HASH) return first;
  }
  return first;
}

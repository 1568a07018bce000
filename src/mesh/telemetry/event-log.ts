/**
 * What is in the window, slot by slot, a word a request: a slot that leaves the window is read once more, to take back what
 * it brought. Memory follows the traffic, up to a bound.
 */

const BLOCK_WORDS = 4_096;

interface Slot {
  readonly blocks: Uint32Array[];
  words: number;
}

/** See the file's head. */
export class EventLog {
  readonly #slots: readonly Slot[];
  readonly #maxBlocks: number;
  readonly #free: Uint32Array[] = [];
  #made = 0;
  #current = 0;

  /** @param slots Of the window, the one that is being filled included. @param maxWords Of all slots together. */
  constructor(slots: number, maxWords: number) {
    this.#slots = Array.from({ length: slots }, () => ({ blocks: [], words: 0 }));
    // Each slot may leave a part of its last block empty.
    this.#maxBlocks = slots + Math.ceil(maxWords / BLOCK_WORDS);
  }

  /** Adds words to the slot that is being filled, the second unless it is 0. Returns false when there is no room. */
  push(first: number, second: number): boolean {
    const slot = this.#slots[this.#current]!;
    // Both or none: a slot has room for two more words, or gets a block.
    if (slot.words + 2 > slot.blocks.length * BLOCK_WORDS && !this.#grow(slot)) return false;
    this.#put(slot, first);
    if (second !== 0) this.#put(slot, second);
    return true;
  }

  /** Reads the slot that is being filled. */
  readCurrent(take: (word: number) => void): void {
    read(this.#slots[this.#current]!, take);
  }

  /** Goes on to the next slot, which is the oldest: reads and empties it. */
  advance(take: (word: number) => void): void {
    this.#current = (this.#current + 1) % this.#slots.length;
    const slot = this.#slots[this.#current]!;
    read(slot, take);
    this.#free.push(...slot.blocks.splice(0));
    slot.words = 0;
  }

  #put(slot: Slot, word: number): void {
    slot.blocks[Math.floor(slot.words / BLOCK_WORDS)]![slot.words % BLOCK_WORDS] = word;
    slot.words += 1;
  }

  #grow(slot: Slot): boolean {
    let block = this.#free.pop();
    if (block === undefined) {
      if (this.#made >= this.#maxBlocks) return false;
      block = new Uint32Array(BLOCK_WORDS);
      this.#made += 1;
    }
    slot.blocks.push(block);
    return true;
  }
}

function read(slot: Slot, take: (word: number) => void): void {
  for (let at = 0; at < slot.words; at += 1) {
    take(slot.blocks[Math.floor(at / BLOCK_WORDS)]![at % BLOCK_WORDS]!);
  }
}

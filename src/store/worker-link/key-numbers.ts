/** The numbers that a worker has given to keys: as many as the other side remembers; the oldest makes room for a new one. */

/** See the file's head. */
export class KeyNumbers {
  readonly #numbers = new Map<string, number>();
  readonly #keys: string[] = [];
  #next = 0;

  /** @param maxKeys how many are remembered. */
  constructor(private readonly maxKeys: number) {}

  /** The number of a key; -1 when it has none. @param guess what it may be: looked at first, which costs less. */
  of(key: string, guess = -1): number {
    if (guess >= 0 && this.#keys[guess] === key) return guess;
    return this.#numbers.get(key) ?? -1;
  }

  /** Gives a key that has none a number, which another may have had. */
  add(key: string): number {
    const number = this.#next;
    const before = this.#keys[number];
    if (before !== undefined) this.#numbers.delete(before);
    this.#keys[number] = key;
    this.#numbers.set(key, number);
    this.#next = number + 1 < this.maxKeys ? number + 1 : 0;
    return number;
  }
}

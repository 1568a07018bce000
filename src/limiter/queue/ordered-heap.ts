/** A binary heap whose items know their place, so that any of them can leave in logarithmic time. */

/** Where an item stands in its heap; -1 in none. An item is in one heap at a time by each place that it has. */
export interface HeapPlace<T> {
  get(item: T): number;
  set(item: T, place: number): void;
}

/** The heap. */
export class OrderedHeap<T> {
  readonly #items: T[] = [];

  /** @param before whether the first comes before the second. */
  constructor(
    private readonly before: (a: T, b: T) => boolean,
    private readonly place: HeapPlace<T>,
  ) {}

  get size(): number {
    return this.#items.length;
  }

  /** The first; undefined when there is none. */
  get first(): T | undefined {
    return this.#items[0];
  }

  /** All, in no order. */
  get items(): readonly T[] {
    return this.#items;
  }

  add(item: T): void {
    this.#items.push(item);
    this.#up(this.#items.length - 1, item);
  }

  /** Takes an item out, if it is in. */
  remove(item: T): void {
    const at = this.place.get(item);
    if (at < 0) return;
    this.place.set(item, -1);
    const last = this.#items.pop() as T;
    if (last === item) return;
    this.#put(at, last);
    this.moved(last);
  }

  /** Finds an item its place again whose order has changed. */
  moved(item: T): void {
    this.#up(this.place.get(item), item);
    this.#down(this.place.get(item), item);
  }

  #up(from: number, item: T): void {
    let at = from;
    while (at > 0) {
      const parent = (at - 1) >> 1;
      const above = this.#items[parent] as T;
      if (!this.before(item, above)) break;
      this.#put(at, above);
      at = parent;
    }
    this.#put(at, item);
  }

  #down(from: number, item: T): void {
    let at = from;
    for (;;) {
      let child = 2 * at + 1;
      if (child >= this.#items.length) break;
      const right = child + 1;
      if (right < this.#items.length && this.before(this.#items[right] as T, this.#items[child] as T))
        child = right;
      const below = this.#items[child] as T;
      if (!this.before(below, item)) break;
      this.#put(at, below);
      at = child;
    }
    this.#put(at, item);
  }

  #put(at: number, item: T): void {
    this.#items[at] = item;
    this.place.set(item, at);
  }
}

/**
 * The heaviest keys of a stream in fixed memory: the space-saving sketch with weights.
 * Guarantee, with k counters and a total weight N: a key's estimate is never below its true weight and at most
 * `error` (itself at most N/k) above it; every key whose true weight is over N/k is in the sketch.
 * Trade-off: a new key takes over the smallest counter, so light keys' estimates mean little.
 * Source: Metwally, Agrawal, El Abbadi, "Efficient computation of frequent and top-k elements in data streams" (2005).
 */

/** One key of the sketch. */
export interface HeavyKey {
  readonly key: string;
  /** The rule (metric key) the key was last counted for. */
  readonly rule: string;
  /** The estimated weight. */
  readonly count: number;
  /** By how much the estimate may be too high. */
  readonly error: number;
}

interface Counter {
  key: string;
  rule: string;
  count: number;
  error: number;
  /** Its place in the heap. */
  at: number;
}

/** A sketch of `capacity` counters. An addition costs O(log capacity). */
export class HeavyKeys {
  private readonly counters = new Map<string, Counter>();
  /** A binary heap with the smallest count first. */
  private readonly heap: Counter[] = [];
  private sum = 0;

  /** @param capacity counters kept, at least 1. */
  constructor(private readonly capacity: number) {}

  /** The weight of everything added, halved as often as {@link halve} was called. */
  get total(): number {
    return this.sum;
  }

  /** Adds a weight to a key. Weights that are not positive and finite are ignored. */
  add(key: string, rule: string, weight: number): void {
    if (!(weight > 0) || weight === Infinity) return;
    this.sum += weight;
    const known = this.counters.get(key);
    if (known !== undefined) {
      known.count += weight;
      known.rule = rule;
      this.sink(known.at);
      return;
    }
    if (this.heap.length < this.capacity) {
      const added: Counter = { key, rule, count: weight, error: 0, at: this.heap.length };
      this.counters.set(key, added);
      this.heap.push(added);
      this.rise(added.at);
      return;
    }
    const smallest = this.heap[0];
    if (smallest === undefined) return;
    this.counters.delete(smallest.key);
    smallest.error = smallest.count;
    smallest.count += weight;
    smallest.key = key;
    smallest.rule = rule;
    this.counters.set(key, smallest);
    this.sink(0);
  }

  /** The `n` heaviest keys, heaviest first. */
  top(n: number): HeavyKey[] {
    return [...this.heap]
      .sort((a, b) => b.count - a.count)
      .slice(0, Math.max(0, n))
      .map(({ key, rule, count, error }) => ({ key, rule, count, error }));
  }

  /** Halves every weight, so that what was heavy long ago makes room; order and guarantee stay. */
  halve(): void {
    this.sum /= 2;
    for (const counter of this.heap) {
      counter.count /= 2;
      counter.error /= 2;
    }
  }

  private rise(from: number): void {
    let at = from;
    while (at > 0) {
      const parent = (at - 1) >> 1;
      if (this.countAt(parent) <= this.countAt(at)) return;
      this.swap(parent, at);
      at = parent;
    }
  }

  private sink(from: number): void {
    let at = from;
    for (;;) {
      const left = 2 * at + 1;
      const lighter = this.countAt(left + 1) < this.countAt(left) ? left + 1 : left;
      if (this.countAt(lighter) >= this.countAt(at)) return;
      this.swap(lighter, at);
      at = lighter;
    }
  }

  /** Beyond the heap's end everything is infinitely heavy, so that nothing sinks there. */
  private countAt(at: number): number {
    return this.heap[at]?.count ?? Infinity;
  }

  private swap(a: number, b: number): void {
    const first = this.heap[a];
    const second = this.heap[b];
    if (first === undefined || second === undefined) return;
    this.heap[a] = second;
    this.heap[b] = first;
    second.at = a;
    first.at = b;
  }
}

/**
 * Buckets that were asked for once of late: most of a heavy tail is not asked for again soon enough to be worth a lease, and
 * nothing but the time is kept of them. Bounded: two generations of so many, of which the older is dropped.
 */

/** A bucket whose next call comes later than this is not leased whatever comes, ms. */
const GENERATION_MS = 400;
const MAX_BUCKETS = 2 ** 15;

/** See the file's head. */
export class FirstTouches {
  #young = new Map<string, number>();
  #old = new Map<string, number>();
  #begunMs = -Infinity;

  /** Buckets kept. */
  get size(): number {
    return this.#young.size + this.#old.size;
  }

  /** Takes note of a call. @returns when the bucket was asked for before, whole ms; undefined where that was not lately. */
  touched(key: string, nowMs: number): number | undefined {
    if (nowMs - this.#begunMs >= GENERATION_MS || this.#young.size >= MAX_BUCKETS) this.#turn(nowMs);
    const beforeMs = this.#young.get(key) ?? this.#old.get(key);
    if (beforeMs === undefined) this.#young.set(key, Math.floor(nowMs));
    return beforeMs;
  }

  #turn(nowMs: number): void {
    // Whatever is older than two generations is forgotten, also where nothing was asked for in between.
    this.#old = nowMs - this.#begunMs < 2 * GENERATION_MS ? this.#young : new Map<string, number>();
    this.#young = new Map();
    this.#begunMs = nowMs;
  }
}

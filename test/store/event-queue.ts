/** Simulated time: what happens when, in order, with promises settled between one event and the next. */

/** Events by time; those of one time in the order in which they were added. */
export class EventQueue {
  /** True time, us. */
  nowUs = 0;
  private readonly heap: { readonly atUs: number; readonly order: number; readonly run: () => void }[] = [];
  private added = 0;
  private unsettled = false;

  /** Runs `run` in `delayUs`. */
  in(delayUs: number, run: () => void): void {
    this.added += 1;
    this.heap.push({ atUs: this.nowUs + Math.max(0, delayUs), order: this.added, run });
    this.rise();
  }

  /** Says that the current event settled a promise, so that what waits for it must run before the next event. */
  settles(): void {
    this.unsettled = true;
  }

  /** Runs all events up to a time. */
  async runUntil(untilUs: number): Promise<void> {
    for (let next = this.heap[0]; next !== undefined && next.atUs <= untilUs; next = this.heap[0]) {
      this.removeFirst();
      this.nowUs = next.atUs;
      next.run();
      if (!this.unsettled) continue;
      this.unsettled = false;
      await new Promise(setImmediate);
    }
    this.nowUs = untilUs;
  }

  private before(a: number, b: number): boolean {
    const [x, y] = [this.heap[a], this.heap[b]];
    if (x === undefined || y === undefined) return x !== undefined;
    return x.atUs < y.atUs || (x.atUs === y.atUs && x.order < y.order);
  }

  private swap(a: number, b: number): void {
    const [x, y] = [this.heap[a], this.heap[b]];
    if (x === undefined || y === undefined) return;
    this.heap[a] = y;
    this.heap[b] = x;
  }

  private rise(): void {
    for (let at = this.heap.length - 1; at > 0;) {
      const parent = (at - 1) >> 1;
      if (!this.before(at, parent)) return;
      this.swap(at, parent);
      at = parent;
    }
  }

  private removeFirst(): void {
    const last = this.heap.pop();
    if (last === undefined || this.heap.length === 0) return;
    this.heap[0] = last;
    for (let at = 0; ;) {
      let least = at;
      if (this.before(2 * at + 1, least)) least = 2 * at + 1;
      if (this.before(2 * at + 2, least)) least = 2 * at + 2;
      if (least === at) return;
      this.swap(at, least);
      at = least;
    }
  }
}

/** Random numbers from a seed, 0 to 1 (mulberry32). */
export function randomFrom(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

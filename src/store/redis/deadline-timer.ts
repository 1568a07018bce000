/**
 * Deadlines of many requests on one timer, to the millisecond. Requests that are done are skipped when their time
 * comes, so finishing one costs nothing. What is due is expired one turn of the event loop later: replies that wait
 * in the socket, because the loop was busy, count as in time.
 */

/** Something with a deadline. */
export interface Expiring {
  /** True once it no longer matters. */
  readonly done: boolean;
  expire(): void;
}

const LONGEST_MS = 3_600_000;

/** Calls `expire` on what is not done by its deadline. */
export class DeadlineTimer {
  readonly #due = new Map<number, Expiring[]>();
  #timer: NodeJS.Timeout | undefined;
  #armedFor = Infinity;

  /** Gives `entry` `deadlineMs` from now, at least one millisecond and at most an hour. */
  add(entry: Expiring, deadlineMs: number): void {
    const now = performance.now();
    const tick = Math.floor(now + Math.min(LONGEST_MS, Math.max(1, deadlineMs)));
    const entries = this.#due.get(tick);
    if (entries === undefined) this.#due.set(tick, [entry]);
    else entries.push(entry);
    if (tick < this.#armedFor) this.#arm(tick, now);
  }

  #arm(tick: number, now: number): void {
    clearTimeout(this.#timer);
    this.#armedFor = tick;
    this.#timer = setTimeout(() => this.#fire(), Math.max(1, Math.ceil(tick - now)));
    // Deadlines of what is long done must not keep a process from ending; connections keep it while it matters.
    this.#timer.unref();
  }

  #fire(): void {
    const now = performance.now();
    const due: Expiring[] = [];
    let next = Infinity;
    for (const [tick, entries] of this.#due) {
      if (tick <= now) {
        this.#due.delete(tick);
        for (const entry of entries) if (!entry.done) due.push(entry);
      } else if (tick < next) next = tick;
    }
    this.#timer = undefined;
    this.#armedFor = Infinity;
    if (next !== Infinity) this.#arm(next, now);
    if (due.length === 0) return;
    setImmediate(() => {
      for (const entry of due) if (!entry.done) entry.expire();
    });
  }
}

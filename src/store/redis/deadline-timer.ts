/**
 * Deadlines of many requests on one timer, to the millisecond. One that is over is skipped when its
 * time comes, or forgotten before. What is due is expired one turn of the event loop later: replies that wait
 * in the socket, because the loop was busy, count as in time.
 */

/** Something with a deadline. Where the timer keeps it is the timer's own. */
export interface Expiring {
  /** True once it no longer matters. */
  readonly over: boolean;
  dueIn?: DueEntries | undefined;
  dueAt?: number;
  expire(): void;
}

/** The entries of one millisecond. */
export interface DueEntries {
  readonly tick: number;
  readonly entries: (Expiring | undefined)[];
  /** Entries that are not forgotten. */
  live: number;
}

const LONGEST_MS = 3_600_000;

/** Calls `expire` on what is not done by its deadline. */
export class DeadlineTimer {
  readonly #due = new Map<number, DueEntries>();
  /** The entries that the last one was added to: many come in the same millisecond. */
  #last: DueEntries | undefined;
  #timer: NodeJS.Timeout | undefined;
  #armedFor = Infinity;

  /** Gives `entry` `deadlineMs` from `now`, which is by `performance.now()`: at least one millisecond and at most an hour. */
  add(entry: Expiring, deadlineMs: number, now: number): void {
    const tick = Math.floor(now + Math.min(LONGEST_MS, Math.max(1, deadlineMs)));
    const due = this.#dueAt(tick);
    entry.dueIn = due;
    entry.dueAt = due.entries.length;
    due.entries.push(entry);
    due.live += 1;
    if (tick < this.#armedFor) this.#arm(tick, now);
  }

  /** Lets go of an entry that no longer matters, which would else be kept until its deadline. */
  forget(entry: Expiring): void {
    const { dueIn, dueAt } = entry;
    if (dueIn === undefined || dueAt === undefined) return;
    entry.dueIn = undefined;
    dueIn.entries[dueAt] = undefined;
    dueIn.live -= 1;
    if (dueIn.live > 0) return;
    this.#due.delete(dueIn.tick);
    if (this.#last === dueIn) this.#last = undefined;
  }

  #dueAt(tick: number): DueEntries {
    if (this.#last?.tick === tick) return this.#last;
    let due = this.#due.get(tick);
    if (due === undefined) {
      due = { tick, entries: [], live: 0 };
      this.#due.set(tick, due);
    }
    this.#last = due;
    return due;
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
    for (const entries of this.#due.values()) {
      const { tick } = entries;
      if (tick <= now) {
        this.#due.delete(tick);
        if (this.#last === entries) this.#last = undefined;
        for (const entry of entries.entries) if (entry?.over === false) due.push(entry);
      } else if (tick < next) next = tick;
    }
    this.#timer = undefined;
    this.#armedFor = Infinity;
    if (next !== Infinity) this.#arm(next, now);
    if (due.length === 0) return;
    setImmediate(() => {
      for (const entry of due) if (!entry.over) entry.expire();
    });
  }
}

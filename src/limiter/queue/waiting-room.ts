/**
 * All that wait, by bucket: bounded in all and for each bucket, with what is next at hand: a line that is worth a try,
 * or a waiter that must be answered. Pure: time is an argument.
 */
import { Line, type Waiter } from './line';
import { OrderedHeap } from './ordered-heap';

/** What became of one that wants to wait. */
export interface Entry<T> {
  /** Whether it waits. */
  readonly waits: boolean;
  /** Who had to leave for it. */
  readonly displaced?: Waiter<T>;
}

/** See the file's head. */
export class WaitingRoom<T> {
  readonly #lines = new Map<string, Line<T>>();
  readonly #byDue = new OrderedHeap<Line<T>>((a, b) => a.dueMs < b.dueMs, {
    get: (line) => line.duePlace,
    set: (line, place) => {
      line.duePlace = place;
    },
  });
  readonly #byDeadline = new OrderedHeap<Waiter<T>>((a, b) => a.untilMs < b.untilMs, {
    get: (waiter) => waiter.deadlinePlace,
    set: (waiter, place) => {
      waiter.deadlinePlace = place;
    },
  });
  #total = 0;
  #arrivals = 0;

  /** @param maxTotal those that may wait for all buckets together. */
  constructor(private readonly maxTotal: number) {}

  /** Those that wait. */
  get size(): number {
    return this.#total;
  }

  /** The line of a bucket that somebody waits for. */
  line(key: string): Line<T> | undefined {
    return this.#lines.get(key);
  }

  /** Takes one in, in place of a less important one where the line is full. @param dueMs when a line that is new is worth a try. */
  enter(key: string, waiter: Waiter<T>, maxDepth: number, dueMs: number): Entry<T> {
    const line = this.#lines.get(key);
    let displaced: Waiter<T> | undefined;
    if (this.#total >= this.maxTotal || (line !== undefined && line.depth >= maxDepth)) {
      displaced = line?.lastBelow(waiter.rank);
      if (displaced === undefined) return { waits: false };
      this.leave(displaced);
    }
    const joined = this.#lines.get(key) ?? this.#open(key, dueMs);
    this.#arrivals += 1;
    waiter.order = this.#arrivals;
    joined.append(waiter);
    this.#total += 1;
    this.#byDeadline.add(waiter);
    return displaced === undefined ? { waits: true } : { waits: true, displaced };
  }

  /** Lets one go, served or not. */
  leave(waiter: Waiter<T>): void {
    const { line } = waiter;
    if (line === undefined || waiter.state === 'gone') return;
    line.remove(waiter);
    this.#byDeadline.remove(waiter);
    this.#total -= 1;
    if (line.depth > 0) return;
    this.#lines.delete(line.key);
    this.#byDue.remove(line);
  }

  /** Says when a line is worth the next try. */
  due(line: Line<T>, dueMs: number): void {
    line.dueMs = dueMs;
    if (line.duePlace >= 0) this.#byDue.moved(line);
  }

  /** When something is to be done next; Infinity when nobody waits. */
  nextMs(): number {
    return Math.min(this.#byDue.first?.dueMs ?? Infinity, this.#byDeadline.first?.untilMs ?? Infinity);
  }

  /** A line that is worth a try by now. */
  dueLine(nowMs: number): Line<T> | undefined {
    const line = this.#byDue.first;
    return line !== undefined && line.dueMs <= nowMs ? line : undefined;
  }

  /** One that must be answered by now. */
  overdue(nowMs: number): Waiter<T> | undefined {
    const waiter = this.#byDeadline.first;
    return waiter !== undefined && waiter.untilMs <= nowMs ? waiter : undefined;
  }

  /** The answer of one that is tried just now will be its last, whatever it is. */
  lastTry(waiter: Waiter<T>): void {
    this.#byDeadline.remove(waiter);
  }

  /** Has everybody be answered by then. */
  hurry(untilMs: number): void {
    for (const waiter of [...this.#byDeadline.items]) {
      if (waiter.untilMs <= untilMs) continue;
      waiter.untilMs = untilMs;
      this.#byDeadline.moved(waiter);
    }
  }

  #open(key: string, dueMs: number): Line<T> {
    const line = new Line<T>(key);
    line.dueMs = dueMs;
    this.#lines.set(key, line);
    this.#byDue.add(line);
    return line;
  }
}

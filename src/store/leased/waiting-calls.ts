/**
 * Calls that found too little here while an ask for more was under way: they wait for its answer, which is sooner there than that
 * of a decision asked for now, and costs no command. None waits for long: the answer may never come.
 */
import type { Lease } from '../../bucket/lease';
import type { BucketRequest, BucketResult } from '../../core/buckets';
import { Later } from '../../core/later';

/** A call waits for so long at most, ms, and for at most this part of its deadline. */
const LONGEST_MS = 5;
const DEADLINE_PART = 0.5;

/** Decides a call whose wait is over. */
export type Decide = (
  lease: Lease,
  request: BucketRequest,
) => readonly BucketResult[] | Later<readonly BucketResult[]>;

interface Waiting {
  readonly request: BucketRequest;
  readonly later: Later<readonly BucketResult[]>;
  readonly sinceMs: number;
  readonly untilMs: number;
}

/** See the file's head. */
export class WaitingCalls {
  readonly #lines = new Map<Lease, Waiting[]>();
  #timer: NodeJS.Timeout | undefined;
  #timerMs = Infinity;

  /** @param timed whether a timer ends waits; else it is left to `release`. */
  constructor(
    private readonly decide: Decide,
    private readonly nowMs: () => number,
    private readonly timed: boolean,
  ) {}

  /** Lets a request of one call wait for the answer to a lease's ask. */
  add(lease: Lease, request: BucketRequest, nowMs: number): Later<readonly BucketResult[]> {
    const later = new Later<readonly BucketResult[]>();
    const untilMs = nowMs + Math.min(LONGEST_MS, request.deadlineMs * DEADLINE_PART);
    const waiting = { request, later, sinceMs: nowMs, untilMs };
    const line = this.#lines.get(lease);
    if (line === undefined) this.#lines.set(lease, [waiting]);
    else line.push(waiting);
    this.#arm(untilMs, nowMs);
    return later;
  }

  /** Ends the waits for a lease, whose ask was answered, first come, first served. */
  answered(lease: Lease): void {
    const line = this.#lines.get(lease);
    if (line === undefined) return;
    this.#lines.delete(lease);
    const nowMs = this.nowMs();
    for (const waiting of line) this.#end(lease, waiting, nowMs);
  }

  /** Ends the waits that took too long. */
  release(): void {
    clearTimeout(this.#timer);
    this.#timerMs = Infinity;
    const nowMs = this.nowMs();
    for (const [lease, line] of this.#lines) {
      const over = line.filter((waiting) => waiting.untilMs <= nowMs);
      if (over.length === 0) continue;
      const left = line.filter((waiting) => waiting.untilMs > nowMs);
      if (left.length === 0) this.#lines.delete(lease);
      else this.#lines.set(lease, left);
      for (const waiting of over) this.#end(lease, waiting, nowMs);
    }
    for (const line of this.#lines.values()) for (const { untilMs } of line) this.#arm(untilMs, nowMs);
  }

  #arm(untilMs: number, nowMs: number): void {
    if (!this.timed || untilMs >= this.#timerMs) return;
    clearTimeout(this.#timer);
    this.#timerMs = untilMs;
    this.#timer = setTimeout(() => this.release(), Math.max(1, Math.ceil(untilMs - nowMs)));
  }

  #end(lease: Lease, { request, later, sinceMs }: Waiting, nowMs: number): void {
    const deadlineMs = Math.max(0, request.deadlineMs - (nowMs - sinceMs));
    later.resolve(this.decide(lease, { ...request, deadlineMs }));
  }
}

/**
 * How often a bucket is asked for here: an average over the last calls, and over no more time than a few idle times. It starts out
 * low, so that a call or two by chance do not look like demand, and what it started from fades as calls are counted.
 */

/** Calls that the average goes over at most: at random times their count varies by a sixth of itself. */
const MEMORY_CALLS = 32;
/** Idle times that it goes over at most. */
const MEMORY_IDLES = 5;
/**
 * A bucket is worth a lease when so many calls are expected in an idle time: what follows a longer pause costs a decision, and
 * before it a command that gives back, and with fewer calls there are too many such pauses.
 */
const EXPECTED_CALLS = 1.25;
/** So many calls since the last count are sure enough to go by alone, as over no less than this, ms. */
const SURE_CALLS = 8;
const SHORTEST_MS = 2;

/** See the file's head. Times are ms. */
export class LeaseDemand {
  /** The most that one call asked for, of late. */
  callHits = 1;
  private calls = 0;
  private hits = 0;
  private spanMs: number;
  /** Tokens a millisecond since the last count but one; 0 when it were of too few calls. */
  private latestPerMs = 0;
  private newCalls = 0;
  private newHits = 0;
  private countedMs: number;

  /** @param idleMs after a pause of so long a lease goes back. */
  constructor(
    private readonly idleMs: number,
    nowMs: number,
  ) {
    this.spanMs = idleMs;
    this.countedMs = nowMs;
  }

  /** Counts a call. Cheap: it stands in the path of every decision. */
  arrived(hits: number): void {
    this.newCalls += 1;
    this.newHits += hits;
    if (hits > this.callHits) this.callHits = hits;
  }

  /** Brings the average up to date, at the time of the last call. */
  measure(nowMs: number): void {
    if (this.newCalls === 0) return;
    const passedMs = Math.max(0, nowMs - this.countedMs);
    if (passedMs > this.idleMs) this.callHits = Math.ceil(this.newHits / this.newCalls);
    this.latestPerMs = this.newCalls < SURE_CALLS ? 0 : this.newHits / Math.max(SHORTEST_MS, passedMs);
    this.calls += this.newCalls;
    this.hits += this.newHits;
    this.spanMs += passedMs;
    this.newCalls = 0;
    this.newHits = 0;
    this.countedMs = nowMs;
    const kept = Math.min(1, MEMORY_CALLS / this.calls, (MEMORY_IDLES * this.idleMs) / this.spanMs);
    this.calls *= kept;
    this.hits *= kept;
    this.spanMs *= kept;
  }

  /** Calls in a millisecond. The last call ends the time that the others are counted in. */
  callsPerMs(): number {
    return Math.max(0, this.calls - 1) / this.spanMs;
  }

  /** Tokens asked for in a millisecond. */
  hitsPerMs(): number {
    return this.calls === 0 ? 0 : (this.callsPerMs() * this.hits) / this.calls;
  }

  /** Tokens asked for in a millisecond, at once as many as of late where demand grows. */
  growingHitsPerMs(): number {
    return Math.max(this.hitsPerMs(), this.latestPerMs);
  }

  /** Whether calls follow each other closely enough for a lease not to go back between them. */
  isWorthLease(): boolean {
    return this.callsPerMs() * this.idleMs >= EXPECTED_CALLS;
  }
}

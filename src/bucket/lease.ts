/**
 * A holder's side of leases: what one sidecar holds and knows of one shared bucket. A state machine without clock or
 * timer; times are the holder's own monotonic milliseconds.
 *
 *     nothing held --enough demand: ask--> asked --granted--> held --low, or half of its life: ask--> held and asked
 *          ^                                 |                 | |                                       |
 *          +-----------none to be had--------+                 | +--idle: gives back--> nothing held     |
 *          +-----------------------its time is over------------+<------------granted more---------------+
 */
import type { BucketOutcome, BucketParams } from '../core/buckets';
import type { LeaseAsk, LeaseReply } from '../core/leases';
import { US_PER_S } from '../core/clock';
import { microTokens } from './fixed-point';
import { leaseAllowance } from './lease-ledger';

/** What governs all leases of a holder. */
export interface LeaseTerms {
  /** The share of a bucket's capacity that all leases on it may reach together, 0 to 1. */
  readonly epsilon: number;
  /** How long a lease lives unless it is renewed, ms. */
  readonly ttlMs: number;
  /** How long a lease may go unused before it is given back, ms. */
  readonly idleMs: number;
}

/** A bucket known to be empty is denied here for at most this long, since somebody may give tokens back; ms. */
export const MAX_DENIAL_MS = 100;

/** A lease is used for this part of its life only: clocks that count differently fast stay on the safe side. */
export const USABLE_PART = 0.99;
/** A rate is measured over at least this long, ms, or this many hits. */
const PERIOD_MS = 40;
const PERIOD_HITS = 8;
const SHORTEST_MS = 2;
/**
 * Of few hits little is known: a rate is taken for so many standard deviations of a Poisson count less than was seen, which
 * it exceeds three times of four. Two hits by chance would else bring a chunk that has to go back unused.
 */
const DOUBT_SD = 0.674;
const FIRST_CHUNK = 8;
/** A chunk for fewer calls than this costs more than it saves. */
const LEAST_CALLS = 2;
/** Not asked again for so long after nothing, or very little, was to be had; ms. */
const NOTHING_MS = 50;
const LITTLE_MS = 10;
/** Round trip to allow for until one was measured, ms. */
const FIRST_ROUND_TRIP_MS = 1;

/** One bucket's lease. */
export class Lease {
  /** Tokens that may be spent. */
  tokens = 0;
  /** Tokens set aside by requests that are not settled yet; still of the lease. */
  reserved = 0;
  /** Grows when all tokens are gone at once, so that what was set aside before is not put back. */
  epoch = 0;
  /** When it was last used or made, ms. */
  usedMs: number;
  /** Whether an ask is under way. */
  asking = false;
  /** Its place among the leases that hold something; -1 when it holds nothing. */
  place = -1;
  /** Tokens that ran out with their lease, until somebody counts them and sets this to 0. */
  lost = 0;

  private readonly allowance: number;
  private readonly capacity: number;
  private window = 0;
  private untilMs = -Infinity;
  private renewMs = Infinity;
  private windowEndMs = Infinity;
  private recorded = 0;
  private confirmed = 0;
  private askedMs = 0;
  private askedHeld = 0;
  private askedSeq = 0;
  private notBeforeMs = -Infinity;
  private lowWater = 0;

  private sharedRemaining = 0;
  private sharedResetUs = 0;
  private sharedMs = 0;

  private periodMs: number;
  private periodHits = 0;
  /** The most that one call asked for, of late. */
  private callHits = 1;
  private ratePerMs = 0;
  private roundTripMs = FIRST_ROUND_TRIP_MS;
  private chunkCap = FIRST_CHUNK;

  private denied: BucketOutcome | undefined;
  private deniedHits = Infinity;
  private deniedMs = 0;
  private deniedUntilMs = -Infinity;

  constructor(
    readonly key: string,
    readonly group: string,
    public params: BucketParams,
    private readonly terms: LeaseTerms,
    nowMs: number,
  ) {
    this.capacity = params.algorithm === 'token_bucket' ? params.capacity : params.limit;
    this.allowance = leaseAllowance(terms.epsilon, this.capacity);
    this.usedMs = nowMs;
    this.periodMs = nowMs;
  }

  /** Counts demand, whoever answers it. */
  arrived(hits: number, nowMs: number): void {
    if (hits === 0) return;
    this.periodHits += hits;
    if (hits > this.callHits) this.callHits = hits;
    this.usedMs = nowMs;
  }

  /** Spends `hits` (0 looks) if the lease lives and has them. @returns the outcome, or undefined. */
  take(hits: number, nowMs: number): BucketOutcome | undefined {
    if (hits > this.tokens || nowMs >= this.untilMs) return undefined;
    // Whether a look passes at a bucket with nothing left depends on what denials were charged, which is not known here.
    if (hits === 0 && this.tokens + this.sharedRemaining === 0) return undefined;
    this.tokens -= hits;
    return this.outcome(hits, nowMs);
  }

  /** Sets `hits` aside for a request that other buckets have a say in. */
  reserve(hits: number, nowMs: number): BucketOutcome | undefined {
    const outcome = this.take(hits, nowMs);
    if (outcome !== undefined) this.reserved += hits;
    return outcome;
  }

  /** Ends a reservation. @param epoch the lease's when it was made. @param spent false puts the tokens back. */
  settle(hits: number, epoch: number, spent: boolean): void {
    if (epoch !== this.epoch) return;
    this.reserved -= hits;
    if (!spent) this.tokens += hits;
  }

  /** What a call that took `hits` would look like without its take. */
  untaken(outcome: BucketOutcome, hits: number): BucketOutcome {
    return { ...outcome, usedAfter: outcome.usedBefore, remaining: outcome.remaining + hits };
  }

  /** The denial to give without asking, when the bucket is known not to have `hits`. */
  denial(hits: number, nowMs: number): BucketOutcome | undefined {
    const { denied } = this;
    if (denied === undefined || hits < this.deniedHits || nowMs >= this.deniedUntilMs) return undefined;
    const passedUs = (nowMs - this.deniedMs) * 1_000;
    return {
      ...denied,
      usedAfter: denied.usedBefore + hits,
      resetUs: Math.max(0, denied.resetUs - passedUs),
      retryAfterUs: hits > this.capacity ? Infinity : Math.max(0, denied.retryAfterUs - passedUs),
    };
  }

  /** Forgets that the bucket is empty: something was given back to it. */
  undeny(): void {
    this.denied = undefined;
  }

  /** Takes note of what is left in the shared bucket: nothing, where a denial was charged. */
  leaves(remaining: number): void {
    this.sharedRemaining = remaining;
  }

  /** Takes note of what the shared bucket answered to `hits`, asked at `sentMs`. */
  learn(outcome: BucketOutcome, hits: number, sentMs: number): void {
    this.sharedRemaining = outcome.allowed
      ? outcome.remaining
      : Math.max(0, Math.floor(this.capacity - outcome.usedBefore));
    this.sharedResetUs = outcome.resetUs;
    this.sharedMs = sentMs;
    if (outcome.allowed) {
      this.denied = undefined;
      return;
    }
    this.denied = outcome;
    this.deniedHits = hits;
    this.deniedMs = sentMs;
    this.deniedUntilMs = sentMs + Math.min(MAX_DENIAL_MS, outcome.retryAfterUs / 1_000);
  }

  /** Whether it is time to ask for more, or for a longer life. Cheap: it stands in the path of every decision. */
  isDue(nowMs: number): boolean {
    if (this.asking || this.allowance < 1) return false;
    return (this.tokens <= this.lowWater || nowMs >= this.renewMs) && nowMs >= this.notBeforeMs;
  }

  /** Whether asking now, on the occasion of another bucket's ask, saves an ask of its own soon. */
  isWorthAsking(nowMs: number): boolean {
    if (this.asking || nowMs < this.notBeforeMs) return false;
    return this.ratePerMs > 0 && this.tokens * 2 <= this.recorded;
  }

  /** The ask for what demand calls for; undefined when it is not worth one. */
  ask(holder: number, seq: number, nowMs: number): LeaseAsk | undefined {
    this.expire(nowMs);
    this.measure(nowMs);
    const target = this.target(nowMs);
    const held = this.tokens + this.reserved;
    const want = target < LEAST_CALLS * this.callHits ? 0 : Math.max(0, target - this.tokens);
    if (want === 0 && (held === 0 || nowMs < this.renewMs)) return undefined;
    if (want > 0) this.chunkCap *= 2;
    return this.sent(holder, seq, 0, want, nowMs);
  }

  /** The ask that gives all tokens back; undefined when there is nothing to give. They cannot be spent from now on. */
  giveBack(holder: number, seq: number, nowMs: number): LeaseAsk | undefined {
    this.expire(nowMs);
    const back = this.tokens;
    if (back === 0 || this.asking) return undefined;
    this.tokens = 0;
    this.denied = undefined;
    return this.sent(holder, seq, back, 0, nowMs);
  }

  /** The answer to the ask under way. */
  answered(reply: LeaseReply, nowMs: number): void {
    this.asking = false;
    if (!reply.settled) {
      this.failed(nowMs);
      return;
    }
    this.confirmed = this.askedSeq;
    this.roundTripMs += (nowMs - this.askedMs - this.roundTripMs) / 8;
    this.expire(nowMs);
    const sameWindow = reply.window === this.window;
    if (!sameWindow) {
      this.drop();
      this.window = reply.window;
    }
    const windowed = this.params.algorithm === 'fixed_window';
    const lifeMs = windowed ? Math.min(this.terms.ttlMs, reply.resetUs / 1_000) : this.terms.ttlMs;
    const untilMs = this.askedMs + lifeMs * USABLE_PART;
    this.windowEndMs = windowed ? this.askedMs + reply.resetUs / 1_000 : Infinity;
    this.sharedRemaining = reply.remaining;
    this.sharedResetUs = reply.resetUs;
    this.sharedMs = this.askedMs;
    if (nowMs >= untilMs) {
      this.lost += reply.granted;
      this.drop();
      this.notBeforeMs = nowMs + LITTLE_MS;
      return;
    }
    this.tokens += reply.granted;
    this.untilMs = untilMs;
    this.renewMs = this.askedMs + this.terms.ttlMs / 2;
    this.recorded = reply.granted + (sameWindow ? this.askedHeld : 0);
    const soon = Math.ceil(this.ratePerMs * (2 * this.roundTripMs + 1));
    this.lowWater = Math.min(soon, Math.floor(this.tokens / 2));
    this.notBeforeMs = nowMs + this.pauseMs();
  }

  /** The ask under way came to nothing, or nobody knows to what. What was held before may be spent on. */
  failed(nowMs: number): void {
    this.asking = false;
    this.recorded = Math.min(this.recorded, this.tokens + this.reserved);
    this.notBeforeMs = nowMs + NOTHING_MS;
  }

  /** Lets a lease end whose time is over. */
  expire(nowMs: number): void {
    if (nowMs >= this.untilMs) this.drop();
  }

  /** Tokens of the lease at `nowMs`, set aside or not; none once its time is over. */
  heldAt(nowMs: number): number {
    return nowMs >= this.untilMs ? 0 : this.tokens + this.reserved;
  }

  /** Whether it holds tokens that nobody asked for in a while. */
  isIdle(nowMs: number, idleMs: number): boolean {
    return this.tokens > 0 && nowMs - this.usedMs >= idleMs;
  }

  /** How long to leave the source alone after an answer. */
  private pauseMs(): number {
    if (this.tokens < this.callHits) return NOTHING_MS;
    return this.tokens < LEAST_CALLS * this.callHits ? LITTLE_MS : 0;
  }

  private drop(): void {
    this.lost += this.tokens;
    this.tokens = 0;
    this.reserved = 0;
    this.recorded = 0;
    this.lowWater = 0;
    this.untilMs = -Infinity;
    this.renewMs = Infinity;
    this.epoch += 1;
  }

  private sent(holder: number, seq: number, back: number, want: number, nowMs: number): LeaseAsk {
    const { key, group, params, window, confirmed } = this;
    const { epsilon, ttlMs } = this.terms;
    // A record that may run out on the way says nothing when it is not there.
    const recorded = this.untilMs - nowMs > ttlMs / 2 ? this.recorded : 0;
    this.asking = true;
    this.askedMs = nowMs;
    const held = this.tokens + this.reserved;
    this.askedHeld = held;
    this.askedSeq = seq;
    const keepUs = Math.ceil(ttlMs * 1_000);
    return {
      key,
      group,
      params,
      holder,
      seq,
      window,
      held,
      back,
      confirmed,
      recorded,
      want,
      keepUs,
      epsilon,
    };
  }

  /** Brings the measured demand up to date, once enough of it was seen. */
  private measure(nowMs: number): void {
    const passedMs = nowMs - this.periodMs;
    if (passedMs < PERIOD_MS && this.periodHits < PERIOD_HITS) return;
    const sure = Math.max(0, this.periodHits - DOUBT_SD * Math.sqrt(this.periodHits));
    const rate = sure / Math.max(passedMs, SHORTEST_MS);
    const stale = this.ratePerMs === 0 || passedMs > this.terms.idleMs;
    this.ratePerMs = stale ? rate : (this.ratePerMs + rate) / 2;
    if (passedMs > this.terms.idleMs) {
      this.chunkCap = FIRST_CHUNK;
      this.callHits = 1;
    }
    this.periodMs = nowMs;
    this.periodHits = 0;
  }

  /** Tokens to hold: what demand spends in the idle time, and no more than its window will see. */
  private target(nowMs: number): number {
    const aheadMs = Math.min(this.terms.idleMs, this.terms.ttlMs / 4);
    const horizonMs = this.windowEndMs > nowMs ? Math.min(aheadMs, this.windowEndMs - nowMs) : aheadMs;
    const cap = Math.max(this.chunkCap, LEAST_CALLS * this.callHits);
    return Math.min(Math.ceil(this.ratePerMs * horizonMs), cap, this.allowance);
  }

  /** By how much earlier the shared bucket is full again than it says, since it counts what is held here as spent; us. */
  private unspentUs(): number {
    const { algorithm, rateUtPerS } = this.params;
    if (algorithm === 'fixed_window' || rateUtPerS === 0) return 0;
    return Math.floor((microTokens(this.tokens) * US_PER_S) / rateUtPerS);
  }

  private outcome(hits: number, nowMs: number): BucketOutcome {
    const remaining = this.sharedRemaining + this.tokens;
    const usedAfter = Math.max(hits, this.capacity - remaining);
    return {
      allowed: true,
      usedBefore: usedAfter - hits,
      usedAfter,
      remaining,
      resetUs: Math.max(0, this.sharedResetUs - this.unspentUs() - (nowMs - this.sharedMs) * 1_000),
      retryAfterUs: 0,
    };
  }
}

/**
 * A holder's side of leases: what one sidecar holds and knows of one shared bucket. A state machine without clock or
 * timer; times are the holder's own monotonic milliseconds.
 *
 *     nothing held --enough demand: ask--> asked --granted--> held --low, or near its end: ask--> held and asked
 *          ^                                 |                 | |                                     |
 *          +-----------none to be had--------+                 | +--idle: gives back--> nothing held   |
 *          +-----------------------its time is over------------+<------------granted more--------------+
 */
import type { BucketOutcome, BucketParams, CallNote } from '../core/buckets';
import type { LeaseAsk, LeaseReply } from '../core/leases';
import { US_PER_S } from '../core/clock';
import { microTokens } from './fixed-point';
import { LeaseDemand } from './lease-demand';
import { gatheringMs, LeaseDenial } from './lease-denial';
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

/** A lease is used for this part of its life only: clocks that count differently fast stay on the safe side. */
export const USABLE_PART = 0.99;
/** A chunk for fewer calls than this costs more than it saves. */
const LEAST_CALLS = 2;
/** Not asked again for so long after nothing, or very little, was to be had; ms. */
const NOTHING_MS = 50;
const LITTLE_MS = 10;
/** Round trip to allow for until one was measured, ms. */
const FIRST_ROUND_TRIP_MS = 1;
const NEVER = -1;

/** One bucket's lease. */
export class Lease implements CallNote {
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
  /** Leases of one number share a command when they ask together; set before the first ask. */
  command: number | undefined;
  /** Its place among the leases that hold something; -1 when it holds nothing. */
  place = -1;
  /** Whether its holder keeps it no more. */
  ended = false;
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
  /** Of what the ask under way may bring, what nobody waits for yet. */
  private coming = 0;
  private notBeforeMs = -Infinity;
  /** More is asked for when no more than this is left; below 0 only when a call finds too little. */
  private lowWater = NEVER;

  private sharedRemaining = 0;
  private sharedResetUs = 0;
  private sharedMs = 0;

  private readonly demand: LeaseDemand;
  private roundTripMs = FIRST_ROUND_TRIP_MS;

  private denied: LeaseDenial | undefined;

  constructor(
    readonly key: string,
    readonly group: string,
    public params: BucketParams,
    private readonly terms: LeaseTerms,
    nowMs: number,
    readonly owner: object,
  ) {
    this.capacity = params.algorithm === 'token_bucket' ? params.capacity : params.limit;
    this.allowance = leaseAllowance(terms.epsilon, this.capacity);
    this.usedMs = nowMs;
    this.demand = new LeaseDemand(terms.idleMs, nowMs);
  }

  /** Counts demand, whoever answers it. */
  arrived(hits: number, nowMs: number): void {
    if (hits === 0) return;
    this.demand.arrived(hits);
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

  /** Whether the ask under way may bring `hits` for one more call that waits for its answer; counts it as waiting. */
  awaits(hits: number): boolean {
    if (!this.asking || hits > this.coming) return false;
    this.coming -= hits;
    return true;
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
    return this.denied?.at(nowMs, hits, this.capacity);
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
    const denied = new LeaseDenial(outcome, hits, sentMs, gatheringMs(this.params, this.demand));
    this.denied = denied;
    if (denied.gatherMs > 0) this.notBeforeMs = Math.min(this.notBeforeMs, denied.untilMs);
  }

  /** Whether it is time to ask for more, or for a longer life. Cheap: it stands in the path of every decision. */
  isDue(nowMs: number): boolean {
    if (this.tokens > this.lowWater && nowMs < this.renewMs) return false;
    return this.mayAsk(nowMs);
  }

  /** Whether something may be asked for now, as a call does that finds too little here. */
  mayAsk(nowMs: number): boolean {
    return !this.asking && this.allowance >= 1 && nowMs >= this.notBeforeMs;
  }

  /** Whether asking now, on the occasion of another bucket's ask, saves an ask of its own soon. */
  isWorthAsking(nowMs: number): boolean {
    return this.tokens * 2 <= this.recorded && this.mayAsk(nowMs);
  }

  /** Whether nothing is held or known here, nor enough asked for that it were worth it. */
  isCold(nowMs: number): boolean {
    if (nowMs < this.untilMs || this.denied !== undefined) return false;
    this.demand.measure(nowMs);
    return !this.demand.isWorthLease();
  }

  /** The ask for what demand calls for; undefined when it is not worth one. */
  ask(holder: number, seq: number, nowMs: number): LeaseAsk | undefined {
    this.expire(nowMs);
    this.demand.measure(nowMs);
    const target = this.target(nowMs);
    const want = Math.max(0, target - this.tokens);
    if (want > 0) return this.sent(holder, seq, 0, want, nowMs);
    // What is held suffices: until its life has to be longer, nothing need be asked.
    this.lowWater = NEVER;
    const renews = target > 0 && nowMs >= this.renewMs;
    return renews ? this.sent(holder, seq, 0, 0, nowMs) : undefined;
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
    this.renewMs = this.askedMs + Math.max(this.terms.ttlMs / 2, this.usableMs());
    this.recorded = reply.granted + (sameWindow ? this.askedHeld : 0);
    // A call that finds nothing takes the ask along, which is as good where less than one other comes in a round trip.
    const soon = this.demand.hitsPerMs() * this.roundTripMs;
    this.lowWater = soon < 1 ? NEVER : Math.min(Math.ceil(2 * soon), Math.floor(this.tokens / 2));
    this.notBeforeMs = nowMs + this.pauseMs(nowMs);
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

  /** Whether it holds tokens that run out soon, since no call came to renew it. */
  isEnding(nowMs: number): boolean {
    return this.tokens > 0 && nowMs >= this.renewMs && !this.asking;
  }

  /** How long to leave the source alone after an answer. */
  private pauseMs(nowMs: number): number {
    const { denied, tokens } = this;
    const { callHits } = this.demand;
    if (denied !== undefined && denied.gatherMs > 0 && nowMs < denied.untilMs) return denied.untilMs - nowMs;
    if (tokens < callHits) return NOTHING_MS;
    return tokens < LEAST_CALLS * callHits ? LITTLE_MS : 0;
  }

  private drop(): void {
    this.lost += this.tokens;
    this.tokens = 0;
    this.reserved = 0;
    this.recorded = 0;
    this.lowWater = NEVER;
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
    this.coming = want;
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

  /** How long a lease is used before it is renewed or goes back, with time for a round trip and for who looks after it; ms. */
  private usableMs(): number {
    const { ttlMs, idleMs } = this.terms;
    return ttlMs * USABLE_PART - idleMs / 2 - 2 * this.roundTripMs;
  }

  /** Tokens to hold: what demand spends in the life of a lease, and no more than its window will see; 0 when that is too little. */
  private target(nowMs: number): number {
    const { demand } = this;
    if (!demand.isWorthLease()) return 0;
    const lifeMs = Math.max(this.terms.idleMs / 2, this.usableMs());
    const horizonMs = this.windowEndMs > nowMs ? Math.min(lifeMs, this.windowEndMs - nowMs) : lifeMs;
    const tokens = Math.min(Math.ceil(demand.growingHitsPerMs() * horizonMs), this.allowance);
    return tokens < LEAST_CALLS * demand.callHits ? 0 : tokens;
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

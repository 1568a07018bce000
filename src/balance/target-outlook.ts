/** What is known of one target, and what it can take. */
import type { TargetHealth, TargetSeen, TrafficPolicy } from '../core/traffic';
import { type BucketLevel, lastingRate, readBucket } from './capacity/bucket-outlook';
import { type HealthVerdict, judgeHealth, medianLatencyMs, tellsHealth } from './capacity/health-factor';
import { SteadyHealth } from './capacity/steady-health';
import { forecastOf, rateOf } from './demand/group-demand';

/** One target of a group, tick by tick. Rates a second; NaN what is not known. */
export class TargetOutlook {
  readonly id: string;
  readonly bucket: BucketLevel = { known: false, tokens: 0, capacity: 0, refillPerS: 0 };
  readonly steady = new SteadyHealth();
  /** Whether it was seen within the life of what is seen, and whether anything was told of it. */
  fresh = false;
  known = false;
  demandPerS = NaN;
  forecastPerS = NaN;
  health: TargetHealth | undefined;
  healthAhead: TargetHealth | undefined;
  /** By its bucket, and by bucket and health; Infinity where nothing bounds it. */
  bucketPerS = Infinity;
  effectivePerS = Infinity;

  constructor(id: string) {
    this.id = id;
  }

  /** Takes what was seen of it; undefined for nothing. */
  read(seen: TargetSeen | undefined, nowMs: number, lifeMs: number): void {
    const ageMs = nowMs - (seen?.seenAtMs ?? NaN);
    this.fresh = Math.abs(ageMs) <= lifeMs;
    const told = this.fresh ? seen : undefined;
    readBucket(told, this.bucket);
    this.demandPerS = rateOf(told?.demandPerS);
    this.forecastPerS = forecastOf(nowMs, told?.forecast);
    this.health = told?.health;
    this.healthAhead = told?.healthAhead;
    this.known = this.bucket.known || !Number.isNaN(this.demandPerS) || tellsHealth(this.health);
  }

  /**
   * Works out what it can take.
   * @param ownPerS what the configuration gives it: an ill target takes a part of that, not of what its bucket would let
   *   through, and one that was not seen takes that and no more. @param counts whether there is demand to run the bucket dry.
   */
  weigh(aheadS: number, headroom: number, ownPerS: number, counts: boolean): void {
    const { factor } = this.steady.held;
    const lasting = this.bucket.known ? headroom * lastingRate(this.bucket, aheadS) : Infinity;
    this.bucketPerS = Number.isFinite(lasting) ? lasting : Infinity;
    const bound = counts ? this.bucketPerS : Infinity;
    if (factor < 1) this.effectivePerS = factor * Math.min(bound, ownPerS);
    else this.effectivePerS = this.fresh ? bound : ownPerS;
  }
}

/** Judges the health of a group's targets, each beside the others. */
export class GroupHealth {
  readonly #verdict: HealthVerdict = { factor: 1, cause: 'none', figure: NaN, ahead: false };
  readonly #latency: Float64Array;

  constructor(targets: number) {
    this.#latency = new Float64Array(targets);
  }

  judge(targets: readonly TargetOutlook[], policy: TrafficPolicy['health'], passedMs: number): void {
    const now = this.#medianMs(targets, false);
    const soon = this.#medianMs(targets, true);
    const verdict = this.#verdict;
    for (const target of targets) {
      verdict.factor = 1;
      verdict.cause = 'none';
      verdict.figure = NaN;
      verdict.ahead = false;
      judgeHealth(target.health, now, policy, false, verdict);
      judgeHealth(target.healthAhead, soon, policy, true, verdict);
      target.steady.look(verdict, passedMs);
    }
  }

  #medianMs(targets: readonly TargetOutlook[], ahead: boolean): number {
    let count = 0;
    for (const target of targets) {
      const latencyMs = (ahead ? (target.healthAhead ?? target.health) : target.health)?.latencyP99Ms ?? NaN;
      if (!(latencyMs >= 0 && latencyMs < Infinity)) continue;
      this.#latency[count] = latencyMs;
      count += 1;
    }
    return medianLatencyMs(this.#latency.subarray(0, count));
  }
}

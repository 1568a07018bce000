/**
 * Keys that are heavy for long get counts of their own, in bounds: a sketch of sampled arrivals says which keys are heavy; one
 * that is surely above the thresholds is promoted and from then on counted exactly, so that its counts are as good as a
 * rule's; one whose exact counts stay under half of the thresholds is demoted after a while. Where there is no room, a
 * newcomer takes the place of one half as heavy.
 *
 * Weights are arrivals, halved at each review, so that they tell of the last few reviews: at a steady rate a weight just
 * before its halving is twice what came since the review before.
 */
import { DemandCounts } from '../limiter/demand';
import { HeavyKeys } from '../limiter/heavy-keys';

/** Bounds and thresholds. */
export interface HeavyClassOptions {
  /** Promoted keys of one parent at most. */
  readonly perParent: number;
  /** Promoted keys at most. */
  readonly total: number;
  readonly minRatePerS: number;
  /** The least part of its parent's arrivals, 0 to 1. */
  readonly minShare: number;
  /** How long a key stays promoted while it is cold, ms. */
  readonly keepMs: number;
}

/** A key with counts of its own. */
export interface HeavyClass {
  readonly key: string;
  readonly parent: string;
  readonly counts: DemandCounts;
  /** Its arrivals, halved at each review. */
  weight: number;
  coldMs: number;
}

/** What a review changed. */
export interface Review {
  readonly promoted: readonly HeavyClass[];
  readonly demoted: readonly HeavyClass[];
}

/** More counters than keys: the sketch's error is the total over the counters. */
const COUNTERS_PER_KEY = 4;
/** Longer keys stay in their rule: they would have to be kept, stored and shown. */
const MAX_KEY_LENGTH = 256;
/** Newcomers that take another's place in one review: each costs a look at all classes, on the thread that decides. */
const MAX_DISPLACED = 200;
/** How surely a sampled weight is above a threshold: standard deviations. */
const SURENESS = 2;

/** See the file's head. */
export class HeavyClasses {
  private readonly classes = new Map<string, HeavyClass>();
  private readonly perParent = new Map<string, number>();
  private readonly sketch: HeavyKeys;
  /** The lightest of each parent and of all; undefined when it has to be looked for anew. */
  private lightest: { readonly byParent: Map<string, HeavyClass>; all: HeavyClass | undefined } | undefined;

  constructor(private readonly options: HeavyClassOptions) {
    this.sketch = new HeavyKeys(Math.max(1, options.total * COUNTERS_PER_KEY));
  }

  get(key: string): HeavyClass | undefined {
    return this.classes.get(key);
  }

  values(): Iterable<HeavyClass> {
    return this.classes.values();
  }

  /** An arrival of a key was sampled; it stands for `weight` arrivals. */
  sampled(key: string, parent: string, weight: number): void {
    if (key.length <= MAX_KEY_LENGTH && !this.classes.has(key)) this.sketch.add(key, parent, weight);
  }

  /**
   * Looks who is heavy and who no longer is.
   * @param weightOf a parent's arrivals, halved at each review like the keys'; undefined when it is gone.
   * @param interval arrivals that a sample stands for, at most, lately.
   */
  review(weightOf: (parent: string) => number | undefined, interval: number, elapsedMs: number): Review {
    const demoted: HeavyClass[] = [];
    const perS = (weight: number): number => weight / 2 / (elapsedMs / 1_000);
    for (const one of this.classes.values()) {
      const parent = weightOf(one.parent);
      const { minRatePerS, minShare, keepMs } = this.options;
      const cold =
        perS(one.weight) < minRatePerS / 2 || one.weight < ((parent ?? 0) * minShare) / 2 || one.weight < 1;
      one.coldMs = cold ? one.coldMs + elapsedMs : 0;
      if (parent === undefined || one.coldMs >= keepMs) demoted.push(this.demote(one));
    }
    const promoted: HeavyClass[] = [];
    let displaced = 0;
    this.lightest = undefined;
    // A sketch of what is promoted knows nothing new; the rest is looked at heaviest first.
    for (const { key, rule, count, error } of this.sketch.top(this.options.total)) {
      const parent = weightOf(rule);
      if (parent === undefined || this.classes.has(key)) continue;
      const sure = count - error - SURENESS * Math.sqrt(interval * count);
      const { minRatePerS, minShare } = this.options;
      if (sure < 0 || perS(sure) < minRatePerS || sure < parent * minShare) continue;
      const rival = this.rivalOf(rule);
      if (rival !== undefined) {
        if (rival.weight > sure / 2 || displaced >= MAX_DISPLACED) continue;
        displaced += 1;
        demoted.push(this.demote(rival));
      }
      promoted.push(this.promote(key, rule, sure));
    }
    this.sketch.halve();
    for (const one of this.classes.values()) one.weight /= 2;
    return { promoted: promoted.filter((one) => this.classes.get(one.key) === one), demoted };
  }

  private promote(key: string, parent: string, weight: number): HeavyClass {
    const added: HeavyClass = { key, parent, counts: new DemandCounts(), weight, coldMs: 0 };
    this.classes.set(key, added);
    this.perParent.set(parent, (this.perParent.get(parent) ?? 0) + 1);
    this.weigh(added);
    return added;
  }

  private demote(one: HeavyClass): HeavyClass {
    this.classes.delete(one.key);
    this.lightest = undefined;
    const left = (this.perParent.get(one.parent) ?? 1) - 1;
    if (left > 0) this.perParent.set(one.parent, left);
    else this.perParent.delete(one.parent);
    return one;
  }

  /** Who would have to go for a key of this parent; undefined where there is room. */
  private rivalOf(parent: string): HeavyClass | undefined {
    const { perParent, total } = this.options;
    const full = this.classes.size >= total;
    const parentFull = (this.perParent.get(parent) ?? 0) >= perParent;
    if (!full && !parentFull) return undefined;
    if (this.lightest === undefined) {
      this.lightest = { byParent: new Map(), all: undefined };
      for (const one of this.classes.values()) this.weigh(one);
    }
    return parentFull ? this.lightest.byParent.get(parent) : this.lightest.all;
  }

  /** Takes a class into account for the lightest. */
  private weigh(one: HeavyClass): void {
    const { lightest } = this;
    if (lightest === undefined) return;
    const { all, byParent } = lightest;
    const sibling = byParent.get(one.parent);
    if (sibling === undefined || one.weight < sibling.weight) byParent.set(one.parent, one);
    if (all === undefined || one.weight < all.weight) lightest.all = one;
  }
}

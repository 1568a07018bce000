/** What a pool's leader published last, as one process holds it: by bucket, fading once its time is over. */
import { MAX_UINT32 } from '../core/rls';
import type { PoolTable, TunedBucket } from '../core/control';
import { isSensible } from './tuned-size';

/** What became of tables and their entries. */
export interface TuningCounts {
  /** Tables taken; tables ignored: older than what was known, or senseless. */
  applied: number;
  ignored: number;
  /** Entries passed over: figures that no bucket can have, buckets named twice, more than a table may hold. */
  skipped: number;
}

/** Buckets of a table at most. */
const MAX_BUCKETS = 20_000;
/** Nothing that was published holds, or fades, longer; ms. */
const MAX_LIFE_MS = 3_600_000;

/** See the file's head. */
export class PoolSizes {
  /** Counts up whenever a size may have become another: who holds sizes compares it. */
  sequence = 0;
  /** Of the newest table; -1 before the first. */
  version = -1;
  /** How much of what was published is in force: 1 all, 0 nothing. */
  held = 0;
  private epoch = -1;
  private published = -1;
  private buckets: ReadonlyMap<string, TunedBucket> = new Map();
  private takenAtMs = 0;
  private lifeMs = 0;
  private decayMs = 0;

  constructor(private readonly counts: TuningCounts) {}

  /** What was published of a bucket, by its key. */
  get(bucketKey: string): TunedBucket | undefined {
    return this.held === 0 ? undefined : this.buckets.get(bucketKey);
  }

  /** @param nowMs monotonic. @returns whether the table was taken. */
  apply(table: PoolTable, nowMs: number): boolean {
    const { epoch, sequence, version, lifeMs, decayMs } = table;
    if (!isCount(epoch) || !isCount(sequence) || !isCount(version) || !isSpan(lifeMs) || !isSpan(decayMs))
      return false;
    const newer = epoch > this.epoch || (epoch === this.epoch && sequence > this.published);
    if (!newer || version <= this.version) return false;
    this.buckets = table.mode === 'active' ? this.index(table.buckets) : new Map();
    this.epoch = epoch;
    this.published = sequence;
    this.version = version;
    this.lifeMs = Math.min(MAX_LIFE_MS, lifeMs);
    this.decayMs = Math.min(MAX_LIFE_MS, decayMs);
    this.takenAtMs = nowMs;
    this.held = 1;
    this.sequence += 1;
    return true;
  }

  /** Lets what has run out fade. @param nowMs monotonic. */
  fade(nowMs: number): void {
    if (this.held === 0) return;
    const overMs = nowMs - this.takenAtMs - this.lifeMs;
    if (overMs <= 0) return;
    const held = overMs >= this.decayMs ? 0 : 1 - overMs / this.decayMs;
    if (held >= this.held) return;
    this.held = held;
    this.sequence += 1;
  }

  /** Nothing is in force any more; what is known of versions stays, so that buckets take the configured sizes. */
  drop(): void {
    this.held = 0;
    this.buckets = new Map();
    this.sequence += 1;
  }

  private index(list: readonly TunedBucket[]): ReadonlyMap<string, TunedBucket> {
    const buckets = new Map<string, TunedBucket>();
    for (const bucket of list) {
      const { bucketKey, ratePerS, capacity } = bucket;
      const fits = buckets.size < MAX_BUCKETS && !buckets.has(bucketKey);
      if (fits && isSensible(ratePerS, capacity)) buckets.set(bucketKey, bucket);
      else this.counts.skipped += 1;
    }
    return buckets;
  }
}

/** Whether a lender's reserve can be meant. */
export function isReserve(keep: number): boolean {
  return Number.isFinite(keep) && keep >= 0 && keep <= MAX_UINT32;
}

function isCount(figure: number): boolean {
  return Number.isSafeInteger(figure) && figure >= 0;
}

function isSpan(ms: number): boolean {
  return Number.isFinite(ms) && ms >= 0;
}

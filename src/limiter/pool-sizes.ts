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
  /** Of the newest table, in its order; `places` says where in it a key is. */
  private rows: readonly TunedBucket[] = [];
  private places: ReadonlyMap<string, number> = new Map();
  private takenAtMs = 0;
  private lifeMs = 0;
  private decayMs = 0;

  constructor(private readonly counts: TuningCounts) {}

  /** What was published of a bucket, by its key. */
  get(bucketKey: string): TunedBucket | undefined {
    const place = this.held === 0 ? undefined : this.places.get(bucketKey);
    return place === undefined ? undefined : this.rows[place];
  }

  /** The keys of what was published: another object where they are others. */
  get keys(): { keys(): Iterable<string> } {
    return this.places;
  }

  /** @param nowMs monotonic. @returns whether the table was taken. */
  apply(table: PoolTable, nowMs: number): boolean {
    const { epoch, sequence, version, lifeMs, decayMs } = table;
    if (!isCount(epoch) || !isCount(sequence) || !isCount(version) || !isSpan(lifeMs) || !isSpan(decayMs))
      return false;
    const newer = epoch > this.epoch || (epoch === this.epoch && sequence > this.published);
    if (!newer || version <= this.version) return false;
    this.take(table.mode === 'active' ? table.buckets : []);
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
    this.take([]);
    this.sequence += 1;
  }

  /** Mostly figures are others and keys are not: then nothing is built anew. */
  private take(list: readonly TunedBucket[]): void {
    const { rows } = this;
    const sameKeys =
      list.length === rows.length &&
      list.every((bucket, at) => isSameBucket(bucket, rows[at]) && isSized(bucket));
    if (sameKeys) this.rows = list;
    else this.index(list);
  }

  private index(list: readonly TunedBucket[]): void {
    const rows: TunedBucket[] = [];
    const places = new Map<string, number>();
    for (const bucket of list) {
      if (rows.length < MAX_BUCKETS && !places.has(bucket.bucketKey) && isSized(bucket)) {
        places.set(bucket.bucketKey, rows.length);
        rows.push(bucket);
      } else this.counts.skipped += 1;
    }
    this.rows = rows;
    this.places = places;
  }
}

function isSameBucket(bucket: TunedBucket, row: TunedBucket | undefined): boolean {
  return bucket.bucketKey === row?.bucketKey && bucket.ruleId === row.ruleId;
}

function isSized({ ratePerS, capacity }: TunedBucket): boolean {
  return isSensible(ratePerS, capacity);
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

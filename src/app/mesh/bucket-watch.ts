/** The buckets of traffic's targets as they are: tokens, refill, demand and what is foreseen of it. */
import type { BucketParams } from '../../core/buckets';
import type { PoolTable } from '../../core/control';
import { TidegateError } from '../../core/errors';
import type { Prediction } from '../../core/forecasts';
import type { ObservationBatch } from '../../core/observation';
import type { BucketLevel, BucketOperator } from '../../core/pool-link';
import { tunedSize } from '../../limiter/tuned-size';
import { DemandTap } from '../control/demand-tap';
import { MemberForecasts } from '../control/member-forecasts';
import type { TargetBucket } from './target-buckets';
import type { SeenBucket } from './traffic-groups';

/** What it stands on. */
export interface BucketWatchParts {
  readonly operator: BucketOperator;
  readonly predict: (classId: string) => Prediction | undefined;
  readonly nowMs: () => number;
  readonly monotonicMs: () => number;
}

interface Published {
  readonly ratePerS: number;
  readonly capacity: number;
  readonly version: number;
  /** All of it holds until then, and fades for as long again as `decayMs`. */
  readonly untilMs: number;
  readonly decayMs: number;
}

interface Looked {
  readonly level: BucketLevel;
  readonly atMs: number;
}

const US_OF_A_TOKEN = 1_000_000;

/** See the file's head. */
export class BucketWatch {
  private buckets = new Map<string, TargetBucket>();
  private readonly published = new Map<string, Published>();
  private readonly looked = new Map<string, Looked>();
  private readonly tap = new DemandTap();
  private readonly forecasts: MemberForecasts;

  constructor(private readonly parts: BucketWatchParts) {
    this.forecasts = new MemberForecasts(parts.predict);
  }

  /** Other limits are in use. */
  use(buckets: readonly TargetBucket[]): void {
    this.buckets = new Map(buckets.map((bucket) => [bucket.id, bucket]));
    for (const id of this.looked.keys()) if (!this.buckets.has(id)) this.looked.delete(id);
    for (const key of this.published.keys())
      if (!buckets.some(({ bucket }) => bucket.key === key)) this.published.delete(key);
  }

  /** Takes what a process saw in a step. */
  note(batch: ObservationBatch): void {
    this.tap.note(batch, (id) => this.buckets.has(id), this.parts.monotonicMs());
  }

  /** A pool has published sizes. */
  table({ buckets, version, madeAtMs, lifeMs, decayMs }: PoolTable): void {
    const keys = new Set([...this.buckets.values()].map(({ bucket }) => bucket.key));
    for (const { bucketKey, ratePerS, capacity } of buckets) {
      if (!keys.has(bucketKey)) continue;
      this.published.set(bucketKey, { ratePerS, capacity, version, untilMs: madeAtMs + lifeMs, decayMs });
    }
  }

  /** A turn begins: who was not heard for long is forgotten. */
  begin(): void {
    this.forecasts.begin();
    this.tap.forgetSilent(this.parts.monotonicMs());
  }

  /** Looks at all buckets. What cannot be looked at keeps what was seen last, with its time. */
  async look(): Promise<void> {
    const all = [...this.buckets.values()];
    if (all.length === 0) return;
    const refs = all.map((one) => ({ ...one.bucket, params: this.paramsOf(one) }));
    const levels = await this.parts.operator.levels(refs);
    const atMs = this.parts.nowMs();
    all.forEach(({ id }, at) => {
      const level = levels[at];
      if (level !== undefined && !(level instanceof TidegateError)) this.looked.set(id, { level, atMs });
    });
  }

  /** Whether the limits in use have a bucket. */
  has(id: string): boolean {
    return this.buckets.has(id);
  }

  /** What is known of a bucket; undefined where the limits have none of that name. */
  of(id: string): SeenBucket | undefined {
    const bucket = this.buckets.get(id);
    if (bucket === undefined) return undefined;
    const looked = this.looked.get(id);
    const { algorithm, limit, windowUs, rateUtPerS } = this.paramsOf(bucket);
    return {
      level: looked?.level,
      refillPerS:
        algorithm === 'token_bucket' ? rateUtPerS / US_OF_A_TOKEN : (limit * US_OF_A_TOKEN) / windowUs,
      seenAtMs: looked?.atMs ?? -Infinity,
      rates: this.tap.ratesOf(id),
      forecast: this.forecasts.of(id, this.parts.nowMs()),
    };
  }

  /** With what a pool has published, as the data path asks with. */
  private paramsOf({ bucket, bounds, currentLimit }: TargetBucket): BucketParams {
    const published = this.published.get(bucket.key);
    if (published === undefined || bounds === undefined) return bucket.params;
    const overMs = this.parts.nowMs() - published.untilMs;
    if (overMs >= published.decayMs) return bucket.params;
    const held = overMs <= 0 ? 1 : 1 - overMs / published.decayMs;
    return tunedSize({ params: bucket.params, currentLimit }, published, bounds, held, published.version)
      .params;
  }
}

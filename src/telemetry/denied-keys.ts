/** The keys that are denied most, lately: a sketch of heavy keys whose weights halve as time passes. */
import type { Clock } from '../core/clock';
import { HeavyKeys, type HeavyKey } from '../limiter/heavy-keys';
import { boundedMetricKey } from './metric-key';

/** Looking at the clock on each denial would cost more than the sketch. */
const ADDITIONS_BETWEEN_CLOCK_READS = 256;
/** More counters than keys shown: the error bound is the total over the counters. */
const COUNTERS_PER_KEY_SHOWN = 4;

/** How the sketch is sized. */
export interface DeniedKeysOptions {
  /** Keys shown. */
  readonly topKeys: number;
  /** Longer keys are cut to this many characters; 1 at least. */
  readonly maxKeyLength: number;
  /** How long until a denial counts half, ms. */
  readonly halfLifeMs: number;
}

/** Denied hits of a key, to be added elsewhere. */
export type DeniedShare = readonly [rule: string, key: string, hits: number];

/** The bounded record of denied keys. */
export class DeniedKeys {
  private sketch: HeavyKeys;
  private additions = 0;
  private halvedAtMs: number;

  constructor(
    private readonly options: DeniedKeysOptions,
    private readonly clock: Pick<Clock, 'monotonicMs'>,
  ) {
    this.sketch = new HeavyKeys(Math.max(1, options.topKeys) * COUNTERS_PER_KEY_SHOWN);
    this.halvedAtMs = clock.monotonicMs();
  }

  /** Counts denied hits of a bucket's key. */
  add(rule: string, key: string, hits: number): void {
    this.additions += 1;
    if (this.additions % ADDITIONS_BETWEEN_CLOCK_READS === 0) this.age();
    this.sketch.add(this.bound(key), boundedMetricKey(rule), hits);
  }

  /** The keys denied most, heaviest first; at most as many as are to be shown, each (rule, key) once. */
  top(): HeavyKey[] {
    this.age();
    return this.sketch.top(this.options.topKeys);
  }

  /** Takes out all that is known: rule, key and denied hits. */
  take(): readonly DeniedShare[] {
    const taken = this.sketch
      .top(Math.max(1, this.options.topKeys) * COUNTERS_PER_KEY_SHOWN)
      .map(({ rule, key, count, error }): DeniedShare => [rule, key, count - error]);
    this.sketch = new HeavyKeys(Math.max(1, this.options.topKeys) * COUNTERS_PER_KEY_SHOWN);
    return taken;
  }

  private age(): void {
    const now = this.clock.monotonicMs();
    while (now - this.halvedAtMs >= this.options.halfLifeMs) {
      this.sketch.halve();
      this.halvedAtMs += this.options.halfLifeMs;
      if (this.sketch.total < 1) this.halvedAtMs = now;
    }
  }

  /** A copy, not a slice: a slice would keep the whole long string alive. */
  private bound(key: string): string {
    const { maxKeyLength } = this.options;
    return key.length <= maxKeyLength
      ? key
      : Buffer.from(key.slice(0, maxKeyLength), 'utf8').toString('utf8');
  }
}

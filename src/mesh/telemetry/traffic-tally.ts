/** What is counted of requests: of a series, or of several together. */
import type { TrafficFigures } from '../../core/traffic-telemetry';
import { BUCKETS, NO_BUCKET, percentileMs } from './latency-buckets';
import { FLAG_NAMES, Outcome } from './response-flags';

/** See the file's head. */
export class TrafficTally {
  requests = 0;
  #limited = 0;
  #errors = 0;
  readonly #latencies = new Uint32Array(BUCKETS);
  /** Made with the first flag: most requests have none. */
  #flags: Uint32Array | undefined;

  /** Counts a request, or takes it back. @param sign 1 or -1. */
  count(sign: number, outcome: number, bucket: number, flags: number): void {
    this.requests += sign;
    if (outcome === Outcome.LIMITED) this.#limited += sign;
    else {
      if (outcome === Outcome.ERROR) this.#errors += sign;
      if (bucket !== NO_BUCKET) this.#latencies[bucket]! += sign;
    }
    if (flags !== 0) this.#countFlags(sign, flags);
  }

  /** Adds all that another has. */
  merge(other: TrafficTally): void {
    this.requests += other.requests;
    this.#limited += other.#limited;
    this.#errors += other.#errors;
    for (let bucket = 0; bucket < BUCKETS; bucket += 1) this.#latencies[bucket]! += other.#latencies[bucket]!;
    if (other.#flags === undefined) return;
    this.#flags ??= new Uint32Array(FLAG_NAMES.length);
    for (let flag = 0; flag < FLAG_NAMES.length; flag += 1) this.#flags[flag]! += other.#flags[flag]!;
  }

  /** The figures over a time. */
  figures(overMs: number): TrafficFigures {
    const perS = overMs > 0 ? 1_000 / overMs : 0;
    const served = this.requests - this.#limited;
    return {
      ratePerS: this.requests * perS,
      limitedPerS: this.#limited * perS,
      errorShare: served > 0 ? this.#errors / served : NaN,
      latencyP50Ms: percentileMs(this.#latencies, 0.5),
      latencyP99Ms: percentileMs(this.#latencies, 0.99),
      flags: this.#flagCounts(),
    };
  }

  #countFlags(sign: number, flags: number): void {
    this.#flags ??= new Uint32Array(FLAG_NAMES.length);
    for (let rest = flags; rest !== 0; rest &= rest - 1) this.#flags[31 - Math.clz32(rest & -rest)]! += sign;
  }

  #flagCounts(): Readonly<Record<string, number>> {
    const counts: Record<string, number> = {};
    this.#flags?.forEach((count, flag) => {
      if (count > 0) counts[FLAG_NAMES[flag] ?? ''] = count;
    });
    return counts;
  }
}

/** What is counted of requests: of a series, or of several together. */
import type { TrafficFigures } from '../../core/traffic-telemetry';
import { BUCKETS, NO_BUCKET, percentileMs } from './latency-buckets';
import { FLAG_NAMES, Outcome } from './response-flags';

type Writable<T> = { -readonly [K in keyof T]: T[K] };

/** See the file's head. */
export class TrafficTally {
  requests = 0;
  #limited = 0;
  #errors = 0;
  /** Requests whose time is known, by bucket; all are between the lowest and the highest of these. */
  #timed = 0;
  #lowest = BUCKETS;
  #highest = -1;
  readonly #latencies = new Uint32Array(BUCKETS);
  /** Made with the first flag: most requests have none. */
  #flags: Uint32Array | undefined;

  /** Counts a request, or takes it back. @param sign 1 or -1. */
  count(sign: number, outcome: number, bucket: number, flags: number): void {
    this.requests += sign;
    if (outcome === Outcome.LIMITED) this.#limited += sign;
    else {
      if (outcome === Outcome.ERROR) this.#errors += sign;
      if (bucket !== NO_BUCKET) this.#countTime(sign, bucket);
    }
    if (flags !== 0) this.#countFlags(sign, flags);
  }

  /** Adds all that another has. */
  merge(other: TrafficTally): void {
    this.requests += other.requests;
    this.#limited += other.#limited;
    this.#errors += other.#errors;
    this.#timed += other.#timed;
    this.#lowest = Math.min(this.#lowest, other.#lowest);
    this.#highest = Math.max(this.#highest, other.#highest);
    const from = other.#latencies;
    const to = this.#latencies;
    for (let bucket = other.#lowest; bucket <= other.#highest; bucket += 1) to[bucket]! += from[bucket]!;
    if (other.#flags === undefined) return;
    this.#flags ??= new Uint32Array(FLAG_NAMES.length);
    for (let flag = 0; flag < FLAG_NAMES.length; flag += 1) this.#flags[flag]! += other.#flags[flag]!;
  }

  /** Adds the figures over a time to an object of names. Field by field: a spread takes ten times as long. */
  addFigures<Names extends object>(names: Names, overMs: number): Names & TrafficFigures {
    const perS = overMs > 0 ? 1_000 / overMs : 0;
    const served = this.requests - this.#limited;
    const figures: Names & Writable<TrafficFigures> = names as Names & Writable<TrafficFigures>;
    figures.ratePerS = this.requests * perS;
    figures.limitedPerS = this.#limited * perS;
    figures.errorShare = served > 0 ? this.#errors / served : NaN;
    figures.latencyP50Ms = percentileMs(this.#latencies, this.#timed, 0.5, this.#lowest);
    figures.latencyP99Ms = percentileMs(this.#latencies, this.#timed, 0.99, this.#lowest);
    figures.flags = this.#flagCounts();
    return figures;
  }

  #countTime(sign: number, bucket: number): void {
    this.#latencies[bucket]! += sign;
    this.#timed += sign;
    if (bucket < this.#lowest) this.#lowest = bucket;
    if (bucket > this.#highest) this.#highest = bucket;
    if (this.#timed > 0) return;
    this.#lowest = BUCKETS;
    this.#highest = -1;
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

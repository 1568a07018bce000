/** Histograms for hot paths: an observation is a short scan and three additions, without allocation. */
import type { Registry } from 'prom-client';
import { registerSampled, type Sample } from './sampled-metric';

/** What was counted, to be added elsewhere. */
export interface HistogramShare {
  readonly counts: readonly number[];
  readonly sum: number;
}

/** The counts of one label set. */
export class HistogramSeries {
  private readonly counts: Float64Array;
  private sum = 0;

  /** @param bounds the buckets' upper bounds, ascending, without +Inf. */
  constructor(private readonly bounds: readonly number[]) {
    this.counts = new Float64Array(bounds.length + 1);
  }

  /** Counts a value as often as it was seen; what is not a number is ignored. */
  observe(value: number, times = 1): void {
    if (!(value >= 0)) return;
    let at = 0;
    while (at < this.bounds.length && value > (this.bounds[at] ?? Infinity)) at += 1;
    this.counts[at] = (this.counts[at] ?? 0) + times;
    this.sum += value * times;
  }

  /** Takes out what was counted. @returns the counts by bucket and their sum; undefined when there are none. */
  take(): HistogramShare | undefined {
    if (this.counts.every((count) => count === 0)) return undefined;
    const share = { counts: [...this.counts], sum: this.sum };
    this.counts.fill(0);
    this.sum = 0;
    return share;
  }

  /** Adds what was counted elsewhere with the same bounds. */
  add(share: HistogramShare): void {
    if (share.counts.length !== this.counts.length) return;
    share.counts.forEach((count, at) => {
      this.counts[at] = (this.counts[at] ?? 0) + count;
    });
    this.sum += share.sum;
  }

  /** The lines of the text format: cumulative buckets, sum, count. */
  samples(name: string, labels: Readonly<Record<string, string>>): Sample[] {
    let seen = 0;
    const lines: Sample[] = [];
    for (const [at, count] of this.counts.entries()) {
      seen += count;
      const le = this.bounds[at] ?? '+Inf';
      lines.push({ metricName: `${name}_bucket`, labels: { ...labels, le }, value: seen });
    }
    lines.push({ metricName: `${name}_sum`, labels, value: this.sum });
    lines.push({ metricName: `${name}_count`, labels, value: seen });
    return lines;
  }
}

/** What a histogram is called and how it is cut. */
export interface HistogramShape<Value extends string> {
  readonly name: string;
  readonly help: string;
  readonly label: string;
  /** Every value of the label; each has its series from the start, so that rates begin at 0. */
  readonly values: readonly Value[];
  /** Upper bounds, ascending. */
  readonly bounds: readonly number[];
}

/** Registers a histogram with one label of known values. */
export function registerHistogram<Value extends string>(
  registry: Registry,
  shape: HistogramShape<Value>,
): Readonly<Record<Value, HistogramSeries>> {
  const entries = shape.values.map((value) => [value, new HistogramSeries(shape.bounds)] as const);
  registerSampled(registry, {
    name: shape.name,
    help: shape.help,
    type: 'histogram',
    sample: () => entries.flatMap(([value, series]) => series.samples(shape.name, { [shape.label]: value })),
  });
  return Object.fromEntries(entries) as Record<Value, HistogramSeries>;
}

/**
 * Metrics whose figures are read when they are scraped, so that counting costs the data path one addition.
 * prom-client's own metrics hash their labels on every increment; its registry only asks for the few members below.
 */
import type { Counter, Registry } from 'prom-client';

/** One line of a metric. */
export interface Sample {
  readonly labels: Readonly<Record<string, string | number>>;
  readonly value: number;
  /** The line's name where it differs from the metric's (`_bucket`, `_sum`, `_count`). */
  readonly metricName?: string;
}

/** A metric and where its figures come from. */
export interface SampledMetric {
  readonly name: string;
  readonly help: string;
  readonly type: 'counter' | 'gauge' | 'histogram';
  sample(): readonly Sample[];
}

/** Adds a sampled metric to a registry. */
export function registerSampled(registry: Registry, metric: SampledMetric): void {
  const adapter = {
    name: metric.name,
    help: metric.help,
    type: metric.type,
    aggregator: 'sum',
    reset: () => undefined,
    get: async () => ({
      name: metric.name,
      help: metric.help,
      type: metric.type,
      aggregator: 'sum',
      values: metric.sample(),
    }),
  };
  // The registry is typed for prom-client's four classes; it uses the members above and no other.
  registry.registerMetric(adapter as unknown as Counter);
}

/** Registers a counter or gauge without labels. */
export function registerFigure(
  registry: Registry,
  type: 'counter' | 'gauge',
  name: string,
  help: string,
  read: () => number,
): void {
  registerSampled(registry, { name, help, type, sample: () => [{ labels: {}, value: read() }] });
}

/** Registers a counter or gauge with one label, from a map of label value to figure. */
export function registerByLabel(
  registry: Registry,
  type: 'counter' | 'gauge',
  name: string,
  help: string,
  label: string,
  read: () => Iterable<readonly [string, number]>,
): void {
  const sample = (): Sample[] => [...read()].map(([key, value]) => ({ labels: { [label]: key }, value }));
  registerSampled(registry, { name, help, type, sample });
}

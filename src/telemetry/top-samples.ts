/** The keys denied most as samples of a metric. */
import type { HeavyKey } from '../limiter/heavy-keys';
import { printable, sanitiseMetricKey } from './metric-key';
import type { Sample } from './sampled-metric';

/** One line a label set: keys that look alike once printable are added up, or the scrape would be refused. */
export function topSamples(keys: readonly HeavyKey[]): Sample[] {
  const lines = new Map<string, { labels: Record<string, string>; value: number }>();
  for (const { rule, key, count } of keys) {
    const labels = { rule: sanitiseMetricKey(rule), key: printable(key) };
    const identity = JSON.stringify(labels);
    const line = lines.get(identity);
    if (line === undefined) lines.set(identity, { labels, value: count });
    else line.value += count;
  }
  return [...lines.values()];
}

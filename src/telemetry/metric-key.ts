/**
 * From a rule's metric key to the labels people have on dashboards.
 * The rules are the reference's: its statistic names are split at dots into domain, key1 and key2, the rest is dropped,
 * so that keys which differ only further in share one series.
 */

/** Longer keys are cut: a label is for reading, and request values may be in it. */
export const MAX_METRIC_KEY_LENGTH = 512;

/** The labels of one rule's series; `key2` is absent when the key has two parts only. */
export interface RuleLabels {
  readonly domain: string;
  readonly key1: string;
  readonly key2?: string;
}

/**
 * The key, cut to its bound: a copy, since a slice would keep the whole long text alive. A character that the cut halves
 * is replaced, always in the same way, so that equal keys stay equal.
 */
export function boundedMetricKey(metricKey: string): string {
  return metricKey.length <= MAX_METRIC_KEY_LENGTH
    ? metricKey
    : Buffer.from(metricKey.slice(0, MAX_METRIC_KEY_LENGTH), 'utf8').toString('utf8');
}

const IPV4 = /\d{1,3}\.\d{1,3}\.\d{1,3}\.\d{1,3}/g;
const CONTROL = /\p{Cc}/gu;

/** Replaces what would break a statistic's name: `:`, `|`, the dots of IPv4 addresses, control characters. */
export function sanitiseMetricKey(metricKey: string): string {
  const bounded = metricKey.slice(0, MAX_METRIC_KEY_LENGTH);
  const wellFormed = Buffer.from(bounded, 'utf8').toString('utf8');
  return wellFormed
    .replace(/[:|]/g, '_')
    .replace(CONTROL, '_')
    .replace(IPV4, (ip) => ip.replaceAll('.', '_'));
}

/** Splits a sanitised metric key into its labels. */
export function ruleLabels(sanitisedKey: string): RuleLabels {
  const [domain = '', key1 = '', key2] = sanitisedKey.split('.', 3);
  return key2 === undefined ? { domain, key1 } : { domain, key1, key2 };
}

/** A key as a label: well-formed text without control characters. */
export function printable(key: string): string {
  return Buffer.from(key, 'utf8').toString('utf8').replace(CONTROL, ' ');
}

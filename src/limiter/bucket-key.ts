/**
 * The identity of a bucket: the domain and the entries, encoded so that no two different lists of keys and values
 * meet (the reference joins them with `_`, where (`a_b`, `c`) and (`a`, `b_c`) share a counter).
 */
import type { RlsDescriptor, RlsLimitOverride } from '../core/rls';
import type { RulePlace } from './demand';

// The separators of the encoding, and braces, which delimit a Redis Cluster hash tag.
const SPECIAL = /[%|=~!{}]/;

/** Escapes one part of a key. */
export function escapeKeyPart(text: string): string {
  if (!SPECIAL.test(text)) return text;
  // One pass a character is several times quicker than a callback a match, and a caller can send many of them.
  return text
    .replaceAll('%', '%25')
    .replaceAll('|', '%7c')
    .replaceAll('=', '%3d')
    .replaceAll('~', '%7e')
    .replaceAll('!', '%21')
    .replaceAll('{', '%7b')
    .replaceAll('}', '%7d');
}

/**
 * @param sharedPatterns per entry, the wildcard that stands for its value under `share_threshold`, if any.
 * @returns `domain|key=value|key2~pattern`.
 */
export function bucketKey(
  domain: string,
  descriptor: RlsDescriptor,
  sharedPatterns: readonly (string | undefined)[] | undefined,
): string {
  let key = escapeKeyPart(domain);
  descriptor.entries.forEach((entry, index) => {
    const pattern = sharedPatterns?.[index];
    key +=
      pattern === undefined
        ? `|${escapeKeyPart(entry.key)}=${escapeKeyPart(entry.value)}`
        : `|${escapeKeyPart(entry.key)}~${escapeKeyPart(pattern)}`;
  });
  return key;
}

/** The bucket of a limit that came with the request: each limit has its own (the reference mixes them up). */
export function overrideKey(domain: string, descriptor: RlsDescriptor, limit: RlsLimitOverride): string {
  return `${bucketKey(domain, descriptor, undefined)}!${limit.requestsPerUnit}/${limit.unit}`;
}

/**
 * The one bucket of a rule that has one: no level leaves its value open, and a wildcard shares its threshold.
 * @returns undefined where requests that meet the rule have buckets of their own.
 */
export function bucketKeyOfRule(place: RulePlace): string | undefined {
  if (place.manyBuckets) return undefined;
  let key = escapeKeyPart(place.domain);
  for (const level of place.path) {
    // A wildcard key stands for several keys, which stay apart even where their values share a bucket.
    if (level.key.includes('*')) return undefined;
    const sign = level.value.includes('*') ? '~' : '=';
    key += `|${escapeKeyPart(level.key)}${sign}${escapeKeyPart(level.value)}`;
  }
  return key;
}

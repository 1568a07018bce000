/**
 * The identity of a bucket: the domain and the entries, encoded so that no two different lists of keys and values
 * meet (the reference joins them with `_`, where (`a_b`, `c`) and (`a`, `b_c`) share a counter).
 */
import type { RlsDescriptor, RlsLimitOverride } from '../core/rls';

// The separators of the encoding, and braces, which delimit a Redis Cluster hash tag.
const SPECIAL = /[%|=~!{}]/;
const SPECIAL_ALL = /[%|=~!{}]/g;

/** Escapes one part of a key. */
export function escapeKeyPart(text: string): string {
  return SPECIAL.test(text)
    ? text.replace(SPECIAL_ALL, (char) => `%${char.charCodeAt(0).toString(16)}`)
    : text;
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

/**
 * The Redis key of a bucket: `<prefix>{<group>}/<key>:<kind>`, or `<prefix>{<group>}:<kind>` where the key is the group.
 * The braces make the group the hash tag, so buckets of one group share a slot; a `}` in it is escaped, and an empty
 * one is written `%`, so that no two buckets have one key. The suffix makes a change of algorithm or window another
 * bucket, since their states mean different things.
 */
import { createHash } from 'node:crypto';
import type { BucketCall, BucketParams } from '../../core/buckets';
import type { SlotTags } from './slot-tags';

const suffixes = new WeakMap<BucketParams, string>();

function suffixOf(params: BucketParams): string {
  let suffix = suffixes.get(params);
  if (suffix === undefined) {
    suffix = makeSuffix(params);
    suffixes.set(params, suffix);
  }
  return suffix;
}

function makeSuffix(params: BucketParams): string {
  switch (params.algorithm) {
    case 'token_bucket':
      return ':tb';
    case 'fixed_window':
      return `:fw${params.windowUs}`;
    case 'sliding_window':
      return `:sw${params.windowUs}`;
  }
}

function hashTag(group: string): string {
  if (group === '') return '%';
  if (!group.includes('}') && !group.includes('%')) return group;
  return group.replace(/[%}]/g, encodeURIComponent);
}

/** Longer keys are kept by their hash: Redis holds every key whole, and callers choose their values. */
const MAX_KEY_LENGTH = 256;
/** How much of a long key stays readable. */
const READABLE_LENGTH = 64;

/** A key that is as good as the one given and not long: two long ones meet only where SHA-256 does. */
function bounded(key: string): string {
  if (key.length <= MAX_KEY_LENGTH) return key;
  const hash = createHash('sha256').update(key, 'utf16le').digest('hex');
  return `${key.slice(0, READABLE_LENGTH)}#${key.length}#${hash}`;
}

/**
 * The key under which a call's bucket is stored.
 * @param tags shared tags for buckets that are groups of their own, if they shall share any.
 */
export function storageKey(
  prefix: string,
  call: Pick<BucketCall, 'key' | 'group' | 'params'>,
  tags?: SlotTags,
): string {
  const key = bounded(call.key);
  if (call.key === call.group) {
    if (tags !== undefined) return `${prefix}{${tags.tagOf(key)}}/${key}${suffixOf(call.params)}`;
    return `${prefix}{${hashTag(key)}}${suffixOf(call.params)}`;
  }
  return `${prefix}{${hashTag(bounded(call.group))}}/${key}${suffixOf(call.params)}`;
}

/**
 * The Redis key of a bucket: `<prefix>{<group>}/<key>:<kind>`, or `<prefix>{<group>}:<kind>` where the key is the group.
 * The braces make the group the hash tag, so buckets of one group share a slot; a `}` in it is escaped, and an empty
 * one is written `%`, so that no two buckets have one key. The suffix makes a change of algorithm or window another
 * bucket, since their states mean different things.
 */
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

/**
 * The key under which a call's bucket is stored.
 * @param tags shared tags for buckets that are groups of their own, if they shall share any.
 */
export function storageKey(prefix: string, call: BucketCall, tags?: SlotTags): string {
  if (tags !== undefined && call.key === call.group) {
    return `${prefix}{${tags.tagOf(call.key)}}/${call.key}${suffixOf(call.params)}`;
  }
  const tail = call.key === call.group ? '' : `/${call.key}`;
  return `${prefix}{${hashTag(call.group)}}${tail}${suffixOf(call.params)}`;
}

/**
 * The Redis key of a bucket: `<prefix>{<group>}<key>:<kind>`, without the key where it equals the group. The braces make
 * the group the hash tag, so buckets of one group share a slot. The suffix makes a change of algorithm or window
 * another bucket, since their states mean different things.
 */
import type { BucketCall, BucketParams } from '../../core/buckets';

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

/** The key under which a call's bucket is stored. */
export function storageKey(prefix: string, call: BucketCall): string {
  const tail = call.key === call.group ? '' : call.key;
  return `${prefix}{${call.group}}${tail}${suffixOf(call.params)}`;
}

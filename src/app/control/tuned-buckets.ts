/** What a pool's leader publishes of its buckets. */
import type { MemberOutput, MemberSeen, PoolPolicy, TunedBucket } from '../../core/control';
import { lendersOf } from './lenders';
import type { MemberSetup } from './pool-setup';

/** One row a member that has an output; each names who may lend to it at once. */
export function tunedBuckets(
  { lending }: PoolPolicy,
  members: ReadonlyMap<string, MemberSetup>,
  outputs: ReadonlyMap<string, MemberOutput>,
  seen: ReadonlyMap<string, MemberSeen>,
): readonly TunedBucket[] {
  const lenders = lending.enabled && lending.atOnce ? lendersOf([...members.values()], outputs, seen) : [];
  return [...outputs.values()].flatMap(({ id, ratePerS, capacity }): TunedBucket[] => {
    const member = members.get(id)?.policy;
    if (member === undefined) return [];
    const { ruleId, bucketKey } = member;
    const isLender = lenders.some((lender) => lender.bucketKey === bucketKey);
    const others = isLender ? lenders.filter((lender) => lender.bucketKey !== bucketKey) : lenders;
    return [{ id, ruleId, bucketKey, ratePerS, capacity, lenders: member.lends ? others : [] }];
  });
}

/** Who may lend at once, beside the ticks: those with the most to spare, and what each keeps for itself. */
import type { MemberOutput, MemberSeen, TunedBucket } from '../../core/control';
import type { MemberSetup } from './pool-setup';

const MAX_LENDERS = 4;
/** What a lender keeps: what it was asked for in so many seconds, and the protected part of its bucket. */
const KEPT_S = 1;

/** The lenders, most spare first; none is at a loss by what it lends, as far as was seen. */
export function lendersOf(
  members: readonly MemberSetup[],
  outputs: ReadonlyMap<string, MemberOutput>,
  seen: ReadonlyMap<string, MemberSeen>,
): TunedBucket['lenders'] {
  const spare = members.flatMap(({ policy }) => {
    const { tokens = NaN } = seen.get(policy.id) ?? {};
    const output = outputs.get(policy.id);
    if (!policy.lends || output === undefined || !Number.isFinite(tokens)) return [];
    const needed = output.reason.effectivePerS * KEPT_S;
    const keep = Math.ceil(Math.max(needed, (1 - policy.lendable) * output.capacity));
    return tokens > keep ? [{ bucketKey: policy.bucketKey, keep, spare: tokens - keep }] : [];
  });
  spare.sort((a, b) => b.spare - a.spare || (a.bucketKey < b.bucketKey ? -1 : 1));
  return spare.slice(0, MAX_LENDERS).map(({ bucketKey, keep }) => ({ bucketKey, keep }));
}

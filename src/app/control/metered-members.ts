/** What a pool's shadow meter is told of a tick: what members were asked for, and both sizes that they could have had. */
import type { MemberSeen, PoolDecision } from '../../core/control';
import type { ShadowMeter } from '../../control/shadow/shadow-meter';
import type { MemberSetup } from './pool-setup';

/** @param sinceMs the time since the last tick. */
export function meteredMembers(
  decision: PoolDecision,
  members: ReadonlyMap<string, MemberSetup>,
  seen: ReadonlyMap<string, MemberSeen>,
  sinceMs: number,
): Parameters<ShadowMeter['tick']>[1] {
  return decision.outputs.flatMap(({ id, ratePerS, capacity }) => {
    const member = members.get(id)?.policy;
    const demand = ((seen.get(id)?.demandPerS ?? 0) * sinceMs) / 1_000;
    if (member === undefined || !Number.isFinite(demand)) return [];
    const nominal = { ratePerS: member.nominalPerS, capacity: member.nominalCapacity };
    return [{ id, priority: member.priority, demand, nominal, proposed: { ratePerS, capacity } }];
  });
}

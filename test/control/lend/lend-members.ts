import type { LendingPolicy, MemberPolicy } from '../../../src/core/control';
import type { LendMember } from '../../../src/control/lend/lending-desk';

export const POLICY: LendingPolicy = { enabled: true, lowWater: 0.2, part: 0.9, atOnce: false };

/** A member with a rate and capacity of 100, no demand, and a full bucket, but for what is said. */
export function member(
  id: string,
  says: Partial<Omit<LendMember, 'policy'>> & { readonly policy?: Partial<MemberPolicy> } = {},
): LendMember {
  const policy: MemberPolicy = {
    id,
    ruleId: id,
    bucketKey: id,
    service: id,
    priority: 'MEDIUM',
    weight: 1,
    nominalPerS: 100,
    nominalCapacity: 100,
    minPerS: 0,
    maxPerS: 200,
    minCapacity: 1,
    maxCapacity: 400,
    guaranteePerS: 0,
    lendable: 0.9,
    borrowable: 1,
    lends: true,
    ...says.policy,
  };
  return {
    ratePerS: policy.nominalPerS,
    capacity: policy.nominalCapacity,
    tokens: policy.nominalCapacity,
    effectivePerS: 0,
    demandPerS: 0,
    admittedPerS: 0,
    deniedPerS: 0,
    queuedPerS: 0,
    lending: true,
    ...says,
    policy,
  };
}

/** A member whose bucket is empty and which was denied so many tokens a second beyond its rate. */
export function thirsty(id: string, beyondPerS: number, policy: Partial<MemberPolicy> = {}): LendMember {
  const ratePerS = policy.nominalPerS ?? 100;
  const demandPerS = ratePerS + beyondPerS;
  return member(id, {
    tokens: 0,
    effectivePerS: demandPerS,
    demandPerS,
    admittedPerS: ratePerS,
    deniedPerS: beyondPerS,
    policy,
  });
}

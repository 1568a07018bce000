/** Policies and observations of pools, for tests. */
import { usualPolicy } from '../../src/control/usual-policy';
import type { MemberPolicy, MemberSeen, PoolPolicy, PoolSeen } from '../../src/core/control';

export function poolPolicy(changes: Partial<PoolPolicy> = {}): PoolPolicy {
  const frame = { name: 'pool', totalPerS: 400, tickMs: 1_000, intervalMs: 10_000, lending: true };
  const usual = usualPolicy(frame);
  return {
    ...usual,
    lending: { ...usual.lending, atOnce: true },
    ...changes,
  };
}

export function memberPolicy(id: string, changes: Partial<MemberPolicy> = {}): MemberPolicy {
  return {
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
    ...changes,
  };
}

export function memberSeen(id: string, demandPerS: number, changes: Partial<MemberSeen> = {}): MemberSeen {
  return {
    id,
    demandPerS,
    admittedPerS: demandPerS,
    deniedPerS: 0,
    queuedPerS: 0,
    tokens: 50,
    forecast: undefined,
    ...changes,
  };
}

export function poolSeen(demands: Readonly<Record<string, number>>): PoolSeen {
  return { members: Object.entries(demands).map(([id, perS]) => memberSeen(id, perS)), health: [] };
}

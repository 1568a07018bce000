/** Policies, groups and observations for the tests of traffic, with what differs given. */
import type {
  GroupSeen,
  TargetHealth,
  TargetSeen,
  TrafficClass,
  TrafficGroup,
  TrafficPolicy,
  TrafficTarget,
} from '../../src/core/traffic';

/** The defaults of `mesh.traffic`. */
export function trafficPolicy(over: Partial<TrafficPolicy> = {}): TrafficPolicy {
  return {
    tickMs: 100,
    horizonMs: 30_000,
    leadMs: 2_000,
    headroom: 0.9,
    deadBand: 0.01,
    leavePerS: 0.2,
    returnPerS: 0.02,
    floor: 0.01,
    lifeMs: 10_000,
    health: { errorShare: [0.05, 0.5], latencyFactor: [2, 8], cpu: [0.85, 1], memory: [0.9, 1] },
    ...over,
  };
}

export function target(id: string, weight = 1, over: Partial<TrafficTarget> = {}): TrafficTarget {
  return { id, weight, backup: false, maxShare: 1, ...over };
}

export const ONLY_DEFAULT: readonly TrafficClass[] = [{ name: 'default', priority: 'LOW' }];
export const VIP_AND_DEFAULT: readonly TrafficClass[] = [{ name: 'vip', priority: 'HIGH' }, ...ONLY_DEFAULT];

export function group(targets: readonly TrafficTarget[], classes = ONLY_DEFAULT, name = 'g'): TrafficGroup {
  return { name, targets, classes };
}

export function health(over: Partial<TargetHealth> = {}): TargetHealth {
  return {
    errorShare: NaN,
    latencyP50Ms: NaN,
    latencyP99Ms: NaN,
    cpu: NaN,
    memory: NaN,
    out: NaN,
    ...over,
  };
}

/** A target that was seen at `seenAtMs`, without a bucket, asked for `demandPerS`. */
export function seenTarget(
  id: string,
  seenAtMs: number,
  demandPerS: number,
  over: Partial<TargetSeen> = {},
): TargetSeen {
  return {
    id,
    seenAtMs,
    tokens: NaN,
    capacity: NaN,
    refillPerS: NaN,
    leased: 0,
    demandPerS,
    forecast: undefined,
    health: undefined,
    healthAhead: undefined,
    ...over,
  };
}

/** Of a full bucket of one second's refill. */
export function fullBucket(refillPerS: number): Pick<TargetSeen, 'tokens' | 'capacity' | 'refillPerS'> {
  return { tokens: refillPerS, capacity: refillPerS, refillPerS };
}

export function seenGroup(
  targets: readonly TargetSeen[],
  classDemandPerS: readonly number[] = [NaN],
  name = 'g',
): GroupSeen {
  return { group: name, targets, classDemandPerS };
}

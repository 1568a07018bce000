/**
 * Traffic groups: targets (clusters, or endpoints of one) that take the same traffic, and how it is spread over them. Plain
 * data, structured-cloneable. Rates are requests a second, parts and shares 0 to 1, times Unix ms.
 */
import type { MemberForecast } from './control';
import type { Priority } from './priority';

/** `off`: nothing is computed; `shadow`: computed and shown, not sent; `active`: sent to Envoys. */
export const TRAFFIC_MODES = ['off', 'shadow', 'active'] as const;
/** One of {@link TRAFFIC_MODES}. */
export type TrafficMode = (typeof TRAFFIC_MODES)[number];

/** How traffic is moved, as the settings say. */
export interface TrafficPolicy {
  readonly tickMs: number;
  /** How far ahead buckets and health are looked at, ms. */
  readonly horizonMs: number;
  /** How long a change needs to reach Envoys and be felt, ms: traffic moves so much earlier. */
  readonly leadMs: number;
  /** The part of what a target can take that is planned with. */
  readonly headroom: number;
  /** Changes of a share under this are left. */
  readonly deadBand: number;
  /** The most that a share moves away from, and back to, what is configured, a second. */
  readonly leavePerS: number;
  readonly returnPerS: number;
  /** The share that a target keeps whatever happens, so that it is measured. */
  readonly floor: number;
  /** What was seen longer ago is unknown, ms; nothing known: the configured weights. */
  readonly lifeMs: number;
  /** Health begins to count at the first and a target has only its floor at the second. */
  readonly health: {
    readonly errorShare: readonly [number, number];
    /** Times the group's median p99. */
    readonly latencyFactor: readonly [number, number];
    readonly cpu: readonly [number, number];
    readonly memory: readonly [number, number];
  };
}

/** A target of a group. */
export interface TrafficTarget {
  /** Unique in its group: a cluster's name, or `<cluster>/<address>:<port>` of an endpoint. */
  readonly id: string;
  /** As the user's resources say; any unit. */
  readonly weight: number;
  /** Gets traffic only when the others cannot take it, and then at most `maxShare`. */
  readonly backup: boolean;
  readonly maxShare: number;
}

/** Traffic of a group that is told apart by its request's metadata. */
export interface TrafficClass {
  /** Unique in its group; `default` is what no other class takes. */
  readonly name: string;
  readonly priority: Priority;
}

/** A group. Classes are in the order in which they stay: the first moves last. The last is `default`. */
export interface TrafficGroup {
  readonly name: string;
  readonly targets: readonly TrafficTarget[];
  readonly classes: readonly TrafficClass[];
}

/** How a target is; NaN what is not known. */
export interface TargetHealth {
  readonly errorShare: number;
  readonly latencyP50Ms: number;
  readonly latencyP99Ms: number;
  readonly cpu: number;
  readonly memory: number;
  /** Active health checks, or outlier ejection, say that it is out: 1, in: 0. */
  readonly out: number;
}

/** What was seen of a target. */
export interface TargetSeen {
  readonly id: string;
  readonly seenAtMs: number;
  /** Of its bucket; NaN where it has none that is known. Tokens outstanding in leases count in `leased`. */
  readonly tokens: number;
  readonly capacity: number;
  readonly refillPerS: number;
  readonly leased: number;
  /** What it is asked for now, tokens a second; NaN when not known. */
  readonly demandPerS: number;
  readonly forecast: MemberForecast | undefined;
  readonly health: TargetHealth | undefined;
  /** As foreseen at the horizon. */
  readonly healthAhead: TargetHealth | undefined;
}

/** What was seen of a group. */
export interface GroupSeen {
  readonly group: string;
  readonly targets: readonly TargetSeen[];
  /** Demand of each class, a second, in the order of the group's classes; NaN where it is not known. */
  readonly classDemandPerS: readonly number[];
}

/** Why a target has its share. */
export interface TargetReason {
  readonly id: string;
  /** What it can take: by its bucket over the horizon, by its health, and the smaller of both; null without a bound. */
  readonly bucketPerS: number | null;
  readonly healthFactor: number;
  readonly effectivePerS: number | null;
  /** Demand that it would get by the configured weights, as foreseen, and that it gets by the shares now. */
  readonly configuredDemandPerS: number | null;
  readonly demandPerS: number | null;
  /** When its bucket would run dry under the configured weights, ms from now; null: not within the horizon, or not known. */
  readonly depletionMs: number | null;
  /** `configured`, `moved_off`, `moved_to`, `drained`, `backup`, `spread`, `hold`, `stale`. */
  readonly rule: string;
  /** Bounds that cut it, such as `floor`, `max_share`, `rate`, `dead_band`. */
  readonly clamps: readonly string[];
}

/** What a group is to have. */
export interface GroupDecision {
  readonly group: string;
  readonly atMs: number;
  /** Whether any share differs from the last decision's. */
  readonly changed: boolean;
  /** `configured`, `moving`, `overloaded` (all together cannot take it), `unhealthy` (no target is well), `stale` (nothing is known). */
  readonly state: 'configured' | 'moving' | 'overloaded' | 'unhealthy' | 'stale';
  readonly why: string;
  /** For each class, in their order, the share of each target, in their order; each sums to 1. */
  readonly shares: readonly (readonly number[])[];
  readonly targets: readonly TargetReason[];
}

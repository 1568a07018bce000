/** What is seen of a traffic group, put together of buckets, demand, forecasts and health. */
import type { MemberForecast } from '../../core/control';
import type { BucketLevel } from '../../core/pool-link';
import type { GroupSeen, TargetSeen, TrafficGroup } from '../../core/traffic';
import type { TrafficSnapshot } from '../../core/traffic-telemetry';
import type { Settings } from '../../config/settings-shape';
import type { SeenRates } from '../control/demand-tap';
import type { SeenHealth } from './target-health';

/** A row of the settings. */
export type TargetRow = Settings['mesh']['targets'][number];

/** What is known of a bucket. */
export interface SeenBucket {
  readonly level: BucketLevel | undefined;
  readonly refillPerS: number;
  readonly seenAtMs: number;
  readonly rates: SeenRates;
  readonly forecast: MemberForecast | undefined;
}

/** Where a group's figures come from. */
export interface GroupSources {
  readonly row: (id: string) => TargetRow | undefined;
  readonly bucket: (id: string) => SeenBucket | undefined;
  readonly health: (row: TargetRow, id: string) => SeenHealth | undefined;
  readonly told: TrafficSnapshot | undefined;
  /** The class that a route carries; undefined for a route of no class. */
  readonly classOf: (route: string) => string | undefined;
}

/** What is seen of a group now. */
export function groupSeen(group: TrafficGroup, sources: GroupSources, nowMs: number): GroupSeen {
  const targets = group.targets.map(({ id }) => targetSeen(id, sources, nowMs));
  const demandPerS = targets.reduce((sum, { demandPerS: one }) => sum + (Number.isFinite(one) ? one : 0), 0);
  const parts = classParts(group, sources);
  return {
    group: group.name,
    targets,
    classDemandPerS: group.classes.map((_, at) =>
      parts === undefined ? NaN : (parts[at] ?? 0) * demandPerS,
    ),
  };
}

function targetSeen(id: string, sources: GroupSources, nowMs: number): TargetSeen {
  const row = sources.row(id);
  const bucket = row === undefined || row.bucket === '' ? undefined : sources.bucket(row.bucket);
  const health = row === undefined ? undefined : sources.health(row, id);
  const requestsPerS = row === undefined ? NaN : requestsTo(row, sources.told);
  const known = bucket?.level !== undefined || health !== undefined || Number.isFinite(requestsPerS);
  return {
    id,
    seenAtMs: bucket?.seenAtMs ?? (known ? nowMs : -Infinity),
    tokens: bucket?.level?.tokens ?? NaN,
    capacity: bucket?.level?.capacity ?? NaN,
    refillPerS: bucket?.refillPerS ?? NaN,
    // Tokens in leases are out of the bucket and not told: counted as none, so that a target seems to hold less, not more.
    leased: 0,
    demandPerS: bucket === undefined ? requestsPerS : bucket.rates.demandPerS,
    forecast: bucket?.forecast,
    health: health?.now,
    healthAhead: health?.ahead,
  };
}

/** Requests a second that Envoys tell of; NaN where they tell nothing. */
function requestsTo(row: TargetRow, told: TrafficSnapshot | undefined): number {
  const { cluster, endpoint } = row;
  const sum =
    endpoint === ''
      ? told?.clusters.find((one) => one.cluster === cluster)
      : told?.hosts.find((one) => one.cluster === cluster && one.host === endpoint);
  return sum?.ratePerS ?? NaN;
}

/** The part of each class in what Envoys tell of the group's targets; undefined where they tell nothing. */
function classParts(
  group: TrafficGroup,
  { told, row, classOf }: GroupSources,
): readonly number[] | undefined {
  if (told === undefined || group.classes.length < 2) return group.classes.length < 2 ? [1] : undefined;
  const clusters = new Set(group.targets.map(({ id }) => row(id)?.cluster));
  const last = group.classes.length - 1;
  const sums = group.classes.map(() => 0);
  for (const { route, cluster, ratePerS } of told.series) {
    if (!clusters.has(cluster)) continue;
    const name = classOf(route);
    const at = group.classes.findIndex((one) => one.name === name);
    const index = at < 0 ? last : at;
    sums[index] = (sums[index] ?? 0) + ratePerS;
  }
  const all = sums.reduce((sum, one) => sum + one, 0);
  return all > 0 ? sums.map((one) => one / all) : undefined;
}

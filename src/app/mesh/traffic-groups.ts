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
  /** A bucket that was seen longer ago is not known, ms. */
  readonly lifeMs: number;
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
  const known = health !== undefined || Number.isFinite(requestsPerS);
  // A store that is gone must not hide what else is told of a target.
  const isLost = bucket !== undefined && !(Math.abs(nowMs - bucket.seenAtMs) <= sources.lifeMs);
  const level = isLost ? undefined : bucket?.level;
  return {
    id,
    seenAtMs: known && (isLost || bucket === undefined) ? nowMs : (bucket?.seenAtMs ?? -Infinity),
    tokens: level?.tokens ?? NaN,
    capacity: level?.capacity ?? NaN,
    refillPerS: bucket?.refillPerS ?? NaN,
    // Tokens in leases are out of the bucket and not told: counted as none, so that a target seems to hold less, not more.
    leased: 0,
    demandPerS: bucket === undefined ? requestsPerS : bucket.rates.demandPerS,
    forecast: bucket?.forecast,
    health: health?.now,
    healthAhead: health?.ahead,
  };
}

/** What Envoys tell, by cluster: it is asked for every target of every group, each tick. */
interface ToldIndex {
  readonly requests: ReadonlyMap<string, number>;
  readonly series: ReadonlyMap<string, readonly TrafficSnapshot['series'][number][]>;
}

const indexes = new WeakMap<TrafficSnapshot, ToldIndex>();

function indexOf(told: TrafficSnapshot): ToldIndex {
  const known = indexes.get(told);
  if (known !== undefined) return known;
  const series = new Map<string, TrafficSnapshot['series'][number][]>();
  for (const one of told.series) {
    const ofCluster = series.get(one.cluster);
    if (ofCluster === undefined) series.set(one.cluster, [one]);
    else ofCluster.push(one);
  }
  const requests = new Map([
    ...told.clusters.map(({ cluster, ratePerS }) => [keyOf(cluster, ''), ratePerS] as const),
    ...told.hosts.map(({ cluster, host, ratePerS }) => [keyOf(cluster, host), ratePerS] as const),
  ]);
  const made = { requests, series };
  indexes.set(told, made);
  return made;
}

function keyOf(cluster: string, host: string): string {
  return `${cluster}\n${host}`;
}

/** Requests a second that Envoys tell of; NaN where they tell nothing. */
function requestsTo({ cluster, endpoint }: TargetRow, told: TrafficSnapshot | undefined): number {
  return told === undefined ? NaN : (indexOf(told).requests.get(keyOf(cluster, endpoint)) ?? NaN);
}

/** The part of each class in what Envoys tell of the group's targets; undefined where they tell nothing. */
function classParts(
  group: TrafficGroup,
  { told, row, classOf }: GroupSources,
): readonly number[] | undefined {
  if (told === undefined || group.classes.length < 2) return group.classes.length < 2 ? [1] : undefined;
  const { series } = indexOf(told);
  const clusters = new Set(group.targets.flatMap(({ id }) => row(id)?.cluster ?? []));
  const places = new Map(group.classes.map(({ name }, at) => [name, at]));
  const last = group.classes.length - 1;
  const sums = group.classes.map(() => 0);
  for (const cluster of clusters)
    for (const { route, ratePerS } of series.get(cluster) ?? []) {
      const index = places.get(classOf(route) ?? '') ?? last;
      sums[index] = (sums[index] ?? 0) + ratePerS;
    }
  const all = sums.reduce((sum, one) => sum + one, 0);
  return all > 0 ? sums.map((one) => one / all) : undefined;
}

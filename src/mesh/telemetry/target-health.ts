/** How a target is, by what Envoys tell of it. */
import type { ClusterTraffic, HostTraffic, LoadFigures, TrafficSnapshot } from '../../core/traffic-telemetry';

/** Shares 0 to 1; NaN what is not known. */
export interface ToldHealth {
  readonly errorShare: number;
  readonly latencyP50Ms: number;
  readonly latencyP99Ms: number;
  readonly cpu: number;
  readonly memory: number;
}

const MS_PER_S = 1_000;
/** The names that hosts report their load by. Source: xds/data/orca/v3/orca_load_report.proto. */
const CPU = 'cpu_utilization';
const MEMORY = 'mem_utilization';

/** Of fewer requests one error, or one slow answer, would be the whole figure. */
const LEAST_FOR_ERRORS = 20;
const LEAST_FOR_P99 = 100;

interface Index {
  readonly traffic: ReadonlyMap<string, ClusterTraffic | HostTraffic>;
  readonly loads: ReadonlyMap<string, LoadFigures>;
}

/** A snapshot is asked for every target. */
const indexes = new WeakMap<TrafficSnapshot, Index>();

/**
 * Errors and response times as access logs tell them, errors as load reports do where there are no logs; both of enough
 * requests only. CPU and memory are what the hosts report of themselves.
 */
export function targetHealthOf(
  snapshot: TrafficSnapshot,
  target: { readonly cluster: string; readonly host?: string },
): ToldHealth {
  let index = indexes.get(snapshot);
  if (index === undefined) {
    index = indexOf(snapshot);
    indexes.set(snapshot, index);
  }
  const key = keyOf(target.cluster, target.host ?? '');
  const traffic = index.traffic.get(key);
  const load = index.loads.get(key);
  const { ratePerS = 0, limitedPerS = 0 } = traffic ?? {};
  const requests = ((ratePerS - limitedPerS) * snapshot.coveredMs) / MS_PER_S;
  const figure = (value: number | undefined, least: number): number =>
    value === undefined || requests < least ? NaN : value;
  const errorShare = figure(traffic?.errorShare, LEAST_FOR_ERRORS);
  return {
    errorShare: Number.isNaN(errorShare) ? reportedErrorShare(load, snapshot.coveredMs) : errorShare,
    latencyP50Ms: figure(traffic?.latencyP50Ms, LEAST_FOR_ERRORS),
    latencyP99Ms: figure(traffic?.latencyP99Ms, LEAST_FOR_P99),
    cpu: load?.metrics[CPU] ?? NaN,
    memory: load?.metrics[MEMORY] ?? NaN,
  };
}

function reportedErrorShare(load: LoadFigures | undefined, overMs: number): number {
  if (load === undefined) return NaN;
  const answersPerS = load.successfulPerS + load.errorsPerS;
  return (answersPerS * overMs) / MS_PER_S < LEAST_FOR_ERRORS ? NaN : load.errorsPerS / answersPerS;
}

function indexOf(snapshot: TrafficSnapshot): Index {
  return {
    traffic: new Map<string, ClusterTraffic | HostTraffic>([
      ...snapshot.clusters.map((one) => [keyOf(one.cluster, ''), one] as const),
      ...snapshot.hosts.map((one) => [keyOf(one.cluster, one.host), one] as const),
    ]),
    loads: new Map(snapshot.loads.map((one) => [keyOf(one.cluster, one.host), one])),
  };
}

function keyOf(cluster: string, host: string): string {
  return `${cluster}\n${host}`;
}

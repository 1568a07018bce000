/**
 * What Envoys tell of their traffic, over a sliding window: requests from access logs, load from load reports. Plain data,
 * structured-cloneable. Rates are a second, shares 0 to 1, times ms; NaN is what is not known.
 * Source: envoy/data/accesslog/v3, envoy/config/endpoint/v3/load_report.proto.
 */

/** Requests of a window. */
export interface TrafficFigures {
  /** All requests that ended, those that a rate limit stopped included. */
  readonly ratePerS: number;
  /** Those that a rate limit stopped: Envoy's own, or an answer 429 (gRPC: RESOURCE_EXHAUSTED). */
  readonly limitedPerS: number;
  /** Of those that no rate limit stopped, the part with a 5xx, a reset, or a gRPC status of a failed server. */
  readonly errorShare: number;
  /** Of those that no rate limit stopped, to the last byte sent downstream; within 5 %. */
  readonly latencyP50Ms: number;
  readonly latencyP99Ms: number;
  /** How many requests of the window had each of Envoy's response flags, by its short name (UH, UF, ...). */
  readonly flags: Readonly<Record<string, number>>;
}

/** A route, an upstream cluster and one of its hosts; empty what a request did not have. */
export interface TrafficSeries extends TrafficFigures {
  readonly route: string;
  readonly cluster: string;
  /** `address:port`, `[address]:port` where the address has colons, or the path of a pipe. */
  readonly host: string;
}

/** All requests of a route. */
export interface RouteTraffic extends TrafficFigures {
  readonly route: string;
}

/** All requests to a cluster. */
export interface ClusterTraffic extends TrafficFigures {
  readonly cluster: string;
}

/** All requests to a host of a cluster. */
export interface HostTraffic extends TrafficFigures {
  readonly cluster: string;
  readonly host: string;
}

/** Load reports of a cluster, or of one of its hosts, over all Envoys. */
export interface LoadFigures {
  readonly cluster: string;
  /** As in {@link TrafficSeries}; empty: the whole cluster. */
  readonly host: string;
  readonly issuedPerS: number;
  readonly successfulPerS: number;
  readonly errorsPerS: number;
  /** Requests at once, mean of the window. */
  readonly inProgress: number;
  /** Requests that Envoy dropped itself, and why; of a whole cluster only. */
  readonly droppedPerS: number;
  readonly dropsPerS: Readonly<Record<string, number>>;
  /** What hosts tell of themselves with their answers (ORCA), such as `cpu_utilization`: mean over the answers. */
  readonly metrics: Readonly<Record<string, number>>;
}

/** What was taken and left, since the start; `streams` is how many there are now. */
export interface TrafficCounters {
  /** Entries of access logs. */
  readonly entries: number;
  /** Entries that were only counted, because too many came within a second. */
  readonly dropped: number;
  /** Entries that are no end of a request: TCP connections, beginnings, periodic records, upstream attempts. */
  readonly ignored: number;
  /** Entries that are counted in `other`. */
  readonly other: number;
  /** Load reports. */
  readonly reports: number;
  /** Figures of load reports of clusters and hosts over the bound. */
  readonly reportsOver: number;
  /** Streams that are open. */
  readonly streams: number;
  /** Streams that were refused, or closed to make room. */
  readonly streamsRefused: number;
  /** Messages that were none. Each ends its stream. */
  readonly malformed: number;
}

/** See the file's head. */
export interface TrafficSnapshot {
  /** By the clock of whoever made it. */
  readonly atMs: number;
  /** What the figures of requests cover: less than the window while it fills. */
  readonly coveredMs: number;
  readonly series: readonly TrafficSeries[];
  /** Sums. */
  readonly routes: readonly RouteTraffic[];
  readonly clusters: readonly ClusterTraffic[];
  readonly hosts: readonly HostTraffic[];
  /** Requests of series over the bound; in no sum. */
  readonly other: TrafficFigures;
  readonly loads: readonly LoadFigures[];
  readonly counters: TrafficCounters;
}

/** The resource types of discovery, and the order in which they go out. */
import { TYPE_URL_PREFIX } from './definitions';

const url = (name: string): string => `${TYPE_URL_PREFIX}${name}`;

/** envoy.config.cluster.v3.Cluster */
export const CLUSTER_TYPE = url('envoy.config.cluster.v3.Cluster');
/** envoy.config.endpoint.v3.ClusterLoadAssignment */
export const ENDPOINT_TYPE = url('envoy.config.endpoint.v3.ClusterLoadAssignment');
/** envoy.config.listener.v3.Listener */
export const LISTENER_TYPE = url('envoy.config.listener.v3.Listener');
/** envoy.config.route.v3.RouteConfiguration */
export const ROUTE_TYPE = url('envoy.config.route.v3.RouteConfiguration');
/** envoy.service.runtime.v3.Runtime, a layer of runtime keys */
export const RUNTIME_TYPE = url('envoy.service.runtime.v3.Runtime');

/**
 * Make before break: clusters, their endpoints, listeners, routes that use them. Source: Envoy's xds_protocol, "Eventual
 * consistency considerations".
 */
export const TYPE_ORDER: readonly string[] = [
  CLUSTER_TYPE,
  ENDPOINT_TYPE,
  LISTENER_TYPE,
  ROUTE_TYPE,
  RUNTIME_TYPE,
];

/** Types of which a client gets all when it names none, and of which what is not sent is removed. */
export const FULL_STATE_TYPES: ReadonlySet<string> = new Set([CLUSTER_TYPE, LISTENER_TYPE]);

/** The type whose resources a changed resource of this type waits for before it is used (warming). */
export const WARMED_BY: ReadonlyMap<string, string> = new Map([
  [CLUSTER_TYPE, ENDPOINT_TYPE],
  [LISTENER_TYPE, ROUTE_TYPE],
]);

/** Types held back while clusters are not acknowledged: Envoy acknowledges clusters when they are warm. */
export const HELD_BY_CLUSTERS: ReadonlySet<string> = new Set([LISTENER_TYPE, ROUTE_TYPE]);

/** Where a type stands in the order; types that are not in it come last. */
export function orderOf(typeUrl: string): number {
  const index = TYPE_ORDER.indexOf(typeUrl);
  return index === -1 ? TYPE_ORDER.length : index;
}

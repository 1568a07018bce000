/** The gRPC methods of discovery. Source: envoy/service/{discovery,cluster,endpoint,listener,route,runtime}/v3. */
import { CLUSTER_TYPE, ENDPOINT_TYPE, LISTENER_TYPE, ROUTE_TYPE, RUNTIME_TYPE } from './resource-types';

/** One streaming method. */
export interface DiscoveryMethod {
  /** `/package.Service/Method`. */
  readonly path: string;
  readonly delta: boolean;
  /** The type that the method is for; undefined where requests name it (ADS). */
  readonly typeUrl: string | undefined;
}

const SINGLE: readonly (readonly [service: string, resources: string, typeUrl: string])[] = [
  ['envoy.service.cluster.v3.ClusterDiscoveryService', 'Clusters', CLUSTER_TYPE],
  ['envoy.service.endpoint.v3.EndpointDiscoveryService', 'Endpoints', ENDPOINT_TYPE],
  ['envoy.service.listener.v3.ListenerDiscoveryService', 'Listeners', LISTENER_TYPE],
  ['envoy.service.route.v3.RouteDiscoveryService', 'Routes', ROUTE_TYPE],
  ['envoy.service.runtime.v3.RuntimeDiscoveryService', 'Runtime', RUNTIME_TYPE],
];

const AGGREGATED = 'envoy.service.discovery.v3.AggregatedDiscoveryService';

/** All methods: ADS and one service a type, each in both variants. */
export const DISCOVERY_METHODS: readonly DiscoveryMethod[] = [
  { path: `/${AGGREGATED}/StreamAggregatedResources`, delta: false, typeUrl: undefined },
  { path: `/${AGGREGATED}/DeltaAggregatedResources`, delta: true, typeUrl: undefined },
  ...SINGLE.flatMap(([service, resources, typeUrl]) => [
    { path: `/${service}/Stream${resources}`, delta: false, typeUrl },
    { path: `/${service}/Delta${resources}`, delta: true, typeUrl },
  ]),
];

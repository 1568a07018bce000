/** Endpoints whose weights follow shares: of a ClusterLoadAssignment, or inline in a Cluster. Localities stay as they are. */
import type { WeightDifference } from '../../core/mesh-view';
import { definitions, TYPE_URL_PREFIX, type PlainMessage } from '../definitions';
import { withBody, type MeshResource } from '../resource';
import { CLUSTER_TYPE } from '../resource-types';
import type { PatchedResource, SharesNow } from './patched-resource';
import { listAt, objectAt, textAt } from './route-sites';
import { endpointId } from './target-groups';
import type { TargetIndex } from './target-index';
import { ENDPOINT_SCALE, splitWeights, type Split } from './weight-split';

/** Endpoints that share traffic: those of a priority, or of a locality where localities have weights of their own. */
export interface EndpointSite {
  readonly group: number;
  readonly split: Split;
  /** Where each entry is: the locality, and its place there. */
  readonly places: readonly (readonly [number, number])[];
  readonly priority: number;
}

/** What was found in one assignment. */
export interface FoundEndpoints {
  readonly sites: readonly EndpointSite[];
  /** Whether localities have weights of their own, so that shares move only within each. */
  readonly byLocality: boolean;
}

/** The assignment that a resource is or has. */
export function assignmentIn(resource: MeshResource, message: PlainMessage): PlainMessage | undefined {
  return resource.typeUrl === CLUSTER_TYPE ? objectAt(message, 'load_assignment') : message;
}

/** Looks through an assignment of `cluster`, as the settings name it. */
export function endpointSites(assignment: PlainMessage, cluster: string, index: TargetIndex): FoundEndpoints {
  const localities = listAt(assignment, 'endpoints');
  const named = (objectAt(assignment, 'named_endpoints') ?? {}) as Record<string, PlainMessage>;
  const byLocality = localities.some((locality) => objectAt(locality, 'load_balancing_weight') !== undefined);
  const sharing = new Map<string, [number, number][]>();
  localities.forEach((locality, at) => {
    const key = byLocality ? String(at) : `priority ${priorityOf(locality)}`;
    const list = sharing.get(key) ?? [];
    sharing.set(key, list);
    endpointsOf(locality).forEach((_, place) => list.push([at, place]));
  });
  const sites = [...sharing.values()].flatMap((places): EndpointSite[] => {
    const targets = places.map(([at, place]) => {
      const endpoint = endpointsOf(localities[at] ?? {})[place] ?? {};
      const address = addressOf(objectAt(endpoint, 'endpoint') ?? named[textAt(endpoint, 'endpoint_name')]);
      return address === '' ? undefined : index.ofEndpoint(endpointId(cluster, address));
    });
    const group = targets.find((target) => target !== undefined)?.group;
    if (group === undefined) return [];
    const entries = places.map(([at, place], one) => ({
      target: targets[one]?.target,
      configured: weightOf(endpointsOf(localities[at] ?? {})[place] ?? {}),
    }));
    const priority = priorityOf(localities[places[0]?.[0] ?? 0] ?? {});
    return [{ group, split: { entries, least: 1 }, places, priority }];
  });
  return { sites, byLocality };
}

/** See the module. */
export class EndpointWeights implements PatchedResource {
  readonly #original: MeshResource;
  readonly #message: PlainMessage;
  readonly #sites: readonly EndpointSite[];
  #weights: readonly (readonly number[] | undefined)[] = [];
  #key = '';
  #encoded: MeshResource;

  constructor(original: MeshResource, message: PlainMessage, sites: readonly EndpointSite[]) {
    this.#original = original;
    this.#message = message;
    this.#sites = sites;
    this.#encoded = original;
  }

  encode(now: SharesNow): MeshResource {
    const weights = this.#sites.map(({ group, split }) => {
      const shares = now.shares(group)?.at(-1);
      return shares === undefined ? undefined : splitWeights(split, shares, now.usual(group), ENDPOINT_SCALE);
    });
    const key = JSON.stringify(weights);
    if (key === this.#key) return this.#encoded;
    this.#key = key;
    this.#weights = weights;
    this.#encoded = weights.every((one) => one === undefined) ? this.#original : this.#encode(weights);
    return this.#encoded;
  }

  differences(): readonly WeightDifference[] {
    const { name: resource, typeUrl } = this.#original;
    const base = typeUrl === CLUSTER_TYPE ? 'load_assignment.' : '';
    const localities = listAt(assignmentIn(this.#original, this.#message) ?? {}, 'endpoints');
    return this.#sites.flatMap(({ split, places }, site) =>
      split.entries.flatMap(({ configured }, entry) => {
        const to = this.#weights[site]?.[entry];
        const [at, place] = places[entry] ?? [0, 0];
        const list = `${base}endpoints[${at}].${listFieldOf(localities[at] ?? {})}`;
        const path = `${list}[${place}].load_balancing_weight`;
        return to === undefined || to === configured
          ? []
          : [{ resource, typeUrl, path, from: String(configured), to: String(to) }];
      }),
    );
  }

  #encode(weights: readonly (readonly number[] | undefined)[]): MeshResource {
    const byPlace = new Map<string, number>();
    this.#sites.forEach(({ places }, site) =>
      places.forEach(([at, place], entry) => {
        const weight = weights[site]?.[entry];
        if (weight !== undefined) byPlace.set(`${at} ${place}`, weight);
      }),
    );
    const assignment = assignmentIn(this.#original, this.#message) ?? {};
    const endpoints = listAt(assignment, 'endpoints').map((locality, at) =>
      withEndpoints(
        locality,
        endpointsOf(locality).map((endpoint, place) => {
          const weight = byPlace.get(`${at} ${place}`);
          return weight === undefined ? endpoint : { ...endpoint, load_balancing_weight: { value: weight } };
        }),
      ),
    );
    const changed = { ...assignment, endpoints };
    const isCluster = this.#original.typeUrl === CLUSTER_TYPE;
    const message = isCluster ? { ...this.#message, load_assignment: changed } : changed;
    const name = this.#original.typeUrl.slice(TYPE_URL_PREFIX.length);
    return withBody(this.#original, definitions().encode(name, message));
  }
}

const LISTED = 'load_balancer_endpoints';

function endpointsOf(locality: PlainMessage): readonly PlainMessage[] {
  return listAt(objectAt(locality, LISTED) ?? locality, 'lb_endpoints');
}

function withEndpoints(locality: PlainMessage, endpoints: readonly PlainMessage[]): PlainMessage {
  const list = objectAt(locality, LISTED);
  return list === undefined
    ? { ...locality, lb_endpoints: endpoints }
    : { ...locality, [LISTED]: { ...list, lb_endpoints: endpoints } };
}

function listFieldOf(locality: PlainMessage): string {
  return objectAt(locality, LISTED) === undefined ? 'lb_endpoints' : `${LISTED}.lb_endpoints`;
}

function priorityOf(locality: PlainMessage): number {
  const value = locality['priority'];
  return typeof value === 'number' ? value : 0;
}

function weightOf(endpoint: PlainMessage): number {
  const value = objectAt(endpoint, 'load_balancing_weight')?.['value'];
  return typeof value === 'number' && value >= 1 ? value : 1;
}

/** `address:port`, an IPv6 address in brackets; empty for pipes and named ports. */
function addressOf(endpoint: PlainMessage | undefined): string {
  const socket = objectAt(objectAt(endpoint ?? {}, 'address') ?? {}, 'socket_address');
  const port = socket?.['port_value'];
  if (socket === undefined || typeof port !== 'number') return '';
  const address = textAt(socket, 'address');
  return address.includes(':') ? `[${address}]:${port}` : `${address}:${port}`;
}

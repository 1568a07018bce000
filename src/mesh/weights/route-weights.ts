/** A route configuration whose weights follow shares, with routes for classes before those that they narrow. */
import type { WeightDifference } from '../../core/mesh-view';
import { definitions, TYPE_URL_PREFIX, type PlainMessage } from '../definitions';
import { withBody, type MeshResource } from '../resource';
import type { PatchedResource, SharesNow } from './patched-resource';
import { listAt, reweighted, type RouteSite } from './route-sites';
import { CLUSTER_SCALE, splitWeights } from './weight-split';

/** Weights of a site, by class; undefined: as configured, without routes for classes. */
type SiteWeights = readonly (readonly number[])[] | undefined;

/** See the module. */
export class RouteWeights implements PatchedResource {
  readonly #original: MeshResource;
  readonly #message: PlainMessage;
  readonly #sites: readonly RouteSite[];
  readonly #classes: (group: number) => number;
  readonly #runtime: boolean;
  #weights: readonly SiteWeights[] = [];
  #key = '';
  #encoded: MeshResource;

  /** `classes`: how many a group has beside `default`; `runtime`: a layer carries the weights, and routes keep theirs. */
  constructor(
    original: MeshResource,
    message: PlainMessage,
    sites: readonly RouteSite[],
    classes: (group: number) => number,
    runtime: boolean,
  ) {
    this.#original = original;
    this.#message = message;
    this.#sites = sites;
    this.#classes = classes;
    this.#runtime = runtime;
    this.#encoded = original;
  }

  encode(now: SharesNow): MeshResource {
    const weights = this.#sites.map((site) => this.#weightsOf(site, now));
    const key = JSON.stringify(weights);
    if (key === this.#key) return this.#encoded;
    this.#key = key;
    this.#weights = weights;
    this.#encoded = weights.every((one) => one === undefined) ? this.#original : this.#encode(weights);
    return this.#encoded;
  }

  differences(): readonly WeightDifference[] {
    const { name: resource, typeUrl } = this.#original;
    return this.#sites.flatMap((site, place) => {
      const weights = this.#weights[place];
      if (weights === undefined) return [];
      const about = (path: string, from: number | string, to: number | string) =>
        ({ resource, typeUrl, path: `${site.path}${path}`, from: String(from), to: String(to) }) as const;
      const own = weights.at(-1) ?? [];
      const named = site.route['name'] !== this.#originalRoute(site)['name'];
      return [
        ...site.classRoutes.map((one) =>
          about(
            '',
            '',
            `before it ${one.name} (${one.takes}): ${shown(site, weights[one.classPlace] ?? [])}`,
          ),
        ),
        ...(named ? [about('.name', '', site.name)] : []),
        ...site.split.entries.flatMap(({ configured }, at) =>
          configured === own[at]
            ? []
            : [about(`.route.weighted_clusters.clusters[${at}].weight`, configured, own[at] ?? 0)],
        ),
      ];
    });
  }

  #weightsOf(site: RouteSite, now: SharesNow): SiteWeights {
    const shares = now.shares(site.group);
    if (shares === undefined) return undefined;
    if (this.#runtime) {
      const configured = site.split.entries.map((entry) => entry.configured);
      return this.#classes(site.group) === 0 ? undefined : shares.map(() => configured);
    }
    return shares.map((one) => splitWeights(site.split, one, now.usual(site.group), CLUSTER_SCALE));
  }

  #encode(weights: readonly SiteWeights[]): MeshResource {
    const patched = new Map<number, Map<number, readonly PlainMessage[]>>();
    this.#sites.forEach((site, place) => {
      const own = weights[place];
      if (own === undefined) return;
      const host = patched.get(site.virtualHost) ?? new Map<number, readonly PlainMessage[]>();
      patched.set(site.virtualHost, host.set(site.index, this.#routesOf(site, own)));
    });
    const hosts = listAt(this.#message, 'virtual_hosts').map((host, at) => {
      const own = patched.get(at);
      if (own === undefined) return host;
      return { ...host, routes: listAt(host, 'routes').flatMap((route, index) => own.get(index) ?? [route]) };
    });
    const name = this.#original.typeUrl.slice(TYPE_URL_PREFIX.length);
    return withBody(this.#original, definitions().encode(name, { ...this.#message, virtual_hosts: hosts }));
  }

  #routesOf(site: RouteSite, weights: NonNullable<SiteWeights>): readonly PlainMessage[] {
    const before = site.classRoutes.map(({ classPlace, route, name }) =>
      reweighted(
        route,
        weights[classPlace] ?? [],
        this.#runtime ? `${site.prefix}.${name.slice(name.lastIndexOf('/') + 1)}` : undefined,
      ),
    );
    return [...before, this.#runtime ? site.route : reweighted(site.route, weights.at(-1) ?? [])];
  }

  #originalRoute({ virtualHost, index }: RouteSite): PlainMessage {
    const host = listAt(this.#message, 'virtual_hosts')[virtualHost] ?? {};
    return listAt(host, 'routes')[index] ?? {};
  }
}

function shown({ clusters }: RouteSite, weights: readonly number[]): string {
  return clusters.map((entry, at) => `${String(entry['name'])} ${weights[at] ?? 0}`).join(', ');
}

/** Looks through resources for targets, and plans what of them follows shares. */
import { TidegateError } from '../../core/errors';
import type { MeshResource } from '../resource';
import { CLUSTER_TYPE, ENDPOINT_TYPE, LISTENER_TYPE, ROUTE_TYPE } from '../resource-types';
import { matchersOf } from './class-matchers';
import { hasWeightedClusters, inDocument, messageOf } from './documents';
import { assignmentIn, endpointSites, EndpointWeights } from './endpoint-weights';
import type { GroupState } from './group-state';
import type { PatchedResource } from './patched-resource';
import { routeSites, textAt, type RouteSite } from './route-sites';
import { RouteWeights } from './route-weights';
import type { ResourceDocument, WeightInput } from './rows';
import type { RuntimeSite } from './runtime-weights';
import { DEFAULT_CLASS } from './target-groups';
import { TargetIndex } from './target-index';
import type { Split } from './weight-split';

/** Which traffic a route's name stands for, as access logs tell it. */
export interface RouteTraffic {
  readonly group: string;
  readonly className: string;
}

/** Routes that classes may make, in all: each is looked at for each request, and all are sent with each change. */
const MAX_CLASS_ROUTES = 10_000;

/** See the module. */
export class ResourcePlan {
  readonly warnings: string[] = [];
  /** What follows shares, by its place among the resources. */
  readonly patched: { readonly at: number; readonly of: PatchedResource }[] = [];
  readonly runtimeSites: RuntimeSite[] = [];
  readonly routes = new Map<string, RouteTraffic>();
  readonly #states: readonly GroupState[];
  readonly #index: TargetIndex;
  readonly #runtime: boolean;
  #classRoutes = 0;

  /** Fills `states` with what is configured. @throws TidegateError TG_MESH_* with file and path. */
  constructor(input: WeightInput, resources: readonly MeshResource[], states: readonly GroupState[]) {
    this.#states = states;
    this.#index = new TargetIndex(states.map(({ of }) => of));
    this.#runtime = input.runtimeLayer !== '';
    const services = servicesOf(resources, states);
    for (const { of } of states) for (const one of of.classes) matchersOf(one, false);
    if (states.length > 0) {
      input.resources.forEach((document, at) => {
        const resource = resources[at];
        if (resource !== undefined) inDocument(document, () => this.#look(resource, document, at, services));
      });
    }
    states.forEach((state, place) => this.#settle(state, place));
  }

  #look(
    resource: MeshResource,
    document: ResourceDocument,
    at: number,
    services: ReadonlyMap<string, string>,
  ): void {
    const { typeUrl, name } = resource;
    if (typeUrl === ROUTE_TYPE) this.#lookForRoutes(resource, at);
    const cluster = typeUrl === ENDPOINT_TYPE ? services.get(name) : undefined;
    if (cluster !== undefined) this.#lookForEndpoints(resource, at, cluster);
    if (typeUrl === CLUSTER_TYPE && [...services.values()].includes(name))
      this.#lookForEndpoints(resource, at, name);
    if (typeUrl === LISTENER_TYPE && hasWeightedClusters(document.value))
      this.#warn(
        `${name}: routes within a listener keep their weights: give them as a RouteConfiguration of its own`,
      );
  }

  #lookForRoutes(resource: MeshResource, at: number): void {
    const message = messageOf(resource);
    const groups = this.#states.map(({ of }) => of);
    const { sites, plain } = routeSites(message, groups, this.#index, this.#runtime);
    for (const path of plain)
      this.#warn(`${resource.name}: ${path} sends all to one target and stays so: give it weighted_clusters`);
    for (const site of sites) this.#take(site);
    if (this.#classRoutes > MAX_CLASS_ROUTES)
      throw new TidegateError(
        'TG_MESH_TOO_LARGE',
        `classes make more than ${MAX_CLASS_ROUTES} routes: have a header tell the class instead of long lists of values`,
      );
    if (sites.length === 0) return;
    const count = (group: number): number => groups[group]?.classes.length ?? 0;
    this.patched.push({ at, of: new RouteWeights(resource, message, sites, count, this.#runtime) });
  }

  #take(site: RouteSite): void {
    const state = this.#states[site.group];
    if (state === undefined) return;
    state.splits.push(site.split);
    const { name: group, classes } = state.of;
    this.#classRoutes += site.classRoutes.length;
    if (classes.length > 0) this.routes.set(site.name, { group, className: DEFAULT_CLASS });
    for (const { name, classPlace } of site.classRoutes)
      this.routes.set(name, { group, className: classes[classPlace]?.row.name ?? DEFAULT_CLASS });
    const clusters = site.clusters.map((entry) => textAt(entry, 'name'));
    if (this.#runtime) this.#addKeys(state, site.group, site.prefix, clusters, site.split);
  }

  #lookForEndpoints(resource: MeshResource, at: number, cluster: string): void {
    const message = messageOf(resource);
    const assignment = assignmentIn(resource, message) ?? {};
    const { sites, byLocality } = endpointSites(assignment, cluster, this.#index);
    if (sites.length === 0) return;
    for (const { group, split } of sites) this.#states[group]?.splits.push(split);
    if (new Set(sites.map(({ priority }) => priority)).size > 1)
      this.#warn(`${cluster}: its endpoints have several priorities: shares move only within each`);
    if (byLocality) this.#warn(`${cluster}: its localities have weights: shares move only within each`);
    if (resource.typeUrl === CLUSTER_TYPE)
      this.#warn(`${cluster}: its endpoints stand in the cluster, which each change replaces: use EDS`);
    this.patched.push({ at, of: new EndpointWeights(resource, message, sites) });
  }

  /** A group's targets that were found become what is shown. */
  #settle(state: GroupState, place: number): void {
    const { name, runtimePrefix, targets, classes } = state.of;
    const byKeys = runtimePrefix !== '' && this.#runtime;
    if (runtimePrefix !== '' && !byKeys)
      this.#warn(`group ${name}: runtime_prefix needs mesh.traffic.runtime_layer`);
    // Routes of the folder that have the prefix say more than the rows.
    if (
      byKeys &&
      !this.runtimeSites.some(({ prefix, group }) => prefix === runtimePrefix && group === place)
    ) {
      const entries = targets.map(({ row }, target) => ({ target, configured: row.weight }));
      const split: Split = { entries, least: 0 };
      state.splits.push(split);
      this.#addKeys(
        state,
        place,
        runtimePrefix,
        targets.map(({ row }) => row.cluster),
        split,
      );
    }
    targets.forEach((target) => {
      if (!byKeys && !this.#index.seen(target))
        this.#warn(`${target.at}: no resource has the target ${target.id} with a weight`);
    });
    const routed = new Set([...this.routes.values()].map(({ group, className }) => `${group} ${className}`));
    for (const { row, at } of classes)
      if (!byKeys && !routed.has(`${name} ${row.name}`))
        this.#warn(`${at}: no route of group ${name} can have requests of class ${row.name}`);
    state.settle(targets.map((target) => byKeys || this.#index.seen(target)));
  }

  #addKeys(
    state: GroupState,
    group: number,
    prefix: string,
    clusters: readonly string[],
    split: Split,
  ): void {
    const others = this.runtimeSites.filter((site) => site.prefix === prefix);
    if (others.some((site) => site.group !== group))
      throw new TidegateError('TG_MESH_TARGET', `two groups have the runtime key prefix ${prefix}`);
    // Routes with one prefix have the same keys; the first says how they are weighed.
    if (others.length > 0) return;
    if (new Set(clusters).size < clusters.length)
      throw new TidegateError('TG_MESH_TARGET', `subsets of a cluster would have the same runtime key`, {
        at: { key: state.of.targets[0]?.at ?? 'mesh.targets' },
      });
    this.runtimeSites.push({ group, prefix, clusters, split, classes: state.classes });
  }

  #warn(warning: string): void {
    this.warnings.push(warning);
  }
}

/** The cluster that settings name, by the name of its assignment. */
function servicesOf(resources: readonly MeshResource[], states: readonly GroupState[]): Map<string, string> {
  const services = new Map<string, string>();
  for (const { of } of states) {
    const cluster = of.targets[0]?.row.cluster;
    if (of.kind !== 'endpoints' || cluster === undefined) continue;
    const own = resources.find(({ typeUrl, name }) => typeUrl === CLUSTER_TYPE && name === cluster);
    services.set(own?.waitsFor[0] ?? cluster, cluster);
  }
  return services;
}

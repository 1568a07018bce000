/**
 * A user's resources with weights that follow shares. Only weights are rewritten, and routes added for classes; without
 * shares all is as the user wrote it, byte for byte.
 */
import { TidegateError } from '../../core/errors';
import type { WeightDifference } from '../../core/mesh-view';
import type { TrafficGroup } from '../../core/traffic';
import type { MeshResource } from '../resource';
import { RUNTIME_TYPE } from '../resource-types';
import { encodedDocuments } from './documents';
import { GroupState, type WeightChange } from './group-state';
import type { ClassShares, SharesNow } from './patched-resource';
import { ResourcePlan, type RouteTraffic } from './resource-plan';
import type { WeightInput } from './rows';
import { RuntimeWeights } from './runtime-weights';
import { targetGroups } from './target-groups';

/** Shares by group: for each class and target in the order of `groups()`. */
export type GroupShares = ReadonlyMap<string, ClassShares>;

/** What nodes are to have. */
export interface AppliedWeights {
  /** All resources, in the order in which they were given; the very same list while nothing changes. */
  readonly resources: readonly MeshResource[];
  /** How shares differ from those applied before. */
  readonly changed: readonly WeightChange[];
}

/** Differences that are shown, at most. */
const MAX_DIFFERENCES = 2_000;

/** See the module. */
export class WeightedResources {
  readonly #states: readonly GroupState[];
  readonly #plan: ResourcePlan;
  readonly #runtime: RuntimeWeights | undefined;
  #resources: readonly MeshResource[];

  /** Validates all of it. @throws TidegateError TG_MESH_*, with file and path of a resource or with the row of settings. */
  constructor(input: WeightInput) {
    this.#states = targetGroups(input.targets, input.classes).map((group) => new GroupState(group));
    const resources = encodedDocuments(input.resources);
    this.#plan = new ResourcePlan(input, resources, this.#states);
    this.#runtime = layerOf(input, resources, this.#plan);
    this.#resources =
      this.#runtime === undefined ? resources : [...resources, this.#runtime.encode(this.#now())];
  }

  /** How many resources there are. */
  get size(): number {
    return this.#resources.length;
  }

  /** The groups of which resources, or runtime keys, carry targets; with the weights that are configured. */
  groups(): readonly TrafficGroup[] {
    return this.#states.flatMap(({ shown }) => (shown === undefined ? [] : [shown]));
  }

  /** What stops nothing, but may not be meant. */
  warnings(): readonly string[] {
    return this.#plan.warnings;
  }

  /** The names of routes that carry a group with classes, and the class of each. */
  routeTraffic(): ReadonlyMap<string, RouteTraffic> {
    return this.#plan.routes;
  }

  /**
   * The resources under shares. A group that has none, or that has no class and what is configured, is as the user wrote it.
   * @throws TidegateError TG_INTERNAL for shares of another shape, or that are no numbers from 0; then nothing changes.
   */
  apply(shares: GroupShares): AppliedWeights {
    const next = this.#states.map((state) => state.expanded(shares.get(state.of.name)));
    const changed = this.#states.flatMap((state, place) => state.changes(next[place]));
    this.#states.forEach((state, place) => (state.shares = next[place]));
    const now = this.#now();
    const news = new Map<number, MeshResource>();
    const look = (at: number, resource: MeshResource): void => {
      if (this.#resources[at] !== resource) news.set(at, resource);
    };
    for (const { at, of } of this.#plan.patched) look(at, of.encode(now));
    if (this.#runtime !== undefined) look(this.#resources.length - 1, this.#runtime.encode(now));
    if (news.size > 0) this.#resources = this.#resources.map((resource, at) => news.get(at) ?? resource);
    return { resources: this.#resources, changed };
  }

  /** How what was applied last differs from what the user wrote. */
  differences(): readonly WeightDifference[] {
    const patched = this.#plan.patched.flatMap(({ of }) => of.differences());
    return [...patched, ...(this.#runtime?.differences() ?? [])].slice(0, MAX_DIFFERENCES);
  }

  #now(): SharesNow {
    return {
      shares: (group) => this.#states[group]?.shares,
      usual: (group) => this.#states[group]?.usual ?? [],
    };
  }
}

function layerOf(
  { runtimeLayer, runtimeTtlMs }: WeightInput,
  resources: readonly MeshResource[],
  { runtimeSites }: ResourcePlan,
): RuntimeWeights | undefined {
  if (runtimeLayer === '') return undefined;
  if (resources.some(({ typeUrl, name }) => typeUrl === RUNTIME_TYPE && name === runtimeLayer)) {
    throw new TidegateError('TG_MESH_DUPLICATE', `the layer ${runtimeLayer} is written by Tidegate`, {
      at: { key: 'mesh.traffic.runtime_layer' },
    });
  }
  return new RuntimeWeights(runtimeLayer, runtimeTtlMs, runtimeSites);
}

/** Which target an entry of a resource is. */
import type { PlainMessage } from '../definitions';
import type { GroupTarget, TargetGroup } from './target-groups';

/** A target by its group's and its own place. */
export interface TargetPlace {
  readonly group: number;
  readonly target: number;
}

interface Known extends TargetPlace {
  readonly of: GroupTarget;
}

/** Looks targets up by what resources say. */
export class TargetIndex {
  readonly #clusters = new Map<string, Known[]>();
  readonly #endpoints = new Map<string, TargetPlace>();
  readonly #seen = new Set<GroupTarget>();
  readonly #groups: readonly TargetGroup[];

  constructor(groups: readonly TargetGroup[]) {
    this.#groups = groups;
    groups.forEach(({ kind, targets }, group) =>
      targets.forEach((of, target) => {
        if (kind === 'endpoints') this.#endpoints.set(of.id, { group, target });
        else {
          const list = this.#clusters.get(of.row.cluster) ?? [];
          this.#clusters.set(of.row.cluster, [...list, { group, target, of }]);
        }
      }),
    );
  }

  /** The target that an entry of `weighted_clusters` is; its subset has to be among the entry's metadata. */
  ofEntry(entry: PlainMessage): TargetPlace | undefined {
    const name = entry['name'];
    const known = typeof name === 'string' ? this.#clusters.get(name) : undefined;
    const metadata = known?.some(({ of }) => of.subset.size > 0) === true ? subsetIn(entry) : undefined;
    return this.#saw(
      known?.find(({ of }) => [...of.subset].every(([key, value]) => metadata?.[key] === value)),
    );
  }

  /** Whether a cluster, or a subset of it, is a target. */
  hasCluster(name: string): boolean {
    return this.#clusters.has(name);
  }

  /** The target that an endpoint is, by {@link endpointId}. */
  ofEndpoint(id: string): TargetPlace | undefined {
    return this.#saw(this.#endpoints.get(id));
  }

  /** Whether any resource had the target. */
  seen(target: GroupTarget): boolean {
    return this.#seen.has(target);
  }

  #saw<T extends TargetPlace>(place: T | undefined): T | undefined {
    const target = place === undefined ? undefined : this.#groups[place.group]?.targets[place.target];
    if (target !== undefined) this.#seen.add(target);
    return place;
  }
}

/** The texts that an entry's `metadata_match` names for load balancing. Source: Envoy, "Load balancer subsets". */
function subsetIn(entry: PlainMessage): Readonly<Record<string, string>> {
  const match = entry['metadata_match'] as PlainMessage | null | undefined;
  const filters = match?.['filter_metadata'] as Record<string, PlainMessage> | undefined;
  const fields = filters?.['envoy.lb']?.['fields'] as Record<string, PlainMessage> | undefined;
  return Object.fromEntries(
    Object.entries(fields ?? {}).flatMap(([key, value]) => {
      const text = value['string_value'];
      return typeof text === 'string' ? [[key, text]] : [];
    }),
  );
}

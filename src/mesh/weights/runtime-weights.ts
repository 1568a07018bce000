/**
 * A runtime layer that carries the weights of routes: `<runtime_key_prefix>.<cluster>`, with a class `<prefix>.<class>.<cluster>`.
 * It has a time to live, so that the weights of the routes hold once nothing is heard of us.
 * Source: envoy.config.route.v3.WeightedCluster.runtime_key_prefix; envoy.service.runtime.v3.
 */
import type { WeightDifference } from '../../core/mesh-view';
import { resourceFromJson, type MeshResource } from '../resource';
import { RUNTIME_TYPE } from '../resource-types';
import type { SharesNow } from './patched-resource';
import { CLUSTER_SCALE, splitWeights, type Split } from './weight-split';

/** Weights under one prefix. */
export interface RuntimeSite {
  readonly group: number;
  readonly prefix: string;
  readonly clusters: readonly string[];
  readonly split: Split;
  /** The group's classes, `default` last. */
  readonly classes: readonly string[];
}

/** See the module. */
export class RuntimeWeights {
  readonly #name: string;
  readonly #ttlMs: number;
  readonly #sites: readonly RuntimeSite[];
  #values: Readonly<Record<string, number>> = {};
  #key: string | undefined;
  #encoded: MeshResource | undefined;

  constructor(name: string, ttlMs: number, sites: readonly RuntimeSite[]) {
    this.#name = name;
    this.#ttlMs = ttlMs;
    this.#sites = sites;
  }

  /** The layer; without keys while all is as configured, since Envoys wait for a layer that they ask for. */
  encode(now: SharesNow): MeshResource {
    const values: Record<string, number> = {};
    for (const site of this.#sites) {
      const usual = now.usual(site.group);
      now.shares(site.group)?.forEach((shares, place) => {
        const weights = splitWeights(site.split, shares, usual, CLUSTER_SCALE);
        const prefix = prefixOf(site, place);
        site.clusters.forEach((cluster, at) => (values[`${prefix}.${cluster}`] = weights[at] ?? 0));
      });
    }
    const key = JSON.stringify(values);
    if (this.#encoded !== undefined && key === this.#key) return this.#encoded;
    this.#key = key;
    this.#values = values;
    this.#encoded = resourceFromJson(
      RUNTIME_TYPE,
      { name: this.#name, layer: values },
      { path: 'mesh.traffic.runtime_layer', ttlMs: this.#ttlMs },
    );
    return this.#encoded;
  }

  /** The keys, against the weights that hold without them. */
  differences(): readonly WeightDifference[] {
    const configured = new Map<string, number>();
    for (const site of this.#sites) {
      site.classes.forEach((_, place) =>
        site.clusters.forEach((cluster, at) =>
          configured.set(`${prefixOf(site, place)}.${cluster}`, site.split.entries[at]?.configured ?? 0),
        ),
      );
    }
    return Object.entries(this.#values).map(([key, to]) => ({
      resource: this.#name,
      typeUrl: RUNTIME_TYPE,
      path: `layer.${key}`,
      from: String(configured.get(key) ?? ''),
      to: String(to),
    }));
  }
}

function prefixOf({ prefix, classes }: RuntimeSite, place: number): string {
  return place === classes.length - 1 ? prefix : `${prefix}.${classes[place] ?? ''}`;
}

/**
 * Break last: what is removed of clusters and endpoints stays on a stream until its listeners and routes, which may still
 * use it, are accepted as they are now; but not for longer than a bound.
 * Source: Envoy's docs, api-docs/xds_protocol: "Eventual consistency considerations".
 */
import type { MeshResource } from './resource';
import { CLUSTER_TYPE, ENDPOINT_TYPE } from './resource-types';
import { setVersion, type Snapshot, type TypeSnapshot } from './snapshot-cache';

/** Types of which removals are late. */
export const REMOVED_LATE: readonly string[] = [CLUSTER_TYPE, ENDPOINT_TYPE];

/** See the module. No clock, no stream: both variants use it. */
export class LateRemovals {
  readonly #holdMs: number;
  /** What the client should have for now, by type, where that is more than the snapshot has. */
  readonly #kept = new Map<string, TypeSnapshot>();
  #sinceMs: number | undefined;

  /** `holdMs`: after that it is removed, whatever listeners and routes say. */
  constructor(holdMs: number) {
    this.#holdMs = holdMs;
  }

  /** Takes a change of what the client should have. `has`: whether the client was sent a resource, by type and name. */
  update(
    before: Snapshot | undefined,
    after: Snapshot,
    has: (typeUrl: string, name: string) => boolean,
  ): void {
    for (const typeUrl of REMOVED_LATE) {
      const was = this.#kept.get(typeUrl) ?? before?.get(typeUrl);
      const is = after.get(typeUrl);
      if (was === undefined || was.version === is?.version) continue;
      const gone = [...was.resources].filter(
        ([name]) => is?.resources.has(name) !== true && has(typeUrl, name),
      );
      if (gone.length === 0) {
        this.#kept.delete(typeUrl);
        continue;
      }
      const resources = new Map<string, MeshResource>([...(is?.resources ?? []), ...gone]);
      this.#kept.set(typeUrl, { version: setVersion(resources.values()), resources });
    }
    if (this.#kept.size === 0) this.#sinceMs = undefined;
  }

  /** What the client should have of a type for now. */
  of(snapshot: Snapshot, typeUrl: string): TypeSnapshot | undefined {
    return this.#kept.get(typeUrl) ?? snapshot.get(typeUrl);
  }

  /**
   * Lets go of what is kept, when it is time.
   * @param settled whether listeners and routes are accepted as they are now.
   * @returns whether anything was kept and is not any more.
   */
  release(settled: boolean, nowMs: number): boolean {
    if (this.#kept.size === 0) return false;
    this.#sinceMs ??= nowMs;
    if (!settled && nowMs - this.#sinceMs < this.#holdMs) return false;
    this.#kept.clear();
    this.#sinceMs = undefined;
    return true;
  }
}

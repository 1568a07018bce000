/** Snapshots for each group of nodes, apart from any stream: what every node of the group should have. */
import { TidegateError } from '../core/errors';
import { contentHash, type MeshResource } from './resource';

/** All resources of one type. */
export interface TypeSnapshot {
  /** A hash of the names and versions in it. */
  readonly version: string;
  readonly resources: ReadonlyMap<string, MeshResource>;
}

/** What the nodes of a group should have, by type URL. Never changed after it was made. */
export type Snapshot = ReadonlyMap<string, TypeSnapshot>;

/** What one `set` changed in a type. */
export interface TypeChange {
  readonly typeUrl: string;
  readonly added: readonly string[];
  readonly changed: readonly string[];
  readonly removed: readonly string[];
}

/** Told of every change; it must not throw. */
export type SnapshotWatcher = (group: string, snapshot: Snapshot, changes: readonly TypeChange[]) => void;

/** Bounds of the cache. */
export interface SnapshotBounds {
  /** Encoded bytes that one group's snapshot may have. Default 64 MiB. */
  readonly maxBytes?: number;
  /** Groups. Default 1,000. */
  readonly maxGroups?: number;
}

const DEFAULT_MAX_BYTES = 64 * 1_048_576;
const DEFAULT_MAX_GROUPS = 1_000;

/** Makes a snapshot. Throws `TG_MESH_DUPLICATE` when two resources of a type share a name. */
export function snapshotOf(resources: Iterable<MeshResource>): Snapshot {
  const byType = new Map<string, Map<string, MeshResource>>();
  for (const resource of resources) {
    const type = byType.get(resource.typeUrl) ?? new Map<string, MeshResource>();
    byType.set(resource.typeUrl, type);
    if (type.has(resource.name)) {
      throw new TidegateError('TG_MESH_DUPLICATE', `${resource.typeUrl} ${resource.name} is given twice`);
    }
    type.set(resource.name, resource);
  }
  return new Map(
    [...byType].map(([typeUrl, named]) => [
      typeUrl,
      { version: setVersion(named.values()), resources: named },
    ]),
  );
}

/** The version of a set of resources, whatever their order. */
export function setVersion(resources: Iterable<MeshResource>): string {
  const parts = [...resources].map(({ name, version }) => `${name} ${version}`);
  return contentHash(parts.sort());
}

/** Holds the snapshots and tells watchers of changes. */
export class SnapshotCache {
  readonly #snapshots = new Map<string, Snapshot>();
  readonly #watchers = new Set<SnapshotWatcher>();
  readonly #maxBytes: number;
  readonly #maxGroups: number;

  constructor(bounds: SnapshotBounds = {}) {
    this.#maxBytes = bounds.maxBytes ?? DEFAULT_MAX_BYTES;
    this.#maxGroups = bounds.maxGroups ?? DEFAULT_MAX_GROUPS;
  }

  /** The group's snapshot; undefined before the first was set: then nothing is known, which is not the same as nothing. */
  get(group: string): Snapshot | undefined {
    return this.#snapshots.get(group);
  }

  /** All groups that have a snapshot. */
  groups(): readonly string[] {
    return [...this.#snapshots.keys()];
  }

  /**
   * Sets a group's snapshot, and tells watchers when it differs.
   * @returns what changed. Throws `TG_MESH_TOO_LARGE`; then the former snapshot stays.
   */
  set(group: string, snapshot: Snapshot): readonly TypeChange[] {
    this.check(group, snapshot);
    const before = this.#snapshots.get(group);
    const changes = changesBetween(before, snapshot);
    if (before !== undefined && changes.length === 0) return changes;
    this.#snapshots.set(group, snapshot);
    for (const watcher of [...this.#watchers]) watcher(group, snapshot, changes);
    return changes;
  }

  /** Forgets a group: its nodes keep what they have. */
  forget(group: string): void {
    this.#snapshots.delete(group);
  }

  /** Watches all groups. @returns a function that ends it. */
  watch(watcher: SnapshotWatcher): () => void {
    this.#watchers.add(watcher);
    return () => this.#watchers.delete(watcher);
  }

  /** Throws `TG_MESH_TOO_LARGE` for what {@link set} would not take. */
  check(group: string, snapshot: Snapshot): void {
    let bytes = 0;
    for (const { resources } of snapshot.values()) {
      for (const { body } of resources.values()) bytes += body.length;
    }
    if (bytes > this.#maxBytes) {
      throw new TidegateError(
        'TG_MESH_TOO_LARGE',
        `${bytes} bytes for group ${group}; at most ${this.#maxBytes}`,
      );
    }
    if (!this.#snapshots.has(group) && this.#snapshots.size >= this.#maxGroups) {
      throw new TidegateError('TG_MESH_TOO_LARGE', `more than ${this.#maxGroups} groups`);
    }
  }
}

/** What differs, by type; types without a difference are left out. */
export function changesBetween(before: Snapshot | undefined, after: Snapshot): readonly TypeChange[] {
  const types = new Set([...(before?.keys() ?? []), ...after.keys()]);
  return [...types].flatMap((typeUrl) => {
    const was = before?.get(typeUrl);
    const is = after.get(typeUrl);
    if (was?.version === is?.version) return [];
    const old = was?.resources ?? new Map<string, MeshResource>();
    const now = is?.resources ?? new Map<string, MeshResource>();
    const names = [...now.keys()];
    return [
      {
        typeUrl,
        added: names.filter((name) => !old.has(name)),
        changed: names.filter((name) => old.has(name) && old.get(name)?.version !== now.get(name)?.version),
        removed: [...old.keys()].filter((name) => !now.has(name)),
      },
    ];
  });
}

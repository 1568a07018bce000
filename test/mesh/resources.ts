/** Small resources for tests of the mesh. */
import { resourceFromJson, type MeshResource } from '../../src/mesh/resource';
import {
  CLUSTER_TYPE,
  ENDPOINT_TYPE,
  LISTENER_TYPE,
  ROUTE_TYPE,
  RUNTIME_TYPE,
} from '../../src/mesh/resource-types';
import { snapshotOf, type Snapshot } from '../../src/mesh/snapshot-cache';

export const TYPES = {
  C: CLUSTER_TYPE,
  E: ENDPOINT_TYPE,
  L: LISTENER_TYPE,
  R: ROUTE_TYPE,
  T: RUNTIME_TYPE,
} as const;
export type Letter = keyof typeof TYPES;

/** A resource by a text such as `C:a1`: the type's letter, its name, and a digit that stands for its content. */
export function resource(text: string): MeshResource {
  const match = /^([CELRT]):([a-z]+)(\d+)(?:!(\d+))?$/.exec(text);
  if (match === null) throw new Error(`not a resource: ${text}`);
  const [, letter = '', name = '', content = '', ttl] = match;
  const options = ttl === undefined ? {} : { ttlMs: Number(ttl) };
  return resourceFromJson(TYPES[letter as Letter], bodyOf(letter as Letter, name, Number(content)), options);
}

function bodyOf(letter: Letter, name: string, content: number): object {
  switch (letter) {
    case 'C':
      return {
        name,
        type: 'EDS',
        connect_timeout: `${content}s`,
        eds_cluster_config: { eds_config: { ads: {} } },
      };
    case 'E':
      return { cluster_name: name, policy: { overprovisioning_factor: content + 1 } };
    case 'L':
      return { name, per_connection_buffer_limit_bytes: content };
    case 'R':
      return { name, max_direct_response_body_size_bytes: content };
    case 'T':
      return { name, layer: { content } };
  }
}

/** A snapshot of several, such as `C:a1 E:a1`. */
export function snapshot(text: string): Snapshot {
  return snapshotOf(text.split(' ').filter(Boolean).map(resource));
}

/** `a1` for each, in order of names: what a response carries, as the tests write it. */
export function shown(resources: readonly MeshResource[], all: ReadonlyMap<string, string>): string {
  return resources
    .map(({ version }) => all.get(version) ?? '?')
    .sort()
    .join(' ');
}

/** From versions to `a1`, for what these texts name. */
export function versionsOf(texts: Iterable<string>): Map<string, string> {
  return new Map([...texts].map((text) => [resource(text).version, text.slice(2).replace(/!.*/, '')]));
}

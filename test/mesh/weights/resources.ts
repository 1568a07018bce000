/** Resources, rows and shares for tests of weights. */
import { definitions, TYPE_URL_PREFIX, type PlainMessage } from '../../../src/mesh/definitions';
import type { MeshResource } from '../../../src/mesh/resource';
import type { ClassRow, ResourceDocument, TargetRow, WeightInput } from '../../../src/mesh/weights/rows';
import { WeightedResources } from '../../../src/mesh/weights/weighted-resources';
import { TYPES } from '../resources';

export const FILE = 'routes.yaml';

export function document(typeUrl: string, value: object, place = 0): ResourceDocument {
  return { typeUrl, value, file: FILE, path: `resources[${place}]` };
}

/** A target's row, such as `web:a`, `web:a/10.0.0.1:80` or `web:a[version=v1]`. */
export function target(text: string, more: Partial<TargetRow> = {}): TargetRow {
  const match = /^([^:]*):([^/[]*)(?:\/(.+)|\[(.*)\])?$/.exec(text);
  if (match === null) throw new Error(`no target: ${text}`);
  const [, group = '', cluster = '', endpoint = '', subset = ''] = match;
  return {
    group,
    cluster,
    endpoint,
    subset,
    backup: false,
    maxShare: 1,
    weight: 1,
    runtimePrefix: '',
    ...more,
  };
}

export function classRow(name: string, more: Partial<ClassRow> = {}): ClassRow {
  return { group: 'web', name, priority: 'HIGH', header: '', values: [], methods: [], path: '', ...more };
}

export const VIP = classRow('vip', { header: 'x-tier', values: ['gold'] });

/** A route over weighted clusters. */
export function route(
  weights: Readonly<Record<string, number>>,
  more: object = {},
  weighted: object = {},
): object {
  const clusters = Object.entries(weights).map(([name, weight]) => ({ name, weight }));
  return { match: { prefix: '/' }, route: { weighted_clusters: { clusters, ...weighted } }, ...more };
}

export function routes(...list: readonly object[]): ResourceDocument {
  return document(TYPES.R, { name: 'web', virtual_hosts: [{ name: 'all', domains: ['*'], routes: list }] });
}

/** Endpoints of cluster `a` in localities: texts such as `10.0.0.1:80` or `10.0.0.1:80=5`. */
export function endpoints(
  localities: readonly { readonly of: readonly string[]; readonly more?: object }[],
): ResourceDocument {
  const value = {
    cluster_name: 'a',
    endpoints: localities.map(({ of, more = {} }) => ({ lb_endpoints: of.map(endpoint), ...more })),
  };
  return document(TYPES.E, value);
}

export function endpoint(text: string): object {
  const [at = '', weight] = text.split('=');
  const cut = at.lastIndexOf(':');
  const address = at.slice(0, cut).replace(/^\[|\]$/g, '');
  return {
    endpoint: { address: { socket_address: { address, port_value: Number(at.slice(cut + 1)) } } },
    ...(weight === undefined ? {} : { load_balancing_weight: Number(weight) }),
  };
}

export function weighted(
  resources: readonly ResourceDocument[],
  targets: readonly TargetRow[],
  classes: readonly ClassRow[] = [],
  more: Partial<WeightInput> = {},
): WeightedResources {
  return new WeightedResources({
    resources,
    targets,
    classes,
    runtimeLayer: '',
    runtimeTtlMs: 10_000,
    ...more,
  });
}

/** A resource's content. */
export function decoded({ typeUrl, body }: MeshResource): PlainMessage {
  const plain: unknown = JSON.parse(
    JSON.stringify(definitions().decode(typeUrl.slice(TYPE_URL_PREFIX.length), body)),
  );
  return plain as PlainMessage;
}

interface RouteShape {
  readonly name?: string;
  readonly match: { readonly headers?: readonly object[] };
  readonly route: {
    readonly weighted_clusters: {
      readonly clusters: readonly { readonly name: string; readonly weight: { readonly value: number } }[];
      readonly runtime_key_prefix?: string;
      readonly total_weight?: { readonly value: number };
    };
  };
}

/** The routes of a route configuration. */
export function routesIn(resource: MeshResource | undefined): readonly RouteShape[] {
  if (resource === undefined) throw new Error('no resource');
  const message = decoded(resource) as unknown as {
    readonly virtual_hosts: readonly { readonly routes: readonly RouteShape[] }[];
  };
  return message.virtual_hosts.flatMap(({ routes: list }) => list);
}

/** `name: a 700000, b 300000` for each route. */
export function shownRoutes(resource: MeshResource | undefined): readonly string[] {
  return routesIn(resource).map(({ name = '', route: action }) => {
    const { clusters, runtime_key_prefix: prefix } = action.weighted_clusters;
    const list = clusters.map((one) => `${one.name} ${one.weight.value}`).join(', ');
    return `${name}${prefix === undefined ? '' : `(${prefix})`}: ${list}`;
  });
}

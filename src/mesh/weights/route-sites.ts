/** The routes of a route configuration that have targets, and the routes that classes need before them. */
import { TidegateError } from '../../core/errors';
import type { PlainMessage } from '../definitions';
import { conditionsOf, ignoresCase, matchersOf, pathsMeet } from './class-matchers';
import { DEFAULT_CLASS, type TargetGroup } from './target-groups';
import type { TargetIndex } from './target-index';
import type { Split } from './weight-split';

/** A route for one class, but for its weights. */
export interface ClassRoute {
  /** The class's place in its group. */
  readonly classPlace: number;
  readonly name: string;
  readonly route: PlainMessage;
  /** What it takes, in words. */
  readonly takes: string;
}

/** A route with weighted clusters that are targets of a group. */
export interface RouteSite {
  readonly virtualHost: number;
  readonly index: number;
  /** Such as `virtual_hosts[0].routes[2]`. */
  readonly path: string;
  readonly group: number;
  readonly route: PlainMessage;
  readonly clusters: readonly PlainMessage[];
  readonly split: Split;
  /** The `runtime_key_prefix`; empty: none. */
  readonly prefix: string;
  /** The route's name, as access logs tell it; made up where the group has classes and the user gave none. */
  readonly name: string;
  readonly classRoutes: readonly ClassRoute[];
}

/** What was found in one route configuration. */
export interface FoundRoutes {
  readonly sites: readonly RouteSite[];
  /** Routes that send all to one target, which stay so. */
  readonly plain: readonly string[];
}

/**
 * Looks through a route configuration.
 * @throws TidegateError TG_MESH_TARGET with the route's path.
 */
export function routeSites(
  configuration: PlainMessage,
  groups: readonly TargetGroup[],
  index: TargetIndex,
  runtime: boolean,
): FoundRoutes {
  const sites: RouteSite[] = [];
  const plain: string[] = [];
  listAt(configuration, 'virtual_hosts').forEach((host, virtualHost) =>
    listAt(host, 'routes').forEach((route, place) => {
      const path = `virtual_hosts[${virtualHost}].routes[${place}]`;
      const action = objectAt(route, 'route');
      const cluster = action?.['cluster'];
      if (action === undefined) return;
      if (Object.hasOwn(action, 'cluster') && typeof cluster === 'string' && index.hasCluster(cluster)) {
        plain.push(path);
        return;
      }
      const weighted = objectAt(action, 'weighted_clusters');
      const fallback = `${textAt(host, 'name')}/${place}`;
      const where = { virtualHost, index: place, path, name: textAt(route, 'name') || fallback };
      const site = weighted === undefined ? undefined : siteOf(where, route, weighted, groups, index);
      if (site === undefined) return;
      if (runtime) checkRuntime(site);
      sites.push(site);
    }),
  );
  return { sites, plain };
}

type Where = Pick<RouteSite, 'virtualHost' | 'index' | 'path' | 'name'>;

function siteOf(
  where: Where,
  route: PlainMessage,
  weighted: PlainMessage,
  groups: readonly TargetGroup[],
  index: TargetIndex,
): RouteSite | undefined {
  const clusters = listAt(weighted, 'clusters');
  const places = clusters.map((entry) => index.ofEntry(entry));
  const found = [...new Set(places.flatMap((place) => (place === undefined ? [] : [place.group])))];
  const [group] = found;
  const of = group === undefined ? undefined : groups[group];
  if (group === undefined || of === undefined) return undefined;
  if (found.length > 1) {
    const names = found.map((one) => groups[one]?.name).join(' and ');
    throw mistake(`${where.path}.route.weighted_clusters`, `one route has targets of groups ${names}`);
  }
  const entries = clusters.map((entry, at) => ({ target: places[at]?.target, configured: weightOf(entry) }));
  const named = textAt(route, 'name') !== '' || of.classes.length === 0;
  return {
    ...where,
    group,
    route: named ? route : { ...route, name: `${where.name}/${DEFAULT_CLASS}` },
    clusters,
    split: { entries, least: 0 },
    prefix: textAt(weighted, 'runtime_key_prefix'),
    name: named ? textAt(route, 'name') : `${where.name}/${DEFAULT_CLASS}`,
    classRoutes: classRoutes(where.name, route, of),
  };
}

function classRoutes(name: string, route: PlainMessage, group: TargetGroup): ClassRoute[] {
  const match = objectAt(route, 'match') ?? {};
  return group.classes.flatMap((one, classPlace) => {
    if (!pathsMeet(match, one.row.path)) return [];
    const own = `${name}/${one.row.name}`;
    return matchersOf(one, ignoresCase(match)).map((matchers) => ({
      classPlace,
      name: own,
      takes: conditionsOf(one),
      route: {
        ...route,
        name: own,
        match: { ...match, headers: [...listAt(match, 'headers'), ...matchers] },
      },
    }));
  });
}

function checkRuntime({ path, prefix, clusters }: RouteSite): void {
  const at = `${path}.route.weighted_clusters`;
  if (prefix === '')
    throw mistake(at, 'a runtime layer is to carry the weights, and the route has no runtime_key_prefix');
  const names = clusters.map((entry) => textAt(entry, 'name'));
  if (names.includes(''))
    throw mistake(
      at,
      'a cluster that a header names has no runtime key, so that the others cannot be weighed',
    );
  const twice = names.find((name, place) => name !== '' && names.indexOf(name) !== place);
  if (twice !== undefined)
    throw mistake(
      at,
      `${twice} stands twice: both would have the same runtime key, so that subsets need routes`,
    );
}

/** A route's action with other weights, and another prefix where one is given. */
export function reweighted(route: PlainMessage, weights: readonly number[], prefix?: string): PlainMessage {
  const action = objectAt(route, 'route') ?? {};
  const weighted = objectAt(action, 'weighted_clusters') ?? {};
  const clusters = listAt(weighted, 'clusters').map((entry, place) => ({
    ...entry,
    weight: { value: weights[place] ?? 0 },
  }));
  const total = weights.reduce((all, weight) => all + weight, 0);
  return {
    ...route,
    route: {
      ...action,
      weighted_clusters: {
        ...weighted,
        clusters,
        // Envoy holds a total that is given against the sum.
        ...(objectAt(weighted, 'total_weight') === undefined ? {} : { total_weight: { value: total } }),
        ...(prefix === undefined ? {} : { runtime_key_prefix: prefix }),
      },
    },
  };
}

function weightOf(entry: PlainMessage): number {
  const value = objectAt(entry, 'weight')?.['value'];
  return typeof value === 'number' ? value : 0;
}

/** A message in a field; undefined where there is none. */
export function objectAt(message: PlainMessage, field: string): PlainMessage | undefined {
  const value = Object.hasOwn(message, field) ? message[field] : undefined;
  return typeof value === 'object' && value !== null ? (value as PlainMessage) : undefined;
}

/** The messages of a repeated field. */
export function listAt(message: PlainMessage, field: string): readonly PlainMessage[] {
  const value = Object.hasOwn(message, field) ? message[field] : undefined;
  return Array.isArray(value) ? (value as PlainMessage[]) : [];
}

/** A text field; empty where there is none. */
export function textAt(message: PlainMessage, field: string): string {
  const value = Object.hasOwn(message, field) ? message[field] : undefined;
  return typeof value === 'string' ? value : '';
}

function mistake(path: string, message: string): TidegateError {
  return new TidegateError('TG_MESH_TARGET', message, { at: { key: path } });
}

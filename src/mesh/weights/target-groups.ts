/** Rows of settings as groups of targets and classes, held against each other. */
import { TidegateError } from '../../core/errors';
import type { ErrorCode } from '../../core/error-catalogue';
import { PRIORITIES } from '../../core/priority';
import type { ClassRow, TargetRow } from './rows';

/** A target as a row of settings gives it. */
export interface GroupTarget {
  readonly id: string;
  readonly row: TargetRow;
  /** Where the row stands, such as `mesh.targets[3]`. */
  readonly at: string;
  /** Metadata of its subset; empty: any. */
  readonly subset: ReadonlyMap<string, string>;
}

/** A class as a row of settings gives it. */
export interface GroupClass {
  readonly row: ClassRow;
  readonly at: string;
}

/** Targets that take the same traffic. */
export interface TargetGroup {
  readonly name: string;
  /** Clusters of weighted routes, or endpoints of one cluster. */
  readonly kind: 'clusters' | 'endpoints';
  readonly targets: readonly GroupTarget[];
  /** The most important first, then as the rows stand; without `default`. */
  readonly classes: readonly GroupClass[];
  /** Of routes that another control plane owns; empty: none. */
  readonly runtimePrefix: string;
}

/** The class of what no other class takes. */
export const DEFAULT_CLASS = 'default';

/** The id of an endpoint. */
export function endpointId(cluster: string, endpoint: string): string {
  return `${cluster}/${endpoint}`;
}

/**
 * The groups, in the order of their first rows.
 * @throws TidegateError TG_MESH_TARGET or TG_MESH_CLASS with the row.
 */
export function targetGroups(targets: readonly TargetRow[], classes: readonly ClassRow[]): TargetGroup[] {
  const owners = new Map<string, string>();
  const rows = targets.map((row, index): GroupTarget => {
    const at = `mesh.targets[${index}]`;
    if (row.group === '') refuse('TG_MESH_TARGET', `${at}.group`, 'a target needs a group');
    if (row.cluster === '') refuse('TG_MESH_TARGET', `${at}.cluster`, 'a target needs a cluster');
    const subset = subsetOf(row, at);
    const id = idOf(row, subset);
    const owner = owners.get(id);
    if (owner !== undefined) refuse('TG_MESH_TARGET', at, `${id} is the target of ${owner} already`);
    owners.set(id, at);
    return { id, row, at, subset };
  });
  const names = [...new Set(targets.map(({ group }) => group))];
  classes.forEach(({ group }, index) => {
    if (!names.includes(group))
      refuse('TG_MESH_CLASS', `mesh.classes[${index}].group`, `no target is of group ${group || '(none)'}`);
  });
  const groups = names.map((name) => groupOf(name, rows, classes));
  const clusters = new Map<string, string>();
  for (const { name, kind, targets: own } of groups) {
    const [first] = own;
    if (kind !== 'endpoints' || first === undefined) continue;
    const other = clusters.get(first.row.cluster);
    if (other !== undefined)
      refuse('TG_MESH_TARGET', first.at, `group ${other} has endpoints of ${first.row.cluster} already`);
    clusters.set(first.row.cluster, name);
  }
  return groups;
}

function groupOf(name: string, rows: readonly GroupTarget[], classRows: readonly ClassRow[]): TargetGroup {
  const targets = rows.filter(({ row }) => row.group === name);
  const [first] = targets;
  const kind = first !== undefined && first.row.endpoint !== '' ? 'endpoints' : 'clusters';
  for (const { row, at } of targets) {
    if ((row.endpoint !== '') !== (kind === 'endpoints'))
      refuse('TG_MESH_TARGET', `${at}.endpoint`, `group ${name} has both clusters and endpoints`);
    if (kind === 'endpoints' && row.cluster !== first?.row.cluster)
      refuse('TG_MESH_TARGET', `${at}.cluster`, `group ${name} has endpoints of another cluster`);
    if (row.runtimePrefix !== first?.row.runtimePrefix)
      refuse('TG_MESH_TARGET', `${at}.runtime_prefix`, `group ${name} has another runtime_prefix before`);
    if (kind === 'endpoints' && row.runtimePrefix !== '')
      refuse('TG_MESH_TARGET', `${at}.runtime_prefix`, 'weights of endpoints have no runtime keys');
  }
  wholesAndSubsets(targets);
  const classes = classesOf(name, classRows);
  const [odd] = classes;
  if (kind === 'endpoints' && odd !== undefined)
    refuse('TG_MESH_CLASS', odd.at, `group ${name} has endpoints: classes need routes over clusters`);
  return { name, kind, targets, classes, runtimePrefix: first?.row.runtimePrefix ?? '' };
}

/** A cluster is a target as a whole or by subsets. */
function wholesAndSubsets(targets: readonly GroupTarget[]): void {
  for (const { row, at, subset } of targets) {
    const whole = targets.some((other) => other.row.cluster === row.cluster && other.subset.size === 0);
    if (subset.size > 0 && whole)
      refuse('TG_MESH_TARGET', `${at}.subset`, `${row.cluster} is a target as a whole already`);
  }
}

function classesOf(group: string, rows: readonly ClassRow[]): GroupClass[] {
  const found = new Map<string, GroupClass>();
  rows.forEach((row, index) => {
    if (row.group !== group) return;
    const at = `mesh.classes[${index}]`;
    if (row.name === '') refuse('TG_MESH_CLASS', `${at}.name`, 'a class needs a name');
    if (row.name === DEFAULT_CLASS)
      refuse('TG_MESH_CLASS', `${at}.name`, `${DEFAULT_CLASS} is what no other class takes: it has no row`);
    const other = found.get(row.name);
    if (other !== undefined)
      refuse('TG_MESH_CLASS', at, `class ${row.name} of group ${group} stands at ${other.at} already`);
    if (row.header === '' && row.methods.length === 0 && row.path === '')
      refuse('TG_MESH_CLASS', at, `class ${row.name} has no condition: it would take all`);
    if (row.header === '' && row.values.length > 0)
      refuse('TG_MESH_CLASS', `${at}.values`, 'values need the header that has them');
    found.set(row.name, { row, at });
  });
  const rank = ({ row }: GroupClass): number => PRIORITIES.indexOf(row.priority);
  return [...found.values()].sort((a, b) => rank(a) - rank(b));
}

function subsetOf(row: TargetRow, at: string): ReadonlyMap<string, string> {
  if (row.subset === '') return new Map();
  if (row.endpoint !== '')
    refuse('TG_MESH_TARGET', `${at}.subset`, 'a target is an endpoint or a subset, not both');
  const pairs = pairsOf(row.subset);
  if (pairs.has('')) refuse('TG_MESH_TARGET', `${at}.subset`, 'expected key=value, with commas between');
  return pairs;
}

/** Pairs in the order of their keys; an empty key where there was no pair. */
function pairsOf(text: string): ReadonlyMap<string, string> {
  if (text === '') return new Map();
  const pairs = text.split(',').map((pair): [string, string] => {
    const cut = pair.indexOf('=');
    return cut < 1 ? ['', ''] : [pair.slice(0, cut).trim(), pair.slice(cut + 1).trim()];
  });
  return new Map(pairs.sort(([a], [b]) => (a < b ? -1 : 1)));
}

/** A row's target, as groups name it: `<cluster>`, `<cluster>/<address>:<port>`, or `<cluster>[<key>=<value>,...]` of a subset. */
export function targetIdOf(row: Pick<TargetRow, 'cluster' | 'endpoint' | 'subset'>): string {
  return idOf(row, pairsOf(row.subset));
}

function idOf(row: Pick<TargetRow, 'cluster' | 'endpoint'>, subset: ReadonlyMap<string, string>): string {
  if (row.endpoint !== '') return endpointId(row.cluster, row.endpoint);
  if (subset.size === 0) return row.cluster;
  return `${row.cluster}[${[...subset].map(([key, value]) => `${key}=${value}`).join(',')}]`;
}

/** Refuses a row of settings. */
export function refuse(code: ErrorCode, key: string, message: string): never {
  throw new TidegateError(code, message, { at: { key } });
}

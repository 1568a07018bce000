/** Which service and tenant a rule belongs to, of which priority it is, and what its requests cost, by the settings. */
import { RESOURCES, type ResourceName } from '../core/observation';
import type { RulePlace } from '../limiter/demand';
import { wildcardMatches, wildcardParts, type WildcardParts } from '../limiter/wildcard';

/** What one request uses, in cost units. */
export type RequestCost = Readonly<Record<ResourceName, number>>;

/** What the settings say of some rules. Empty text, and a cost of nothing at all, are left to the next row that matches. */
export interface ClassMapping extends Partial<RequestCost> {
  /** A rule's id, `*` for zero or more characters anywhere. */
  readonly match: string;
  readonly service?: string;
  readonly tenant?: string;
  readonly operation?: string;
  readonly priority?: string;
}

/** Settings of the map. */
export interface ClassMapOptions {
  /** The first entry that says something counts. */
  readonly classes: readonly ClassMapping[];
  /** The descriptor key whose configured value names a rule's service; empty: none. Else the service is the domain. */
  readonly serviceKey: string;
  /** The descriptor key whose value, configured or of the request, names the tenant; empty: none. */
  readonly tenantKey: string;
}

/** What is known of a rule. */
export interface RuleClass {
  readonly service: string;
  readonly tenant: string | undefined;
  /** The level of the descriptor whose value names the tenant, where requests name it. */
  readonly tenantLevel: number | undefined;
  readonly operation: string | undefined;
  readonly priority: string | undefined;
  readonly cost: RequestCost;
}

/** Every request costs one unit of CPU unless something else is said, so that shares of load are shares of requests. */
const DEFAULT_COST: RequestCost = { cpu: 1, memory: 0, io: 0, network: 0 };

/** See the file's head. */
export class ClassMap {
  private readonly entries: readonly (ClassMapping & { readonly parts: WildcardParts })[];

  constructor(private readonly options: ClassMapOptions) {
    this.entries = options.classes.map((entry) => ({ ...entry, parts: wildcardParts(entry.match) }));
  }

  /** The descriptor key that names tenants; empty: none. */
  get tenantKey(): string {
    return this.options.tenantKey;
  }

  /** What is known of a rule. */
  of(place: RulePlace): RuleClass {
    const matching = this.entries.filter((entry) => wildcardMatches(entry.parts, place.id));
    const first = (name: 'service' | 'tenant' | 'operation' | 'priority'): string | undefined =>
      matching.map((entry) => entry[name] ?? '').find((text) => text !== '');
    const { serviceKey, tenantKey } = this.options;
    const tenantLevel = tenantKey === '' ? -1 : place.path.findIndex((level) => level.key === tenantKey);
    const level = place.path[tenantLevel];
    const fixed = first('tenant') ?? (level === undefined || isOpen(level.value) ? undefined : level.value);
    const named = place.path.find((one) => serviceKey !== '' && one.key === serviceKey)?.value;
    const priced = matching.find((entry) => RESOURCES.some((name) => (entry[name] ?? 0) > 0));
    const costIn = (name: ResourceName): number =>
      priced === undefined ? DEFAULT_COST[name] : (priced[name] ?? 0);
    const cost = {
      cpu: costIn('cpu'),
      memory: costIn('memory'),
      io: costIn('io'),
      network: costIn('network'),
    };
    return {
      service: first('service') ?? (named === undefined || isOpen(named) ? place.domain : named),
      tenant: fixed,
      tenantLevel: fixed === undefined && level !== undefined ? tenantLevel : undefined,
      operation: first('operation'),
      priority: first('priority'),
      cost,
    };
  }
}

/** Whether a configured value leaves it to the request. */
function isOpen(value: string): boolean {
  return value === '' || value.includes('*');
}

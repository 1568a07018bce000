/**
 * Counts per class and step, from the data path's own counts: rules, their heavy keys, and the services and tenants above
 * them. Rules and promoted keys are counted exactly, since each counts on objects of its own; what is sampled is only which
 * keys deserve that. A service's and a tenant's counts are the sums over their rules: a request that meets several rules
 * counts once for each.
 */
import type { ClassInfo, HostSample, ObservationBatch } from '../core/observation';
import {
  DemandCounts,
  RuleDemand,
  type DemandOrigin,
  type DemandWatch,
  type RulePlace,
} from '../limiter/demand';
import { ArrivalSampler } from './arrival-sampler';
import type { ClassMap, RequestCost, RuleClass } from './class-map';
import { HeavyClasses, type HeavyClass } from './heavy-classes';
import { StepRows, type StepRow } from './step-rows';
import { tenantOfKey } from './tenant-of-key';

/** How heavy keys are found; see the settings. */
export interface ClassCountOptions {
  /** Who counts: unique among the sidecars of a group, and new at each start. */
  readonly source: string;
  readonly map: ClassMap;
  /** Promoted keys of one rule, and of all; 0 promotes none. */
  readonly keysPerRule: number;
  readonly maxKeys: number;
  readonly minKeyRatePerS: number;
  /** The least part of its rule's arrivals, 0 to 1. */
  readonly minKeyShare: number;
  /** Tenants named by requests that have counts of their own. */
  readonly maxTenants: number;
  /** How long a class that is cold stays, ms. */
  readonly keepMs: number;
  /** Uniform in [0, 1). */
  readonly random: () => number;
}

/** Gives what was counted in each step. */
export interface ObservationSource {
  /** Ends the step that began at `atMs`, Unix time; what comes from now on belongs to the next. */
  take(atMs: number, host?: HostSample): ObservationBatch;
}

const STEP_MS = 1_000;
/** Some 0.5 ms of sampling a second. */
const SAMPLES_A_STEP = 2_000;
const STEPS_BETWEEN_REVIEWS = 10;
/** Further than any process counts in a step: there is nothing to sample. */
const NEVER = 1 << 30;
/** All tenants compete with each other, whichever rule they come by. */
const ALL_TENANTS = '';
/** A rule's calls of a tenant are counted apart; beyond this many, in the rule alone. */
const MAX_TENANT_LEAVES = 10_000;
/** What was in flight when counts were retired is settled by then, or lost to them. */
const STEPS_UNTIL_GONE = 2;

/** A rule's class. */
interface KnownRule {
  readonly about: RuleClass;
  /** Its arrivals, halved at each review. */
  weight: number;
}

/** A rule at its place. */
interface Observed {
  readonly id: string;
  /** See {@link placeKey}. */
  readonly place: string;
  readonly demand: RuleDemand;
  readonly about: RuleClass;
  readonly known: KnownRule;
  /** Its own, its service's, its tenant's. */
  readonly rows: readonly StepRow[];
  /** Of its calls by no key or tenant that is counted apart, once one came. */
  counts: DemandCounts | undefined;
}

/** What is counted on for a rule that is not in use. */
const GONE = new DemandCounts();
GONE.retired = true;

/** What is counted on: the finest classes there are. */
interface Leaf {
  readonly counts: DemandCounts;
  readonly of: Observed;
  readonly key: HeavyClass | undefined;
  readonly tenant: HeavyClass | undefined;
  /** Steps since it was retired. */
  retiredSteps: number;
}

/** See the file's head. */
export class ClassCounts implements DemandWatch, ObservationSource {
  /** By {@link placeKey}: rules of one id may stand at two places, and are one class. */
  private rules = new Map<string, Observed>();
  /** The same by where plans count, which is quicker. */
  private byDemand = new Map<RuleDemand, Observed>();
  /** By rule id. */
  private classes = new Map<string, KnownRule>();
  /** Looked up while limits are compiled, a few at a time: {@link use} is one step for all rules. */
  private readonly abouts = new WeakMap<RuleDemand, RuleClass>();
  private tenantWeight = 0;
  private readonly keys: HeavyClasses;
  private readonly tenants: HeavyClasses;
  private readonly sampler: ArrivalSampler;
  private readonly rows = new StepRows();
  private leaves = new Map<string, Leaf>();
  private retired: Leaf[] = [];
  private tenantLeaves = 0;
  private widestInterval = 1;
  private sequence = 0;

  constructor(private readonly options: ClassCountOptions) {
    const { keepMs, maxTenants } = options;
    this.keys = new HeavyClasses({
      perParent: options.keysPerRule,
      total: options.keysPerRule === 0 ? 0 : options.maxKeys,
      minRatePerS: options.minKeyRatePerS,
      minShare: options.minKeyShare,
      keepMs,
    });
    this.tenants = new HeavyClasses({
      perParent: maxTenants,
      total: maxTenants,
      minRatePerS: 0,
      minShare: 0,
      keepMs,
    });
    this.sampler = new ArrivalSampler(SAMPLES_A_STEP, options.random);
  }

  /** Where a rule's demand is counted, for the limits' compiler; nothing is kept of it before {@link use}. */
  readonly demandFor = (place: RulePlace): RuleDemand => {
    const known = this.rules.get(placeKey(place))?.demand;
    if (known !== undefined) return known;
    const about = this.options.map.of(place);
    const demand = new RuleDemand(place, this, about.tenantLevel);
    this.abouts.set(demand, about);
    return demand;
  };

  /** The rules of a table come in use: those that were there count on, and classes whose rule is gone end. */
  use(rules: Iterable<{ readonly demand: RuleDemand | undefined }>): void {
    const before = this.rules;
    this.rules = new Map();
    this.byDemand = new Map();
    const classesBefore = this.classes;
    this.classes = new Map();
    for (const { demand } of rules) if (demand !== undefined) this.adopt(demand, before);
    this.retireLeaves();
    for (const { id } of before.values()) if (!this.classes.has(id)) this.rows.end(id);
    for (const [id, known] of this.classes) known.weight = classesBefore.get(id)?.weight ?? 0;
    this.endUnused([...before.values()].map(({ about }) => about));
  }

  /** What is known of a rule or of the rule of a key; undefined for what is neither. */
  about(classId: string): RuleClass | undefined {
    const rule = this.classes.get(classId)?.about;
    if (rule !== undefined) return rule;
    const key = this.keys.get(classId.slice(classId.indexOf('|') + 1));
    return key === undefined ? undefined : this.classes.get(key.parent)?.about;
  }

  /** As {@link about}: what one request uses. */
  costOf(classId: string): RequestCost | undefined {
    return this.about(classId)?.cost;
  }

  /** Names every class again when it is counted next: for whoever begins to read, or has lost batches. */
  nameAgain(): void {
    this.rows.nameAgain();
  }

  countsOf(item: DemandOrigin): DemandCounts {
    const { place } = item.source;
    const observed = this.byDemand.get(item.source) ?? this.rules.get(placeKey(place));
    if (observed === undefined) return GONE;
    const found = this.keys.get(item.bucketKey);
    const key = found?.parent === place.id ? found : undefined;
    const tenant = item.tenant === undefined ? undefined : this.tenants.get(item.tenant);
    const apart = key === undefined && tenant !== undefined && this.tenantLeaves < MAX_TENANT_LEAVES;
    const common = key === undefined && !apart;
    if (common && observed.counts?.retired === false) return observed.counts;
    const id = leafId(place.id, key, apart ? tenant : undefined);
    const known = this.leaves.get(id);
    const counts = known?.counts ?? new DemandCounts();
    if (common) observed.counts = counts;
    if (known !== undefined) return counts;
    if (apart) this.tenantLeaves += 1;
    counts.untilSample = this.sampler.gap();
    const ofTenant = common ? undefined : tenant;
    this.leaves.set(id, { counts, of: observed, key, tenant: ofTenant, retiredSteps: 0 });
    return counts;
  }

  sample(item: DemandOrigin): number {
    const { interval } = this.sampler;
    const { place } = item.source;
    if (!place.manyBuckets && item.tenant === undefined) return NEVER;
    if (place.manyBuckets) this.keys.sampled(item.bucketKey, place.id, interval);
    if (item.tenant !== undefined) this.tenants.sampled(item.tenant, ALL_TENANTS, interval);
    this.sampler.took();
    return this.sampler.gap();
  }

  take(atMs: number, host?: HostSample): ObservationBatch {
    let arrivals = 0;
    for (const leaf of this.leaves.values()) arrivals += this.drain(leaf);
    for (const leaf of this.retired) {
      arrivals += this.drain(leaf);
      leaf.retiredSteps += 1;
    }
    this.retired = this.retired.filter((leaf) => leaf.retiredSteps < STEPS_UNTIL_GONE);
    this.tenantWeight += arrivals;
    this.widestInterval = Math.max(this.widestInterval, this.sampler.interval);
    // Gaps know nothing of what came before, so that drawing them anew is as good as keeping them.
    if (this.sampler.stepped(arrivals)) {
      for (const { counts } of this.leaves.values()) {
        if (counts.untilSample < NEVER / 2) counts.untilSample = this.sampler.gap();
      }
    }
    this.sequence += 1;
    if (this.sequence % STEPS_BETWEEN_REVIEWS === 0) this.review();
    return {
      source: this.options.source,
      sequence: this.sequence,
      atMs,
      stepMs: STEP_MS,
      ...this.rows.take(),
      ...(host === undefined ? {} : { host }),
    };
  }

  private adopt(demand: RuleDemand, before: ReadonlyMap<string, Observed>): void {
    const { place } = demand;
    const key = placeKey(place);
    const about = before.get(key)?.about ?? this.abouts.get(demand) ?? this.options.map.of(place);
    const known = this.classes.get(place.id) ?? { about, weight: 0 };
    this.classes.set(place.id, known);
    const { service, tenant, operation } = about;
    const parent = `service:${service}`;
    const infos: ClassInfo[] = [
      {
        id: place.id,
        kind: 'rule',
        parent,
        service,
        ...(tenant === undefined ? {} : { tenant }),
        ...(operation === undefined ? {} : { operation }),
      },
      { id: parent, kind: 'service', service },
      ...(tenant === undefined ? [] : [tenantInfo(tenant)]),
    ];
    const observed: Observed = {
      id: place.id,
      place: key,
      demand,
      about,
      known,
      rows: infos.map((info) => this.rows.rowOf(info)),
      counts: undefined,
    };
    this.rules.set(key, observed);
    this.byDemand.set(demand, observed);
  }

  /** Adds a leaf's counts to the classes that it is part of. @returns its arrivals. */
  private drain(leaf: Leaf): number {
    const { counts, of, key, tenant } = leaf;
    if (isZero(counts)) return 0;
    const { arrivals } = counts;
    // Of a rule that has gone, what it counted before goes with the step in which its class ends, and nothing after.
    const gone = leaf.retiredSteps > 0 ? undefined : of;
    const current = counts.retired ? (this.rules.get(of.place) ?? gone) : of;
    if (current !== undefined) {
      for (const row of current.rows) this.rows.add(row, counts);
      current.known.weight += arrivals;
    }
    if (key !== undefined && this.keys.get(key.key) === key) {
      key.weight += arrivals;
      this.rows.add(this.rows.rowOf(this.keyInfo(key)), counts);
    }
    if (tenant !== undefined && this.tenants.get(tenant.key) === tenant) {
      tenant.weight += arrivals;
      this.rows.add(this.rows.rowOf(tenantInfo(tenant.key)), counts);
    }
    clear(counts);
    return arrivals;
  }

  /** What items are counted on is asked for anew. */
  private retireLeaves(): void {
    for (const leaf of this.leaves.values()) {
      leaf.counts.retired = true;
      this.retired.push(leaf);
    }
    this.leaves = new Map();
    this.tenantLeaves = 0;
  }

  private review(): void {
    const elapsedMs = STEPS_BETWEEN_REVIEWS * STEP_MS;
    const weightOf = (id: string): number | undefined => this.classes.get(id)?.weight;
    const keys = this.keys.review(weightOf, this.widestInterval, elapsedMs);
    const tenants = this.tenants.review(() => this.tenantWeight, this.widestInterval, elapsedMs);
    for (const one of keys.demoted) this.rows.end(keyClassId(one));
    if (tenants.demoted.length > 0) {
      const named = new Set([...this.classes.values()].map(({ about }) => about.tenant));
      for (const { key } of tenants.demoted) if (!named.has(key)) this.rows.end(tenantInfo(key).id);
    }
    const changes =
      keys.promoted.length + keys.demoted.length + tenants.promoted.length + tenants.demoted.length;
    if (changes > 0) this.retireLeaves();
    for (const known of this.classes.values()) known.weight /= 2;
    this.tenantWeight /= 2;
    this.widestInterval = this.sampler.interval;
  }

  /** Ends the services and tenants that no rule is of any more. */
  private endUnused(before: readonly RuleClass[]): void {
    const now = [...this.classes.values()].map(({ about }) => about);
    const services = new Set(now.map((about) => about.service));
    const tenants = new Set(now.map((about) => about.tenant));
    for (const service of new Set(before.map((about) => about.service))) {
      if (!services.has(service)) this.rows.end(`service:${service}`);
    }
    for (const tenant of new Set(before.map((about) => about.tenant))) {
      if (tenant === undefined || tenants.has(tenant) || this.tenants.get(tenant) !== undefined) continue;
      this.rows.end(tenantInfo(tenant).id);
    }
  }

  private keyInfo(one: HeavyClass): ClassInfo {
    const about = this.classes.get(one.parent)?.about;
    const tenant = about?.tenant ?? tenantOfKey(one.key, this.options.map.tenantKey);
    return {
      id: keyClassId(one),
      kind: 'key',
      parent: one.parent,
      ...(about === undefined ? {} : { service: about.service }),
      ...(tenant === undefined ? {} : { tenant }),
    };
  }
}

function keyClassId(one: HeavyClass): string {
  return `${one.parent}|${one.key}`;
}

function leafId(rule: string, key: HeavyClass | undefined, tenant: HeavyClass | undefined): string {
  if (key !== undefined) return `k${key.key}`;
  return tenant === undefined ? `r${rule}` : `t${JSON.stringify([rule, tenant.key])}`;
}

function tenantInfo(name: string): ClassInfo {
  return { id: `tenant:${name}`, kind: 'tenant', tenant: name };
}

function placeKey(place: RulePlace): string {
  return JSON.stringify([place.id, place.manyBuckets, place.path.map(({ key, value }) => [key, value])]);
}

function isZero(counts: DemandCounts): boolean {
  return counts.arrivals === 0 && counts.admitted === 0 && counts.denied === 0 && counts.queued === 0;
}

function clear(counts: DemandCounts): void {
  counts.arrivals = 0;
  counts.admitted = 0;
  counts.denied = 0;
  counts.queued = 0;
  counts.hits = 0;
}

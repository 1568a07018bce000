/**
 * What is asked of rules, counted where it is decided: a few additions on one object that a request's plan holds, the finest
 * class that the call belongs to; whoever observes adds up what stands above. Once a step it reads the counts and sets them
 * to zero; nothing is called for a request but, once in many, {@link DemandWatch.sample}.
 *
 * A call counts when it asks for something: a look (no hits) and a refund (hits given back) are no demand.
 */
import type { RlsDescriptor } from '../core/rls';

/** What came since the counts were taken last. */
export class DemandCounts {
  /** Calls that asked, whatever was answered, also where the store failed. */
  arrivals = 0;
  /** Calls that the rule's bucket let pass (another rule of the request may have denied it). */
  admitted = 0;
  /** Calls that it denied, or would have denied if the rule were not in shadow. */
  denied = 0;
  /** Calls that waited for tokens, whatever was answered at last. */
  queued = 0;
  /** The sum of the hits that arrivals asked for. */
  hits = 0;
  /** Arrivals until the next one that is sampled. A small integer, so that counting down stays one. */
  untilSample = 1;
  /** Nothing more is to be counted here: what counts on it asks for another. */
  retired = false;
}

/** One level of a rule: a key, and the value that the limits file gives it (empty for any). */
export interface RuleLevel {
  readonly key: string;
  readonly value: string;
}

/** Where a rule stands. */
export interface RulePlace {
  readonly id: string;
  readonly domain: string;
  readonly path: readonly RuleLevel[];
  /** Whether requests with different values have different buckets. */
  readonly manyBuckets: boolean;
}

/** Who observes: gives out the objects that are counted on, and looks at some arrivals. Its calls are cheap and never throw. */
export interface DemandWatch {
  /** What an item is counted on, until that is retired. */
  countsOf(item: DemandOrigin): DemandCounts;
  /** Told of one arrival in many. @returns how many arrivals to pass over until the next, 1 at least. */
  sample(item: DemandOrigin): number;
}

/** Whose demand it is. */
export interface DemandOrigin {
  readonly source: RuleDemand;
  readonly bucketKey: string;
  readonly tenant: string | undefined;
}

/** What is counted on by what has not been asked for yet. */
const NOT_YET = new DemandCounts();
NOT_YET.retired = true;

/** A rule as a source of demand. */
export class RuleDemand {
  private readonly whole: ItemDemand | undefined;

  /**
   * @param tenantLevel the level whose value names the tenant, where requests name it.
   */
  constructor(
    readonly place: RulePlace,
    readonly watch: DemandWatch,
    readonly tenantLevel: number | undefined,
  ) {
    const one = !place.manyBuckets && tenantLevel === undefined;
    this.whole = one ? new ItemDemand(this, place.id, undefined) : undefined;
  }

  /** What a request's plan keeps; one object for all where there is one bucket. */
  ofItem(bucketKey: string, descriptor: RlsDescriptor): ItemDemand {
    return this.whole ?? new ItemDemand(this, bucketKey, this.tenantOf(descriptor));
  }

  /** The tenant that a descriptor names, where requests name it. */
  tenantOf(descriptor: RlsDescriptor): string | undefined {
    if (this.tenantLevel === undefined) return undefined;
    const tenant = descriptor.entries[this.tenantLevel]?.value;
    return tenant === '' ? undefined : tenant;
  }
}

/** What counts the demand by one bucket key. */
export abstract class CountedDemand {
  /** Undefined for what is not observed, which must not be counted. */
  abstract readonly source: RuleDemand | undefined;
  abstract readonly bucketKey: string;
  private counts = NOT_YET;

  constructor(readonly tenant: string | undefined) {}

  /** A call asks for hits. */
  arrived(hits: number): void {
    if (hits <= 0) return;
    let { counts } = this;
    if (counts.retired) counts = this.asked();
    counts.arrivals += 1;
    counts.hits += hits;
    counts.untilSample -= 1;
    if (counts.untilSample <= 0 && isObserved(this)) counts.untilSample = this.source.watch.sample(this);
  }

  /** The bucket answered a call that arrived. */
  settled(hits: number, allowed: boolean): void {
    if (hits <= 0) return;
    if (allowed) this.counts.admitted += 1;
    else this.counts.denied += 1;
  }

  /** A call that arrived begins to wait for tokens. */
  waited(): void {
    this.counts.queued += 1;
  }

  private asked(): DemandCounts {
    if (isObserved(this)) this.counts = this.source.watch.countsOf(this);
    return this.counts;
  }
}

function isObserved(demand: CountedDemand): demand is CountedDemand & { readonly source: RuleDemand } {
  return demand.source !== undefined;
}

/** The demand for a rule by one bucket key, where nothing else is known of it. */
export class ItemDemand extends CountedDemand {
  constructor(
    readonly source: RuleDemand,
    readonly bucketKey: string,
    tenant: string | undefined,
  ) {
    super(tenant);
  }
}

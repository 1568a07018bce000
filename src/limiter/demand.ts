/**
 * What is asked of rules, counted where it is decided: a few additions on objects that a request's plan holds. Whoever
 * observes demand reads the counts once a step and sets them to zero; nothing is called for a request but, once in many,
 * {@link DemandWatch.sample}.
 *
 * A call counts when it asks for something: a look (no hits) and a refund (hits given back) are no demand.
 */
import type { RlsDescriptor } from '../core/rls';

/** What came since the counts were taken last. */
export class DemandCounts {
  /** Calls that asked, whatever was answered, also where the store failed. */
  arrivals = 0;
  /** Calls that the class's own bucket let pass (another rule of the request may have denied it). */
  admitted = 0;
  /** Calls that it denied, or would have denied if the rule were not in shadow. */
  denied = 0;
  /** Calls that waited for tokens, whatever was answered at last. */
  queued = 0;
  /** The sum of the hits that arrivals asked for. */
  hits = 0;
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
  /** Counts up whenever {@link countsBeside} may answer differently than before. */
  readonly version: number;
  /** What an arrival is counted on besides its rule: its key's class, its tenant's. */
  countsBeside(item: ItemDemand): readonly DemandCounts[];
  /** Told of one arrival in many. @returns how many arrivals of the rule to pass over until the next, 1 at least. */
  sample(item: ItemDemand): number;
}

const NOTHING: readonly DemandCounts[] = [];

/** The demand for one rule; the same object as long as the limits name the rule, over reloads. */
export class RuleDemand extends DemandCounts {
  /** Arrivals until the next one that is sampled. A small integer, so that counting down stays one. */
  untilSample = 1;
  private readonly whole: ItemDemand | undefined;

  /**
   * @param tenantLevel the level whose value names the tenant, where requests name it.
   */
  constructor(
    readonly place: RulePlace,
    readonly watch: DemandWatch,
    readonly tenantLevel: number | undefined,
  ) {
    super();
    this.whole =
      place.manyBuckets || tenantLevel !== undefined ? undefined : new ItemDemand(this, place.id, undefined);
  }

  /** What a request's plan keeps; one object for all where there is one bucket. */
  ofItem(bucketKey: string, descriptor: RlsDescriptor): ItemDemand {
    if (this.whole !== undefined) return this.whole;
    const tenant = this.tenantLevel === undefined ? undefined : descriptor.entries[this.tenantLevel]?.value;
    return new ItemDemand(this, bucketKey, tenant === '' ? undefined : tenant);
  }
}

/** The demand for a rule by one bucket key. */
export class ItemDemand {
  private beside = NOTHING;
  private version = -1;

  constructor(
    readonly rule: RuleDemand,
    readonly bucketKey: string,
    readonly tenant: string | undefined,
  ) {}

  /** A call asks for hits. */
  arrived(hits: number): void {
    if (hits <= 0) return;
    const { rule } = this;
    if (this.version !== rule.watch.version) this.refresh();
    rule.arrivals += 1;
    rule.hits += hits;
    const { beside } = this;
    for (let index = 0; index < beside.length; index += 1) {
      const counts = beside[index] as DemandCounts;
      counts.arrivals += 1;
      counts.hits += hits;
    }
    rule.untilSample -= 1;
    if (rule.untilSample <= 0) rule.untilSample = rule.watch.sample(this);
  }

  /** The bucket answered a call that arrived. */
  settled(hits: number, allowed: boolean): void {
    if (hits <= 0) return;
    const { rule, beside } = this;
    if (allowed) {
      rule.admitted += 1;
      for (let index = 0; index < beside.length; index += 1) (beside[index] as DemandCounts).admitted += 1;
    } else {
      rule.denied += 1;
      for (let index = 0; index < beside.length; index += 1) (beside[index] as DemandCounts).denied += 1;
    }
  }

  /** A call that arrived begins to wait for tokens. */
  waited(): void {
    this.rule.queued += 1;
    for (const counts of this.beside) counts.queued += 1;
  }

  private refresh(): void {
    this.version = this.rule.watch.version;
    this.beside = this.rule.watch.countsBeside(this);
  }
}

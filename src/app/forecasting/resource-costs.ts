/**
 * What a class's requests use of each resource. A rule's cost is set, or learned; that of a class above rules is the mean
 * of its rules' costs, weighed by their requests of late.
 */
import type { ClassInfo, ResourceName } from '../../core/observation';
import type { History } from '../../history/history';

const LATELY_MS = 21_600_000;
const STEP_MS = 600_000;
/** How long a rule's requests are taken for what they were, ms: reading those of thousands takes a while. */
const KNOWN_MS = 60_000;

/** What costs are learned from, where they are. */
export type LearnedCost = (classId: string, resource: ResourceName) => number | undefined;

/** See the file's head. */
export class ResourceCosts {
  private readonly set = new Map<string, NonNullable<ClassInfo['cost']>>();
  /** Requests of late, by rule. */
  private readonly requests = new Map<string, number>();
  private requestsAtMs = -Infinity;

  /** @param learned a rule's cost from telemetry; undefined where nothing is learned, and the settings hold. */
  constructor(
    private readonly history: Pick<History, 'classes' | 'series'>,
    private readonly learned: LearnedCost,
  ) {}

  /** Takes what the settings say of a class. */
  note({ id, cost }: ClassInfo): void {
    if (cost !== undefined) this.set.set(id, cost);
  }

  /** Forgets a class. */
  forget(classId: string): void {
    this.set.delete(classId);
  }

  /** Cost units a request. */
  perRequest(classId: string, resource: ResourceName, nowMs: number): number {
    const info = this.infoOf(classId);
    if (info === undefined || info.kind === 'signal') return 0;
    if (info.kind === 'rule') return this.ofRule(info, resource);
    if (info.kind === 'key') {
      const parent = info.parent === undefined ? undefined : this.infoOf(info.parent);
      return parent === undefined ? this.ofRule(info, resource) : this.ofRule(parent, resource);
    }
    return this.ofMany(info, resource, nowMs);
  }

  private ofRule(info: ClassInfo, resource: ResourceName): number {
    return this.learned(info.id, resource) ?? this.set.get(info.id)?.[resource] ?? 0;
  }

  private infoOf(classId: string): ClassInfo | undefined {
    return this.history.classes().find(({ id }) => id === classId);
  }

  private ofMany(above: ClassInfo, resource: ResourceName, nowMs: number): number {
    let cost = 0;
    let requests = 0;
    for (const info of this.history.classes()) {
      if (info.kind !== 'rule' || !isUnder(info, above)) continue;
      const sum = this.requestsOf(info.id, nowMs);
      requests += sum;
      cost += sum * this.ofRule(info, resource);
    }
    return requests === 0 ? 0 : cost / requests;
  }

  private requestsOf(id: string, nowMs: number): number {
    if (Math.abs(nowMs - this.requestsAtMs) >= KNOWN_MS) {
      this.requests.clear();
      this.requestsAtMs = nowMs;
    }
    const known = this.requests.get(id);
    if (known !== undefined) return known;
    const lately = this.history.series(id, 'arrivals', STEP_MS, nowMs - LATELY_MS, nowMs);
    let sum = 0;
    for (const value of lately.values) if (Number.isFinite(value)) sum += value;
    this.requests.set(id, sum);
    return sum;
  }
}

function isUnder(info: ClassInfo, above: ClassInfo): boolean {
  return above.kind === 'service'
    ? above.id === `service:${info.service ?? ''}`
    : above.id === `tenant:${info.tenant ?? ''}`;
}

/** Decides how traffic is spread over targets before a bucket runs dry. */
import type { GroupDecision, GroupSeen, TargetReason, TrafficGroup, TrafficPolicy } from '../core/traffic';
import { GroupPlanner } from './group-planner';
import { reportGroup } from './group-report';

/** A group and what was decided for it last; empty before the first decision. */
interface Planned {
  planner: GroupPlanner;
  rows: readonly (readonly number[])[];
  isNew: boolean;
}

/**
 * The planner of all groups. Each tick gives one decision a group, in their order. It never throws: a fault in a group gives
 * that group its configured weights, and it begins anew. Unknown groups and targets that are seen are ignored, of two of one
 * name the first counts.
 */
export class TrafficPlanner {
  #policy: TrafficPolicy;
  #planned: Planned[] = [];
  #lastMs = 0;

  constructor(policy: TrafficPolicy, groups: readonly TrafficGroup[]) {
    this.#policy = policy;
    this.use(policy, groups);
  }

  /** Goes on with another policy and other groups. Targets and classes that stay keep their shares, within the new bounds. */
  use(policy: TrafficPolicy, groups: readonly TrafficGroup[]): void {
    const before = new Map<string, Planned>();
    for (const old of this.#planned) {
      const { name } = old.planner.group;
      if (!before.has(name)) before.set(name, old);
    }
    this.#policy = policy;
    this.#planned = groups.map((group) => {
      const old = before.get(group.name);
      before.delete(group.name);
      const planner = new GroupPlanner(policy, group, old?.planner);
      return { planner, rows: old?.rows ?? [], isNew: old?.isNew ?? true };
    });
  }

  /** @param nowMs Unix ms; a clock that jumps lets at most a tick's worth of movement pass, NaN is the last time again. */
  tick(nowMs: number, seen: readonly GroupSeen[]): readonly GroupDecision[] {
    if (Number.isFinite(nowMs)) this.#lastMs = nowMs;
    const atMs = this.#lastMs;
    const byName = byGroup(seen);
    return this.#planned.map((planned) => {
      const { group } = planned.planner;
      try {
        const { state, why, targets } = reportGroup(planned.planner.tick(atMs, byName.get(group.name)));
        const changed = publish(planned);
        return { group: group.name, atMs, changed, state, why, shares: planned.rows, targets };
      } catch (fault) {
        return this.#fallBack(planned, atMs, fault);
      }
    });
  }

  #fallBack(planned: Planned, atMs: number, fault: unknown): GroupDecision {
    const { group } = planned.planner;
    planned.planner = new GroupPlanner(this.#policy, group);
    const told = fault instanceof Error ? fault.message : 'it is no error that was thrown';
    return {
      group: group.name,
      atMs,
      changed: publish(planned),
      state: 'stale',
      why: `it cannot be planned (${told.slice(0, 200)}): the configured weights hold`,
      shares: planned.rows,
      targets: group.targets.map(({ id }) => staleReason(id)),
    };
  }
}

/** Copies the shares where they differ from those that were told. @returns whether they do. */
function publish(planned: Planned): boolean {
  const { rows } = planned.planner;
  const isSame =
    !planned.isNew &&
    rows.length === planned.rows.length &&
    rows.every((row, c) => isSameRow(row, planned.rows[c] ?? []));
  if (isSame) return false;
  planned.rows = rows.map((row) => Array.from(row));
  planned.isNew = false;
  return true;
}

/** The first row of each group; one that cannot be read is none. */
function byGroup(seen: readonly GroupSeen[]): ReadonlyMap<string, GroupSeen> {
  const byName = new Map<string, GroupSeen>();
  for (const row of seen) {
    try {
      if (!byName.has(row.group)) byName.set(row.group, row);
    } catch {
      continue;
    }
  }
  return byName;
}

function isSameRow(row: Float64Array, told: readonly number[]): boolean {
  if (row.length !== told.length) return false;
  for (let t = 0; t < row.length; t += 1) if (row[t] !== told[t]) return false;
  return true;
}

function staleReason(id: string): TargetReason {
  return {
    id,
    bucketPerS: null,
    healthFactor: 1,
    effectivePerS: null,
    configuredDemandPerS: null,
    demandPerS: null,
    depletionMs: null,
    rule: 'stale',
    clamps: [],
  };
}

/** The loop that moves traffic: looks at targets, has the planner decide, and puts its shares in force where they changed. */
import type { Settings } from '../../config/settings-shape';
import type { ShareChange, TrafficGroupView, TrafficView } from '../../core/mesh-view';
import { TidegateError } from '../../core/errors';
import type { Logger } from '../../core/ports';
import type { GroupDecision, GroupSeen, TrafficGroup, TrafficPolicy } from '../../core/traffic';
import type { TrafficSnapshot } from '../../core/traffic-telemetry';
import type { GroupShares } from '../../mesh/weights/weighted-resources';
import type { FaultLog } from '../../telemetry/fault-log';
import { TrafficPlanner } from '../../balance/traffic-planner';
import type { BucketWatch } from './bucket-watch';
import type { Discovery } from './discovery';
import type { TargetHealths } from './target-health';
import { targetIdOf } from '../../mesh/weights/target-groups';
import { groupSeen, type GroupSources, type TargetRow } from './traffic-groups';
import { groupView, shareChanges } from './traffic-views';

/** What it stands on. */
export interface TrafficLoopParts {
  readonly settings: Settings['mesh'];
  readonly discovery: Discovery;
  readonly buckets: BucketWatch;
  readonly healths: TargetHealths;
  /** What Envoys tell of late; undefined where nobody is asked. */
  readonly told: () => TrafficSnapshot | undefined;
  /** Told of shares that changed and were sent. */
  readonly changed: (changes: readonly ShareChange[]) => void;
  readonly logger: Logger;
  readonly faults: FaultLog;
  readonly nowMs: () => number;
  readonly monotonicMs: () => number;
}

/** The newest decision of a group of targets for a group of nodes. */
interface Decided {
  readonly nodes: string;
  readonly group: TrafficGroup;
  readonly seen: GroupSeen;
  readonly decision: GroupDecision;
  readonly changedAtMs: number | null;
}

/** What was decided for a group of nodes. */
interface Plan {
  readonly nodes: string;
  readonly shares: GroupShares;
  readonly changes: readonly ShareChange[];
}

const MAX_CHANGES = 200;
const MAX_WARNINGS = 50;
/** After a start weights become known within so long, or configured ones hold; a longer life of what is seen counts, ms. */
const LEAST_HOLD_MS = 10_000;
/** Nobody sees how weights move meanwhile: they go where they have to at once, of the whole a second. */
const HOLD_LEAVE_PER_S = 10;

/** See the file's head. */
export class TrafficLoop {
  private readonly policy: TrafficPolicy;
  private planners = new Map<string, { planner: TrafficPlanner; groups: readonly TrafficGroup[] }>();
  private readonly rows: ReadonlyMap<string, ReadonlyMap<string, TargetRow>>;
  private decided = new Map<string, Decided>();
  private readonly changes: ShareChange[] = [];
  private timer: NodeJS.Timeout | undefined;
  private holdTimer: NodeJS.Timeout | undefined;
  private turning = false;
  private looking: Promise<void> | undefined;
  private settledMs = 0;
  private restUntilMs = -Infinity;
  private stale = true;

  constructor(private readonly parts: TrafficLoopParts) {
    this.policy = trafficPolicy(parts.settings);
    const rows = new Map<string, Map<string, TargetRow>>();
    for (const row of parts.settings.targets) {
      const ofGroup = rows.get(row.group) ?? new Map<string, TargetRow>();
      rows.set(row.group, ofGroup.set(targetIdOf(row), row));
    }
    this.rows = rows;
  }

  /** Turns from now on, unless traffic is off. */
  start(): void {
    if (this.parts.settings.traffic.mode === 'off' || this.rows.size === 0) {
      this.parts.discovery.release();
      return;
    }
    this.timer = setInterval(() => void this.turn(), this.policy.tickMs);
    this.holdTimer = setTimeout(() => this.release(), Math.max(this.policy.lifeMs, LEAST_HOLD_MS)).unref();
  }

  stop(): void {
    clearInterval(this.timer);
    clearTimeout(this.holdTimer);
  }

  /** There are other resources. @returns the shares in force, by group of nodes, to put into them before anyone gets them. */
  resourcesChanged(): ReadonlyMap<string, GroupShares> {
    const { resources } = this.parts.discovery;
    const known = this.planners;
    this.planners = new Map();
    for (const [nodes, weighted] of resources) {
      const groups = weighted.groups();
      const planner = known.get(nodes)?.planner;
      planner?.use(this.pace, groups);
      this.planners.set(nodes, { planner: planner ?? new TrafficPlanner(this.pace, groups), groups });
    }
    const names = new Set(
      [...this.planners].flatMap(([nodes, { groups }]) => groups.map(({ name }) => keyOf(nodes, name))),
    );
    for (const key of this.decided.keys()) if (!names.has(key)) this.decided.delete(key);
    this.parts.healths.clear();
    this.stale = true;
    const { mode } = this.parts.settings.traffic;
    if (mode === 'off') return new Map();
    const plans = this.plan();
    return mode === 'active' ? new Map(plans.map(({ nodes, shares }) => [nodes, shares])) : new Map();
  }

  /** One turn; one that comes while the last is under way is passed over. Never rejects. */
  async turn(): Promise<void> {
    if (this.turning || this.parts.monotonicMs() < this.restUntilMs) return;
    this.turning = true;
    try {
      await this.look();
      const begunMs = this.parts.monotonicMs();
      this.decide();
      // Forecasts and pools live in this thread, too: deciding takes half of it at most, however many targets there are.
      const endedMs = this.parts.monotonicMs();
      this.restUntilMs = 2 * endedMs - begunMs;
    } catch (thrown) {
      this.parts.faults.report(TidegateError.from(thrown), 'a turn of traffic failed');
    } finally {
      this.turning = false;
    }
  }

  /** Groups as they are now. */
  groups(): readonly TrafficGroupView[] {
    return [...this.decided.values()].map(({ nodes, group, seen, decision, changedAtMs }) =>
      groupView(nodes, group, seen, decision, changedAtMs),
    );
  }

  /** Buckets that targets name and the limits in use do not have: such a target seems to take anything. */
  warnings(): readonly string[] {
    const named = this.parts.settings.targets.map(({ bucket }) => bucket).filter((id) => id !== '');
    return [...new Set(named)]
      .filter((id) => !this.parts.buckets.has(id))
      .slice(0, MAX_WARNINGS)
      .map((id) => `no limit in use has the bucket ${id}: only the health of its targets counts`);
  }

  view(): TrafficView {
    const resources = [...this.parts.discovery.resources.values()];
    return {
      mode: this.parts.settings.traffic.mode,
      groups: this.groups(),
      differences: resources.flatMap((one) => one.differences()),
      warnings: [
        ...new Set(resources.flatMap((one) => one.warnings())),
        ...this.warnings(),
        ...(this.parts.discovery.holding
          ? ['just started: Envoys that had weights before keep them until demand is known']
          : []),
      ],
      changes: this.changes,
    };
  }

  /** While Envoys keep what they have, weights are found rather than moved. */
  private get pace(): TrafficPolicy {
    return this.parts.discovery.holding ? { ...this.policy, leavePerS: HOLD_LEAVE_PER_S } : this.policy;
  }

  /** Looks at the buckets; a store that is slow or gone keeps no turn from what else is seen, and is asked once at a time. */
  private async look(): Promise<void> {
    const { buckets, faults } = this.parts;
    buckets.begin();
    this.looking ??= buckets
      .look()
      .catch((thrown: unknown) => faults.report(TidegateError.from(thrown), 'buckets cannot be looked at'))
      .finally(() => (this.looking = undefined));
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<void>((resolve) => (timer = setTimeout(resolve, this.policy.tickMs)));
    await Promise.race([this.looking, late]);
    clearTimeout(timer);
  }

  private decide(): void {
    const active = this.parts.settings.traffic.mode === 'active';
    const plans = this.plan();
    this.settle();
    const due = active ? plans.filter(({ changes }) => changes.length > 0 || this.stale) : [];
    // What fails on its way is sent with the next turn, whether or not anything changes then.
    this.stale = true;
    for (const { nodes, shares, changes } of due) {
      this.parts.discovery.apply(nodes, shares);
      this.parts.changed(changes);
    }
    this.stale = false;
  }

  /** Has every planner decide, by what is known now. */
  private plan(): readonly Plan[] {
    const nowMs = this.parts.nowMs();
    const told = this.parts.told();
    return [...this.planners].map(([nodes, { planner, groups }]) => {
      const seen = groups.map((group) => groupSeen(group, this.sourcesOf(nodes, group, told, nowMs), nowMs));
      const decisions = planner.tick(nowMs, seen);
      const changes = decisions.flatMap((decision, at) => this.take(nodes, groups[at], seen[at], decision));
      return { nodes, shares: new Map(decisions.map(({ group, shares }) => [group, shares])), changes };
    });
  }

  /** After a start: once demand is known everywhere and nothing moves for as long as a change needs, Envoys are told again. */
  private settle(): void {
    if (!this.parts.discovery.holding) return;
    const settled = [...this.decided.values()].every(({ decision }) => isSettled(decision));
    this.settledMs = settled ? this.settledMs + this.policy.tickMs : 0;
    if (this.settledMs > this.policy.leadMs) this.release();
  }

  private release(): void {
    const { discovery, logger } = this.parts;
    if (!discovery.holding) return;
    clearTimeout(this.holdTimer);
    discovery.release();
    for (const { planner, groups } of this.planners.values()) planner.use(this.policy, groups);
    this.stale = true;
    logger.info({}, 'weights are sent to all Envoys from now on');
  }

  private take(
    nodes: string,
    group: TrafficGroup | undefined,
    seen: GroupSeen | undefined,
    decision: GroupDecision,
  ): readonly ShareChange[] {
    if (group === undefined || seen === undefined) return [];
    const key = keyOf(nodes, group.name);
    const before = this.decided.get(key);
    const changes = shareChanges(nodes, group, before?.decision, decision);
    if (changes.length > 0) {
      this.changes.unshift(...changes.slice(0, MAX_CHANGES));
      this.changes.length = Math.min(this.changes.length, MAX_CHANGES);
    }
    const changedAtMs = changes.length > 0 ? decision.atMs : (before?.changedAtMs ?? null);
    this.decided.set(key, { nodes, group, seen, decision, changedAtMs });
    if (before !== undefined && before.decision.state !== decision.state) {
      const { state, why } = decision;
      this.parts.logger.info(
        { nodes, group: group.name, state, why },
        'the state of a traffic group has changed',
      );
    }
    return changes;
  }

  private sourcesOf(
    nodes: string,
    group: TrafficGroup,
    told: TrafficSnapshot | undefined,
    nowMs: number,
  ): GroupSources {
    const { buckets, healths } = this.parts;
    const rows = this.rows.get(group.name);
    const routes = this.parts.discovery.resources.get(nodes)?.routeTraffic();
    return {
      row: (id) => rows?.get(id),
      bucket: (id) => buckets.of(id),
      health: ({ cluster, endpoint, signals }, id) =>
        healths.of({ group: group.name, id, cluster, endpoint, signals }, told, nowMs),
      told,
      lifeMs: this.policy.lifeMs,
      classOf: (route) => {
        const traffic = routes?.get(route);
        return traffic?.group === group.name ? traffic.className : undefined;
      },
    };
  }
}

function isSettled({ state, targets }: GroupDecision): boolean {
  return (
    state !== 'stale' &&
    targets.every(
      ({ configuredDemandPerS, clamps }) => configuredDemandPerS !== null && !clamps.includes('rate'),
    )
  );
}

function keyOf(nodes: string, group: string): string {
  return `${nodes} ${group}`;
}

function trafficPolicy({ traffic }: Settings['mesh']): TrafficPolicy {
  const { health } = traffic;
  return {
    tickMs: traffic.tickMs,
    horizonMs: traffic.horizonMs,
    leadMs: traffic.leadMs,
    headroom: traffic.headroom,
    deadBand: traffic.deadBand,
    leavePerS: traffic.leavePerS,
    returnPerS: traffic.returnPerS,
    floor: traffic.floor,
    lifeMs: traffic.lifeMs,
    health: {
      errorShare: [health.errorFrom, health.errorTo],
      latencyFactor: [health.latencyFrom, health.latencyTo],
      cpu: [health.cpuFrom, health.cpuTo],
      memory: [health.memoryFrom, health.memoryTo],
    },
  };
}

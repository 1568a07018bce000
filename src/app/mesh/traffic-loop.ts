/** The loop that moves traffic: looks at targets, has the planner decide, and puts its shares in force where they changed. */
import type { Settings } from '../../config/settings-shape';
import type { ShareChange, TrafficGroupView, TrafficView } from '../../core/mesh-view';
import { TidegateError } from '../../core/errors';
import type { Logger } from '../../core/ports';
import type { GroupDecision, GroupSeen, TrafficGroup, TrafficPolicy } from '../../core/traffic';
import type { TrafficSnapshot } from '../../core/traffic-telemetry';
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
  readonly nowMs: () => number;
}

/** The newest decision of a group of targets for a group of nodes. */
interface Decided {
  readonly nodes: string;
  readonly group: TrafficGroup;
  readonly seen: GroupSeen;
  readonly decision: GroupDecision;
  readonly changedAtMs: number | null;
}

const MAX_CHANGES = 200;

/** See the file's head. */
export class TrafficLoop {
  private readonly policy: TrafficPolicy;
  private planners = new Map<string, { planner: TrafficPlanner; groups: readonly TrafficGroup[] }>();
  private readonly rows: ReadonlyMap<string, ReadonlyMap<string, TargetRow>>;
  private decided = new Map<string, Decided>();
  private readonly changes: ShareChange[] = [];
  private timer: NodeJS.Timeout | undefined;
  private turning = false;
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
    if (this.parts.settings.traffic.mode === 'off' || this.rows.size === 0) return;
    this.timer = setInterval(() => void this.turn(), this.policy.tickMs);
  }

  stop(): void {
    clearInterval(this.timer);
  }

  /** There are other resources: what was in force is put into them. */
  resourcesChanged(): void {
    const { resources } = this.parts.discovery;
    const known = this.planners;
    this.planners = new Map();
    for (const [nodes, weighted] of resources) {
      const groups = weighted.groups();
      const planner = known.get(nodes)?.planner;
      planner?.use(this.policy, groups);
      this.planners.set(nodes, { planner: planner ?? new TrafficPlanner(this.policy, groups), groups });
    }
    const names = new Set(
      [...this.planners].flatMap(([nodes, { groups }]) => groups.map(({ name }) => keyOf(nodes, name))),
    );
    for (const key of this.decided.keys()) if (!names.has(key)) this.decided.delete(key);
    this.parts.healths.clear();
    this.stale = true;
  }

  /** One turn; one that comes while the last is under way is passed over. Never rejects. */
  async turn(): Promise<void> {
    if (this.turning) return;
    this.turning = true;
    try {
      await this.parts.buckets.look();
      this.decide();
    } catch (thrown) {
      this.parts.logger.error({ error: TidegateError.from(thrown) }, 'a turn of traffic failed');
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

  view(): TrafficView {
    const resources = [...this.parts.discovery.resources.values()];
    return {
      mode: this.parts.settings.traffic.mode,
      groups: this.groups(),
      differences: resources.flatMap((one) => one.differences()),
      warnings: [...new Set(resources.flatMap((one) => one.warnings()))],
      changes: this.changes,
    };
  }

  private decide(): void {
    const nowMs = this.parts.nowMs();
    const told = this.parts.told();
    const active = this.parts.settings.traffic.mode === 'active';
    for (const [nodes, { planner, groups }] of this.planners) {
      const seen = groups.map((group) => groupSeen(group, this.sourcesOf(nodes, group, told, nowMs), nowMs));
      const decisions = planner.tick(nowMs, seen);
      const changes = decisions.flatMap((decision, at) => this.take(nodes, groups[at], seen[at], decision));
      if (!active || (changes.length === 0 && !this.stale)) continue;
      this.parts.discovery.apply(nodes, new Map(decisions.map(({ group, shares }) => [group, shares])));
      this.parts.changed(changes);
    }
    this.stale = false;
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
      this.changes.unshift(...changes);
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
      classOf: (route) => {
        const traffic = routes?.get(route);
        return traffic?.group === group.name ? traffic.className : undefined;
      },
    };
  }
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

/** Makes observations of what a pool's controller sees, tick by tick: the same in the simulator and in service. */
import type { MemberPolicy, PoolDecision, PoolPolicy, PoolSeen } from '../../core/control';
import type { Priority } from '../../core/priority';
import type { LearnerObservation } from '../environment';
import { GLOBAL_FEATURES, SERVICE_FEATURES } from './features';
import { bounded, MemberWindow } from './member-window';

const DAY_MS = 86_400_000;

/** See the file's head. Members may come, go and change; of each it remembers what {@link MemberWindow} does. */
export class AllocationObserver {
  private windows = new Map<string, MemberWindow>();
  private members: readonly MemberPolicy[] = [];
  private rows: readonly MemberWindow[] = [];
  private totalPerS = NaN;
  private totalBeforePerS = NaN;
  private nowMs = 0;
  private lending = false;
  private perService = new Float64Array(0);
  private readonly global = new Float64Array(GLOBAL_FEATURES.length);

  /** Takes a tick: what the controller is about to decide by. */
  tick(nowMs: number, policy: PoolPolicy, members: readonly MemberPolicy[], seen: PoolSeen): void {
    if (Number.isFinite(nowMs)) this.nowMs = nowMs;
    if (members !== this.members) this.use(members);
    this.totalPerS = policy.totalPerS > 0 ? policy.totalPerS : sumOf(members, (one) => one.nominalPerS);
    this.lending = policy.lending.enabled;
    const tickS = policy.tickMs / 1_000;
    let told: Map<string, PoolSeen['members'][number]> | undefined;
    members.forEach((member, at) => {
      let row = seen.members[at];
      if (row?.id !== member.id) {
        told ??= new Map(seen.members.map((one) => [one.id, one]));
        row = told.get(member.id);
      }
      this.rows[at]?.tick(member, row, tickS);
    });
  }

  /** Takes what was decided. */
  decided({ outputs }: PoolDecision): void {
    outputs.forEach(({ id, ratePerS, capacity }, at) => {
      const window = this.members[at]?.id === id ? this.rows[at] : this.windows.get(id);
      if (window === undefined) return;
      window.ratePerS = ratePerS;
      window.capacity = capacity;
    });
  }

  /** Ends the interval. @returns its own arrays, row by row in the order of the members: read them before the next. */
  observe(): LearnerObservation {
    const { members, rows, totalPerS } = this;
    members.forEach((member, at) => {
      rows[at]?.end(member, totalPerS, this.perService, at * SERVICE_FEATURES.length);
    });
    this.globalFeatures();
    this.totalBeforePerS = totalPerS;
    return { services: members.length, perService: this.perService, global: this.global };
  }

  private globalFeatures(): void {
    const sums = { demand: 0, admitted: 0, denied: 0, mean: 0, squares: 0 };
    const foreseen: Record<Priority, number> = { CRITICAL: 0, HIGH: 0, MEDIUM: 0, LOW: 0 };
    this.members.forEach(({ priority }, at) => {
      const ended = this.rows[at]?.ended;
      if (ended === undefined) return;
      sums.demand += ended.demandPerS;
      sums.admitted += ended.admittedPerS;
      sums.denied += ended.deniedPerS;
      sums.mean += ended.meanPerS;
      sums.squares += ended.spreadPerS ** 2;
      foreseen[priority] += ended.meanPerS;
    });
    const total = Math.max(this.totalPerS, 1e-9);
    const angle = (2 * Math.PI * (this.nowMs % DAY_MS)) / DAY_MS;
    const figures = [
      sums.demand / total,
      sums.mean / total,
      Math.sqrt(sums.squares) / total,
      foreseen.CRITICAL / total,
      (foreseen.CRITICAL + foreseen.HIGH) / total,
      (foreseen.CRITICAL + foreseen.HIGH + foreseen.MEDIUM) / total,
      sums.denied / total,
      sums.admitted / total,
      Number.isNaN(this.totalBeforePerS) ? 0 : this.totalPerS / Math.max(this.totalBeforePerS, 1e-9) - 1,
      Math.sin(angle),
      Math.cos(angle),
      this.lending ? 1 : 0,
    ];
    for (let i = 0; i < GLOBAL_FEATURES.length; i += 1) this.global[i] = bounded(figures[i]);
  }

  private use(members: readonly MemberPolicy[]): void {
    const before = this.windows;
    this.windows = new Map();
    for (const { id } of members) this.windows.set(id, before.get(id) ?? new MemberWindow());
    this.members = members;
    this.rows = members.map(({ id }) => this.windows.get(id) ?? new MemberWindow());
    this.perService = new Float64Array(members.length * SERVICE_FEATURES.length);
  }
}

function sumOf(members: readonly MemberPolicy[], of: (member: MemberPolicy) => number): number {
  return members.reduce((sum, member) => sum + of(member), 0);
}

/** Plans one group: what it will be asked for, what its targets can take, and which shares follow. */
import { Elapsed } from '../control/elapsed';
import type { GroupDecision, GroupSeen, TargetSeen, TrafficGroup, TrafficPolicy } from '../core/traffic';
import { ClassParts } from './demand/class-parts';
import { GroupDemand } from './demand/group-demand';
import { type Room, spreadClass } from './share/class-spread';
import { BACKUP, fitRow, type GroupShape, groupShape, NONE } from './share/group-shape';
import { type MoveBound, ShareMover } from './share/share-mover';
import { roundRow } from './share/whole-row';
import { GroupHealth, TargetOutlook } from './target-outlook';

/** Where a group stands after a tick, for the words and figures of its decision. */
export interface GroupStanding {
  readonly group: TrafficGroup;
  readonly shape: GroupShape;
  readonly targets: readonly TargetOutlook[];
  /** Wished and present rows, one a class, and what kept each from its wish. */
  readonly wished: readonly Float64Array[];
  readonly present: readonly Float64Array[];
  readonly bounds: readonly MoveBound[];
  readonly demand: GroupDemand;
  /** As foreseen, a second; NaN where it is not known. */
  readonly demandPerS: number;
  /** Of all traffic, by the classes' parts of it. */
  readonly groupShare: Float64Array;
  readonly state: GroupDecision['state'];
  readonly aheadS: number;
}

/** More than this part of the demand has to be too much for all before that is said; then it is said until nothing is. */
const OVERLOAD_PART = 0.02;
/** Parts of the demand under this are none. */
const LEAST_PART = 1e-6;
/** Shares that are known must make up so much of the traffic for the rest to be judged by them. */
const LEAST_KNOWN_SHARE = 0.05;
/** Demand is told late: by the shares of about then a part of it is judged, ms. */
const TOLD_LATE_MS = 2_000;

/** A group's planner: what it knows and the shares that it holds. */
export class GroupPlanner {
  readonly group: TrafficGroup;
  readonly #policy: TrafficPolicy;
  readonly #shape: GroupShape;
  readonly #elapsed: Elapsed;
  readonly #indexOf = new Map<string, number>();
  readonly #seen: (TargetSeen | undefined)[];
  readonly #targets: readonly TargetOutlook[];
  readonly #health: GroupHealth;
  readonly #movers: readonly ShareMover[];
  /** The present row of each class. */
  readonly rows: readonly Float64Array[];
  readonly #parts: ClassParts;
  readonly #demand: GroupDemand;
  readonly #wished: readonly Float64Array[];
  readonly #bounds: MoveBound[];
  readonly #pressed: Uint8Array;
  readonly #share: Float64Array;
  /** The same, as late as demand is told. */
  readonly #lateShare: Float64Array;
  readonly #room: { left: Float64Array; weight: Float64Array };

  #overloaded = false;

  /** @param before of the same group: its targets and classes keep their shares, as far as the new bounds allow, and what is known. */
  constructor(policy: TrafficPolicy, group: TrafficGroup, before?: GroupPlanner) {
    const count = group.targets.length;
    this.group = group;
    this.#policy = policy;
    this.#shape = groupShape(group.targets, policy.floor);
    this.#elapsed = new Elapsed(policy.tickMs);
    for (const [t, { id }] of group.targets.entries()) if (!this.#indexOf.has(id)) this.#indexOf.set(id, t);
    this.#seen = group.targets.map(() => undefined);
    this.#targets = group.targets.map(
      ({ id }, t) => before?.heir(id, t, this.#indexOf) ?? new TargetOutlook(id),
    );
    this.#health = new GroupHealth(count);
    this.#movers = group.classes.map((each) => new ShareMover(this.#inherit(each.name, before)));
    this.rows = this.#movers.map((mover) => mover.present);
    this.#parts = new ClassParts(group.classes.length);
    this.#demand = before === undefined ? new GroupDemand() : before.#demand;
    this.#wished = group.classes.map(() => new Float64Array(count));
    this.#bounds = group.classes.map(() => 'none');
    this.#pressed = new Uint8Array(count);
    this.#share = new Float64Array(count);
    this.#room = { left: new Float64Array(count), weight: new Float64Array(count) };
    this.#shareOut();
    this.#lateShare = this.#share.slice();
  }

  /** The configured shares. */
  get base(): Float64Array {
    return this.#shape.base;
  }

  /** What is known of a target that a new planner of the group has, too. */
  heir(id: string, t: number, indexOf: ReadonlyMap<string, number>): TargetOutlook | undefined {
    const own = this.#indexOf.get(id);
    return own === undefined || indexOf.get(id) !== t ? undefined : this.#targets[own];
  }

  /** Takes what was seen and moves the shares. Rates are a second. @throws what `seen` throws. */
  tick(nowMs: number, seen: GroupSeen | undefined): GroupStanding {
    const { lifeMs, horizonMs, leadMs } = this.#policy;
    const aheadMs = Math.max(1, horizonMs + leadMs);
    const passedMs = this.#elapsed.look(nowMs);
    this.#read(nowMs, seen, lifeMs);
    const isKnown = this.#targets.some((target) => target.known);
    this.#health.judge(this.#targets, this.#policy.health, passedMs);
    this.#follow(nowMs, seen?.classDemandPerS ?? [], aheadMs);
    const demandPerS = isKnown ? this.#demand.foreseenPerS : NaN;
    let state: GroupDecision['state'] = 'stale';
    this.#pressed.fill(0);
    if (isKnown) {
      state = this.#wish(demandPerS, aheadMs / 1_000);
      this.#press(demandPerS);
    } else for (const row of this.#wished) row.set(this.#shape.base);
    let atBase = true;
    for (const [c, mover] of this.#movers.entries()) {
      const wished = this.#wished[c] ?? this.#shape.base;
      this.#bounds[c] = mover.move(wished, this.#pressed, this.#shape, this.#policy, passedMs);
      atBase = atBase && isSameRow(mover.present, this.#shape.base);
    }
    this.#shareOut();
    const taken = 1 - Math.exp(-passedMs / TOLD_LATE_MS);
    for (let t = 0; t < this.#share.length; t += 1) {
      const late = this.#lateShare[t] ?? 0;
      this.#lateShare[t] = late + taken * ((this.#share[t] ?? 0) - late);
    }
    return {
      group: this.group,
      shape: this.#shape,
      targets: this.#targets,
      wished: this.#wished,
      present: this.rows,
      bounds: this.#bounds,
      demand: this.#demand,
      demandPerS,
      groupShare: this.#share,
      state: state === 'moving' && atBase ? 'configured' : state,
      aheadS: aheadMs / 1_000,
    };
  }

  #inherit(className: string, before: GroupPlanner | undefined): Float64Array {
    const row = this.#shape.base.slice();
    if (before === undefined) return row;
    const held = before.rows[before.group.classes.findIndex(({ name }) => name === className)];
    if (held === undefined) return row;
    for (const [id, t] of this.#indexOf) {
      const own = before.#indexOf.get(id);
      if (own !== undefined) row[t] = held[own] ?? 0;
    }
    fitRow(row, this.#shape);
    return row;
  }

  #read(nowMs: number, seen: GroupSeen | undefined, lifeMs: number): void {
    this.#seen.fill(undefined);
    const rows = seen?.targets ?? [];
    for (let at = 0; at < rows.length; at += 1) {
      const row = rows[at];
      if (row === undefined) continue;
      // Rows mostly come in the order of the targets.
      const t = this.#targets[at]?.id === row.id ? at : this.#indexOf.get(row.id);
      if (t !== undefined && this.#seen[t] === undefined) this.#seen[t] = row;
    }
    for (const [t, target] of this.#targets.entries()) target.read(this.#seen[t], nowMs, lifeMs);
  }

  /** Follows the demand. A target of which nothing is known is taken to get its share. */
  #follow(nowMs: number, classDemand: readonly number[], aheadMs: number): void {
    let sum = 0;
    let heard = 0;
    let isComplete = true;
    let forecast = NaN;
    let scale = 0;
    for (const [t, target] of this.#targets.entries()) {
      if (target.bucket.known) scale += target.bucket.refillPerS;
      if (!Number.isNaN(target.forecastPerS)) {
        forecast = (Number.isNaN(forecast) ? 0 : forecast) + target.forecastPerS;
      }
      if (Number.isNaN(target.demandPerS)) {
        isComplete = false;
        continue;
      }
      sum += target.demandPerS;
      heard += this.#lateShare[t] ?? 0;
    }
    const known = this.#targets.some((target) => target.known);
    if (!known) this.#demand.reset();
    let demand = heard >= LEAST_KNOWN_SHARE ? sum / Math.min(1, heard) : NaN;
    if (isComplete) demand = sum;
    this.#demand.tick(nowMs, known ? demand : NaN, forecast, scale, aheadMs);
    this.#parts.tick(classDemand, this.#demand.stepped);
  }

  /** Works out where the shares should be. */
  #wish(demandPerS: number, aheadS: number): 'moving' | 'overloaded' | 'unhealthy' {
    const { base, high, role } = this.#shape;
    // Where no demand is known the parts of it alone are planned with, and no bucket can be said to be short.
    const counts = demandPerS > 0;
    const scale = counts ? demandPerS : 1;
    let well = false;
    for (const [t, target] of this.#targets.entries()) {
      const own = scale * ((role[t] === BACKUP ? high[t] : base[t]) ?? 0);
      target.weigh(aheadS, this.#policy.headroom, own, counts);
      well = well || (role[t] !== NONE && target.steady.held.factor > 0);
    }
    if (!well) {
      for (const row of this.#wished) row.set(base);
      return 'unhealthy';
    }
    this.#makeRoom(scale);
    let short = 0;
    for (const [c, row] of this.#wished.entries()) {
      const part = this.#parts.parts[c] ?? 0;
      if (part > LEAST_PART) short += part * spreadClass(scale * part, this.#shape, this.#room, row);
      else spreadClass(1, this.#shape, this.#roomByHealth(), row);
      roundRow(row, this.#shape.low, this.#shape.high);
    }
    this.#overloaded = counts && short > (this.#overloaded ? 0 : OVERLOAD_PART);
    return this.#overloaded ? 'overloaded' : 'moving';
  }

  #makeRoom(scale: number): void {
    const { base, role } = this.#shape;
    for (const [t, { effectivePerS }] of this.#targets.entries()) {
      const isIn = role[t] !== NONE;
      const own = scale * (role[t] === BACKUP ? 1 / this.#targets.length : (base[t] ?? 0));
      this.#room.left[t] = isIn ? effectivePerS : 0;
      this.#room.weight[t] = isIn ? (effectivePerS < Infinity ? effectivePerS : own) : 0;
    }
  }

  /** For a class without demand: it leaves only what is not well at all. */
  #roomByHealth(): Room {
    const { base, role } = this.#shape;
    const isWell = (t: number) => role[t] !== NONE && (this.#targets[t]?.steady.held.factor ?? 0) > 0;
    return {
      left: this.#room.left.map((_, t) => (isWell(t) ? Infinity : 0)),
      weight: this.#room.left.map((_, t) => (isWell(t) ? Math.max(base[t] ?? 0, LEAST_PART) : 0)),
    };
  }

  /** Marks the targets that get more than they can take. */
  #press(demandPerS: number): void {
    for (const [t, target] of this.#targets.entries()) {
      const own = demandPerS * (this.#share[t] ?? 0);
      const isOver = own > target.effectivePerS || target.steady.held.factor === 0;
      this.#pressed[t] = isOver ? 1 : 0;
    }
  }

  /** The share of all traffic that each target has. */
  #shareOut(): void {
    this.#share.fill(0);
    for (const [c, { present }] of this.#movers.entries()) {
      const part = this.#parts.parts[c] ?? 0;
      for (let t = 0; t < present.length; t += 1)
        this.#share[t] = (this.#share[t] ?? 0) + part * (present[t] ?? 0);
    }
  }
}

function isSameRow(a: Float64Array, b: Float64Array): boolean {
  for (let t = 0; t < a.length; t += 1) if (a[t] !== b[t]) return false;
  return true;
}

/** What came of a policy at a load: sums over the test days, and the figures made of them. */
import { PRIORITIES, type Priority } from '../core/priority';
import type { EnvironmentView } from './environment';
import { LOSS_WEIGHTS } from '../control/loss-weights';
import type { ScenarioService } from './scenario';
import type { WaitCount } from './waiting-line';

/** A policy's figures at a load. Parts are 0 to 1. */
export interface SimulationFigures {
  /** Weighted dropped over weighted arrived. */
  readonly weighted_loss: number;
  /** Served over the total in the intervals whose demand reached the total; null when none did. */
  readonly utilization_overloaded: number | null;
  /** Dropped over arrived, by priority; 0 where nothing arrived. */
  readonly dropped: Readonly<Record<Priority, number>>;
  /** Ticks at whose end more had been admitted, since any tick before, than total x time and the capacities then. */
  readonly violations: number;
  /** How long 99 % of those that were served waited at most, to a tick. */
  readonly queue_p99_ms: number;
  /** Jain's index of served over demanded of each service: 1 when all got the same part of what they asked for. */
  readonly fairness: number;
  /** The mean over the intervals of the sum of changes of rates, over the total. */
  readonly churn: number;
}

/** A policy's course at a load, in slots of equal length from the start of the test days. */
export interface SimulationCourse {
  readonly slotMs: number;
  /** Requests a second, of all services. */
  readonly arrivedPerS: readonly number[];
  readonly servedPerS: readonly number[];
  readonly totalPerS: readonly number[];
  /** Weighted dropped over weighted arrived. */
  readonly loss: readonly number[];
}

const WAITS_MAX = 8_192;
/** Requests, of sums in the millions: what rounding makes of them. */
const ROUNDING = 1e-3;
/** Slots of a course, at most. */
const SLOTS_MAX = 480;

/** Served requests by the ticks that they waited; the longest count as the last. */
class WaitTally implements WaitCount {
  private readonly counts = new Float64Array(WAITS_MAX);

  add(ticks: number, requests: number): void {
    this.counts[ticks < WAITS_MAX ? ticks : WAITS_MAX - 1]! += requests;
  }

  /** The least ticks that `part` of all waited at most. */
  quantile(part: number): number {
    const goal = part * this.counts.reduce((sum, count) => sum + count, 0);
    let sum = 0;
    for (let ticks = 0; ticks < WAITS_MAX; ticks += 1) {
      sum += this.counts[ticks]!;
      if (sum >= goal) return ticks;
    }
    return WAITS_MAX - 1;
  }
}

class Course {
  private readonly arrived: Float64Array;
  private readonly served: Float64Array;
  private readonly budget: Float64Array;
  private readonly weightedArrived: Float64Array;
  private readonly weightedDropped: Float64Array;
  private readonly slotTicks: number;

  constructor(
    ticks: number,
    intervalTicks: number,
    private readonly tickMs: number,
  ) {
    this.slotTicks = Math.max(1, Math.ceil(ticks / SLOTS_MAX / intervalTicks)) * intervalTicks;
    const slots = Math.ceil(ticks / this.slotTicks);
    const zeros = (): Float64Array => new Float64Array(slots);
    this.arrived = zeros();
    this.served = zeros();
    this.budget = zeros();
    this.weightedArrived = zeros();
    this.weightedDropped = zeros();
  }

  add(tick: number, sums: readonly [number, number, number, number], budget: number): void {
    const slot = Math.floor((tick - 1) / this.slotTicks);
    this.arrived[slot]! += sums[0];
    this.served[slot]! += sums[1];
    this.weightedArrived[slot]! += sums[2];
    this.weightedDropped[slot]! += sums[3];
    this.budget[slot]! += budget;
  }

  /** @param ticks that have passed: the last slot may be a part of one. */
  read(ticks: number): SimulationCourse {
    const secondsOf = (slot: number): number =>
      (Math.min(this.slotTicks, ticks - slot * this.slotTicks) * this.tickMs) / 1_000;
    const perS = (sums: Float64Array): number[] => Array.from(sums, (sum, slot) => sum / secondsOf(slot));
    return {
      slotMs: this.slotTicks * this.tickMs,
      arrivedPerS: perS(this.arrived),
      servedPerS: perS(this.served),
      totalPerS: perS(this.budget),
      loss: Array.from(this.weightedDropped, (sum, slot) => ratio(sum, this.weightedArrived[slot]!)),
    };
  }
}

/** Counts what a policy does, tick by tick and interval by interval. */
export class SimulationTally {
  readonly waits = new WaitTally();
  private readonly arrived: Float64Array;
  private readonly served: Float64Array;
  private readonly dropped: Float64Array;
  private readonly weights: readonly number[];
  private readonly course: Course;
  private ticks = 0;
  private violations = 0;
  /** The most that was admitted since any tick, beyond total x time and the capacities at that tick. */
  private excess = -Infinity;
  private overloadedServed = 0;
  private overloadedBudget = 0;
  private intervalArrived = 0;
  private intervalServed = 0;
  private intervalBudget = 0;
  private intervals = 0;
  private changes = 0;
  private lastRates: Float64Array | undefined;

  constructor(
    private readonly services: readonly ScenarioService[],
    private readonly totalPerS: number,
    private readonly tickMs: number,
    ticks: number,
    intervalTicks: number,
  ) {
    this.arrived = new Float64Array(services.length);
    this.served = new Float64Array(services.length);
    this.dropped = new Float64Array(services.length);
    this.weights = services.map(({ priority }) => LOSS_WEIGHTS[priority]);
    this.course = new Course(ticks, intervalTicks, tickMs);
  }

  /** Before a tick, with the limits that are in force in it. */
  begin({ capacities }: EnvironmentView): void {
    let sum = 0;
    for (let service = 0; service < capacities.length; service += 1) sum += capacities[service]!;
    this.excess = Math.max(this.excess, -sum);
  }

  /** After a tick. @param totalPerS what there was to share in it. */
  end(view: EnvironmentView, totalPerS: number): void {
    let [arrived, served, weightedArrived, weightedDropped] = [0, 0, 0, 0];
    for (let service = 0; service < this.arrived.length; service += 1) {
      const [came, went, lost] = [view.arrived[service]!, view.served[service]!, view.dropped[service]!];
      this.arrived[service]! += came;
      this.served[service]! += went;
      this.dropped[service]! += lost;
      arrived += came;
      served += went;
      weightedArrived += came * this.weights[service]!;
      weightedDropped += lost * this.weights[service]!;
    }
    const budget = (totalPerS * this.tickMs) / 1_000;
    this.ticks += 1;
    this.excess += served - budget;
    if (this.excess > ROUNDING) this.violations += 1;
    this.intervalArrived += arrived;
    this.intervalServed += served;
    this.intervalBudget += budget;
    this.course.add(this.ticks, [arrived, served, weightedArrived, weightedDropped], budget);
  }

  /** After an interval's last tick. */
  endInterval({ ratesPerS }: EnvironmentView): void {
    if (this.intervalArrived >= this.intervalBudget) {
      this.overloadedServed += this.intervalServed;
      this.overloadedBudget += this.intervalBudget;
    }
    this.intervalArrived = this.intervalServed = this.intervalBudget = 0;
    this.intervals += 1;
    const last = this.lastRates;
    if (last !== undefined) {
      ratesPerS.forEach((rate, service) => (this.changes += Math.abs(rate - last[service]!)));
    }
    this.lastRates = Float64Array.from(ratesPerS);
  }

  figures(): SimulationFigures {
    const { arrived, served, dropped, weights } = this;
    const weighted = (sums: Float64Array): number =>
      sums.reduce((sum, amount, service) => sum + amount * weights[service]!, 0);
    const ofPriority = (sums: Float64Array, priority: Priority): number =>
      sums.reduce((sum, amount, at) => sum + (this.services[at]!.priority === priority ? amount : 0), 0);
    return {
      weighted_loss: ratio(weighted(dropped), weighted(arrived)),
      utilization_overloaded:
        this.overloadedBudget > 0 ? this.overloadedServed / this.overloadedBudget : null,
      dropped: Object.fromEntries(
        PRIORITIES.map((one) => [one, ratio(ofPriority(dropped, one), ofPriority(arrived, one))]),
      ) as Record<Priority, number>,
      violations: this.violations,
      queue_p99_ms: this.waits.quantile(0.99) * this.tickMs,
      fairness: jainIndex(served, arrived),
      churn: this.intervals < 2 ? 0 : this.changes / (this.intervals - 1) / this.totalPerS,
    };
  }

  readCourse(): SimulationCourse {
    return this.course.read(this.ticks);
  }
}

/**
 * Jain's index of `served` over `demanded`, of those that demanded: (sum x)^2 / (n sum x^2), 1 when nobody did
 * (R. Jain, D. Chiu, W. Hawe, DEC-TR-301, 1984).
 */
function jainIndex(served: Float64Array, demanded: Float64Array): number {
  let [sum, squares, count] = [0, 0, 0];
  served.forEach((amount, service) => {
    const asked = demanded[service]!;
    if (!(asked > 0)) return;
    sum += amount / asked;
    squares += (amount / asked) ** 2;
    count += 1;
  });
  return squares > 0 ? (sum * sum) / (count * squares) : 1;
}

function ratio(part: number, whole: number): number {
  return whole > 0 ? part / whole : 0;
}

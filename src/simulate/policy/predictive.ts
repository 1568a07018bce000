/**
 * The product's policy: its pool controller, driven tick by tick as in service, with what it would see of the services. Its
 * lending orders become moves of tokens, of whose outcome it is told.
 */
import type {
  LoanOrder,
  MemberForecast,
  MemberPolicy,
  MemberSeen,
  PoolAdvice,
  PoolDecision,
  PoolPolicy,
  PoolSeen,
} from '../../core/control';
import { PoolController } from '../../control/pool-controller';
import { usualPolicy } from '../../control/usual-policy';
import type { EnvironmentView } from '../environment';
import type { Scenario } from '../scenario';
import type { Limits, MinuteForecasts, Policy, PolicyKind, TickActs, TickSeen, TokenMove } from './policy';
import { proportional, secondBuckets } from './shares';

const POOL = 'simulated';
/** By how much a bucket may be larger than configured: the settings' default. */
const MAX_CAPACITY_FACTOR = 4;
/** Simulated time begins here, Unix ms: days begin at multiples of a day. */
const EPOCH_MS = 86_400_000;

/** A pool's policy with the settings' defaults, and the scenario's times and total. */
export function simulatedPool(scenario: Scenario, totalPerS: number): PoolPolicy {
  const { tickMs, intervalMs, lending } = scenario;
  return usualPolicy({ name: POOL, totalPerS, tickMs, intervalMs, lending });
}

/** The services as members: what a scenario does not bound, the total does. */
export function simulatedMembers({ services, totalPerS }: Scenario): readonly MemberPolicy[] {
  const nominal = proportional(services, totalPerS);
  return services.map(({ name, priority, guaranteePerS }, at) => {
    const nominalPerS = nominal[at]!;
    const nominalCapacity = Math.max(1, Math.round(nominalPerS));
    return {
      id: name,
      ruleId: name,
      bucketKey: name,
      service: name,
      priority,
      weight: 1,
      nominalPerS,
      nominalCapacity,
      minPerS: 0,
      maxPerS: totalPerS,
      minCapacity: 1,
      maxCapacity: MAX_CAPACITY_FACTOR * nominalCapacity,
      guaranteePerS,
      lendable: 0.9,
      borrowable: totalPerS / Math.max(nominalPerS, 1e-9),
      lends: true,
    };
  });
}

/** A pool's own controller in a scenario: shows it what it would see, and makes limits and moves of what it decides. */
export class SimulatedControl {
  readonly first: Limits;
  readonly members: readonly MemberPolicy[];
  private readonly controller: PoolController;
  private readonly places: ReadonlyMap<string, number>;
  private readonly ratesPerS: Float64Array;
  private readonly capacities: Float64Array;
  private readonly tickS: number;
  private totalPerS: number;
  private pool: PoolPolicy;

  constructor(private readonly scenario: Scenario) {
    this.totalPerS = scenario.totalPerS;
    this.members = simulatedMembers(scenario);
    this.pool = simulatedPool(scenario, this.totalPerS);
    this.controller = new PoolController(this.pool, this.members);
    this.places = new Map(this.members.map(({ id }, at) => [id, at]));
    this.first = secondBuckets(proportional(scenario.services, scenario.totalPerS));
    this.ratesPerS = Float64Array.from(this.first.ratesPerS);
    this.capacities = Float64Array.from(this.first.capacities);
    this.tickS = scenario.tickMs / 1_000;
  }

  /** With the total that there is. */
  get policy(): PoolPolicy {
    return this.pool;
  }

  /** What the controller is to see of the last tick, and of the total that there is now. */
  see({ atMs, totalPerS, view, forecasts }: TickSeen): PoolSeen {
    if (totalPerS !== this.totalPerS) {
      this.totalPerS = totalPerS;
      this.pool = simulatedPool(this.scenario, totalPerS);
      this.controller.use(this.pool, this.members, EPOCH_MS + atMs);
    }
    return {
      members: this.members.map(({ id }, at) => this.memberSeen(id, at, view, forecasts)),
      health: [],
    };
  }

  /** Lets the controller decide. @param advice what a learned policy says from now on; null leaves what it said. */
  decide(
    atMs: number,
    seen: PoolSeen,
    advice: PoolAdvice | undefined | null = null,
    maxFactor?: number,
  ): { readonly acts: TickActs; readonly decision: PoolDecision } {
    if (advice !== null) this.controller.advise(advice, maxFactor);
    const decision = this.controller.tick(simulatedTime(atMs), seen);
    const moves = decision.loans.flatMap((order) => this.moveOf(order));
    if (!decision.changed) return { acts: { moves }, decision };
    decision.outputs.forEach(({ ratePerS, capacity }, at) => {
      this.ratesPerS[at] = ratePerS;
      this.capacities[at] = capacity;
    });
    const limits = { ratesPerS: this.ratesPerS, capacities: this.capacities };
    return { acts: { limits, moves }, decision };
  }

  /** See {@link PoolController.sharesUnder}. */
  sharesUnder(demandFactors: ArrayLike<number>): Float64Array {
    return this.controller.sharesUnder(demandFactors);
  }

  private memberSeen(id: string, at: number, view: EnvironmentView, forecasts: MinuteForecasts): MemberSeen {
    const perS = (sums: Float64Array): number => (view.tick === 0 ? NaN : sums[at]! / this.tickS);
    const forecast: MemberForecast = {
      madeAtMs: simulatedTime(forecasts.madeAtMs),
      meanPerS: forecasts.meanPerS[at]!,
      upperPerS: forecasts.upperPerS[at]!,
      anomalous: false,
    };
    return {
      id,
      demandPerS: perS(view.arrived),
      admittedPerS: perS(view.served),
      deniedPerS: perS(view.dropped),
      queuedPerS: perS(view.delayed),
      tokens: Math.floor(view.tokens[at]!),
      forecast,
    };
  }

  private moveOf({ loanId, lender, borrower, tokens, keep }: LoanOrder): readonly TokenMove[] {
    const [from, to] = [this.places.get(lender), this.places.get(borrower)];
    if (from === undefined || to === undefined) return [];
    const done = (moved: number, atMs: number): void =>
      this.controller.settled({ loanId, moved, lost: 0 }, simulatedTime(atMs));
    return [{ from, to, tokens, keep, done }];
  }
}

/** Unix ms of a time of a part. */
export function simulatedTime(atMs: number): number {
  return EPOCH_MS + atMs;
}

/** Says at every tick what a learned policy advises, before the pool's controller decides; see {@link PoolController.advise}. */
export interface PoolAdvisor {
  /** @returns what holds from now on; undefined for nothing. */
  advise(
    nowMs: number,
    policy: PoolPolicy,
    members: readonly MemberPolicy[],
    seen: PoolSeen,
  ): PoolAdvice | undefined;
  /** What came of the tick. */
  decided(decision: PoolDecision): void;
}

/** The product's policy in a scenario, with an advisor or alone. @param maxFactor the bound of what is advised. */
export function controlledPolicy(scenario: Scenario, advisor?: PoolAdvisor, maxFactor?: number): Policy {
  const control = new SimulatedControl(scenario);
  return {
    first: control.first,
    tick: (tick) => {
      const seen = control.see(tick);
      const advice = advisor?.advise(simulatedTime(tick.atMs), control.policy, control.members, seen);
      const { acts, decision } = control.decide(
        tick.atMs,
        seen,
        advisor === undefined ? null : advice,
        maxFactor,
      );
      advisor?.decided(decision);
      return acts;
    },
  };
}

/** See the file's head. */
export const PREDICTIVE: PolicyKind = {
  name: 'predictive',
  create: ({ scenario }) => controlledPolicy(scenario),
};

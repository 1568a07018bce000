/** A pool under the product's controller in simulated time, for one course of an environment: tick by tick, and summed up by the interval. */
import { LOSS_WEIGHTS } from '../../control/loss-weights';
import type { PoolAdvice, PoolDecision, PoolSeen } from '../../core/control';
import { PoolEnvironment } from '../../simulate/environment';
import { MovesUnderWay } from '../../simulate/moves-under-way';
import type { MinuteForecasts } from '../../simulate/policy/policy';
import { SimulatedControl, simulatedTime } from '../../simulate/policy/predictive';
import { queueRequests, type Scenario } from '../../simulate/scenario';
import { AllocationObserver } from './observation';
import { TokenWorth } from './token-worth';

const NO_WAITS = { add: (): void => undefined };

/** Sums over an interval; requests, of all services. */
export interface IntervalSums {
  arrived: number;
  served: number;
  /** What there was to give. */
  budget: number;
  /** Times the cost of a denial of each. */
  weightedServed: number;
  weightedDropped: number;
  weightedQueued: number;
  weightedMissed: number;
  /** Changes of rates, requests a second. */
  changes: number;
}

/** A tick of it. */
export interface PoolTick {
  readonly atMs: number;
  readonly totalPerS: number;
  readonly forecasts: MinuteForecasts;
}

/** See the file's head. */
export class ControlledPool {
  readonly environment: PoolEnvironment;
  readonly observer = new AllocationObserver();
  readonly control: SimulatedControl;
  /** Of the interval that goes on. */
  sums: IntervalSums = noSums();
  /** What tokens were worth, by the reward's weights of priorities. */
  readonly worth: TokenWorth;
  private readonly moves: MovesUnderWay;
  private readonly weights: readonly number[];
  private readonly guarantees: readonly number[];
  private readonly arrived: Float64Array;
  private readonly served: Float64Array;
  private readonly queuedBefore: Float64Array;
  private seconds = 0;
  private seen: PoolSeen | undefined;

  /** @param critical times what CRITICAL weighs. */
  constructor(
    private readonly scenario: Scenario,
    load: number,
    critical = 1,
  ) {
    const { services, totalPerS, tickMs } = scenario;
    this.control = new SimulatedControl(scenario);
    const { first } = this.control;
    this.environment = new PoolEnvironment(
      services.map((service) => queueRequests(service, load, totalPerS)),
      first.ratesPerS,
      first.capacities,
      tickMs,
      NO_WAITS,
    );
    this.moves = new MovesUnderWay(scenario);
    this.weights = services.map(
      ({ priority }) => LOSS_WEIGHTS[priority] * (priority === 'CRITICAL' ? critical : 1),
    );
    this.worth = new TokenWorth(this.weights);
    this.guarantees = services.map(({ guaranteePerS }) => guaranteePerS);
    this.arrived = new Float64Array(services.length);
    this.served = new Float64Array(services.length);
    this.queuedBefore = new Float64Array(services.length);
  }

  /** Shows the controller, and the observer, what the last tick has left. Once before each {@link pass}. */
  look(tick: PoolTick): void {
    this.seen = this.control.see({ ...tick, view: this.environment });
    const { policy, members } = this.control;
    this.observer.tick(simulatedTime(tick.atMs), policy, members, this.seen);
  }

  /** Lets the controller decide and the tick pass. @param advice null leaves what was advised. */
  pass(
    { atMs, totalPerS }: PoolTick,
    arrivals: Float64Array,
    advice: PoolAdvice | undefined | null,
    maxFactor: number,
  ): void {
    const { environment, seen } = this;
    if (seen === undefined) return;
    const { acts, decision } = this.control.decide(atMs, seen, advice, maxFactor);
    this.observer.decided(decision);
    if (acts.limits !== undefined) this.limit(decision);
    environment.begin();
    this.moves.pass(environment, acts.moves, atMs);
    environment.pass(arrivals);
    this.worth.tick(environment);
    const tickS = this.scenario.tickMs / 1_000;
    const { sums, weights } = this;
    sums.budget += totalPerS * tickS;
    this.seconds += tickS;
    for (let service = 0; service < arrivals.length; service += 1) {
      const served = environment.served[service]!;
      this.arrived[service]! += arrivals[service]!;
      this.served[service]! += served;
      sums.arrived += arrivals[service]!;
      sums.served += served;
      sums.weightedServed += served * weights[service]!;
      sums.weightedDropped += environment.dropped[service]! * weights[service]!;
    }
  }

  /** Ends the interval. @returns its sums. */
  end(): IntervalSums {
    const { sums, environment, weights } = this;
    for (let service = 0; service < weights.length; service += 1) {
      const grown = environment.queued[service]! - this.queuedBefore[service]!;
      sums.weightedQueued += Math.max(0, grown) * weights[service]!;
      this.queuedBefore[service] = environment.queued[service]!;
      const due = Math.min((this.guarantees[service] ?? 0) * this.seconds, this.arrived[service]!);
      sums.weightedMissed += Math.max(0, due - this.served[service]!) * weights[service]!;
    }
    for (const each of [this.arrived, this.served]) each.fill(0);
    this.seconds = 0;
    this.sums = noSums();
    return sums;
  }

  private limit({ outputs }: PoolDecision): void {
    outputs.forEach(({ ratePerS, capacity }, service) => {
      this.sums.changes += Math.abs(ratePerS - this.environment.ratesPerS[service]!);
      this.environment.limit(service, ratePerS, capacity);
    });
  }
}

function noSums(): IntervalSums {
  return {
    ...{ arrived: 0, served: 0, budget: 0, weightedServed: 0, weightedDropped: 0 },
    ...{ weightedQueued: 0, weightedMissed: 0, changes: 0 },
  };
}

/** One policy in an environment of its own: its limits put in force, its moves made when they arrive, what comes of it counted. */
import { PoolEnvironment } from './environment';
import { MovesUnderWay } from './moves-under-way';
import type { Limits, MinuteForecasts, Policy, PolicyKind, PolicySetup } from './policy/policy';
import { queueRequests } from './scenario';
import { SimulationTally, type SimulationCourse, type SimulationFigures } from './tally';

/** What came of one policy. */
export interface PolicyOutcome {
  readonly policy: string;
  readonly figures: SimulationFigures;
  readonly course: SimulationCourse;
}

/** A tick as it will be. */
export interface TickAhead {
  readonly atMs: number;
  readonly totalPerS: number;
  readonly arrivals: Float64Array;
  readonly intervalSeconds: number;
  readonly beginsInterval: boolean;
  readonly coming: Float64Array;
  readonly forecasts: MinuteForecasts;
}

/** See the file's head. */
export class PolicyRun {
  private readonly environment: PoolEnvironment;
  private readonly policy: Policy;
  private readonly tally: SimulationTally;
  private readonly arrived: Float64Array;
  private readonly served: Float64Array;
  private readonly dropped: Float64Array;
  private readonly underWay: MovesUnderWay;
  private totalPerS: number;

  constructor(
    private readonly kind: PolicyKind,
    setup: PolicySetup,
    ticks: number,
    intervalTicks: number,
  ) {
    const { services, totalPerS, tickMs } = setup.scenario;
    this.policy = kind.create(setup);
    this.totalPerS = totalPerS;
    this.tally = new SimulationTally(services, totalPerS, tickMs, ticks, intervalTicks);
    const { first } = this.policy;
    this.environment = new PoolEnvironment(
      services.map((service) => queueRequests(service, setup.load, totalPerS)),
      first.ratesPerS,
      first.capacities,
      tickMs,
      this.tally.waits,
    );
    const zeros = (): Float64Array => new Float64Array(services.length);
    this.arrived = zeros();
    this.served = zeros();
    this.dropped = zeros();
    this.underWay = new MovesUnderWay(setup.scenario);
  }

  pass(ahead: TickAhead): void {
    const { environment, policy, tally } = this;
    const { atMs, totalPerS, forecasts } = ahead;
    if (ahead.beginsInterval || totalPerS !== this.totalPerS) this.allocate(ahead);
    this.totalPerS = totalPerS;
    const acts = policy.tick?.({ atMs, totalPerS, view: environment, forecasts });
    if (acts?.limits !== undefined) this.limit(acts.limits);
    tally.begin(environment);
    environment.begin();
    if (acts !== undefined) this.underWay.pass(environment, acts.moves, atMs);
    environment.pass(ahead.arrivals);
    tally.end(environment, totalPerS);
    for (let service = 0; service < this.arrived.length; service += 1) {
      this.arrived[service]! += environment.arrived[service]!;
      this.served[service]! += environment.served[service]!;
      this.dropped[service]! += environment.dropped[service]!;
    }
  }

  endInterval(): void {
    this.tally.endInterval(this.environment);
  }

  outcome(): PolicyOutcome {
    return {
      policy: this.kind.name,
      figures: this.tally.figures(),
      course: this.tally.readCourse(),
    };
  }

  private allocate({ atMs, totalPerS, intervalSeconds, coming, forecasts }: TickAhead): void {
    const { arrived, served, dropped, environment: view } = this;
    const limits = this.policy.allocate?.({
      atMs,
      seconds: intervalSeconds,
      totalPerS,
      view,
      arrived,
      served,
      dropped,
      forecasts,
      coming,
    });
    if (limits !== undefined) this.limit(limits);
    for (const sums of [arrived, served, dropped]) sums.fill(0);
  }

  private limit({ ratesPerS, capacities }: Limits): void {
    for (let service = 0; service < this.arrived.length; service += 1) {
      this.environment.limit(service, ratesPerS[service] ?? 0, capacities[service] ?? 0);
    }
  }
}

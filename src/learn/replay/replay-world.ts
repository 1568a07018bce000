/** One way of controlling a pool, in a model of it: nobody is answered from it, and no real bucket is touched. */
import type {
  MemberForecast,
  MemberPolicy,
  MemberSeen,
  PoolAdvice,
  PoolDecision,
  PoolPolicy,
  PoolSeen,
} from '../../core/control';
import { LOSS_WEIGHTS } from '../../control/loss-weights';
import { PoolController } from '../../control/pool-controller';
import { PoolEnvironment } from '../../simulate/environment';
import type { RecordedInterval, RecordedTick } from './recorded';

/** Says what a model would advise in this world. It has a memory of its own. */
export interface ReplayAdvisor {
  /** Asked at every tick, before the controller is. @returns what holds from now on; undefined advises nothing. */
  advise(
    nowMs: number,
    policy: PoolPolicy,
    members: readonly MemberPolicy[],
    seen: PoolSeen,
  ): PoolAdvice | undefined;
  /** What came of the tick. */
  decided(decision: PoolDecision): void;
}

/** Requests weighted by priority. */
export interface WorldLoss {
  readonly asked: number;
  readonly lost: number;
}

const NO_WAITS = { add: (): void => undefined };

/**
 * The pool's controller over the simulator's buckets, queues and moves of tokens. Loans are made at the tick after they were ordered;
 * what the data path would borrow by itself between ticks is left out, on all sides alike.
 */
export class ReplayWorld {
  #controller: PoolController | undefined;
  #environment: PoolEnvironment | undefined;
  #members: readonly MemberPolicy[] = [];
  #places = new Map<string, number>();
  #forecasts: readonly (MemberForecast | undefined)[] = [];
  #shape = '';
  #tickS = 1;

  /** @param advisor undefined for the solver alone. */
  constructor(private readonly advisor?: ReplayAdvisor) {}

  /** Lets an interval pass. @returns what was lost in it. */
  pass(recorded: RecordedInterval): WorldLoss {
    this.#use(recorded);
    const loss = { asked: 0, lost: 0 };
    for (const tick of recorded.ticks) this.#tick(recorded.policy, tick, loss);
    return loss;
  }

  #use({ policy, members, queueLimits, ticks }: RecordedInterval): void {
    const shape = JSON.stringify([policy, members, [...queueLimits]]);
    if (shape === this.#shape && this.#environment !== undefined) return;
    this.#shape = shape;
    const atMs = ticks[0]?.atMs ?? NaN;
    this.#controller ??= new PoolController(policy, members);
    this.#controller.use(policy, members, atMs);
    const before = this.#environment;
    const places = this.#places;
    const rates = members.map(
      (member) => held(before?.ratesPerS, places.get(member.id)) ?? member.nominalPerS,
    );
    const capacities = members.map(
      (member) => held(before?.capacities, places.get(member.id)) ?? member.nominalCapacity,
    );
    const environment = new PoolEnvironment(queueLimits, rates, capacities, policy.tickMs, NO_WAITS);
    members.forEach(({ id }, at) => {
      environment.tokens[at] = held(before?.tokens, places.get(id)) ?? capacities[at] ?? 0;
    });
    this.#environment = environment;
    this.#members = members;
    this.#places = new Map(members.map(({ id }, at) => [id, at]));
    this.#forecasts = [];
    this.#tickS = policy.tickMs / 1_000;
  }

  #tick(policy: PoolPolicy, tick: RecordedTick, loss: { asked: number; lost: number }): void {
    const [controller, environment] = [this.#controller, this.#environment];
    if (controller === undefined || environment === undefined) return;
    this.#forecasts = tick.forecasts ?? this.#forecasts;
    const seen: PoolSeen = {
      members: this.#members.map(({ id }, at) => this.#seen(environment, id, at)),
      health: tick.health,
    };
    if (this.advisor !== undefined)
      controller.advise(this.advisor.advise(tick.atMs, policy, this.#members, seen));
    const decision = controller.tick(tick.atMs, seen);
    this.advisor?.decided(decision);
    if (decision.changed)
      for (const { id, ratePerS, capacity } of decision.outputs)
        environment.limit(this.#places.get(id) ?? -1, ratePerS, capacity);
    environment.begin();
    for (const { loanId, lender, borrower, tokens, keep } of decision.loans) {
      const [from, to] = [this.#places.get(lender), this.#places.get(borrower)];
      const moved = from === undefined || to === undefined ? 0 : environment.move(from, to, tokens, keep);
      controller.settled({ loanId, moved, lost: 0 }, tick.atMs);
    }
    environment.pass(tick.arrived.map((count) => (count > 0 && count < Infinity ? count : 0)));
    this.#members.forEach(({ priority }, at) => {
      const weight = LOSS_WEIGHTS[priority];
      loss.asked += weight * (environment.arrived[at] ?? 0);
      loss.lost += weight * (environment.dropped[at] ?? 0);
    });
  }

  #seen(environment: PoolEnvironment, id: string, at: number): MemberSeen {
    const perS = (sums: Float64Array): number =>
      environment.tick === 0 ? NaN : (sums[at] ?? 0) / this.#tickS;
    return {
      id,
      demandPerS: perS(environment.arrived),
      admittedPerS: perS(environment.served),
      deniedPerS: perS(environment.dropped),
      queuedPerS: perS(environment.delayed),
      tokens: Math.floor(environment.tokens[at] ?? 0),
      forecast: this.#forecasts[at],
    };
  }
}

function held(figures: Float64Array | undefined, place: number | undefined): number | undefined {
  return place === undefined ? undefined : figures?.[place];
}

/** The allocator as a library: a fixed total shared among services, without Envoy, limits files or settings. */
import type { MemberPolicy, PoolDecision, PoolMode, PoolPolicy, PoolSeen } from '../../core/control';
import { POOL_MODES } from '../../core/control';
import { TidegateError } from '../../core/errors';
import { AdviceChain, type Bar, type ChainState } from '../../control/advice/advice-chain';
import { forecastBar } from '../../control/advice/advice-bars';
import { FORECAST_LIFE_MS } from '../../control/demand/member-demand';
import { PoolController } from '../../control/pool-controller';
import { allocationMembers, allocationPolicy } from './allocation-pool';
import type {
  AllocationOptions,
  AllocationService,
  AllocationStep,
  AllocationView,
  ServiceAllocation,
  ServiceObservation,
} from './allocation-types';
import {
  runContinuously,
  type AllocationSink,
  type ObservationSource,
  type RunOptions,
} from './continuous-run';
import { LearnedAdvice } from './learned-advice';

/** Intervals without a fault before a better level decides again. */
const CALM_INTERVALS = 3;

/**
 * Shares a total. Each interval it allocates; each tick it says what services should lend to each other. The sum of all rates
 * is at most the total at every step, whatever it is told, and whatever a model advises.
 *
 * ```ts
 * const controller = new AllocationController({
 *   totalPerS: 1000,
 *   services: [
 *     { name: 'checkout', priority: 'CRITICAL', share: 0.4, guaranteePerS: 100 },
 *     { name: 'reports', priority: 'LOW', share: 0.6 },
 *   ],
 *   learningMode: 'shadow',
 *   model: readFileSync('model.json', 'utf8'),
 * });
 * const { allocations } = controller.step(Date.now(), [
 *   { service: 'checkout', demandPerS: 700, admittedPerS: 400, deniedPerS: 300, tokens: 0 },
 *   { service: 'reports', demandPerS: 50, admittedPerS: 50, deniedPerS: 0, tokens: 600 },
 * ]);
 * for (const { service, ratePerS, why } of allocations) console.log(service, ratePerS, why);
 * ```
 */
export class AllocationController {
  #policy: PoolPolicy;
  #members: readonly MemberPolicy[];
  readonly #mode: PoolMode;
  readonly #controller: PoolController;
  readonly #learned: LearnedAdvice | undefined;
  readonly #chain: AdviceChain;
  #state: ChainState = { level: 'configured', why: 'nothing has been seen yet', switched: undefined };
  #unknown = 0;
  #last: AllocationStep | null = null;

  /** @throws TidegateError TG_ALLOCATION_INVALID or TG_LEARN_BAD_MODEL. */
  constructor(options: AllocationOptions) {
    const { learningMode = 'shadow', model, preciseMs = () => performance.now() } = options;
    if (!POOL_MODES.includes(learningMode)) {
      const message = `learningMode takes ${POOL_MODES.join(', ')}, not '${String(learningMode)}'`;
      throw new TidegateError('TG_ALLOCATION_INVALID', message);
    }
    this.#mode = learningMode;
    this.#policy = allocationPolicy(options);
    this.#members = allocationMembers(options.services, options.totalPerS);
    this.#controller = new PoolController(this.#policy, this.#members);
    this.#learned =
      learningMode === 'off' || model === undefined
        ? undefined
        : new LearnedAdvice(model, this.#policy, this.#members, preciseMs);
    this.#chain = new AdviceChain(CALM_INTERVALS * this.#policy.intervalMs);
  }

  /** Between two steps, ms. */
  get tickMs(): number {
    return this.#policy.tickMs;
  }

  /**
   * Takes what was seen since the last step, and says what each service is to have from now on. Call it once a tick. Services that are
   * not told of count as unknown: they keep what they are configured for; after ten ticks without a word of any, all do.
   * @param nowMs Unix ms. A time that steps back, or is none, lets nothing pass.
   */
  step(nowMs: number, observations: readonly ServiceObservation[]): AllocationStep {
    const seen = this.#seen(observations);
    this.#advise(nowMs, seen);
    const withForecasts = this.#state.level === 'ppo' || this.#state.level === 'forecast';
    const decision = this.#controller.tick(nowMs, withForecasts ? seen : withoutForecasts(seen));
    this.#learned?.decided(decision);
    this.#last = { allocations: decision.outputs.map(allocationOf), decision };
    return this.#last;
  }

  /** Says what became of an order to lend: so many tokens were moved. */
  lent(loanId: string, moved: number, nowMs: number): void {
    this.#controller.settled({ loanId, moved, lost: 0 }, nowMs);
  }

  /**
   * Steps for as long as it is wanted: with what the source pushes, or asks for at every tick. Resolves when the signal aborts or the
   * source ends; rejects with what the source or the sink failed of.
   */
  run(source: ObservationSource, sink: AllocationSink, options: RunOptions = {}): Promise<void> {
    return runContinuously(this, source, sink, options);
  }

  /**
   * Takes other services: those that stay keep what was learnt of them, those that vanish give back what they had, new ones begin with
   * what they are configured for. Takes effect at the next step.
   * @throws TidegateError TG_ALLOCATION_INVALID, with everything left as it was.
   */
  setServices(services: readonly AllocationService[], nowMs: number): void {
    this.#use(this.#policy, allocationMembers(services, this.#policy.totalPerS), nowMs);
  }

  /** How it is. */
  view(): AllocationView {
    return {
      totalPerS: this.#policy.totalPerS,
      learningMode: this.#mode,
      model: this.#learned?.version ?? null,
      level: this.#state.level,
      why: this.#state.why,
      services: this.#members.map(({ id }) => id),
      unknownObservations: this.#unknown,
      last: this.#last,
    };
  }

  #use(policy: PoolPolicy, members: readonly MemberPolicy[], nowMs: number): void {
    this.#policy = policy;
    this.#members = members;
    this.#controller.use(policy, members, nowMs);
    this.#learned?.use(policy, members);
  }

  #seen(observations: readonly ServiceObservation[]): PoolSeen {
    const known = new Set(this.#members.map(({ id }) => id));
    const told = new Map(observations.map((one) => [one.service, one]));
    for (const service of told.keys()) if (!known.has(service)) this.#unknown += 1;
    return {
      members: this.#members.flatMap(({ id }) => {
        const one = told.get(id);
        return one === undefined ? [] : [memberSeen(one)];
      }),
      health: [],
    };
  }

  #unlearned(): Bar {
    return this.#mode === 'off'
      ? { reason: 'mode', why: 'learning is off', fault: false }
      : { reason: 'no_model', why: 'there is no model', fault: false };
  }

  /** Who decides at this tick, and the model's advice where it may be followed. */
  #advise(nowMs: number, seen: PoolSeen): void {
    const advice = this.#learned?.look(nowMs, seen);
    const forecasts = seen.members.map(({ forecast }) => forecast);
    this.#state = this.#chain.look(nowMs, {
      ppo: this.#learned === undefined ? this.#unlearned() : this.#learned.bar(nowMs, this.#mode, seen),
      forecast: forecastBar(nowMs, forecasts, FORECAST_LIFE_MS),
      last: fallen(this.#last?.decision),
    });
    this.#controller.advise(this.#state.level === 'ppo' ? advice : undefined, this.#learned?.maxFactor);
  }
}

function fallen(decision: PoolDecision | undefined): Bar | undefined {
  if (decision?.state !== 'fallback') return undefined;
  const silent = decision.why.startsWith('no telemetry');
  return { reason: silent ? 'no_telemetry' : 'fault', why: decision.why, fault: true };
}

function memberSeen(one: ServiceObservation): PoolSeen['members'][number] {
  const { service, demandPerS = NaN, admittedPerS = NaN, deniedPerS = 0, queuedPerS = 0 } = one;
  const { forecast, tokens = NaN } = one;
  return {
    id: service,
    demandPerS,
    admittedPerS,
    deniedPerS,
    queuedPerS,
    tokens: Math.floor(tokens),
    forecast: forecast === undefined ? undefined : { ...forecast, anomalous: false },
  };
}

function withoutForecasts({ members, health }: PoolSeen): PoolSeen {
  return { members: members.map((one) => ({ ...one, forecast: undefined })), health };
}

function allocationOf({
  id,
  ratePerS,
  capacity,
  reason,
}: PoolDecision['outputs'][number]): ServiceAllocation {
  const { advice, clamps, rule } = reason;
  const words = [
    rule,
    ...(clamps.length > 0 ? [`cut by ${clamps.join(', ')}`] : []),
    ...(advice === undefined
      ? []
      : [
          `the model counts ${advice.demandFactor.toFixed(2)} times its demand; without it ${advice.solverPerS.toFixed(2)}/s`,
        ]),
  ];
  return { service: id, ratePerS, capacity, why: words.join('; ') };
}

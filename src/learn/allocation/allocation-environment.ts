/**
 * The environment of the learned allocator: a pool as it really is, under the product's own controller, with lending, queues, delays and the
 * errors of real forecasters, in stretches of a scenario's train days.
 */
import { LOSS_WEIGHTS } from '../../control/loss-weights';
import type { PoolAdvice } from '../../core/control';
import { TidegateError } from '../../core/errors';
import { ONLINE } from '../../forecast/choice/online';
import { ArrivalSource } from '../../simulate/arrivals';
import { MinuteForecasters } from '../../simulate/forecasts';
import type { MinuteForecasts } from '../../simulate/policy/policy';
import { simulatedTime } from '../../simulate/policy/predictive';
import { DAY_MINUTES, MINUTE_MS, type Scenario } from '../../simulate/scenario';
import type { Environment, LearnerObservation, StepResult } from '../environment';
import { ActionSlopes } from './action-slopes';
import { MAX_FACTOR } from './advisor';
import { ControlledPool, type IntervalSums } from './controlled-pool';
import { drawEpisode, EPISODE_RULES, swellOf, totalOf, type Episode, type EpisodeRules } from './episode';
import { adviceOf } from './factors';
import { ACTIONS, ALLOCATION_SHAPE } from './features';
import { REWARD_WEIGHTS, rewardOf, rewardTerms, termsOver, type RewardWeights } from './reward';
import type { WarmSeries } from './warm-series';

/** How an environment is. */
export interface AllocationOptions {
  readonly reward: RewardWeights;
  readonly episodes: EpisodeRules;
  /** The bound of what is advised, and its inverse: `pools.learning.max_factor`. */
  readonly maxFactor: number;
  /**
   * Whether the reward is what the agent has over the solver alone, which runs beside it on the same requests: what befalls both, and
   * is most of what varies, is taken out (a control variate).
   */
  readonly overSolver: boolean;
}

const MODEL = 'learning';

/** See the file's head. Rates are requests a second. */
export class AllocationEnvironment implements Environment {
  readonly shape = ALLOCATION_SHAPE;
  private readonly options: AllocationOptions;
  private course: Course | undefined;

  /**
   * @param scenario nothing of its test days is used.
   * @param series of each of its services, as `warmSeries` made it.
   */
  constructor(
    private readonly scenario: Scenario,
    private readonly series: readonly WarmSeries[],
    options: Partial<AllocationOptions> = {},
  ) {
    this.options = {
      reward: REWARD_WEIGHTS,
      episodes: EPISODE_RULES,
      maxFactor: MAX_FACTOR,
      overSolver: true,
      ...options,
    };
  }

  /** The episode that goes on. */
  get episode(): Episode | undefined {
    return this.course?.episode;
  }

  /** The first interval is the solver's: before it there is nothing to see. */
  reset(seed: number): LearnerObservation {
    const { scenario, series, options } = this;
    this.course = new Course(drawEpisode(scenario, series, options.episodes, seed), options);
    this.course.interval(null);
    return this.course.observe();
  }

  /** @throws TidegateError TG_LEARN_BAD_ACTION. */
  step(action: Float64Array): StepResult {
    const { course } = this;
    const figures = (course?.services ?? 0) * ACTIONS.length;
    if (course === undefined || action.length !== figures || !action.every(Number.isFinite)) {
      throw new TidegateError('TG_LEARN_BAD_ACTION', `an action is ${figures} finite numbers, after a reset`);
    }
    const terms = course.interval(action);
    return {
      observation: course.observe(),
      reward: rewardOf(terms),
      terms,
      ...course.slopes,
      terminated: false,
      truncated: course.over,
    };
  }
}

/** One episode under way. */
class Course {
  private readonly agent: ControlledPool;
  private readonly solver: ControlledPool | undefined;
  private readonly source: ArrivalSource;
  private readonly forecasters: MinuteForecasters;
  private readonly demand: readonly Float64Array[];
  private readonly minuteArrived: Float64Array;
  private readonly arrivals: Float64Array;
  private readonly ids: readonly string[];
  private readonly intervalTicks: number;
  private readonly minuteTicks: number;
  private readonly startMs: number;
  /** Weighted requests of an interval at load 1. */
  private readonly usual: number;
  private forecasts: MinuteForecasts;
  /** None where the pool lends: what a token is worth is not known there. */
  private readonly actionSlopes: ActionSlopes | undefined;
  private readonly worths: Float64Array;
  private readonly worthsBefore: Float64Array;
  private tick = 0;

  constructor(
    readonly episode: Episode,
    private readonly options: AllocationOptions,
  ) {
    const { scenario, series, starts, load, minutes } = episode;
    const { tickMs, intervalMs, services, totalPerS, arrivals } = scenario;
    const { critical } = options.reward;
    this.agent = new ControlledPool(scenario, load, critical);
    if (options.overSolver) this.solver = new ControlledPool(scenario, load, critical);
    this.source = new ArrivalSource(arrivals, episode.seed);
    this.intervalTicks = Math.max(1, Math.round(intervalMs / tickMs));
    this.minuteTicks = Math.round(MINUTE_MS / tickMs);
    const firsts = series.map((one, at) => one.starts[starts[at] ?? 0] ?? 0);
    const firstMinute = firsts[0] ?? 0;
    this.startMs = (firstMinute % DAY_MINUTES) * MINUTE_MS;
    this.demand = series.map(({ shape }, at) => {
      const from = firsts[at] ?? 0;
      const mean = (services[at]?.share ?? 0) * totalPerS * load;
      return shape
        .slice(from, from + minutes)
        .map((part, minute) => part * mean * swellOf(episode, at, minute));
    });
    // A forecaster knows the series at the mean that it was warmed with: what differs is a factor.
    const scales = series.map(({ meanPerS }, at) =>
      meanPerS > 0 ? ((services[at]?.share ?? 0) * totalPerS * load) / meanPerS : 1,
    );
    this.forecasters = new MinuteForecasters(
      series.map(({ states }, at) => ONLINE.restore(structuredClone(states[starts[at] ?? 0] ?? {}))),
      scales,
    );
    this.minuteArrived = new Float64Array(services.length);
    this.arrivals = new Float64Array(services.length);
    this.ids = services.map(({ name }) => name);
    if (!scenario.lending) this.actionSlopes = new ActionSlopes(services.length, options.maxFactor);
    this.worths = new Float64Array(services.length);
    this.worthsBefore = new Float64Array(services.length);
    const weighted = services.reduce((sum, { priority, share }) => sum + LOSS_WEIGHTS[priority] * share, 0);
    this.usual = (weighted * totalPerS * intervalMs) / 1_000;
    this.forecasts = this.forecasters.ahead(this.startMs);
    this.look();
  }

  get services(): number {
    return this.ids.length;
  }

  /** Of the reward, by the last action and by the one before it. */
  get slopes(): { readonly slopes?: Float64Array; readonly laterSlopes?: Float64Array } {
    const { actionSlopes } = this;
    return actionSlopes === undefined ? {} : { slopes: actionSlopes.now, laterSlopes: actionSlopes.later };
  }

  /** Whether no whole interval is left. */
  get over(): boolean {
    const left = this.episode.minutes * this.minuteTicks - this.tick;
    return left < this.intervalTicks;
  }

  observe(): LearnerObservation {
    return this.agent.observer.observe();
  }

  /** Lets an interval pass. @param action null says nothing. */
  interval(action: Float64Array | null): Readonly<Record<string, number>> {
    const { maxFactor, reward } = this.options;
    let advice: PoolAdvice | null =
      action === null ? null : adviceOf(MODEL, simulatedTime(this.atMs), this.ids, action, maxFactor);
    for (let tick = 0; tick < this.intervalTicks; tick += 1) {
      this.passTick(advice);
      advice = null;
      if (tick > 0 || action === null) continue;
      this.actionSlopes?.acted(action, (factors) => this.agent.control.sharesUnder(factors));
    }
    this.weighTokens(action !== null);
    const terms = this.termsOf(this.agent.end(), reward);
    if (this.solver === undefined) return terms;
    return termsOver(terms, this.termsOf(this.solver.end(), reward));
  }

  private weighTokens(acted: boolean): void {
    const { worths, worthsBefore } = this;
    this.agent.worth.end(worths, worthsBefore);
    if (!acted) return;
    const { reward } = this.options;
    // What is not denied is served, and a token a second is a part of one a tick.
    const pay = ((reward.served + reward.denied) / this.usual) * (this.episode.scenario.tickMs / 1_000);
    for (const each of [worths, worthsBefore]) each.forEach((worth, at) => (each[at] = pay * worth));
    this.actionSlopes?.ended(worths, worthsBefore);
  }

  private termsOf(sums: IntervalSums, reward: RewardWeights): ReturnType<typeof rewardTerms> {
    return rewardTerms(sums, reward, this.usual, this.episode.scenario.totalPerS);
  }

  private get atMs(): number {
    return this.startMs + this.tick * this.episode.scenario.tickMs;
  }

  private passTick(advice: PoolAdvice | null): void {
    const { episode, arrivals } = this;
    const { tickMs } = episode.scenario;
    const minute = Math.floor(this.tick / this.minuteTicks);
    for (let service = 0; service < arrivals.length; service += 1) {
      const perS = this.demand[service]?.[minute] ?? 0;
      const came = this.source.take((perS * tickMs) / 1_000);
      arrivals[service] = came;
      this.minuteArrived[service]! += came;
    }
    const now = this.poolTick();
    this.agent.pass(now, arrivals, advice, this.options.maxFactor);
    this.solver?.pass(now, arrivals, null, 1);
    this.tick += 1;
    if (this.tick % this.minuteTicks === 0) {
      this.forecasters.learn(this.minuteArrived);
      this.minuteArrived.fill(0);
      this.forecasts = this.forecasters.ahead(this.atMs);
    }
    this.look();
  }

  private look(): void {
    const now = this.poolTick();
    this.agent.look(now);
    this.solver?.look(now);
  }

  private poolTick(): { atMs: number; totalPerS: number; forecasts: MinuteForecasts } {
    const totalPerS = totalOf(this.episode, this.tick * this.episode.scenario.tickMs);
    return { atMs: this.atMs, totalPerS, forecasts: this.forecasts };
  }
}

/** What a policy of allocation is, to the simulator. Rates are requests a second, capacities tokens. */
import type { EnvironmentView } from '../environment';
import type { Scenario } from '../scenario';

/** What a policy is made for. */
export interface PolicySetup {
  readonly scenario: Scenario;
  readonly load: number;
}

/** Forecasts of each service's mean demand over the minute to come, made before it is seen. */
export interface MinuteForecasts {
  /** When they were made, ms from the start of the test days. */
  readonly madeAtMs: number;
  readonly meanPerS: Float64Array;
  /** The upper end of the 80 % interval. */
  readonly upperPerS: Float64Array;
}

/** What a policy is told before an interval. */
export interface IntervalSeen {
  /** ms from the start of the test days. */
  readonly atMs: number;
  readonly seconds: number;
  /** What there is to share. */
  readonly totalPerS: number;
  /** As the last interval left them. */
  readonly view: EnvironmentView;
  /** Sums over the last interval, requests of each service; zeros before the first. */
  readonly arrived: Float64Array;
  readonly served: Float64Array;
  readonly dropped: Float64Array;
  readonly forecasts: MinuteForecasts;
  /** What will come in the interval: for a policy that knows what no other can. */
  readonly coming: Float64Array;
}

/** What a policy is told at a tick that is within an interval, or begins one. */
export interface TickSeen {
  readonly atMs: number;
  readonly totalPerS: number;
  readonly view: EnvironmentView;
  readonly forecasts: MinuteForecasts;
}

/** The limits to be in force. The rates of all together are at most the total. */
export interface Limits {
  readonly ratesPerS: ArrayLike<number>;
  readonly capacities: ArrayLike<number>;
}

/** Tokens to be moved. */
export interface TokenMove {
  readonly from: number;
  readonly to: number;
  readonly tokens: number;
  /** What `from` keeps at least. */
  readonly keep: number;
  /** Told how many arrived, once they have; what is under way at the end is told nothing. */
  readonly done?: (moved: number, atMs: number) => void;
}

/** What a policy does at a tick. */
export interface TickActs {
  /** Undefined leaves what is in force. */
  readonly limits?: Limits;
  readonly moves: readonly TokenMove[];
}

/** A policy at work: for one run, in order. */
export interface Policy {
  /** The first limits, before anything is seen. */
  readonly first: Limits;
  /** At the start of an interval, and whenever the total changes. Undefined leaves what is in force. */
  allocate?(seen: IntervalSeen): Limits | undefined;
  /** At every tick, after {@link allocate}. */
  tick?(seen: TickSeen): TickActs;
}

/** A kind of policy. */
export interface PolicyKind {
  readonly name: string;
  create(setup: PolicySetup): Policy;
}

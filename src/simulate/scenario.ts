/**
 * What a simulation is of: services that share a total, the demand they get, and how long anything takes. Plain data,
 * structured-cloneable. Rates are requests a second, shares and parts 0 to 1, times ms.
 */
import type { Priority } from '../core/priority';

/** A service. */
export interface ScenarioService {
  readonly name: string;
  readonly priority: Priority;
  /** Its part of the demand and, under static limits, of the total. */
  readonly share: number;
  /** Its part of the total under static limits, where that is not its part of the demand. */
  readonly nominalShare?: number;
  readonly guaranteePerS: number;
  /** Its queue holds what comes in so long at its mean demand. */
  readonly queueLimitMs: number;
  /** Its demand by the minute, in any unit, from the first train day on. */
  readonly trace: Float64Array;
  /** How far the trace is rolled inside each part. */
  readonly rollMinutes: number;
}

/** Crowds: one service after another gets `factor` times its demand. */
export interface FlashCrowds {
  readonly factor: number;
  readonly durationMs: number;
  /** In the middle of each such span one service's crowd begins. */
  readonly everyMs: number;
}

/** A part of the total is gone for a while, of which every policy learns as it happens. */
export interface CapacityLoss {
  readonly fraction: number;
  /** From the start of the test days. */
  readonly atMs: number;
  readonly forMs: number;
}

/** How requests come inside a minute. */
export type ArrivalKind = 'poisson' | 'even';

/** A scenario. */
export interface Scenario {
  readonly seed: number;
  readonly totalPerS: number;
  /** Between allocations: a multiple of the tick. */
  readonly intervalMs: number;
  /** Between lending decisions: a part of a minute. */
  readonly tickMs: number;
  /** How long moved tokens are under way. */
  readonly lendDelayMs: number;
  /** Mean demand over total, each by the name that results bear. */
  readonly loads: readonly ScenarioLoad[];
  readonly flash: FlashCrowds | undefined;
  readonly capacityLoss: CapacityLoss | undefined;
  readonly trainDays: number;
  readonly testDays: number;
  readonly lending: boolean;
  readonly arrivals: ArrivalKind;
  readonly services: readonly ScenarioService[];
}

/** A load. */
export interface ScenarioLoad {
  /** As it is written in the scenario, such as `0.7`. */
  readonly name: string;
  readonly load: number;
}

/** Minutes of a day. */
export const DAY_MINUTES = 1_440;
/** ms of a minute. */
export const MINUTE_MS = 60_000;

/** The days that policies learn from, or those they are scored on. */
export type ScenarioPart = 'train' | 'test';

/** Minutes of a part. */
export function partMinutes(scenario: Pick<Scenario, 'trainDays' | 'testDays'>, part: ScenarioPart): number {
  return Math.round((part === 'train' ? scenario.trainDays : scenario.testDays) * DAY_MINUTES);
}

/** Whole requests or parts of them that a service's queue holds. */
export function queueRequests(
  { share, queueLimitMs }: Pick<ScenarioService, 'share' | 'queueLimitMs'>,
  load: number,
  totalPerS: number,
): number {
  return (queueLimitMs / 1_000) * share * load * totalPerS;
}

/** What the allocation controller takes and gives. Rates are tokens a second, capacities whole tokens, times Unix ms. */
import type { PoolDecision, PoolMode } from '../../core/control';
import type { Priority } from '../../core/priority';

/** A service that shares the total. */
export interface AllocationService {
  /** 1 to 128 characters, its own. */
  readonly name: string;
  readonly priority: Priority;
  /** What it is configured for, as a part of the total (0 to 1) or as a rate; without either an equal part of the total. */
  readonly share?: number;
  readonly nominalPerS?: number;
  /** What it gets whenever it asks for it; 0 when left out. */
  readonly guaranteePerS?: number;
  /** Hard bounds; 0 and the total when left out. */
  readonly minPerS?: number;
  readonly maxPerS?: number;
}

/** What was seen of a service since the last step. Figures that are not known are left out. */
export interface ServiceObservation {
  readonly service: string;
  /** Requests that came, a second, those that were denied included. */
  readonly demandPerS?: number;
  readonly admittedPerS?: number;
  readonly deniedPerS?: number;
  /** Requests that began to wait, a second. */
  readonly queuedPerS?: number;
  /** Whole tokens in its bucket now; lending needs it. */
  readonly tokens?: number;
  /** Its demand over the minute to come: the mean, and the upper end of an 80 % interval. */
  readonly forecast?: { readonly madeAtMs: number; readonly meanPerS: number; readonly upperPerS: number };
}

/** How a controller is made. */
export interface AllocationOptions {
  /** What all services together may get, above 0. */
  readonly totalPerS: number;
  readonly services: readonly AllocationService[];
  /** `off`: the solver alone; `shadow`: the model's advice is computed and shown; `active`: it is followed. `shadow` when left out. */
  readonly learningMode?: PoolMode;
  /** A model as `tidegate train` writes it, parsed or as its text; none: the solver alone. */
  readonly model?: unknown;
  /** Between allocations (60000) and between lending decisions (1000), ms; the former a multiple of the latter. */
  readonly intervalMs?: number;
  readonly tickMs?: number;
  /** Whether services lend to each other; true when left out. Orders stand in the decision's `loans`. */
  readonly lending?: boolean;
  /** By which the time that a model takes is measured, ms: one that is slow is not followed. performance.now when left out. */
  readonly preciseMs?: () => number;
}

/** What a service is to have. */
export interface ServiceAllocation {
  readonly service: string;
  readonly ratePerS: number;
  /** Of its bucket. */
  readonly capacity: number;
  /** In words: what made the rate, what cut it, and what the model changed. */
  readonly why: string;
}

/** What a step comes to. */
export interface AllocationStep {
  readonly allocations: readonly ServiceAllocation[];
  /** The controller's own words, with the orders to lend. */
  readonly decision: PoolDecision;
}

/** How a controller is. */
export interface AllocationView {
  readonly totalPerS: number;
  readonly learningMode: PoolMode;
  /** The model's version; null for none. */
  readonly model: string | null;
  /** Who decides: `ppo`, `forecast` (the solver), `last` (the solver without forecasts) or `configured`. */
  readonly level: string;
  /** What keeps a better level from deciding; empty where the best one does. */
  readonly why: string;
  readonly services: readonly string[];
  /** Observations of services that there are not, so far. */
  readonly unknownObservations: number;
  readonly last: AllocationStep | null;
}

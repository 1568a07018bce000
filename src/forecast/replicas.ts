/**
 * How many replicas a service needs: the forecast of its demand over what one replica serves. What one serves is set,
 * or measured: the median, over recent steps, of the rate per replica divided by its CPU use, times the use aimed at.
 */
import { median } from './numeric/quantile';

/** What a service was like over a step. */
export interface ServiceLoad {
  /** Requests a second over all replicas. */
  readonly ratePerS: number;
  /** Replicas that were seen. */
  readonly replicas: number;
  /** Their mean CPU use, 0 to 1. */
  readonly cpu: number;
}

/** Below this CPU use what a replica spends on requests drowns in what it spends anyway. */
const CPU_MIN = 0.05;
/** Fewer steps than this measure nothing. */
const STEPS_MIN = 10;

/**
 * What one replica serves at a CPU use of `target`, requests a second.
 * @returns undefined when too few steps say anything.
 */
export function measuredCapacityPerS(loads: readonly ServiceLoad[], target: number): number | undefined {
  const capacities = loads
    .filter(({ ratePerS, replicas, cpu }) => cpu >= CPU_MIN && cpu <= 1.5 && replicas > 0 && ratePerS > 0)
    .map(({ ratePerS, replicas, cpu }) => (ratePerS / replicas / cpu) * target)
    .filter((capacity) => Number.isFinite(capacity));
  return capacities.length < STEPS_MIN ? undefined : median(capacities);
}

/** Replicas for a demand, within bounds. */
export function replicasFor(
  demandPerS: number,
  capacityPerReplicaPerS: number,
  bounds: { readonly min: number; readonly max: number },
): number {
  const needed = Math.ceil(demandPerS / capacityPerReplicaPerS - 1e-9);
  const finite = Number.isFinite(needed) ? needed : bounds.max;
  return Math.min(Math.max(bounds.min, bounds.max), Math.max(bounds.min, finite));
}

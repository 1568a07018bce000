/** The policy of a pool that is made without settings: theirs by default. */
import type { PoolPolicy } from '../core/control';

/** What is said of such a pool. Times are ms; the interval is a multiple of the tick. */
export interface PoolFrame {
  readonly name: string;
  readonly totalPerS: number;
  readonly tickMs: number;
  readonly intervalMs: number;
  readonly lending: boolean;
}

/** How many intervals an output holds, and takes to fade. */
const LIFE_INTERVALS = 3;

/** An active pool, without loans at once: nobody waits for its buckets. */
export function usualPolicy({ name, totalPerS, tickMs, intervalMs, lending }: PoolFrame): PoolPolicy {
  return {
    name,
    mode: 'active',
    totalPerS,
    tickMs,
    intervalMs,
    safetyMargin: 0.2,
    maxShare: 0.8,
    thresholdHigh: 0.8,
    thresholdLow: 0.3,
    growthFactor: 1.5,
    shrinkFactor: 0.8,
    shrinkAfterMs: 60_000,
    cooldownMs: 5_000,
    maxStep: 3,
    deadBand: 0.02,
    lifeMs: LIFE_INTERVALS * intervalMs,
    decayMs: LIFE_INTERVALS * intervalMs,
    lending: { enabled: lending, lowWater: 0.2, part: 0.9, atOnce: false },
    autoPromote: false,
  };
}

/** How much of its traffic a target stands, by how it is: 1 all, 0 none. */
import type { TargetHealth, TrafficPolicy } from '../../core/traffic';

/** What lowers a factor most. */
export type HealthCause = 'none' | 'errors' | 'latency' | 'cpu' | 'memory' | 'out';

/** A factor, what made it, and that one's figure. */
export interface HealthVerdict {
  factor: number;
  cause: HealthCause;
  figure: number;
  /** Whether it is how the target is going to be, not how it is. */
  ahead: boolean;
}

/** A group's median counts as so many ms at least: multiples of less say nothing. */
const LEAST_MEDIAN_MS = 5;

/**
 * The median of the 99th percentiles of response times, ms, of two or more targets that are known; else NaN. Of an even number
 * the lower one, so that of two targets the slow one stands out.
 */
export function medianLatencyMs(known: Float64Array): number {
  if (known.length < 2) return NaN;
  known.sort();
  return Math.max(LEAST_MEDIAN_MS, known[(known.length - 1) >> 1] ?? NaN);
}

/** Lowers `verdict` by each figure of `health` that is known. The least factor counts, it alone is named. */
export function judgeHealth(
  health: TargetHealth | undefined,
  medianMs: number,
  policy: TrafficPolicy['health'],
  ahead: boolean,
  verdict: HealthVerdict,
): void {
  if (health === undefined) return;
  if (health.out > 0.5) lower(verdict, 0, 'out', 1, ahead);
  lower(verdict, between(health.errorShare, policy.errorShare), 'errors', health.errorShare, ahead);
  const slower = health.latencyP99Ms / medianMs;
  lower(verdict, between(slower, policy.latencyFactor), 'latency', slower, ahead);
  lower(verdict, between(health.cpu, policy.cpu), 'cpu', health.cpu, ahead);
  lower(verdict, between(health.memory, policy.memory), 'memory', health.memory, ahead);
}

/** Whether anything is known. */
export function tellsHealth(health: TargetHealth | undefined): boolean {
  if (health === undefined) return false;
  const { errorShare, latencyP99Ms, cpu, memory, out } = health;
  return [errorShare, latencyP99Ms, cpu, memory, out].some((figure) => !Number.isNaN(figure));
}

/** 1 up to the first, 0 from the second, straight between them; what is no number counts as none. */
function between(figure: number, [from, to]: readonly [number, number]): number {
  if (!(figure > from && figure < Infinity)) return 1;
  return figure >= to ? 0 : (to - figure) / (to - from);
}

function lower(verdict: HealthVerdict, factor: number, cause: HealthCause, figure: number, ahead: boolean) {
  if (!(factor < verdict.factor)) return;
  verdict.factor = factor;
  verdict.cause = cause;
  verdict.figure = figure;
  verdict.ahead = ahead;
}

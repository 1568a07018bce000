/** Whether an interval holds what came. */
import type { Interval } from '../model/model';

/** The part of a value that arithmetic may be off by: of a constant series the bounds are the value itself, rounded. */
const ROUNDING = 1e-9;

/** Whether a value lies between the bounds at a step; never outside of both where there is no interval. */
export function covers(interval: Interval | undefined, step: number, actual: number): boolean {
  const slack = ROUNDING * Math.abs(actual);
  const low = interval?.lower[step] ?? NaN;
  const high = interval?.upper[step] ?? NaN;
  return actual >= low - slack && actual <= high + slack;
}

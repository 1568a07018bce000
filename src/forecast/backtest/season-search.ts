/** The seasons of a series: the day and the week where its step divides them, else what its autocorrelation shows. */
import type { Series } from '../../core/series';

const DAY_MS = 86_400_000;
const WEEK_MS = 7 * DAY_MS;
/** A correlation below this is no season. */
const CORRELATION_MIN = 0.3;
/** Values that the search looks at, and the longest season it tries. */
const SEARCHED_MAX = 4_096;
const LAG_MAX = 1_024;

/** Season lengths in steps, ascending, of which the series holds at least two; empty when it shows none. */
export function seasonsOf({ values, stepMs }: Series): readonly number[] {
  const calendar = [DAY_MS, WEEK_MS]
    .filter((spanMs) => spanMs % stepMs === 0)
    .map((spanMs) => spanMs / stepMs)
    .filter((season) => season >= 2 && values.length >= 2 * season);
  if (calendar.length > 0) return calendar;
  const found = strongestLag(values.slice(-SEARCHED_MAX));
  return found === undefined ? [] : [found];
}

/**
 * The first peak of the autocorrelation that comes near its highest one: multiples of a season peak as high as itself.
 * Differences are looked at, so that a trend is no season.
 */
function strongestLag(values: Float64Array): number | undefined {
  const raw = values.slice(1).map((value, at) => value - (values[at] ?? NaN));
  const known = raw.filter((difference) => Number.isFinite(difference));
  const mean = known.reduce((sum, difference) => sum + difference, 0) / known.length;
  const differences = raw.map((difference) => (Number.isFinite(difference) ? difference - mean : 0));
  const longest = Math.min(LAG_MAX, Math.floor(differences.length / 3));
  const at0 = correlation(differences, 0);
  if (longest < 2 || !(at0 > 0)) return undefined;
  const lags = Array.from({ length: longest + 1 }, (_, lag) => correlation(differences, lag) / at0);
  const peaks = lags.flatMap((height, lag) => {
    const peak = lag >= 2 && height >= (lags[lag - 1] ?? 0) && height > (lags[lag + 1] ?? Infinity);
    return peak && height >= CORRELATION_MIN ? [{ lag, height }] : [];
  });
  const highest = Math.max(...peaks.map(({ height }) => height));
  return peaks.find(({ height }) => height >= 0.9 * highest)?.lag;
}

function correlation(values: Float64Array, lag: number): number {
  let sum = 0;
  for (let at = lag; at < values.length; at += 1) sum += (values[at] ?? 0) * (values[at - lag] ?? 0);
  return sum / (values.length - lag);
}

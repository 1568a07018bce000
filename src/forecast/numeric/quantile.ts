/** Order statistics. */

/**
 * The quantile of sorted figures, interpolated between neighbours (type 7 of Hyndman and Fan, "Sample quantiles in
 * statistical packages", 1996).
 * @param sorted ascending, finite.
 * @param probability 0 to 1.
 * @returns NaN of none.
 */
export function quantileOfSorted(sorted: ArrayLike<number>, probability: number): number {
  const last = sorted.length - 1;
  if (last < 0) return NaN;
  const place = Math.min(1, Math.max(0, probability)) * last;
  const below = Math.floor(place);
  const low = sorted[below] ?? NaN;
  const high = sorted[Math.min(last, below + 1)] ?? low;
  return low + (high - low) * (place - below);
}

/** The median of figures that are finite; NaN of none. The figures stay as they are. */
export function median(figures: ArrayLike<number>): number {
  return quantileOfSorted(Float64Array.from(figures).sort(), 0.5);
}

/** How large a bucket's burst has to be for how uneven its demand is. */

/** Standard deviations of a second's demand that a capacity is to hold: 99.9 % of normally distributed ones. */
const DEVIATIONS = 3;

/**
 * By what the configured capacity is multiplied: (1 + 3 cv) / (1 + 3 cvPoisson), where cv = sd / mean is the demand's
 * coefficient of variation and cvPoisson = 1 / sqrt(mean x spanS) that of a Poisson process of the same mean, counted over
 * the same span. Calls of many independent callers are such a process (Palm 1943, Khintchine 1955): for them a capacity stays
 * as configured. Over-dispersed demand (bursts) gets more, even demand gets less. That a second may
 * bring its mean and some deviations is the normal approximation; that a capacity is what arrivals may bring beyond their rate,
 * the (sigma, rho) constraint of Cruz (1991).
 * @param meanPerS of demand as a rate.
 * @param sdPerS its standard deviation, told over spans of `spanS`.
 * @param spanS seconds.
 * @returns NaN where the figures say nothing: not finite, no demand.
 */
export function burstScale(meanPerS: number, sdPerS: number, spanS: number): number {
  if (!(meanPerS > 0) || !(sdPerS >= 0) || !(spanS > 0)) return Number.NaN;
  const scale = (1 + (DEVIATIONS * sdPerS) / meanPerS) / (1 + DEVIATIONS / Math.sqrt(meanPerS * spanS));
  return Number.isFinite(scale) ? scale : Number.NaN;
}

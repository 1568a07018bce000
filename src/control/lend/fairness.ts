/** How evenly members are served: Jain's index. */

/** What counts of a member: tokens a second asked for, and got. */
export interface ServedDemand {
  readonly demandPerS: number;
  readonly admittedPerS: number;
}

/**
 * Jain's fairness index (Jain, Chiu, Hawe, "A Quantitative Measure of Fairness and Discrimination", DEC-TR-301, 1984):
 * the square of the sum over n times the sum of squares. 1 when all have the same, 1/n when one has all.
 * @param shares what each got, any unit. Figures that are not finite, or negative, are left out.
 * @returns 1/n to 1; 1 when all have nothing, for nobody has more; null without figures.
 */
export function jainIndex(shares: Iterable<number>): number | null {
  let count = 0;
  let sum = 0;
  let squares = 0;
  for (const share of shares) {
    if (!(share >= 0 && share < Infinity)) continue;
    count += 1;
    sum += share;
    squares += share * share;
  }
  if (count === 0) return null;
  return squares === 0 ? 1 : Math.min(1, (sum * sum) / (count * squares));
}

/** Jain's index of served over demanded, over the members that have demand; null when none has. */
export function servedFairness(members: readonly ServedDemand[]): number | null {
  const served: number[] = [];
  for (const { demandPerS, admittedPerS } of members) {
    if (demandPerS > 0 && admittedPerS >= 0) served.push(Math.min(1, admittedPerS / demandPerS));
  }
  return jainIndex(served);
}

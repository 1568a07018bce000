/** Whether paired differences lean to one side. */

/**
 * Wilcoxon's signed-rank statistic (1945) as a standard normal deviate, with mid-ranks for ties and correction for continuity.
 * It asks nothing of the differences' distribution but symmetry, and one bin that is far out counts for one rank. Zeros
 * are left out. Good from ten differences on.
 * @returns positive where differences lean to the positive side; 0 for none.
 */
export function signedRankDeviate(differences: readonly number[]): number {
  const sorted = differences
    .filter((difference) => Number.isFinite(difference) && difference !== 0)
    .sort((a, b) => Math.abs(a) - Math.abs(b));
  const count = sorted.length;
  if (count === 0) return 0;
  let positive = 0;
  let tied = 0;
  for (let from = 0; from < count;) {
    const size = Math.abs(sorted[from] ?? 0);
    let to = from + 1;
    while (to < count && Math.abs(sorted[to] ?? 0) === size) to += 1;
    const equal = to - from;
    tied += equal ** 3 - equal;
    for (let at = from; at < to; at += 1) if ((sorted[at] ?? 0) > 0) positive += (from + 1 + to) / 2;
    from = to;
  }
  const mean = (count * (count + 1)) / 4;
  const variance = (count * (count + 1) * (2 * count + 1)) / 24 - tied / 48;
  const away = positive - mean;
  return (Math.sign(away) * Math.max(0, Math.abs(away) - 0.5)) / Math.sqrt(variance);
}

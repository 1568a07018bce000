/** Whole weights from shares. Pure. */

/** A weight that a user gave, and the target that it belongs to; undefined: none of the group's. */
export interface SplitEntry {
  readonly target: number | undefined;
  readonly configured: number;
}

/** Weights that share a total: the clusters of a route, the endpoints of a priority. */
export interface Split {
  readonly entries: readonly SplitEntry[];
  /** The least that an entry may have: 0 for clusters, 1 for endpoints. */
  readonly least: 0 | 1;
}

/** What weights of clusters are scaled to, about: fine enough for a share of a millionth. */
export const CLUSTER_SCALE = 1_000_000;
/** The same for endpoints; their sum must fit into 32 bits, so that a cluster has room for 40,000 of the full weight. */
export const ENDPOINT_SCALE = 100_000;

/** Envoy refuses larger sums. Source: WeightedCluster.weight, LbEndpoint.load_balancing_weight. */
export const MAX_SUM = 4_294_967_295;

/**
 * The weights of a split under shares. All are multiplied by one whole number, so that what is not of the group keeps its
 * part of the whole exactly; what is of the group gets its targets' shares of what it had together. Where splits of a group
 * are configured differently, each keeps its own way: shares count relative to `usual`, what is configured on average.
 * @param shares of the group's targets; @param usual likewise, summing to 1; @param scale the total to aim at.
 * @returns whole weights; their total is a whole multiple of the configured total.
 */
export function splitWeights(
  split: Split,
  shares: readonly number[],
  usual: readonly number[],
  scale: number,
): readonly number[] {
  const { entries, least } = split;
  const total = sum(entries.map(({ configured }) => configured));
  const mass = sum(entries.map(({ target, configured }) => (target === undefined ? 0 : configured)));
  const factor = Math.max(1, Math.floor(scale / Math.max(1, total)));
  const same = entries.map(({ configured }) => configured * factor);
  if (mass === 0) return same;
  const wanted = entries.map(({ target, configured }) => {
    if (target === undefined) return 0;
    const share = shares[target] ?? 0;
    const often = usual[target] ?? 0;
    if (often > 0) return ((configured / mass) * share) / often;
    return share / entries.filter((other) => other.target === target).length;
  });
  const all = sum(wanted);
  if (!(all > 0)) return same;
  const own = entries.flatMap(({ target }, index) => (target === undefined ? [] : [index]));
  const parts = largestRemainder(
    own.map((index) => ((wanted[index] ?? 0) / all) * mass * factor),
    mass * factor,
    least,
  );
  const weights = [...same];
  own.forEach((index, place) => (weights[index] = parts[place] ?? 0));
  return weights;
}

/**
 * Whole numbers near `exact` with exactly that total, each at least `least`; what rounding leaves goes to the largest
 * remainders, the first of equal ones. The total has to be at least `least` for each.
 */
export function largestRemainder(exact: readonly number[], total: number, least: number): readonly number[] {
  const whole = exact.map((value) => Math.max(least, Math.floor(value)));
  let missing = total - sum(whole);
  const byRemainder = exact
    .map((value, index) => ({ index, rest: value - (whole[index] ?? 0) }))
    .sort((a, b) => b.rest - a.rest || a.index - b.index);
  for (const { index } of byRemainder) {
    if (missing <= 0) break;
    whole[index] = (whole[index] ?? 0) + 1;
    missing -= 1;
  }
  // The least of small ones is taken off the largest.
  while (missing < 0) {
    const most = whole.reduce((best, value, index) => (value > (whole[best] ?? 0) ? index : best), 0);
    const taken = Math.min(-missing, (whole[most] ?? 0) - least);
    if (taken <= 0) break;
    whole[most] = (whole[most] ?? 0) - taken;
    missing += taken;
  }
  // Only what floating point lost of very large totals can be left.
  if (missing > 0) whole[byRemainder[0]?.index ?? 0] = (whole[byRemainder[0]?.index ?? 0] ?? 0) + missing;
  return whole;
}

/** What is configured on average over splits, of the targets; sums to 1, or is equal for all where nothing is. */
export function usualShares(splits: readonly Split[], targets: number): readonly number[] {
  const usual = new Array<number>(targets).fill(0);
  for (const { entries } of splits) {
    const mass = sum(entries.map(({ target, configured }) => (target === undefined ? 0 : configured)));
    if (mass === 0) continue;
    for (const { target, configured } of entries) {
      if (target !== undefined) usual[target] = (usual[target] ?? 0) + configured / mass;
    }
  }
  return normalised(usual);
}

/** Parts of their sum; equal parts where it is 0. */
export function normalised(values: readonly number[]): readonly number[] {
  const all = sum(values);
  return values.map((value) => (all > 0 ? value / all : 1 / values.length));
}

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0);
}

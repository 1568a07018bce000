/**
 * Weighted max-min sharing by water filling (Bertsekas and Gallager, Data Networks, 6.5.2): everyone has
 * `weight x level`, but at least `low` and at most `high`; the level is where the sum is the amount.
 */

/**
 * Shares `amount`. O(N log N): the bounds over the weights are sorted, the level is found between two of them by bisection,
 * and between two of them the sum is a straight line.
 *
 * The sum is the amount to the last bit that doubles allow wherever the bounds allow it: it is the sum of `high` when that
 * is less, and `low` scaled down when the sum of `low` is more.
 * @param low not negative, finite. @param high not under `low`, finite. @param weight a weight that is not positive stays at `low`
 *   until nobody else can take more.
 */
export function waterFill(
  amount: number,
  low: Float64Array,
  high: Float64Array,
  weight: Float64Array,
): Float64Array {
  const lowSum = total(low);
  if (!(amount > lowSum)) {
    const part = lowSum > 0 && amount > 0 ? amount / lowSum : 0;
    return low.map((value) => (lowSum <= amount ? value : value * part));
  }
  if (total(high) <= amount) return high.slice();
  const level = levelFor(amount, low, high, weight);
  const shares = low.slice();
  for (let i = 0; i < shares.length; i += 1) {
    shares[i] = clamp((weight[i] ?? 0) * level, low[i] ?? 0, high[i] ?? 0);
  }
  settle(shares, amount, low, high, weight);
  return shares;
}

/** The sum of all. */
export function total(values: Float64Array): number {
  let sum = 0;
  for (const value of values) sum += value;
  return sum;
}

function clamp(value: number, least: number, most: number): number {
  if (value >= most) return most;
  return value > least ? value : least;
}

function levelFor(amount: number, low: Float64Array, high: Float64Array, weight: Float64Array): number {
  const bends = bendsOf(low, high, weight);
  const filled = (level: number) => {
    let sum = 0;
    for (let i = 0; i < low.length; i += 1) {
      sum += clamp((weight[i] ?? 0) * level, low[i] ?? 0, high[i] ?? 0);
    }
    return sum;
  };
  let under = -1;
  let over = bends.length;
  while (over - under > 1) {
    const middle = (under + over) >> 1;
    if (filled(bends[middle] ?? 0) <= amount) under = middle;
    else over = middle;
  }
  const from = under < 0 ? 0 : (bends[under] ?? 0);
  const slope = slopeAfter(from, low, high, weight);
  return slope > 0 ? from + Math.max(0, amount - filled(from)) / slope : from;
}

/** The levels at which somebody begins, or ends, to rise; ascending. */
function bendsOf(low: Float64Array, high: Float64Array, weight: Float64Array): Float64Array {
  const bends = new Float64Array(low.length * 2);
  let count = 0;
  for (let i = 0; i < low.length; i += 1) {
    const w = weight[i] ?? 0;
    if (!(w > 0)) continue;
    bends[count] = (low[i] ?? 0) / w;
    bends[count + 1] = (high[i] ?? 0) / w;
    count += 2;
  }
  return bends.subarray(0, count).sort();
}

function slopeAfter(level: number, low: Float64Array, high: Float64Array, weight: Float64Array): number {
  let slope = 0;
  for (let i = 0; i < low.length; i += 1) {
    const w = weight[i] ?? 0;
    if (w > 0 && (low[i] ?? 0) / w <= level && (high[i] ?? 0) / w > level) slope += w;
  }
  return slope;
}

/** Gives out what rounding left over, and what those without a weight are left. */
function settle(
  shares: Float64Array,
  amount: number,
  low: Float64Array,
  high: Float64Array,
  weight: Float64Array,
): void {
  let left = amount - total(shares);
  for (const weighted of [true, false]) {
    for (let i = 0; i < shares.length && left !== 0; i += 1) {
      if (weight[i]! > 0 !== weighted) continue;
      const share = shares[i] ?? 0;
      const settled = clamp(share + left, low[i] ?? 0, high[i] ?? 0);
      shares[i] = settled;
      left -= settled - share;
    }
  }
}

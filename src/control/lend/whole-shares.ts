/** Weighted max-min shares of whole tokens, exact in sum. */

/** One that wants a share. */
export interface Claim {
  readonly id: string;
  /** Whole, at least 0. */
  readonly want: number;
  /** Over 0. */
  readonly weight: number;
}

/**
 * Shares `total` whole tokens by weighted max-min (Bertsekas and Gallager, "Data Networks", 6.5.2): nobody gets more than
 * it wants, and who gets less has no more for its weight than any other who gets less. O(n log n). What rounding takes
 * from one is carried to its next share (error diffusion), so over time each has its part however few tokens there are.
 * @param carry what rounding owes each, by id, between -1 and 1; read and written. Who gets all it wants is struck off.
 * @returns what each gets, in order; the sum is min(total, what all want), exactly.
 */
export function wholeShares(total: number, claims: readonly Claim[], carry: Map<string, number>): number[] {
  const given = claims.map(() => 0);
  const order = claims.map((_, at) => at).sort((a, b) => fillAt(claims[a]) - fillAt(claims[b]) || a - b);
  const weightFrom = new Array<number>(order.length + 1).fill(0);
  for (let at = order.length - 1; at >= 0; at -= 1) {
    weightFrom[at] = (weightFrom[at + 1] ?? 0) + (claims[order[at] ?? 0]?.weight ?? 0);
  }
  let left = total;
  let first = 0;
  for (; first < order.length; first += 1) {
    const index = order[first] ?? 0;
    const claim = claims[index];
    if (claim === undefined || claim.want * (weightFrom[first] ?? 0) > left * claim.weight) break;
    given[index] = claim.want;
    left -= claim.want;
    carry.delete(claim.id);
  }
  shareRest(left, order.slice(first), claims, weightFrom[first] ?? 0, given, carry);
  return given;
}

const fillAt = (claim: Claim | undefined): number => (claim === undefined ? 0 : claim.want / claim.weight);

function shareRest(
  total: number,
  rest: readonly number[],
  claims: readonly Claim[],
  weights: number,
  given: number[],
  carry: Map<string, number>,
): void {
  let left = total;
  const due: { index: number; ideal: number; owed: number }[] = [];
  for (const index of rest) {
    const claim = claims[index];
    if (claim === undefined) continue;
    const ideal = Math.min(claim.want, (total * claim.weight) / weights);
    const whole = Math.min(left, Math.floor(ideal));
    given[index] = whole;
    left -= whole;
    due.push({ index, ideal, owed: ideal - whole + (carry.get(claim.id) ?? 0) });
  }
  due.sort((a, b) => b.owed - a.owed || a.index - b.index);
  for (let moved = true; left > 0 && moved;) {
    moved = false;
    for (const { index } of due) {
      if (left === 0) break;
      if ((given[index] ?? 0) >= (claims[index]?.want ?? 0)) continue;
      given[index] = (given[index] ?? 0) + 1;
      left -= 1;
      moved = true;
    }
  }
  for (const { index, ideal } of due) {
    const id = claims[index]?.id ?? '';
    const owed = (carry.get(id) ?? 0) + ideal - (given[index] ?? 0);
    carry.set(id, Math.max(-1, Math.min(1, owed)));
  }
}

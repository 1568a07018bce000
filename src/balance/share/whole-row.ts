/** Shares as multiples of 2^-30: any sum of them is exact, so that shares sum to 1 to the last bit. */

/** The least difference of two shares, about one in a thousand million. */
export const SHARE_UNIT = 2 ** -30;
const UNITS = 2 ** 30;

/** The least multiple that is `share` or more, and the greatest that is `share` or less. */
export function unitAbove(share: number): number {
  return Math.ceil(share * UNITS) * SHARE_UNIT;
}
export function unitBelow(share: number): number {
  return Math.floor(share * UNITS) * SHARE_UNIT;
}

/**
 * Rounds a row that sums to about 1 to multiples that sum to 1, in place. What rounding leaves goes to shares that stay within
 * `low` and `high` (multiples themselves), or else to the greatest.
 */
export function roundRow(row: Float64Array, low: Float64Array, high: Float64Array): void {
  let left = UNITS;
  for (let t = 0; t < row.length; t += 1) {
    const units = Math.round((row[t] ?? 0) * UNITS);
    row[t] = units;
    left -= units;
  }
  let greatest = 0;
  for (let t = 0; t < row.length; t += 1) {
    const units = row[t] ?? 0;
    const most = (high[t] ?? 1) * UNITS;
    const least = (low[t] ?? 0) * UNITS;
    const bounded = Math.min(Math.max(units + left, Math.min(units, least)), Math.max(units, most));
    row[t] = bounded;
    left -= bounded - units;
    if (bounded > (row[greatest] ?? 0)) greatest = t;
  }
  if (row.length > 0) row[greatest] = (row[greatest] ?? 0) + left;
  for (let t = 0; t < row.length; t += 1) row[t] = (row[t] ?? 0) * SHARE_UNIT;
}

/** Fewer points for the same picture: of many points in one column of pixels, only the lowest and the highest show. */

/** Points of a curve, in the order they are drawn. A NaN is a break. */
export interface Points {
  readonly x: readonly number[];
  readonly y: readonly number[];
}

/** Keeps of each of `columns` equal parts the first, lowest, highest and last point, and one break where there is any. */
export function thinnedLine(x: ArrayLike<number>, y: ArrayLike<number>, columns: number): Points {
  const length = Math.min(x.length, y.length);
  if (length <= 4 * columns)
    return pointsAt(
      x,
      y,
      Array.from({ length }, (_, at) => at),
    );
  const kept: number[] = [];
  for (let column = 0; column < columns; column += 1) {
    const from = Math.floor((column * length) / columns);
    const to = Math.floor(((column + 1) * length) / columns);
    const marks = new Set([from, to - 1]);
    let [low, high, gap] = [-1, -1, -1];
    for (let at = from; at < to; at += 1) {
      const value = y[at] ?? NaN;
      if (Number.isNaN(value)) gap = at;
      else {
        if (low < 0 || value < (y[low] ?? 0)) low = at;
        if (high < 0 || value > (y[high] ?? 0)) high = at;
      }
    }
    for (const at of [low, high, gap]) if (at >= 0) marks.add(at);
    kept.push(...[...marks].sort((a, b) => a - b));
  }
  return pointsAt(x, y, kept);
}

/** A band's bounds with at most `columns` points: of each part the widest reach. */
export function thinnedBand(
  x: ArrayLike<number>,
  low: ArrayLike<number>,
  high: ArrayLike<number>,
  columns: number,
): { readonly low: Points; readonly high: Points } {
  const length = Math.min(x.length, low.length, high.length);
  const parts = Math.min(columns, length);
  const xs: number[] = [];
  const lows: number[] = [];
  const highs: number[] = [];
  for (let part = 0; part < parts; part += 1) {
    const from = Math.floor((part * length) / parts);
    const to = Math.floor(((part + 1) * length) / parts);
    let [least, most] = [NaN, NaN];
    for (let at = from; at < to; at += 1) {
      if (!(least <= (low[at] ?? NaN))) least = low[at] ?? NaN;
      if (!(most >= (high[at] ?? NaN))) most = high[at] ?? NaN;
    }
    xs.push(((x[from] ?? 0) + (x[to - 1] ?? 0)) / 2);
    lows.push(least);
    highs.push(most);
  }
  return { low: { x: xs, y: lows }, high: { x: xs, y: highs } };
}

function pointsAt(x: ArrayLike<number>, y: ArrayLike<number>, kept: readonly number[]): Points {
  return { x: kept.map((at) => x[at] ?? NaN), y: kept.map((at) => y[at] ?? NaN) };
}

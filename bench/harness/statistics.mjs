/** Medians, and the spread that goes with every one of them. */

/** @typedef {{ median: number, min: number, max: number }} Spread */

/** @returns {Spread | undefined} of the figures that are there; undefined when none is */
export function spreadOf(figures) {
  const sorted = figures
    .filter((figure) => figure !== undefined && Number.isFinite(figure))
    .sort((a, b) => a - b);
  if (sorted.length === 0) return undefined;
  const middle = (sorted.length - 1) / 2;
  return {
    median: (sorted[Math.floor(middle)] + sorted[Math.ceil(middle)]) / 2,
    min: sorted[0],
    max: sorted[sorted.length - 1],
  };
}

/** The spread of ours over theirs, taken round by round: what the machine did in a round hits both. */
export function ratioOf(ours, theirs) {
  return spreadOf(ours.map((figure, round) => figure / theirs[round]));
}

/** `median (min..max)`, in the style of `format`. */
export function formatSpread(spread, format) {
  if (spread === undefined) return '-';
  return `${format(spread.median)} (${format(spread.min)}..${format(spread.max)})`;
}

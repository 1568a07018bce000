/** Plain arrays of a few figures: much smaller than typed ones, of which a class would have dozens. */

/** An array of zeros that holds doubles from the start. */
export function zeros(length: number): number[] {
  return Array.from({ length }, () => 0.5).fill(0);
}

/** Copies figures into an array of the same length. */
export function setFigures(to: number[], from: ArrayLike<number>): void {
  for (let at = 0; at < to.length; at += 1) to[at] = from[at]!;
}

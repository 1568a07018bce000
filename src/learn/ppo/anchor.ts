/** Holds weights near those they began with, so that a policy that goes on learning is never far from the one that was tried. */

/** What to go on from. */
export interface AnchorState {
  readonly weights: Float64Array;
  /** How far away weights may be, as a part of the length of the anchor's own. */
  readonly radius: number;
}

/**
 * Projection onto a ball (projected gradient steps: S. Boyd and L. Vandenberghe, "Convex Optimization", 2004, 8.1): what is outside
 * is put where the line to the anchor enters it.
 */
export class Anchor {
  private readonly lengthMax: number;

  constructor(readonly state: AnchorState) {
    this.lengthMax = state.radius * lengthOf(state.weights);
  }

  /** Brings weights into the ball, where they are; further ones than the anchor has are left. */
  hold(weights: Float64Array): void {
    const anchor = this.state.weights;
    const length = distance(anchor, weights);
    if (length <= this.lengthMax) return;
    const part = this.lengthMax / length;
    for (let at = 0; at < anchor.length; at += 1)
      weights[at] = anchor[at]! + part * (weights[at]! - anchor[at]!);
  }
}

/** How far weights are from others, as a part of the length of those; NaN where they are of another network. */
export function partAway(from: Float64Array, weights: Float64Array): number {
  if (from.length !== weights.length) return NaN;
  const length = distance(from, weights);
  return length === 0 ? 0 : length / lengthOf(from);
}

function distance(from: Float64Array, to: Float64Array): number {
  let squares = 0;
  for (let at = 0; at < from.length; at += 1) squares += (to[at]! - from[at]!) ** 2;
  return Math.sqrt(squares);
}

function lengthOf(weights: Float64Array): number {
  return Math.sqrt(weights.reduce((sum, one) => sum + one * one, 0));
}

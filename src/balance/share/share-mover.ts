/** Moves the shares of one class to where they are wished, as fast as is allowed. */
import type { GroupShape } from './group-shape';
import { roundRow, SHARE_UNIT } from './whole-row';

/** How fast, from the policy. */
export interface MovePace {
  readonly leavePerS: number;
  readonly returnPerS: number;
  readonly deadBand: number;
}

/** What kept a row from where it was wished. */
export type MoveBound = 'none' | 'rate' | 'dead_band';

/** Nearer than this is there: rounding moves a share by a unit or two. */
const THERE = 4 * SHARE_UNIT;

/**
 * The shares of a class as they are. What a target has to lose, since it is pressed or the others have more room, goes by
 * `leavePerS`; what goes home goes by `returnPerS`, and only while nothing much has to leave. Each share moves within its limit, and
 * what one loses others get, so that the row stays between where it is and where it is wished: within all bounds of both.
 *
 * A difference under the dead band is left, unless it leads to exactly the configured shares. A move once begun goes to its end.
 * Moves home come in steps of the dead band, which is less often than each tick.
 */
export class ShareMover {
  readonly present: Float64Array;
  #moving = false;
  #homeMs = 0;

  constructor(present: Float64Array) {
    this.present = present;
  }

  /**
   * @param wished sums to 1, within the shape's bounds.
   * @param pressed 1 for a target that has more than it can take.
   * @param passedMs since the last tick, at most as long as may count.
   */
  move(
    wished: Float64Array,
    pressed: Uint8Array,
    shape: GroupShape,
    pace: MovePace,
    passedMs: number,
  ): MoveBound {
    const far = distance(this.present, wished);
    if (far <= THERE) {
      this.#arrive(wished);
      return 'none';
    }
    const isHome = distance(wished, shape.base) <= THERE;
    if (!this.#moving && far < pace.deadBand && !isHome) return 'dead_band';
    this.#moving = true;
    const away = (pace.leavePerS * passedMs) / 1_000;
    const left = this.#shift(wished, away, (t) => this.#leaves(t, pressed, shape));
    const small = Math.min(pace.deadBand, far);
    if (left >= small) this.#homeMs = 0;
    else {
      this.#homeMs += passedMs;
      const home = (pace.returnPerS * this.#homeMs) / 1_000;
      if (home >= small) {
        this.#shift(wished, home, () => true);
        this.#homeMs = 0;
      } else if (left === 0) return 'rate';
    }
    roundRow(this.present, shape.low, shape.high);
    if (distance(this.present, wished) > THERE) return 'rate';
    this.#arrive(wished);
    return 'none';
  }

  #arrive(wished: Float64Array): void {
    this.present.set(wished);
    this.#moving = false;
    this.#homeMs = 0;
  }

  /** Whether what a target loses is lost for a cause, rather than since it goes home. */
  #leaves(t: number, pressed: Uint8Array, shape: GroupShape): boolean {
    return pressed[t] === 1 || (this.present[t] ?? 0) <= (shape.base[t] ?? 0);
  }

  /** Moves at most `limit` from each source, and to each other. @returns what was moved. */
  #shift(wished: Float64Array, limit: number, isSource: (t: number) => boolean): number {
    const { present } = this;
    let lost = 0;
    let asked = 0;
    let most = 0;
    for (let t = 0; t < present.length; t += 1) {
      const gap = (wished[t] ?? 0) - (present[t] ?? 0);
      if (gap > 0) {
        asked += gap;
        most = Math.max(most, gap);
      } else if (gap < 0 && isSource(t)) lost += Math.min(-gap, limit);
    }
    if (!(lost > 0 && asked > 0)) return 0;
    const mass = Math.min(lost, asked, most > 0 ? (limit * asked) / most : 0);
    for (let t = 0; t < present.length; t += 1) {
      const share = present[t] ?? 0;
      const gap = (wished[t] ?? 0) - share;
      if (gap > 0) present[t] = share + (gap * mass) / asked;
      else if (gap < 0 && isSource(t)) present[t] = share - (Math.min(-gap, limit) * mass) / lost;
    }
    return mass;
  }
}

function distance(a: Float64Array, b: Float64Array): number {
  let most = 0;
  for (let t = 0; t < a.length; t += 1) most = Math.max(most, Math.abs((a[t] ?? 0) - (b[t] ?? 0)));
  return most;
}

/** A figure that rises when needed and falls only when it has been too high for a while. */

/** How a {@link SteadyFigure} moves. */
export interface SteadyRule {
  /** The least time between two changes, ms. */
  readonly cooldownMs: number;
  /** How long the need has to be lower before the figure falls, ms. */
  readonly fallAfterMs: number;
  /** Needs that differ by less, as a part of the figure, are left. */
  readonly deadBand: number;
}

/**
 * Follows a need: up at once, down to the highest need of the last `fallAfterMs`, as Kubernetes' Horizontal Pod Autoscaler
 * does ("stabilization window"), so that a need that swings moves it once. Changes are `cooldownMs` apart.
 */
export class SteadyFigure {
  readonly #rule: SteadyRule;
  #figure: number;
  #changedMs = Number.NEGATIVE_INFINITY;
  #lowSinceMs = Number.NaN;
  #highestNeed = 0;

  constructor(rule: SteadyRule, start: number) {
    this.#rule = rule;
    this.#figure = start;
  }

  /** The figure as it is. */
  get figure(): number {
    return this.#figure;
  }

  /**
   * Tells of a need.
   * @param elapsedMs on a clock that never steps back.
   * @returns what became of it: `up`, `down`, `hold` (nothing to do, or not yet) or `cooldown` (it would have changed).
   */
  need(elapsedMs: number, need: number): 'up' | 'down' | 'hold' | 'cooldown' {
    const { cooldownMs, fallAfterMs, deadBand } = this.#rule;
    const band = this.#figure * deadBand;
    if (need >= this.#figure - band) {
      this.#lowSinceMs = Number.NaN;
      this.#highestNeed = 0;
      return need > this.#figure + band ? this.#change(elapsedMs, need, 'up', cooldownMs) : 'hold';
    }
    if (Number.isNaN(this.#lowSinceMs)) this.#lowSinceMs = elapsedMs;
    this.#highestNeed = Math.max(this.#highestNeed, need);
    if (elapsedMs - this.#lowSinceMs < fallAfterMs) return 'hold';
    return this.#change(elapsedMs, this.#highestNeed, 'down', cooldownMs);
  }

  #change(elapsedMs: number, to: number, way: 'up' | 'down', cooldownMs: number): 'up' | 'down' | 'cooldown' {
    if (elapsedMs - this.#changedMs < cooldownMs) return 'cooldown';
    this.#figure = to;
    this.#changedMs = elapsedMs;
    this.#lowSinceMs = Number.NaN;
    this.#highestNeed = 0;
    return way;
  }
}

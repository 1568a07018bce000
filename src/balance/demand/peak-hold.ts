/** A figure that rises at once and falls late, so that what is planned with it stays where it is under noise. */

/** Steps whose greatest figure counts. */
const WINDOW_STEPS = 10;
/** A fall of less than this part is left. */
const FALL_PART = 0.05;

/** Holds the greatest of the last ten steps; falls only by more than a twentieth. */
export class PeakHold {
  readonly #ring = new Float64Array(WINDOW_STEPS);
  #count = 0;
  #next = 0;
  #value = NaN;

  /** NaN before the first figure. */
  get value(): number {
    return this.#value;
  }

  /** Takes a figure between two steps: it may only raise what is held. */
  look(figure: number): void {
    if (!(figure <= this.#value)) this.#value = figure;
  }

  /** Takes the figure of a step. */
  step(figure: number): void {
    this.#ring[this.#next] = figure;
    this.#next = (this.#next + 1) % WINDOW_STEPS;
    this.#count = Math.min(WINDOW_STEPS, this.#count + 1);
    let most = 0;
    for (let i = 0; i < this.#count; i += 1) most = Math.max(most, this.#ring[i] ?? 0);
    if (!(most >= this.#value * (1 - FALL_PART))) this.#value = most;
    this.look(figure);
  }
}

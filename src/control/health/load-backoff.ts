/** How much of its load a service stands, by a figure that must not pass a threshold: additive increase, multiplicative decrease. */

/** Each second over the threshold leaves this part, each second well under it gives this much back. */
const BACK_OFF = 0.9;
const GIVE_BACK = 0.02;
/** Well under: below this part of the threshold. Between the two nothing moves. */
const WELL_UNDER = 0.95;

/** Its share, and the figure that was told last. */
export type BackoffFigures = readonly [share: number, figure: number];

/** A share of the load, `floor` to 1 (AIMD, Chiu and Jain 1989, as TCP and Netflix's AIMDLimit do). */
export class LoadBackoff {
  readonly #threshold: number;
  readonly #floor: number;
  #share = 1;
  #figure = 0;

  constructor(threshold: number, floor: number) {
    this.#threshold = threshold;
    this.#floor = floor;
  }

  get share(): number {
    return this.#share;
  }
  get threshold(): number {
    return this.#threshold;
  }
  /** What was told last. */
  get figure(): number {
    return this.#figure;
  }

  /** @param figure 0 to 1. @param passedMs since the last look. */
  look(figure: number, passedMs: number): void {
    this.#figure = figure;
    if (figure > this.#threshold) {
      this.#share = Math.max(this.#floor, this.#share * BACK_OFF ** (passedMs / 1_000));
    } else if (figure < this.#threshold * WELL_UNDER) this.recover(passedMs);
  }

  /** What it knows, for {@link restore}. */
  save(): BackoffFigures {
    return [this.#share, this.#figure];
  }

  /** Takes what another knew; what cannot be is cut to the bounds. */
  restore([share, figure]: BackoffFigures): void {
    this.#share = Math.min(1, Math.max(this.#floor, share));
    this.#figure = Math.min(1, Math.max(0, figure));
  }

  /** Gives back as if the figure were well under its threshold. */
  recover(passedMs: number): void {
    this.#share = Math.min(1, this.#share + GIVE_BACK * (passedMs / 1_000));
  }
}

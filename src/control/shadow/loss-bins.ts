/** What two sets of limits lost, by the minute, over a window. */

/** Amounts are tokens; losses and demand weighted by priority. */
export interface LossFigures {
  readonly demand: number;
  readonly nominalLost: number;
  readonly proposedLost: number;
  readonly wouldAdmit: number;
  readonly wouldDeny: number;
}

const FIGURES = ['demand', 'nominalLost', 'proposedLost', 'wouldAdmit', 'wouldDeny'] as const;
const WIDTH = FIGURES.length;

/** A ring of bins: bounded by their number. */
export class LossBins {
  readonly #binMs: number;
  readonly #bins: number;
  readonly #figures: Float64Array;
  #newest = 0;

  constructor(windowMs: number, bins: number) {
    this.#bins = bins;
    this.#binMs = windowMs / bins;
    this.#figures = new Float64Array(bins * WIDTH);
  }

  /** Goes on to a time: bins that fall out of the window are emptied. @param atMs never less than before. */
  goTo(atMs: number): void {
    const newest = Math.floor(atMs / this.#binMs);
    const passed = Math.min(this.#bins, newest - this.#newest);
    for (let back = 0; back < passed; back += 1) {
      const start = ((newest - back) % this.#bins) * WIDTH;
      this.#figures.fill(0, start, start + WIDTH);
    }
    this.#newest = newest;
  }

  /** Adds to the newest bin. */
  add(figures: LossFigures): void {
    const start = (this.#newest % this.#bins) * WIDTH;
    FIGURES.forEach((name, at) => {
      this.#figures[start + at] = (this.#figures[start + at] ?? 0) + figures[name];
    });
  }

  /** The window's sums. */
  sums(): LossFigures {
    const sums = this.#at(-1);
    for (const bin of this.complete(true)) for (const name of FIGURES) sums[name] += bin[name];
    return sums;
  }

  /** Bins, in no order, but the newest, which is still growing. */
  complete(newestToo = false): LossFigures[] {
    const all: LossFigures[] = [];
    for (let bin = 0; bin < this.#bins; bin += 1) {
      if (newestToo || bin !== this.#newest % this.#bins) all.push(this.#at(bin));
    }
    return all;
  }

  /** The last complete bins, at most so many and all but one of the ring's, newest first. */
  latest(count: number): LossFigures[] {
    const many = Math.min(count, this.#bins - 1, this.#newest);
    return Array.from({ length: Math.max(0, many) }, (_, back) =>
      this.#at((this.#newest - 1 - back) % this.#bins),
    );
  }

  #at(bin: number): Record<(typeof FIGURES)[number], number> {
    const figure = (at: number): number => (bin < 0 ? 0 : (this.#figures[bin * WIDTH + at] ?? 0));
    return {
      demand: figure(0),
      nominalLost: figure(1),
      proposedLost: figure(2),
      wouldAdmit: figure(3),
      wouldDeny: figure(4),
    };
  }
}

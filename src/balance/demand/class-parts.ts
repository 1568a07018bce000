/** How the demand of a group is made up of its classes. */

/** The part of a step's figures that is taken. */
const TAKEN = 0.3;

/** The smoothed part of each class; all of it is the last class's, `default`, while the figures are not known. */
export class ClassParts {
  readonly parts: Float64Array;
  #known = false;

  constructor(classes: number) {
    this.parts = new Float64Array(classes);
    this.#toDefault();
  }

  /** Takes a tick's figures, any unit. @param step whether a step ended: only then known parts move. */
  tick(demand: readonly number[], step: boolean): void {
    let sum = 0;
    for (let c = 0; c < this.parts.length; c += 1) {
      const own = demand[c] ?? NaN;
      sum += own >= 0 ? own : NaN;
    }
    if (!(sum > 0 && sum < Infinity)) {
      this.#toDefault();
      return;
    }
    if (this.#known && !step) return;
    const taken = this.#known ? TAKEN : 1;
    for (let c = 0; c < this.parts.length; c += 1) {
      const part = this.parts[c] ?? 0;
      this.parts[c] = part + taken * ((demand[c] ?? 0) / sum - part);
    }
    this.#known = true;
  }

  #toDefault(): void {
    this.parts.fill(0);
    if (this.parts.length > 0) this.parts[this.parts.length - 1] = 1;
    this.#known = false;
  }
}

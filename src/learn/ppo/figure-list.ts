/** Figures whose number is not known before. */

/** A list that grows by doubling. */
export class FigureList {
  length = 0;
  private room: Float64Array;

  /** @param expected how many there may be. */
  constructor(expected: number) {
    this.room = new Float64Array(Math.max(16, expected));
  }

  /** Adds one. */
  push(figure: number): void {
    this.grow(this.length + 1);
    this.room[this.length] = figure;
    this.length += 1;
  }

  /** Adds to one that is there. */
  add(at: number, figure: number): void {
    this.room[at] = this.room[at]! + figure;
  }

  /** Adds all of an array. */
  append(figures: Float64Array): void {
    this.grow(this.length + figures.length);
    this.room.set(figures, this.length);
    this.length += figures.length;
  }

  /** A copy of them. */
  figures(): Float64Array {
    return this.room.slice(0, this.length);
  }

  private grow(length: number): void {
    if (length <= this.room.length) return;
    const wider = new Float64Array(Math.max(length, 2 * this.room.length));
    wider.set(this.room);
    this.room = wider;
  }
}

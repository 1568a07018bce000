/** The last so many figures in order of size: their quantiles are lookups, and the tails go on beyond them. */
import { badState, countIn, figuresIn } from '../model/state';
import type { ModelState } from '../model/model';

/** The part of the window that the tail beyond its largest figure is judged by. */
const TAIL_PART = 0.1;
const MIN_TAIL = 3;

/** See the file's head. */
export class SortedWindow {
  private readonly sorted: Float32Array;
  /** The place in time of each sorted figure: they are overwritten in turn. */
  private readonly places: Uint8Array;
  private next = 0;
  private count = 0;

  /** @param capacity figures, at most 256. */
  constructor(readonly capacity: number) {
    const buffer = new ArrayBuffer(5 * capacity);
    this.sorted = new Float32Array(buffer, 0, capacity);
    this.places = new Uint8Array(buffer, 4 * capacity, capacity);
  }

  get size(): number {
    return this.count;
  }

  /** Takes a finite figure; the oldest goes when there is no room. */
  push(figure: number): void {
    const { sorted, places, next } = this;
    const value = Math.fround(figure);
    // What goes leaves a hole, which moves to where the new figure belongs.
    let hole = this.count;
    if (hole === this.capacity) hole = places.indexOf(next);
    else this.count += 1;
    for (; hole > 0 && sorted[hole - 1]! >= value; hole -= 1) {
      sorted[hole] = sorted[hole - 1]!;
      places[hole] = places[hole - 1]!;
    }
    const last = this.count - 1;
    for (; hole < last && sorted[hole + 1]! < value; hole += 1) {
      sorted[hole] = sorted[hole + 1]!;
      places[hole] = places[hole + 1]!;
    }
    sorted[hole] = value;
    places[hole] = next;
    this.next = next + 1 === this.capacity ? 0 : next + 1;
  }

  /** The figure that another one exceeds with this probability, in (0, 1); beyond the largest, an exponential tail. */
  exceeded(probability: number): number {
    return this.beyond(probability, 1);
  }

  /** The figure that another one falls short of with this probability. */
  fallenShort(probability: number): number {
    return -this.beyond(probability, -1);
  }

  save(): ModelState {
    const figures = new Float64Array(this.count);
    for (let at = 0; at < this.count; at += 1) figures[this.places[at]!] = this.sorted[at]!;
    return { next: this.next, figures };
  }

  /** @throws TidegateError TG_FORECAST_BAD_STATE. */
  static restore(capacity: number, state: ModelState): SortedWindow {
    const figures = figuresIn(state, 'figures');
    const next = countIn(state, 'next');
    if (figures.length > capacity || next >= capacity) throw badState('a window is larger than it may be');
    if (figures.length < capacity && next !== figures.length) throw badState('a window has holes');
    const window = new SortedWindow(capacity);
    const oldest = figures.length < capacity ? 0 : next;
    window.next = oldest;
    for (let age = 0; age < figures.length; age += 1) {
      window.push(figures[(oldest + age) % figures.length]!);
    }
    return window;
  }

  /** Mirrored by `sign`, so that both tails are the upper one. */
  private beyond(probability: number, sign: 1 | -1): number {
    const { count } = this;
    if (count === 0) return 0;
    const rank = (count + 1) * probability;
    if (rank >= 1) {
      const whole = Math.min(count, Math.floor(rank));
      const here = this.fromTop(whole, sign);
      return whole === count ? here : here + (rank - whole) * (this.fromTop(whole + 1, sign) - here);
    }
    const depth = Math.min(count, Math.max(MIN_TAIL, Math.round(count * TAIL_PART)));
    const base = this.fromTop(depth, sign);
    let excess = 0;
    for (let from = 1; from < depth; from += 1) excess += this.fromTop(from, sign) - base;
    return this.fromTop(1, sign) + (excess / depth) * Math.log(1 / rank);
  }

  /** The figure so many from the top, from 1. */
  private fromTop(position: number, sign: 1 | -1): number {
    return sign * this.sorted[sign === 1 ? this.count - position : position - 1]!;
  }
}

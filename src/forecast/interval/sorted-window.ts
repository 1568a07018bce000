/** The last so many figures in order of size: their quantiles are lookups, and the tails go on beyond them. */
import { badState, countIn, figuresIn } from '../model/state';
import type { ModelState } from '../model/model';

/** The part of the window that the tail beyond its largest figure is judged by. */
const TAIL_PART = 0.1;
const MIN_TAIL = 3;

/** See the file's head. */
export class SortedWindow {
  private readonly ring: Float32Array;
  private readonly sorted: Float32Array;
  private next = 0;
  private count = 0;

  constructor(readonly capacity: number) {
    this.ring = new Float32Array(capacity);
    this.sorted = new Float32Array(capacity);
  }

  get size(): number {
    return this.count;
  }

  /** Takes a finite figure; the oldest goes when there is no room. */
  push(figure: number): void {
    const value = Math.fround(figure);
    let end = this.count;
    if (end === this.capacity) {
      const gone = this.place(this.ring[this.next] ?? 0, end);
      end -= 1;
      this.sorted.copyWithin(gone, gone + 1, end + 1);
    }
    const at = this.place(value, end);
    this.sorted.copyWithin(at + 1, at, end);
    this.sorted[at] = value;
    this.count = end + 1;
    this.ring[this.next] = value;
    this.next = (this.next + 1) % this.capacity;
  }

  /** The figure that another one exceeds with this probability, in (0, 1); beyond the largest, an exponential tail. */
  exceeded(probability: number): number {
    return this.beyond(probability, 1);
  }

  /** The figure that another one falls short of with this probability. */
  fallenShort(probability: number): number {
    return -this.beyond(probability, -1);
  }

  /** The mean of the figures' sizes without their signs. */
  meanSize(): number {
    let sum = 0;
    for (let at = 0; at < this.count; at += 1) sum += Math.abs(this.sorted[at] ?? 0);
    return this.count === 0 ? 0 : sum / this.count;
  }

  save(): ModelState {
    return { next: this.next, figures: Float64Array.from(this.ring.subarray(0, this.count)) };
  }

  /** @throws TidegateError TG_FORECAST_BAD_STATE. */
  static restore(capacity: number, state: ModelState): SortedWindow {
    const figures = figuresIn(state, 'figures');
    const next = countIn(state, 'next');
    if (figures.length > capacity || next >= capacity) throw badState('a window is larger than it may be');
    if (figures.length < capacity && next !== figures.length) throw badState('a window has holes');
    const window = new SortedWindow(capacity);
    window.ring.set(figures);
    window.sorted.set(figures);
    window.sorted.subarray(0, figures.length).sort();
    window.count = figures.length;
    window.next = next;
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
    return sign * (this.sorted[sign === 1 ? this.count - position : position - 1] ?? 0);
  }

  /** Where a figure is, or belongs, among the first `end` sorted ones. */
  private place(value: number, end: number): number {
    let low = 0;
    let high = end;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if ((this.sorted[middle] ?? 0) < value) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}

/** What is usual at each time of a season, learnt as it passes: a few hundred means, however fine the steps. */
import type { ModelState } from '../model/model';
import { figuresIn, numberIn } from '../model/state';

/** How fast a mean follows its season's new value. */
const GAIN = 0.2;
/** Passes are counted up to here: long since they make no difference. */
const MOST_PASSES = 255;

/** Means over even parts of a season. */
export class SeasonBins {
  private readonly means: Float32Array;
  private readonly passes: Uint8Array;
  private sum = 0;
  private count = 0;

  /** @param season steps. @param bins parts, at most `season`. */
  constructor(
    private readonly season: number,
    private readonly bins: number,
  ) {
    const buffer = new ArrayBuffer(5 * bins);
    this.means = new Float32Array(buffer, 0, bins);
    this.passes = new Uint8Array(buffer, 4 * bins, bins);
  }

  /** Takes the value of a step. */
  learn(step: number, value: number): void {
    this.sum += value;
    this.count += 1;
    const bin = this.binOf(step);
    if (this.binOf(step + 1) === bin) return;
    const gain = Math.max(GAIN, 1 / (this.passes[bin]! + 1));
    this.means[bin]! += gain * (this.sum / this.count - this.means[bin]!);
    this.passes[bin] = Math.min(MOST_PASSES, this.passes[bin]! + 1);
    this.sum = 0;
    this.count = 0;
  }

  /** What is usual at a step, on a line between the middles of two parts; NaN while it is not known. */
  at(step: number): number {
    const place = ((step % this.season) * this.bins) / this.season - (this.bins < this.season ? 0.5 : 0);
    const below = Math.floor(place);
    const low = (below + this.bins) % this.bins;
    const high = (low + 1) % this.bins;
    if (this.passes[low] === 0 || this.passes[high] === 0) return NaN;
    return this.means[low]! + (this.means[high]! - this.means[low]!) * (place - below);
  }

  save(): ModelState {
    return {
      means: Float64Array.from(this.means),
      passes: Float64Array.from(this.passes),
      sum: this.sum,
      count: this.count,
    };
  }

  /** @throws TidegateError TG_FORECAST_BAD_STATE. */
  load(state: ModelState): void {
    this.means.set(figuresIn(state, 'means', this.bins));
    const passes = figuresIn(state, 'passes', this.bins);
    this.passes.set(passes.map((count) => Math.max(0, Math.min(MOST_PASSES, count))));
    this.sum = numberIn(state, 'sum');
    this.count = numberIn(state, 'count');
  }

  private binOf(step: number): number {
    return Math.floor(((step % this.season) * this.bins) / this.season);
  }
}

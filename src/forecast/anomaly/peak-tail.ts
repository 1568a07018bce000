/**
 * How often a score reaches how high: the largest score of each block of time is kept, and the upper ones of these are
 * fitted an exponential tail (peaks over threshold, after Siffer et al., "Anomaly detection in streams with extreme value
 * theory", 2017), so that the level that is passed once in so many blocks is known beyond what was seen.
 */
import { zeros } from '../numeric/figures';
import type { ModelState } from '../model/model';
import { badState, countIn, figuresIn, numberIn } from '../model/state';

/** The upper part of block maxima that the tail is fitted to. */
const TAIL_PART = 0.4;
/** Blocks that are enough to speak of a tail. */
const ENOUGH_BLOCKS = 8;

/** Less than any score. */
const LOWEST = -1e30;

/** How a tail is fitted. */
export interface TailFit {
  /** The slope that is believed before anything is known, and the excesses that this belief is worth. */
  readonly priorSlope: number;
  readonly priorWeight: number;
  /** No tail is steeper than this slope. */
  readonly leastSlope: number;
}

/** The tails of some kinds of score, which are observed together; see the file's head. */
export class PeakTails {
  /** Block maxima of each kind in order of size, and the place in time of each: they are overwritten in turn. */
  private readonly sorted: Float32Array;
  private readonly places: Uint8Array;
  private readonly largest: number[];
  private readonly thresholds: number[];
  private readonly passed: number[];
  private blocks = 0;
  private stepsInBlock = 0;

  /**
   * @param blockSteps steps that make a block.
   * @param capacity blocks kept, at most 256.
   * @param probability with which a block of the usual passes the level.
   * @param fits how each kind's tail is fitted; kept, not copied.
   * @param states a state of each kind, to continue.
   * @throws TidegateError TG_FORECAST_BAD_STATE.
   */
  constructor(
    private readonly blockSteps: number,
    private readonly capacity: number,
    private readonly probability: number,
    private readonly fits: readonly TailFit[],
    states?: readonly ModelState[],
  ) {
    const buffer = new ArrayBuffer(5 * capacity * fits.length);
    this.sorted = new Float32Array(buffer, 0, capacity * fits.length);
    this.places = new Uint8Array(buffer, 4 * capacity * fits.length);
    this.largest = zeros(fits.length).fill(LOWEST);
    this.thresholds = zeros(fits.length);
    this.passed = zeros(fits.length).fill(Infinity);
    states?.forEach((state, kind) => {
      this.read(kind, state);
    });
  }

  /** Whether enough blocks were seen. */
  get ready(): boolean {
    return this.blocks >= ENOUGH_BLOCKS;
  }

  /** Takes a kind's score of a step; once all kinds' are taken, `endStep` ends it. */
  observe(kind: number, score: number): void {
    if (score > this.largest[kind]!) this.largest[kind] = score;
  }

  /** Ends a step, and the block that it may have filled. */
  endStep(): void {
    this.stepsInBlock += 1;
    if (this.stepsInBlock < this.blockSteps) return;
    const known = Math.min(this.blocks, this.capacity);
    const place = this.blocks % this.capacity;
    this.blocks += 1;
    this.stepsInBlock = 0;
    for (let kind = 0; kind < this.fits.length; kind += 1) {
      this.insert(kind, this.largest[kind]!, known, place);
      this.largest[kind] = LOWEST;
      this.refit(kind);
    }
  }

  /** The score that a block's largest passes with the probability; Infinity before enough was seen. */
  level(kind: number): number {
    return this.passed[kind]!;
  }

  /** The score above which block maxima are the tail. */
  base(kind: number): number {
    return this.thresholds[kind]!;
  }

  save(kind: number): ModelState {
    const maxima = new Float64Array(Math.min(this.blocks, this.capacity));
    const from = kind * this.capacity;
    for (let at = 0; at < maxima.length; at += 1) maxima[this.places[from + at]!] = this.sorted[from + at]!;
    return { maxima, blocks: this.blocks, stepsInBlock: this.stepsInBlock, largest: this.largest[kind]! };
  }

  private read(kind: number, state: ModelState): void {
    const { capacity } = this;
    const maxima = figuresIn(state, 'maxima');
    const blocks = countIn(state, 'blocks');
    const stepsInBlock = countIn(state, 'stepsInBlock');
    if (maxima.length !== Math.min(blocks, capacity)) throw badState('block maxima are missing');
    if (kind > 0 && (blocks !== this.blocks || stepsInBlock !== this.stepsInBlock)) {
      throw badState('blocks of different kinds of score do not end together');
    }
    this.blocks = blocks;
    this.stepsInBlock = stepsInBlock;
    this.largest[kind] = numberIn(state, 'largest');
    for (let place = 0; place < maxima.length; place += 1) this.insert(kind, maxima[place]!, place, place);
    this.refit(kind);
  }

  /** Puts a block's largest score in its order, in the place of the oldest when there is no room. */
  private insert(kind: number, largest: number, known: number, place: number): void {
    const { sorted, places, capacity } = this;
    const from = kind * capacity;
    const value = Math.fround(largest);
    let end = from + known;
    if (known === capacity) {
      end -= 1;
      for (let at = places.indexOf(place, from); at < end; at += 1) {
        sorted[at] = sorted[at + 1]!;
        places[at] = places[at + 1]!;
      }
    }
    for (; end > from && sorted[end - 1]! > value; end -= 1) {
      sorted[end] = sorted[end - 1]!;
      places[end] = places[end - 1]!;
    }
    sorted[end] = value;
    places[end] = place;
  }

  private refit(kind: number): void {
    if (!this.ready) return;
    const { sorted } = this;
    const known = Math.min(this.blocks, this.capacity);
    const tail = Math.max(3, Math.round(TAIL_PART * known));
    const end = kind * this.capacity + known;
    const threshold = sorted[end - tail - 1]!;
    let sum = 0;
    for (let at = end - tail; at < end; at += 1) sum += sorted[at]! - threshold;
    const { priorSlope, priorWeight, leastSlope } = this.fits[kind]!;
    const slope = (sum + priorWeight * priorSlope) / (tail + priorWeight);
    this.thresholds[kind] = threshold;
    const excess = Math.max(1, Math.log(TAIL_PART / this.probability));
    this.passed[kind] = threshold + Math.max(slope, leastSlope) * excess;
  }
}

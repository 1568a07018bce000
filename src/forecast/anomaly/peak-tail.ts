/**
 * How often a score reaches how high: the largest score of each block of time is kept, and the upper ones of these are
 * fitted an exponential tail (peaks over threshold, after Siffer et al., "Anomaly detection in streams with extreme value
 * theory", 2017), so that the level that is passed once in so many blocks is known beyond what was seen.
 */
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
  /** Whether the slope ignores a few huge scores. */
  readonly robust: boolean;
  /** The slope that is believed before anything is known, and the excesses that this belief is worth. */
  readonly priorSlope: number;
  readonly priorWeight: number;
  /** No tail is steeper than this slope. */
  readonly leastSlope: number;
}

/** See the file's head. */
export class PeakTail {
  private readonly maxima: Float32Array;
  private blocks = 0;
  private stepsInBlock = 0;
  private largest = LOWEST;
  private threshold = 0;
  private passed = Infinity;

  /**
   * @param blockSteps steps that make a block.
   * @param capacity blocks kept.
   * @param probability with which a block of the usual passes the level.
   * @throws TidegateError TG_FORECAST_BAD_STATE.
   */
  constructor(
    private readonly blockSteps: number,
    private readonly capacity: number,
    private readonly probability: number,
    private readonly fit: TailFit,
    state?: ModelState,
  ) {
    this.maxima = new Float32Array(capacity);
    if (state === undefined) return;
    const maxima = figuresIn(state, 'maxima');
    this.blocks = countIn(state, 'blocks');
    if (maxima.length !== Math.min(this.blocks, capacity)) throw badState('block maxima are missing');
    this.maxima.set(maxima);
    this.stepsInBlock = countIn(state, 'stepsInBlock');
    this.largest = numberIn(state, 'largest');
    this.refit();
  }

  /** Whether enough blocks were seen. */
  get ready(): boolean {
    return this.blocks >= ENOUGH_BLOCKS;
  }

  /** Takes a step's score. */
  observe(score: number): void {
    this.largest = Math.max(this.largest, score);
    this.stepsInBlock += 1;
    if (this.stepsInBlock < this.blockSteps) return;
    this.maxima[this.blocks % this.capacity] = this.largest;
    this.blocks += 1;
    this.stepsInBlock = 0;
    this.largest = LOWEST;
    this.refit();
  }

  /** The score that a block's largest passes with the probability; Infinity before enough was seen. */
  get level(): number {
    return this.passed;
  }

  /** The score above which block maxima are the tail. */
  get base(): number {
    return this.threshold;
  }

  save(): ModelState {
    return {
      maxima: Float64Array.from(this.maxima.subarray(0, Math.min(this.blocks, this.capacity))),
      blocks: this.blocks,
      stepsInBlock: this.stepsInBlock,
      largest: this.largest,
    };
  }

  private refit(): void {
    if (!this.ready) return;
    const known = this.maxima.slice(0, Math.min(this.blocks, this.capacity)).sort();
    const tail = Math.max(3, Math.round(TAIL_PART * known.length));
    const threshold = known[known.length - tail - 1] ?? known[0] ?? 0;
    const excesses = known.subarray(known.length - tail).map((score) => score - threshold);
    const typical = this.fit.robust
      ? (excesses[tail >> 1] ?? 0) / Math.LN2
      : excesses.reduce((sum, excess) => sum + excess, 0) / tail;
    const { priorSlope, priorWeight, leastSlope } = this.fit;
    const slope = (tail * typical + priorWeight * priorSlope) / (tail + priorWeight);
    this.threshold = threshold;
    const excess = Math.max(1, Math.log(TAIL_PART / this.probability));
    this.passed = threshold + Math.max(slope, leastSlope) * excess;
  }
}

/**
 * What is usual at this time of the season, learnt slowly: the mean of each slot (a forty-eighth of the season) over the
 * seasons before. A forecast that adapts from step to step soon takes a wrong level for granted; this does not.
 */
import { ResidualScale, memoryRates } from '../interval/residual-scale';
import { zeros } from '../numeric/figures';
import type { ModelState } from '../model/model';
import { countIn, figuresIn, numberIn, stateIn } from '../model/state';

/** Slots of a season. */
const SLOTS = 48;
/** Slots that a long window is made of. */
export const LONG_WINDOW = 12;
const SHORT_WINDOW = 2;
/** Slot means of the last seasons count, the newest by this part at least. */
const LEAST_RATE = 0.2;
const MEMORIES = memoryRates([96, 400]);
/** Deviations count at most so many times their usual size in what is learnt. */
const MOST_SIZES = 4;

/** One slot counts at most so many times that size among others: a spike must not stand for hours. */
const MOST_TOGETHER = 6;

/** How far the slots that just ended are from what is usual, in usual sizes; the sign says which way. */
export interface SlotDeviation {
  /** Of the slot alone. */
  readonly own: number;
  readonly short: number;
  readonly long: number;
  /** The mean of the slot, and what was usual of it. */
  readonly mean: number;
  readonly usual: number;
}

/** See the file's head. */
export class SlowReference {
  readonly slotSteps: number;
  private readonly slots: number;
  private readonly means: number[];
  private readonly seasonsSeen: number[];
  private readonly recent: number[];
  private readonly scale: ResidualScale;
  private level = 0;
  private ended = 0;
  private sum = 0;
  private values = 0;

  /** @param slotSteps steps of a slot. @param seasonal whether slots repeat. */
  constructor(
    slotSteps: number,
    private readonly seasonal: boolean,
    state?: ModelState,
  ) {
    this.slotSteps = slotSteps;
    this.slots = seasonal ? SLOTS : 1;
    this.means = state ? [...figuresIn(state, 'means', this.slots)] : zeros(this.slots);
    this.seasonsSeen = state ? [...figuresIn(state, 'seen', this.slots)] : zeros(this.slots);
    this.recent = state ? [...figuresIn(state, 'recent', LONG_WINDOW)] : zeros(LONG_WINDOW);
    this.scale = new ResidualScale(MEMORIES, state && stateIn(state, 'scale'));
    if (state === undefined) return;
    this.level = numberIn(state, 'level');
    this.ended = countIn(state, 'ended');
    this.sum = numberIn(state, 'sum');
    this.values = countIn(state, 'values');
  }

  /** Takes the value of a step. @returns how the slot did, when one ended with it and something is usual. */
  observe(step: number, value: number): SlotDeviation | undefined {
    if (Number.isFinite(value)) {
      this.sum += value;
      this.values += 1;
    }
    if ((step + 1) % this.slotSteps !== 0) return undefined;
    const { sum, values } = this;
    this.sum = 0;
    this.values = 0;
    if (values * 2 < this.slotSteps) return undefined;
    return this.endSlot(Math.floor(step / this.slotSteps) % this.slots, sum / values);
  }

  /** Takes the deviation of late for granted. */
  adopt(): void {
    this.recent.fill(0);
  }

  save(): ModelState {
    const { level, ended, sum, values } = this;
    return {
      means: Float64Array.from(this.means),
      seen: Float64Array.from(this.seasonsSeen),
      recent: Float64Array.from(this.recent),
      scale: this.scale.save(),
      level,
      ended,
      sum,
      values,
    };
  }

  private endSlot(slot: number, mean: number): SlotDeviation | undefined {
    const seen = this.seasonsSeen[slot] ?? 0;
    const known = this.ended > 0;
    const usual = !known ? mean : seen > 0 ? (this.means[slot] ?? 0) : this.level;
    const error = mean - usual;
    const size = this.scale.count >= 4 ? this.scale.at(usual) : Infinity;
    const deviation = error / size;
    const bounded = Math.max(-MOST_SIZES, Math.min(MOST_SIZES, deviation)) * size;
    const learnt = Number.isFinite(bounded) ? bounded : error;
    if (known) this.scale.observe(usual, error);
    const from = seen > 0 ? usual : mean - (this.seasonal ? 0 : error);
    const rate = this.seasonal
      ? Math.max(LEAST_RATE, 1 / (seen + 1))
      : Math.max(1 / SLOTS, 1 / (this.ended + 1));
    this.means[slot] = seen > 0 ? from + rate * learnt : mean;
    this.seasonsSeen[slot] = seen + 1;
    this.level = known ? this.level + Math.max(1 / SLOTS, 1 / (this.ended + 1)) * (mean - this.level) : mean;
    const own = Number.isFinite(deviation) ? deviation : 0;
    this.recent[this.ended % LONG_WINDOW] = Math.max(-MOST_TOGETHER, Math.min(MOST_TOGETHER, own));
    this.ended += 1;
    return { own, short: this.windowMean(SHORT_WINDOW), long: this.windowMean(LONG_WINDOW), mean, usual };
  }

  /** The sum of the last deviations, in sizes of such a sum if they were independent. */
  private windowMean(slots: number): number {
    const known = Math.min(slots, this.ended);
    let sum = 0;
    for (let back = 1; back <= known; back += 1) sum += this.recent[(this.ended - back) % LONG_WINDOW] ?? 0;
    return known === 0 ? 0 : sum / Math.sqrt(known);
  }
}

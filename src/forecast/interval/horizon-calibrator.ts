/**
 * Calibrated bounds at one horizon: remembers the forecasts made for it until their time comes, and scores them.
 * Successive errors at a long horizon are nearly the same error, so only every so manieth forecast is taken, and bounds
 * are drawn as from the fewer independent errors that those taken are worth.
 */
import { badState, countIn, figuresIn, stateIn } from '../model/state';
import type { ModelState } from '../model/model';
import { AdaptiveTails, BOUNDS_OF_TAIL, type TailSpec } from './adaptive-tail';
import { ErrorsWorth } from './errors-worth';
import { ResidualScale, memoryRates } from './residual-scale';
import { SortedWindow } from './sorted-window';
import { zeros } from '../numeric/figures';

/** The levels that calibration follows; others lie between or beyond them. */
export const CALIBRATED_LEVELS = [0.8, 0.95] as const;

/** Forecasts in flight at a horizon, at most. */
const IN_FLIGHT = 11;
/** Errors remembered, one step ahead and further. */
const NEAR_WINDOW = 256;
const FAR_WINDOW = 160;
const NEAR_MEMORIES = memoryRates([10, 60, 400]);
const FAR_MEMORIES = memoryRates([200, 600]);
/** Errors that are enough for bounds of one's own. */
const ENOUGH = 30;
/** Normalised errors beyond this count as this. */
const MOST_SIZES = 50;
/** Upper bounds stay below so many times the largest of what was seen lately and what is forecast. */
const CAP_PART = 4;

/** The tails that are followed: below and above, of each level. */
const TAILS: readonly TailSpec[] = CALIBRATED_LEVELS.flatMap((level): TailSpec[] => [
  { nominal: (1 - level) / 2, side: 'lower' },
  { nominal: (1 - level) / 2, side: 'upper' },
]);
const TAIL_NAMES = CALIBRATED_LEVELS.flatMap((level) => [
  `lower${String(level * 100)}`,
  `upper${String(level * 100)}`,
]);

/** A forecast whose time came. */
export interface SettledForecast {
  readonly mean: number;
  readonly error: number;
  readonly inside80: boolean;
  readonly inside95: boolean;
  /** Actual less the last value that was known when the forecast was made; NaN when none was. */
  readonly naiveError: number;
}

/** Bounds around a mean. */
export interface Bounds {
  readonly lower: number;
  readonly upper: number;
}

/** See the file's head. */
export class HorizonCalibrator {
  /** Forecasts are taken every so many steps. */
  readonly stride: number;
  private readonly scale: ResidualScale;
  private readonly window: SortedWindow;
  private readonly worth: ErrorsWorth;
  private readonly tails: AdaptiveTails;
  /** {@link FIELDS} figures of each forecast in flight. */
  private readonly pending: number[];
  private readonly room: number;
  private first = 0;
  private inFlight = 0;

  /** @throws TidegateError TG_FORECAST_BAD_STATE. */
  constructor(
    readonly horizon: number,
    state?: ModelState,
  ) {
    this.stride = Math.max(1, Math.ceil(horizon / (IN_FLIGHT - 1)));
    this.room = Math.ceil(horizon / this.stride) + 1;
    const capacity = horizon === 1 ? NEAR_WINDOW : FAR_WINDOW;
    const memories = horizon === 1 ? NEAR_MEMORIES : FAR_MEMORIES;
    this.scale = new ResidualScale(memories, state && stateIn(state, 'scale'));
    this.window = state
      ? SortedWindow.restore(capacity, stateIn(state, 'window'))
      : new SortedWindow(capacity);
    this.worth = new ErrorsWorth(capacity, state && stateIn(state, 'worth'));
    this.tails = new AdaptiveTails(TAILS, state && TAIL_NAMES.map((name) => stateIn(state, name)));
    this.pending = state ? [...figuresIn(state, 'pending', this.room * FIELDS)] : zeros(this.room * FIELDS);
    if (state) {
      this.first = countIn(state, 'first');
      this.inFlight = countIn(state, 'inFlight');
      if (this.first >= this.room || this.inFlight > this.room) throw badState('forecasts in flight');
    }
  }

  /** Whether bounds rest on enough errors. */
  get warm(): boolean {
    return this.window.size >= ENOUGH;
  }

  /** Errors that were taken. */
  get scored(): number {
    return this.scale.count;
  }

  /** Whether a forecast made after this step is one to remember. */
  wants(step: number): boolean {
    return step % this.stride === 0;
  }

  /**
   * Remembers a forecast made after a step, with the bounds that were told with it.
   * @param last the last value that is known; NaN when none is.
   */
  remember(step: number, mean: number, at80: Bounds, at95: Bounds, last: number): void {
    if (this.inFlight === this.room) this.drop();
    const at = ((this.first + this.inFlight) % this.room) * FIELDS;
    const { pending } = this;
    pending[at] = step + this.horizon;
    pending[at + 1] = mean;
    pending[at + 2] = at80.lower;
    pending[at + 3] = at80.upper;
    pending[at + 4] = at95.lower;
    pending[at + 5] = at95.upper;
    pending[at + 6] = Number.isFinite(last) ? last : UNKNOWN;
    pending[at + 7] = this.scale.count >= 2 ? this.scale.at(mean) : 0;
    pending[at + 8] = this.warm ? 1 : 0;
    if (this.warm) this.tails.bound(this.window, this.worth, pending, at + BOUNDS);
    this.inFlight += 1;
  }

  /** Scores the forecast that was made for a step, when one was; a missing value scores nothing. */
  settle(step: number, actual: number): SettledForecast | undefined {
    const { pending } = this;
    while (this.inFlight > 0 && (pending[this.first * FIELDS] ?? 0) < step) this.drop();
    const at = this.first * FIELDS;
    if (this.inFlight === 0 || pending[at] !== step) return undefined;
    this.drop();
    if (!Number.isFinite(actual)) return undefined;
    const mean = pending[at + 1]!;
    const last = pending[at + 6]!;
    this.learn(at, actual - mean);
    this.scale.observe(mean, actual - mean);
    return {
      mean,
      error: actual - mean,
      inside80: actual >= pending[at + 2]! && actual <= pending[at + 3]!,
      inside95: actual >= pending[at + 4]! && actual <= pending[at + 5]!,
      naiveError: last === UNKNOWN ? NaN : actual - last,
    };
  }

  /** The usual size of errors at a forecast level. */
  sizeAt(mean: number): number {
    return this.scale.at(mean);
  }

  /** Bounds that hold with a probability, in (0, 1). @param largest the largest value seen lately. */
  bounds(mean: number, level: number, largest: number): Bounds {
    const tail = (1 - level) / 2;
    const size = this.scale.at(mean);
    const below = this.window.fallenShort(this.worth.ask(Math.min(0.49, tail * this.ratioAt(tail, 0))));
    const above = this.window.exceeded(this.worth.ask(Math.min(0.49, tail * this.ratioAt(tail, 1))));
    const lower = Math.min(mean, Math.max(0, mean + size * below));
    const upper = Math.max(mean, Math.min(mean + size * above, CAP_PART * Math.max(mean, largest)));
    return { lower, upper };
  }

  save(): ModelState {
    const tails = Object.fromEntries(TAIL_NAMES.map((name, tail) => [name, this.tails.save(tail)]));
    return {
      scale: this.scale.save(),
      window: this.window.save(),
      worth: this.worth.save(),
      pending: Float64Array.from(this.pending),
      first: this.first,
      inFlight: this.inFlight,
      ...tails,
    };
  }

  /**
   * Learns from an error as it was to be bounded when the forecast was made: what came to be known while the forecast
   * was in flight, such as the errors of those that overlap it, would make bounds look better than they are.
   */
  private learn(at: number, error: number): void {
    const size = this.pending[at + 7]!;
    if (!(size > 0)) return;
    const sized = Math.max(-MOST_SIZES, Math.min(MOST_SIZES, error / size));
    if (this.pending[at + 8] === 1) this.tails.observe(this.pending, at + BOUNDS, sized);
    this.window.push(sized);
    this.worth.observe(sized);
  }

  /** The part of a nominal tail to ask for, between those that are followed. @param side 0 lower, 1 upper. */
  private ratioAt(tail: number, side: 0 | 1): number {
    const wide = TAILS[side]!.nominal;
    const narrow = TAILS[2 + side]!.nominal;
    if (tail === wide) return this.tails.ratio(side);
    const between = Math.log(tail / wide) / Math.log(narrow / wide);
    const part = Math.min(1, Math.max(0, between));
    return Math.pow(this.tails.ratio(side), 1 - part) * Math.pow(this.tails.ratio(2 + side), part);
  }

  private drop(): void {
    this.first = (this.first + 1) % this.room;
    this.inFlight -= 1;
  }
}

/** Stands for a last value that is not known; values are never negative. */
const UNKNOWN = -1;

/**
 * Figures kept of a forecast in flight: its due step and mean, its bounds at 80 % and 95 %, the last value known, the
 * usual size of errors (0 when it is not known), whether its error is bounded (1) or not (0), and by what.
 */
const BOUNDS = 9;
const FIELDS = BOUNDS + BOUNDS_OF_TAIL * TAILS.length;

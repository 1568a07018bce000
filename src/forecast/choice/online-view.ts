/** What one-step experts see of a series, on the root scale: the last values, averages of several memories, seasons. */
import type { ModelState } from '../model/model';
import { figuresIn, numberIn, stateIn } from '../model/state';
import { setFigures, zeros } from '../numeric/figures';
import { SeasonBins } from './season-bins';

/** Last values seen one by one. */
const LAGS = 3;
/** How fast each average follows. */
export const AVERAGE_GAINS = [0.25, 0.1, 0.03, 0.008] as const;
/** The average that levels are relative to. */
const LEVEL = 2;
/** Parts that a first season, and longer ones, are kept in. */
const FIRST_BINS = 144;
const LONGER_BINS = 1008;
/** What a season's rise by one step is multiplied by, to be of the size of other columns. */
const RISE_TIMES = 10;
/** How far ahead and back of the next step a season's rises are seen: an hour of a day. */
const RISE_PART = 1 / 24;
/** Columns of each season. */
const SEASON_COLUMNS = 4;
/** A jump beyond this many usual errors counts as usual errors. */
const JUMP_ERRORS = 1.5;
/** A value this many usual errors off the level is taken only when the one before it was as far off. */
const ABSURD_ERRORS = 30;
/** Columns of the short view. */
export const SHORT_COLUMNS = 5;

/** The view after some values. Everything is on the root scale. */
export class OnlineView {
  readonly averages = zeros(AVERAGE_GAINS.length);
  readonly lags = zeros(LAGS);
  readonly seasons: readonly SeasonBins[];
  /** All columns, and those of the short view. */
  readonly full: number[];
  readonly short = zeros(SHORT_COLUMNS);
  /** Values taken, missing ones among them. */
  steps = 0;
  /** Values taken. */
  taken = 0;
  /** The last value as it came. */
  raw = 0;
  /** Steps that {@link RISE_PART} of the first season takes. */
  private readonly far: number;

  constructor(seasons: readonly number[]) {
    this.far = Math.max(1, Math.round((seasons[0] ?? 0) * RISE_PART));
    this.seasons = seasons.slice(0, 2).map((season, index) => {
      return new SeasonBins(season, Math.min(season, index === 0 ? FIRST_BINS : LONGER_BINS));
    });
    this.full = zeros(1 + LAGS + AVERAGE_GAINS.length - 1 + 2 + SEASON_COLUMNS * this.seasons.length);
  }

  /** What columns are relative to. */
  get level(): number {
    return this.averages[LEVEL]!;
  }

  /** The last value taken. */
  get last(): number {
    return this.lags[0]!;
  }

  /**
   * Writes the columns for the next step.
   * @param recentError the usual size of the last few errors: a jump tells something else while values burst.
   */
  write(usualError: number, recentError: number): void {
    const { averages, lags, full, short, level } = this;
    let at = 0;
    full[at++] = 1;
    for (let lag = 0; lag < LAGS; lag += 1) full[at++] = lags[lag]! - level;
    for (let average = 0; average < averages.length; average += 1) {
      if (average !== LEVEL) full[at++] = averages[average]! - level;
    }
    const jump = lags[0]! - averages[0]!;
    const most = JUMP_ERRORS * usualError;
    full[at++] = jump > most ? most : jump < -most ? -most : jump;
    const restless = recentError / usualError - 1;
    full[at++] = jump * (restless > 1 ? 1 : restless < -1 ? -1 : restless);
    for (const season of this.seasons) at = this.writeSeason(season, at);
    short[0] = 1;
    short[1] = lags[0]! - level;
    short[2] = averages[0]! - level;
    short[3] = averages[1]! - level;
    short[4] = averages[3]! - level;
  }

  /** How a season rises to the next step, how it differs from the level there, and its rises in the hours about. */
  private writeSeason(season: SeasonBins, from: number): number {
    const { full, level, steps, far } = this;
    const next = season.at(steps);
    const known = (figure: number): number => (Number.isNaN(figure) ? 0 : figure);
    full[from] = known(RISE_TIMES * (next - season.at(Math.max(0, steps - 1))));
    full[from + 1] = known(next - level);
    full[from + 2] = known(season.at(steps + far) - next);
    full[from + 3] = known(season.at(Math.max(0, steps - far)) - next);
    return from + SEASON_COLUMNS;
  }

  /** The value as it is taken: absurd ones are bounded until the next confirms them. */
  bounded(value: number, usualError: number): number {
    if (this.taken === 0) return value;
    const most = Math.max(this.level + ABSURD_ERRORS * usualError, this.raw, this.last);
    return value > most ? most : value;
  }

  /** Takes the next value. */
  take(value: number, raw: number): void {
    this.taken += 1;
    this.raw = raw;
    if (this.taken === 1) this.lags.fill(value);
    this.push(value);
    for (let average = 0; average < AVERAGE_GAINS.length; average += 1) {
      const gain = Math.max(AVERAGE_GAINS[average]!, 1 / this.taken);
      this.averages[average]! += gain * (value - this.averages[average]!);
    }
  }

  /** Takes a missing step, of which this was forecast. */
  miss(forecast: number): void {
    if (this.taken > 0) this.push(forecast);
    else this.steps += 1;
  }

  save(): ModelState {
    return {
      averages: Float64Array.from(this.averages),
      lags: Float64Array.from(this.lags),
      steps: this.steps,
      taken: this.taken,
      raw: this.raw,
      seasons: this.seasons.map((season) => season.save()),
    };
  }

  /** @throws TidegateError TG_FORECAST_BAD_STATE. */
  load(state: ModelState): void {
    setFigures(this.averages, figuresIn(state, 'averages', this.averages.length));
    setFigures(this.lags, figuresIn(state, 'lags', LAGS));
    this.steps = numberIn(state, 'steps');
    this.taken = numberIn(state, 'taken');
    this.raw = numberIn(state, 'raw');
    const saved = state['seasons'];
    this.seasons.forEach((season, index) => {
      season.load(
        stateIn({ season: Array.isArray(saved) ? (saved[index] as unknown) : undefined }, 'season'),
      );
    });
  }

  private push(value: number): void {
    for (let lag = LAGS - 1; lag > 0; lag -= 1) this.lags[lag] = this.lags[lag - 1]!;
    this.lags[0] = value;
    for (const season of this.seasons) season.learn(this.steps, value);
    this.steps += 1;
  }
}

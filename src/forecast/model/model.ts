/**
 * What every forecasting model is: fit once, update each step, predict any number of steps. Models are pure and seeded:
 * the same values and context give the same forecasts. They live outside backtests, choice, calibration and detection,
 * which see them through this interface alone (after statsforecast's fit / predict / forecast).
 */

/** What a model is told of a series besides its values. */
export interface SeriesContext {
  /** Unix time at which the first value's step begins, ms: calendars start from it. */
  readonly startMs: number;
  readonly stepMs: number;
  /** Season lengths in steps, ascending, such as a day and a week; a model uses those it has seen at least twice. */
  readonly seasons: readonly number[];
  /** Seeds whatever is random. */
  readonly seed: number;
  /** Spans that are unlike other days. */
  readonly holidays?: readonly Holiday[];
}

/** A span that is unlike other days; spans of the same name are alike. */
export interface Holiday {
  readonly name: string;
  readonly startMs: number;
  readonly endMs: number;
}

/** Bounds that the actual values lie within with the given probability, step by step. */
export interface Interval {
  /** The probability, such as 0.8. */
  readonly level: number;
  readonly lower: Float64Array;
  readonly upper: Float64Array;
}

/** A forecast: index 0 is one step after the last value. All figures are finite and not negative. */
export interface Forecast {
  readonly mean: Float64Array;
  /** One for each level asked for, in that order. */
  readonly intervals: readonly Interval[];
}

/** What a fitted model is made of: plain data and typed arrays, which a thread or a database can take. */
export type ModelState = Readonly<Record<string, unknown>>;

/** A model that has seen a series. */
export interface FittedModel {
  /** Takes the next step's value; NaN for a missing one. Absurd values are bounded, never thrown upon. */
  update(value: number): void;
  /**
   * Forecasts the steps after the last value.
   * @param horizon steps, at least 1.
   * @param levels probabilities in (0, 1); empty gives no intervals, and is cheaper.
   */
  predict(horizon: number, levels: readonly number[]): Forecast;
  save(): ModelState;
}

/** A kind of model. */
export interface ModelKind {
  /** Its stable name, such as `holt-winters`. */
  readonly name: string;
  /** The fewest values it can be fitted to. */
  minPoints(context: SeriesContext): number;
  /**
   * Fits to a series; gaps are NaN. Takes any values of at least `minPoints`: constant, zero, spiky, with gaps.
   * @throws TidegateError TG_FORECAST_TOO_SHORT, TG_FORECAST_NO_FIT.
   */
  fit(values: Float64Array, context: SeriesContext): FittedModel;
  /** The model that was saved. @throws TidegateError TG_FORECAST_BAD_STATE. */
  restore(state: ModelState): FittedModel;
}

/** The seasons, of those named, that `points` values hold at least twice. */
export function seenSeasons(seasons: readonly number[], points: number): readonly number[] {
  return seasons.filter((season) => season >= 2 && points >= 2 * season);
}

/** Where a backtest looks: what is asked for, checked against the series, and sensible figures for all else. */
import type { Series } from '../../core/series';
import { TidegateError } from '../../core/errors';
import type { OnlinePlan } from './online';
import type { BacktestPlan } from './rolling-origin';
import { seasonsOf } from './season-search';

/** Evenly spaced origins. */
export interface OriginRange {
  readonly first: number;
  readonly step: number;
  readonly count: number;
}

/** What a caller may ask for; what is left out is chosen. */
export interface PlanWishes {
  /** Values before an origin that a model is fitted to. */
  readonly train?: number;
  readonly seasons?: readonly number[];
  readonly origins?: OriginRange;
  readonly horizons?: readonly number[];
  readonly seed?: number;
}

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;
/** Of a series, so much at most is trained on, so that something is left to forecast. */
const TRAIN_PART = 0.6;
/** Origins when none are asked for. */
const ORIGINS = 24;
/** Origins at most. */
export const ORIGINS_MAX = 10_000;
/** Values that an online evaluation of a series without a season starts from. */
const ONLINE_START = 200;
/** Fewer training values than this tell nothing. */
const TRAIN_MIN = 4;

/** @throws TidegateError TG_BACKTEST_BAD_PLAN when the series is too short for what is asked. */
export function planFor(series: Series, wishes: PlanWishes = {}): BacktestPlan {
  const length = series.values.length;
  const seasons = [...new Set(wishes.seasons ?? seasonsOf(series))].sort((a, b) => a - b);
  const given = wishes.origins;
  const train = wishes.train ?? Math.min(defaultTrain(series, seasons), given?.first ?? Infinity);
  const first = given?.first ?? train;
  if (train < TRAIN_MIN || first < train) {
    refuse(
      `the first origin, ${first}, has less than the ${Math.max(train, TRAIN_MIN)} values to train on before it`,
    );
  }
  const lastPossible = given === undefined ? first : first + given.step * (given.count - 1);
  const room = length - lastPossible;
  if (room < 1) refuse(`the last origin, ${lastPossible}, lies beyond the ${length} values of the series`);
  const horizons = [
    ...new Set(wishes.horizons ?? defaultHorizons(series.stepMs, given === undefined ? room / 2 : room)),
  ].sort((a, b) => a - b);
  const longest = horizons.at(-1) ?? 1;
  if (longest > room) {
    refuse(
      `${longest} steps from the last origin, ${lastPossible}, go beyond the ${length} values of the series`,
    );
  }
  return {
    train,
    scaleSeason: seasons.find((season) => season < train) ?? 1,
    seasons,
    origins: originsOf(given ?? spreadOrigins(first, length - longest, seasons[0] ?? 1)),
    horizons,
    seed: wishes.seed ?? 1,
  };
}

/**
 * Where an online evaluation looks: it starts after two seasons, or less where there is less, so that nearly all of the
 * series is forecast.
 * @throws TidegateError TG_BACKTEST_BAD_PLAN when nothing is left to forecast.
 */
export function onlinePlanFor(series: Series, wishes: PlanWishes = {}): OnlinePlan {
  const length = series.values.length;
  const seasons = [...new Set(wishes.seasons ?? seasonsOf(series))].sort((a, b) => a - b);
  const start = wishes.train ?? Math.min(2 * (seasons[0] ?? ONLINE_START / 2), Math.floor(length / 2));
  if (start < TRAIN_MIN || start >= length) {
    refuse(
      `training on ${start} of the ${length} values of the series leaves nothing to learn from or to forecast`,
    );
  }
  return { start, seasons, seed: wishes.seed ?? 1 };
}

function refuse(message: string): never {
  throw new TidegateError('TG_BACKTEST_BAD_PLAN', message);
}

/** Two weeks, or what there is: whole weeks where there is one, else whole seasons. */
function defaultTrain({ values, stepMs }: Series, seasons: readonly number[]): number {
  const room = Math.floor(values.length * TRAIN_PART);
  const most = Math.min(room, Math.max(Math.floor((14 * DAY_MS) / stepMs), 2 * (seasons.at(-1) ?? 1), 100));
  const week = Math.round((7 * DAY_MS) / stepMs);
  const unit =
    [week, ...[...seasons].reverse()].find((span) => span >= 1 && 2 * span <= 2 * most && span <= most) ?? 1;
  return Math.floor(most / unit) * unit;
}

/** One step, an hour and a day, as far as `longest` steps. Steps of a day and more have a week ahead of them instead. */
function defaultHorizons(stepMs: number, longest: number): readonly number[] {
  const spans = [HOUR_MS / stepMs, DAY_MS / stepMs].filter((steps) => Number.isInteger(steps) && steps > 1);
  return [1, ...(spans.length > 0 ? spans : [7]).filter((steps) => steps <= longest)];
}

/** Origins over all that follows the training, at a step that meets every phase of the season. */
function spreadOrigins(first: number, last: number, season: number): OriginRange {
  const count = Math.min(ORIGINS, last - first + 1);
  let step = count < 2 ? 1 : Math.floor((last - first) / (count - 1));
  while (step > 1 && commonDivisor(step, season) > 1) step -= 1;
  return { first, step, count };
}

function originsOf({ first, step, count }: OriginRange): readonly number[] {
  return Array.from({ length: count }, (_, index) => first + index * step);
}

function commonDivisor(a: number, b: number): number {
  return b === 0 ? a : commonDivisor(b, a % b);
}

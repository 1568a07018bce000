/**
 * Tries supporters against the leader: each is fitted to what came before the last part of the values, then follows that
 * part and forecasts it from many steps. By horizon, the trial tells the members' parts of the mean, and how much less
 * that mean errs than the leader alone.
 */
import { wholeSeries } from '../gaps';
import { seenSeasons, type FittedModel, type ModelKind, type SeriesContext } from '../model/model';

/** The trial is this part of the values, and at most this many seasons. */
const TRIAL_PART = 0.25;
const TRIAL_SEASONS = 4;
/** Steps that forecasts are made at, about. */
const ORIGINS = 96;
/** Fewest forecasts that a horizon is judged by. */
const FEWEST_FORECASTS = 12;
/** A supporter is dropped when it errs more than the naive forecast by this many standard errors of the difference. */
const DROPPING_ERRORS = 1;
/** Neighbouring horizons, on each side, that are judged together. */
const SHARED = 2;
/** The mean's intervals are at least this part as wide as the leader's. */
const LEAST_WIDTH = 0.75;

/** Forecasts that the leader made some steps ahead in its own trial, as figures. */
export interface LeaderTrial {
  readonly ahead: number;
  /** Steps that the forecasts were made at, ascending. */
  readonly made: readonly number[];
  readonly forecasts: Float64Array;
}

/** What a trial tells, by horizon. */
export interface Shares {
  /** Steps ahead, ascending. */
  readonly aheads: Float64Array;
  /** For each horizon, each member's part, the leader's first; the parts of a horizon sum to 1. */
  readonly parts: readonly Float64Array[];
  /** For each horizon, how wide the mean's errors are against the leader's. */
  readonly widths: Float64Array;
}

/** How a supporter did at one horizon against the better one of the naive forecasts; both as parts of what that lost. */
interface Excess {
  /** The mean of its absolute errors less the naive forecast's. */
  readonly mean: number;
  /** The standard error of that. */
  readonly error: number;
}

/** One horizon's forecasts of all members, and what came. */
interface Row {
  readonly made: number[];
  readonly members: readonly number[][];
  readonly naive: readonly [number[], number[]];
  readonly actual: number[];
}

/**
 * The members' shares, or undefined when there are too few values to try supporters on.
 * @param prior parts of the leader and each of the supporters when all err the same.
 * @param stride steps between the leader's forecasts.
 */
export function trySupporters(
  values: Float64Array,
  context: SeriesContext,
  supporters: readonly ModelKind[],
  leader: readonly LeaderTrial[],
  prior: readonly number[],
  stride: number,
): Shares | undefined {
  const season = seenSeasons(context.seasons, values.length)[0];
  if (season === undefined) return undefined;
  const trial = Math.floor(Math.min(values.length * TRIAL_PART, TRIAL_SEASONS * season));
  const start = values.length - trial;
  if (seenSeasons([season], start).length === 0) return undefined;
  const models = supporters.map((kind) => kind.fit(values.slice(0, start), context));
  const rows = rowsOf(values, models, leader, { start, season, stride });
  return sharesOf(leader, rows, prior);
}

function rowsOf(
  values: Float64Array,
  models: readonly FittedModel[],
  leader: readonly LeaderTrial[],
  where: { readonly start: number; readonly season: number; readonly stride: number },
): readonly Row[] {
  const { start, season, stride } = where;
  const points = values.length;
  const whole = wholeSeries(values, [season]);
  const apart = stride * Math.max(1, Math.round((points - start) / ORIGINS / stride));
  const farthest = leader[leader.length - 1]?.ahead ?? 1;
  const places = leader.map((trial) => new Map(trial.made.map((at, row) => [at, row])));
  const rows = leader.map((): Row => ({
    made: [],
    members: [[], ...models.map(() => [])],
    naive: [[], []],
    actual: [],
  }));
  for (let now = start - 1; now < points - 1; now += 1) {
    if (now >= start) for (const model of models) model.update(values[now]!);
    if ((points - 1 - now) % apart !== 0) continue;
    const forecasts = models.map((model) => model.predict(Math.min(farthest, points - 1 - now), []).mean);
    leader.forEach(({ ahead, forecasts: led }, index) => {
      const place = places[index]!.get(now);
      const target = now + ahead;
      if (place === undefined || target >= points) return;
      const row = rows[index]!;
      row.made.push(now);
      row.actual.push(whole[target]!);
      row.members[0]!.push(led[place]!);
      forecasts.forEach((forecast, member) => row.members[member + 1]!.push(forecast[ahead - 1]!));
      row.naive[0].push(whole[now]!);
      row.naive[1].push(whole[target - Math.ceil(ahead / season) * season]!);
    });
  }
  return rows;
}

function sharesOf(
  leader: readonly LeaderTrial[],
  rows: readonly Row[],
  prior: readonly number[],
): Shares | undefined {
  const known = leader
    .map((_, index) => index)
    .filter((index) => rows[index]!.made.length >= FEWEST_FORECASTS);
  if (known.length === 0) return undefined;
  const excesses = known.map((index) => excessesOf(rows[index]!, leader[index]!.ahead));
  const parts = excesses.map((_, at) => partsOf(near(excesses, at), prior));
  const widths = known.map((index, at) => widthOf(rows[index]!, parts[at]!));
  return {
    aheads: Float64Array.from(known, (index) => leader[index]!.ahead),
    parts,
    widths: Float64Array.from(widths, (_, at) => meanOf(near(widths, at))),
  };
}

/** Those of neighbouring horizons. */
function near<T>(all: readonly T[], at: number): readonly T[] {
  return all.slice(Math.max(0, at - SHARED), at + SHARED + 1);
}

function meanOf(figures: readonly number[]): number {
  return figures.reduce((sum, figure) => sum + figure, 0) / figures.length;
}

function excessesOf(row: Row, ahead: number): readonly Excess[] {
  const errorsOf = (forecasts: readonly number[]): readonly number[] =>
    forecasts.map((forecast, at) => Math.abs(forecast - row.actual[at]!));
  const [last, seasonal] = row.naive.map(errorsOf) as [readonly number[], readonly number[]];
  const naive = meanOf(last) < meanOf(seasonal) ? last : seasonal;
  const lost = meanOf(naive);
  const span = row.made[row.made.length - 1]! - row.made[0]! + 1;
  const independent = Math.min(row.made.length, Math.max(1, span / ahead));
  return row.members.slice(1).map((forecasts) => {
    const differences = errorsOf(forecasts).map((error, at) => error - naive[at]!);
    const mean = meanOf(differences);
    const variance = meanOf(differences.map((difference) => (difference - mean) ** 2));
    if (!(lost > 0)) return { mean: mean > 0 ? 1 : 0, error: 0 };
    return { mean: mean / lost, error: Math.sqrt(variance / independent) / lost };
  });
}

/** The prior parts of those that were not dropped. Parts by error were worse on other series than even ones. */
function partsOf(excesses: readonly (readonly Excess[])[], prior: readonly number[]): Float64Array {
  const parts = Float64Array.from(prior, (part, member) => {
    if (member === 0) return part;
    const own = excesses.map((members) => members[member - 1]!);
    const limit = DROPPING_ERRORS * meanOf(own.map(({ error }) => error));
    return meanOf(own.map(({ mean }) => mean)) > limit ? 0 : part;
  });
  const sum = parts.reduce((total, part) => total + part, 0);
  return parts.map((part) => part / sum);
}

/** The size of the mean's errors as a part of the leader's, on the root scale. */
function widthOf(row: Row, parts: Float64Array): number {
  let own = 0;
  let led = 0;
  row.actual.forEach((actual, at) => {
    const mean = parts.reduce((sum, part, member) => sum + part * row.members[member]![at]!, 0);
    own += Math.abs(Math.sqrt(mean) - Math.sqrt(actual));
    led += Math.abs(Math.sqrt(row.members[0]![at]!) - Math.sqrt(actual));
  });
  return led > 0 ? Math.max(LEAST_WIDTH, Math.min(1, own / led)) : 1;
}

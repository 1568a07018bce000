/** Fits one scale's forecasts of all horizons: regressions and fixed members, blended by what did better out of sample. */
import { PhasePanel, panelColumns, panelShape, type PanelShape } from '../model/phase-panel';
import { SEASONLESS_STEPS } from '../model/phase-panel';
import type { SeriesContext } from '../model/model';
import { scaledValues, type Scale } from '../scale';
import { blendLinear, trialLosses, weightsOf } from './blend';
import { fitHorizon, type HorizonPlan, type LinearForecast } from './horizon-fit';

/** Rows that one horizon's regressions are solved from, at most about. */
const ROWS_MAX = 2_200;
/** Rows of the next few steps, where they are cheap and tell much. */
const ROWS_MAX_NEAR = 4_200;
/** Blocks, one a season, that the trial is made of. */
const BLOCKS = 7;
/** The trial is at most this part of the values. */
const TRIAL_PART = 0.5;
/** Values a horizon needs for each of its steps. */
const POINTS_A_STEP = 3.5;
/** Seasons after which a row weighs half. */
const HALF_LIFE_SEASONS = 7;
/** The horizons tried go this far in any case. */
const FARTHEST_STEPS = 288;
/** Neighbouring horizons, on each side, that weights are shared over. */
const SHARED = 1;

/** What one scale's forecasts are made with. */
export interface DirectOptions {
  readonly scale: Scale;
  readonly penalties: readonly number[];
}

/** One horizon's forecast and how it did on the trial. */
export interface FittedHorizon {
  readonly ahead: number;
  readonly linear: LinearForecast;
  /** Steps of the trial at which forecasts were made, those, and what came, in figures. */
  readonly made: readonly number[];
  readonly forecasts: Float64Array;
  readonly actual: Float64Array;
}

/** The horizons that are fitted, ascending; those between are interpolated. */
export function horizonLadder(points: number, season: number): readonly number[] {
  const farthest = Math.max(1, Math.min(points / POINTS_A_STEP, Math.max(2 * season, FARTHEST_STEPS)));
  const ladder = [1];
  for (let power = 2; power <= farthest; power *= 2) {
    ladder.push(power);
    if (power * 1.5 <= farthest) ladder.push(power * 1.5);
  }
  return season > 1 && season <= farthest && !ladder.includes(season)
    ? [...ladder, season].sort((a, b) => a - b)
    : ladder;
}

/** Steps between the rows of most horizons: those of the next few have rows at these steps too. */
export function rowStride(points: number): number {
  const near = Math.ceil(points / ROWS_MAX_NEAR);
  return near * Math.ceil(points / ROWS_MAX / near);
}

/** Fits to whole, unscaled values. */
export function fitDirect(
  values: Float64Array,
  context: SeriesContext,
  options: DirectOptions,
): readonly FittedHorizon[] {
  const { scale } = options;
  const shape = panelShape(context, values.length);
  const scaled = scaledValues(values, scale);
  const panel = new PhasePanel(scaled, shape);
  const ladder = horizonLadder(values.length, shape.season);
  const fits = ladder.map((ahead) =>
    fitHorizon(panel, scaled, planOf(panel, ahead), options.penalties, fixedMembers(shape, ahead)),
  );
  const losses = fits.map((fit) => trialLosses(fit, (scaled) => scale.inverse(scaled)));
  return fits.map((fit, index) => {
    const shared = sharedLosses(losses, index);
    const { made, actual, forecasts } = fit.trial;
    const span = (made[made.length - 1] ?? 0) - (made[0] ?? 0) + 1;
    const bar = Math.min(...shared.subarray(shared.length - NAIVE_MEMBERS));
    const weights = weightsOf(shared, bar, span / ladder[index]!);
    const blended = actual.map((_, row) =>
      forecasts.reduce((sum, member, which) => sum + weights[which]! * member[row]!, 0),
    );
    return {
      ahead: ladder[index]!,
      linear: blendLinear(fit.members, weights),
      made,
      forecasts: blended.map((scaled) => scale.inverse(scaled)),
      actual: actual.map((scaled) => scale.inverse(scaled)),
    };
  });
}

/** Members' losses over neighbouring horizons, each relative to what the naive one lost there. */
function sharedLosses(losses: readonly Float64Array[], index: number): Float64Array {
  const own = losses[index]!;
  const sum = new Float64Array(own.length);
  for (let at = index - SHARED; at <= index + SHARED; at += 1) {
    const other = losses[at];
    if (other === undefined || other.length !== own.length) continue;
    const naive = other[other.length - 1]!;
    for (let member = 0; member < own.length; member += 1) {
      sum[member]! += naive > 0 ? other[member]! / naive : other[member]!;
    }
  }
  return sum;
}

function planOf(panel: PhasePanel, ahead: number): HorizonPlan {
  const { points } = panel;
  const season = panel.shape.season > 0 ? panel.shape.season : SEASONLESS_STEPS;
  const trial = Math.min(BLOCKS * season, Math.floor(points * TRIAL_PART));
  const block = panel.shape.season > 0 ? season : Math.max(1, Math.floor(trial / BLOCKS));
  const blocks: number[] = [];
  for (let at = points - trial; at < points; at += block) blocks.push(at);
  return {
    ahead,
    stride: ahead <= 3 ? Math.ceil(points / ROWS_MAX_NEAR) : rowStride(points),
    blocks,
    halfLife: HALF_LIFE_SEASONS * Math.max(season, SEASONLESS_STEPS),
  };
}

/** Members at the end that repeat the past: the seasonal naive one, where there is a season, and the naive one. */
const NAIVE_MEMBERS = 2;

/**
 * Forecasts that nothing is estimated for: what is usual plus the present deviation, which fades by several half-lives;
 * the same with the last season's values; and the naive ones.
 */
function fixedMembers(shape: PanelShape, ahead: number): readonly LinearForecast[] {
  const columns = panelColumns(shape);
  const season = shape.season > 0 ? shape.season : SEASONLESS_STEPS;
  const of = (cells: readonly (readonly [number, number])[]): LinearForecast => {
    const coefficients = new Float64Array(columns);
    for (const [column, value] of cells) coefficients[column] = value;
    return { coefficients, naive: 0 };
  };
  const fading = [season / 24, season / 4, 2 * season].map((halfLife) => {
    const left = 2 ** (-ahead / halfLife);
    return of([
      [1, 0.4 * left],
      [5, 0.6 * left],
    ]);
  });
  const repeated: LinearForecast = { coefficients: new Float64Array(columns), naive: 1 };
  if (shape.season === 0) return [...fading, repeated, repeated];
  return [...fading, of([[12, 1]]), repeated];
}

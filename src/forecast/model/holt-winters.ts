/**
 * Holt-Winters models: parameters by a search over one-step errors, seasons started from profiles over all cycles (a
 * first cycle alone is noise that a day's smoothing never wears off), the trend kept only when it pays.
 */
import { minimise, type Parameter } from '../numeric/nelder-mead';
import { scaleNamed } from '../scale';
import { ErrorGuard, errorEdge } from './error-guard';
import { framedModel } from './framed-model';
import {
  HoltWintersRecursion,
  type HoltWintersParameters,
  type HoltWintersStart,
} from './holt-winters-recursion';
import { seenSeasons, type ModelKind } from './model';
import type { Method } from './recursion';
import { deseasonalised, seasonalProfiles } from './seasonal-profile';

/** Values that the first level is read from, without a season. */
const START_VALUES = 12;
/** What a damped trend keeps after each step, at least and at most. */
const DAMPING = { min: 0.8, max: 0.995 } as const;

/** How a model's trend behaves. */
export type TrendForm = 'none' | 'damped' | 'steady';

/** What a Holt-Winters model may be made of. */
export interface HoltWintersForm {
  /** Whether seasons multiply the level; else they add to it. */
  readonly multiplicative: boolean;
  /** Trends that are tried; the corrected information criterion chooses. */
  readonly trends: readonly TrendForm[];
}

/** What is estimated. */
export interface HoltWintersFit {
  readonly parameters: HoltWintersParameters;
  /** As of {@link errorEdge}. */
  readonly edge: number;
}

/** A Holt-Winters method over all seasons seen; with two it is Taylor's double seasonal form. */
export function holtWintersMethod(form: HoltWintersForm): Method<HoltWintersFit> {
  return {
    estimate(values, context) {
      const seasons = seenSeasons(context.seasons, values.length);
      const start = startOf(values, seasons, form.multiplicative);
      const profiles = form.multiplicative ? [] : seasonalProfiles(values, seasons);
      const edge = errorEdge(deseasonalised(values, profiles));
      const fits = form.trends.map((trend) => fitTrend(values, { form, trend, start, edge }));
      const best = fits.reduce((least, fit) => (fit.criterion < least.criterion ? fit : least));
      return { parameters: best.parameters, edge };
    },
    run(values, context, { parameters, edge }) {
      const seasons = seenSeasons(context.seasons, values.length);
      const start = startOf(values, seasons, parameters.multiplicative);
      const gammas = seasons.map((_, which) => parameters.gammas[which] ?? 0);
      const recursion = new HoltWintersRecursion({ ...parameters, gammas }, start, new ErrorGuard(edge));
      for (const value of values) recursion.step(value);
      return recursion;
    },
    restore: (state) => HoltWintersRecursion.restore(state),
  };
}

const MIN_POINTS = 4;

/** The model kind `holt-winters`: additive on the log scale, where proportions add; damped when that pays. */
export const HOLT_WINTERS: ModelKind = framedModel(
  'holt-winters',
  holtWintersMethod({ multiplicative: false, trends: ['none', 'damped'] }),
  { scale: scaleNamed('log'), minPoints: MIN_POINTS },
);

/** The model kind `holt-winters-additive`: seasons add to the figures themselves, the trend is steady. */
export const HOLT_WINTERS_ADDITIVE: ModelKind = framedModel(
  'holt-winters-additive',
  holtWintersMethod({ multiplicative: false, trends: ['steady'] }),
  { scale: scaleNamed('identity'), minPoints: MIN_POINTS },
);

/** The model kind `holt-winters-multiplicative`: seasons multiply the level, the trend is damped. */
export const HOLT_WINTERS_MULTIPLICATIVE: ModelKind = framedModel(
  'holt-winters-multiplicative',
  holtWintersMethod({ multiplicative: true, trends: ['damped'] }),
  { scale: scaleNamed('identity'), minPoints: MIN_POINTS },
);

interface Search {
  readonly form: HoltWintersForm;
  readonly trend: TrendForm;
  readonly start: HoltWintersStart;
  readonly edge: number;
}

function fitTrend(
  values: Float64Array,
  { form, trend, start, edge }: Search,
): { readonly parameters: HoltWintersParameters; readonly criterion: number } {
  const rate = { min: 0, max: 1, step: 0.1 };
  const searched: Parameter[] = [
    { start: 0.2, min: 1e-4, max: 0.999, step: 0.3 },
    { start: 0.3, min: 0, max: 0.99, step: 0.3 },
    ...start.seasons.map(() => ({ ...rate, max: 0.5, start: 0.03, step: 0.05 })),
    ...(trend === 'none' ? [] : [{ ...rate, start: 0.02, step: 0.05 }]),
    ...(trend === 'damped' ? [{ ...DAMPING, start: 0.95, step: -0.05 }] : []),
  ];
  const seasonCount = start.seasons.length;
  const read = (at: readonly number[]): HoltWintersParameters => {
    const alpha = at[0] ?? 0;
    return {
      multiplicative: form.multiplicative,
      alpha,
      correction: at[1] ?? 0,
      gammas: start.seasons.map((_, which) => at[2 + which] ?? 0),
      beta: alpha * (trend === 'none' ? 0 : (at[2 + seasonCount] ?? 0)),
      damping: trend === 'none' ? 0 : trend === 'steady' ? 1 : (at[3 + seasonCount] ?? 0),
    };
  };
  const from = trend === 'none' ? { ...start, trend: 0 } : start;
  const found = minimise((at) => costOf(values, read(at), from, edge), searched, {
    evaluations: 60 * searched.length,
    tolerance: 1e-5,
  });
  const count = values.length;
  const states = searched.length + 2;
  const free = count - states - 1;
  const penalty = free > 0 ? 2 * states + (2 * states * (states + 1)) / free : 2 * states * count;
  const criterion = count * Math.log(Math.max(found.value / count, 1e-12)) + penalty;
  return { parameters: read(found.at), criterion };
}

function costOf(
  values: Float64Array,
  parameters: HoltWintersParameters,
  start: HoltWintersStart,
  edge: number,
): number {
  const guard = new ErrorGuard(edge);
  const recursion = new HoltWintersRecursion(parameters, start, guard);
  let sum = 0;
  for (let at = 0; at < values.length; at += 1) sum += guard.cost(recursion.step(values[at] ?? NaN));
  return sum;
}

/** First states: the season's profiles, and the mean of the first cycle without them. */
function startOf(
  values: Float64Array,
  seasons: readonly number[],
  multiplicative: boolean,
): HoltWintersStart {
  const onLogs = multiplicative ? values.map((value) => Math.log1p(Math.max(0, value))) : values;
  const profiles = seasonalProfiles(onLogs, seasons);
  const rest = deseasonalised(onLogs, profiles);
  const first = rest.subarray(0, Math.min(rest.length, START_VALUES));
  const mean = first.reduce((sum, value) => sum + value, 0) / Math.max(1, first.length);
  return {
    level: multiplicative ? Math.expm1(mean) : mean,
    trend: 0,
    seasons: profiles.map(({ phases }) => (multiplicative ? phases.map(Math.exp) : phases)),
  };
}

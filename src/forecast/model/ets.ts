/**
 * Exponential smoothing with additive errors: a level, a trend that may be damped, and a season when it is short, the
 * form chosen by the corrected information criterion (Hyndman, Koehler, Ord and Snyder, "Forecasting with Exponential
 * Smoothing", 2008). On the log scale, long seasons taken out first: their many states cannot be estimated as ETS would.
 */
import { scaleNamed } from '../scale';
import { minimise, type Parameter } from '../numeric/nelder-mead';
import { deseasonalisedMethod } from './deseasonalised-method';
import { ErrorGuard, errorEdge } from './error-guard';
import { framedModel } from './framed-model';
import { seenSeasons, type ModelKind, type ModelState } from './model';
import type { Method, Recursion } from './recursion';
import { seasonalProfiles } from './seasonal-profile';
import { countIn, figuresIn, numberIn, stateIn } from './state';

/** The longest season that is smoothed by states of its own, steps. */
const SHORT_SEASON_MAX = 24;
/** Values that the first level and trend are read from. */
const START_VALUES = 10;

/** The smoothing parameters of {@link ExponentialSmoothing}. */
export interface SmoothingParameters {
  /** How fast the level follows, 0 to 1. */
  readonly alpha: number;
  /** How fast the trend follows, 0 to alpha; with `damping` 0 there is no trend. */
  readonly beta: number;
  /** What is left of the trend after each step, 0 to 1. */
  readonly damping: number;
  /** How fast the season follows, 0 to 1 - alpha. */
  readonly gamma: number;
}

/** Where a smoothing starts: season by phase, empty for none. */
export interface SmoothingStart {
  readonly level: number;
  readonly trend: number;
  readonly season: Float64Array;
}

/** The recursion l = l + phi b + alpha e, b = phi b + beta e, s = s + gamma e of ETS(A, Ad, A). */
export class ExponentialSmoothing implements Recursion {
  private level: number;
  private trend: number;
  private readonly season: Float64Array;

  /** @param phase of the next value. */
  constructor(
    private readonly parameters: SmoothingParameters,
    start: SmoothingStart,
    private readonly guard: ErrorGuard,
    private phase = 0,
  ) {
    this.level = start.level;
    this.trend = start.trend;
    this.season = start.season.slice();
  }

  step(value: number): number {
    const { alpha, beta, damping, gamma } = this.parameters;
    const seasonal = this.season.length > 0;
    const season = seasonal ? (this.season[this.phase] ?? 0) : 0;
    const expected = this.level + damping * this.trend;
    const error = value - expected - season;
    const known = Number.isNaN(error) ? 0 : this.guard.taught(error);
    this.level = expected + alpha * known;
    this.trend = damping * this.trend + beta * known;
    if (seasonal) {
      this.season[this.phase] = season + gamma * known;
      this.phase = this.phase + 1 === this.season.length ? 0 : this.phase + 1;
    }
    return error;
  }

  ahead(horizon: number): Float64Array {
    const out = new Float64Array(horizon);
    let level = this.level;
    let trend = this.trend;
    for (let step = 0; step < horizon; step += 1) {
      trend *= this.parameters.damping;
      level += trend;
      out[step] = level + (this.season[(this.phase + step) % Math.max(1, this.season.length)] ?? 0);
    }
    return out;
  }

  save(): ModelState {
    return {
      ...this.parameters,
      level: this.level,
      trend: this.trend,
      season: this.season.slice(),
      phase: this.phase,
      guard: this.guard.save(),
    };
  }

  /** @throws TidegateError TG_FORECAST_BAD_STATE. */
  static restore(state: ModelState): ExponentialSmoothing {
    return new ExponentialSmoothing(
      {
        alpha: numberIn(state, 'alpha'),
        beta: numberIn(state, 'beta'),
        damping: numberIn(state, 'damping'),
        gamma: numberIn(state, 'gamma'),
      },
      {
        level: numberIn(state, 'level'),
        trend: numberIn(state, 'trend'),
        season: figuresIn(state, 'season'),
      },
      ErrorGuard.restore(stateIn(state, 'guard')),
      countIn(state, 'phase'),
    );
  }
}

/** Which parts a candidate has. */
interface Form {
  readonly trend: 'none' | 'steady' | 'damped';
  /** Steps; 0 for none. */
  readonly season: number;
}

/** What is estimated: a form and its parameters. */
export interface EtsFit {
  readonly form: Form;
  readonly parameters: SmoothingParameters;
  /** As of {@link errorEdge}. */
  readonly edge: number;
}

/** The smoothing method alone, with automatic choice of its form. */
export const smoothingMethod: Method<EtsFit> = {
  estimate(values, context) {
    const [season] = seenSeasons(context.seasons, values.length);
    const seasons = season === undefined ? [0] : [0, season];
    const forms = seasons.flatMap((length) =>
      (['none', 'damped', 'steady'] as const).map((trend): Form => ({ trend, season: length })),
    );
    const edge = errorEdge(values);
    const fits = forms.map((form) => fitForm(values, form, edge));
    return fits.reduce((best, fit) => (fit.criterion < best.criterion ? fit : best));
  },
  run(values, _context, { form, parameters, edge }) {
    // A part of a series may hold less than the season that the whole one showed.
    const seen = values.length >= 2 * form.season ? form : { ...form, season: 0 };
    const recursion = new ExponentialSmoothing(parameters, startOf(values, seen), new ErrorGuard(edge));
    for (const value of values) recursion.step(value);
    return recursion;
  },
  restore: (state) => ExponentialSmoothing.restore(state),
};

/** The model kind `ets`. */
export const ETS: ModelKind = framedModel('ets', deseasonalisedMethod(smoothingMethod, SHORT_SEASON_MAX), {
  scale: scaleNamed('log'),
  minPoints: 4,
});

/** Estimates one form. `criterion` is comparable between forms on the same values. */
function fitForm(values: Float64Array, form: Form, edge: number): EtsFit & { readonly criterion: number } {
  const start = startOf(values, form);
  const searched: Parameter[] = [{ start: 0.3, min: 1e-4, max: 0.9999, step: 0.3 }];
  if (form.trend !== 'none') searched.push({ start: 0.05, min: 0, max: 1, step: 0.1 });
  if (form.trend === 'damped') searched.push({ start: 0.95, min: 0.8, max: 0.98, step: -0.05 });
  if (form.season > 0) searched.push({ start: 0.05, min: 0, max: 1, step: 0.1 });
  const read = (at: readonly number[]): SmoothingParameters => {
    const alpha = at[0] ?? 0;
    const hasTrend = form.trend !== 'none';
    return {
      alpha,
      beta: hasTrend ? alpha * (at[1] ?? 0) : 0,
      damping: form.trend === 'damped' ? (at[2] ?? 0) : hasTrend ? 1 : 0,
      gamma: form.season > 0 ? (1 - alpha) * (at[searched.length - 1] ?? 0) : 0,
    };
  };
  const found = minimise((at) => costOf(values, read(at), start, edge), searched);
  const count = values.length;
  // Smoothing parameters, starting states and the errors' variance.
  const states = searched.length + 1 + (form.trend === 'none' ? 0 : 1) + form.season + 1;
  const variance = Math.max(found.value / count, 1e-12);
  // Fewer values than states: only the plainest form stands.
  const plainest = form.trend === 'none' && form.season === 0;
  const free = count - states - 1;
  const penalty = free > 0 ? 2 * states + (2 * states * (states + 1)) / free : plainest ? 0 : Infinity;
  return { form, parameters: read(found.at), edge, criterion: count * Math.log(variance) + penalty };
}

function costOf(
  values: Float64Array,
  parameters: SmoothingParameters,
  start: SmoothingStart,
  edge: number,
): number {
  const guard = new ErrorGuard(edge);
  const recursion = new ExponentialSmoothing(parameters, start, guard);
  let sum = 0;
  for (const value of values) sum += guard.cost(recursion.step(value));
  return sum;
}

/** First states: the classical decomposition's season, and a line through the first values without it. */
function startOf(values: Float64Array, form: Form): SmoothingStart {
  const season =
    form.season === 0
      ? new Float64Array(0)
      : (seasonalProfiles(values, [form.season])[0]?.phases ?? new Float64Array(form.season));
  const count = Math.min(values.length, Math.max(START_VALUES, form.season));
  const first = values
    .subarray(0, count)
    .map((value, at) => value - (season.length === 0 ? 0 : (season[at % season.length] ?? 0)));
  const mean = first.reduce((sum, value) => sum + value, 0) / Math.max(1, count);
  if (form.trend === 'none') return { level: mean, trend: 0, season };
  const middle = (count - 1) / 2;
  let together = 0;
  let square = 0;
  first.forEach((value, at) => {
    together += (at - middle) * (value - mean);
    square += (at - middle) ** 2;
  });
  const trend = square === 0 ? 0 : together / square;
  return { level: mean - trend * (middle + 1), trend, season };
}

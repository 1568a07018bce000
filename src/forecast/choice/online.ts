/**
 * One step ahead, learning from every value, from nothing on: recursive regressions of several memories on the root
 * scale, averages and the last value, mixed by a hedge on absolute error. Some microseconds a step, a few kB a class.
 */
import type { FittedModel, Forecast, Interval, ModelKind, ModelState, SeriesContext } from '../model/model';
import { badState, figuresIn, numberIn, stateIn } from '../model/state';
import { setFigures, zeros } from '../numeric/figures';
import { RecursiveLeastSquares } from '../numeric/recursive-least-squares';
import { LARGEST_FIGURE } from '../scale';
import { QUANTILES, followQuantiles, quantileAt, startQuantiles } from './error-quantiles';
import { Hedge } from './hedge';
import { AVERAGE_GAINS, OnlineView } from './online-view';

/** The root of a count plus this has about the same variance at all levels (Anscombe, 1948). */
const ROOT_OFFSET = 0.375;
/** Errors are learnt from up to this many usual errors. */
const LEARNT_ERRORS = 3;
/** How fast the usual error follows, and how far one error draws it. */
const USUAL_GAIN = 0.01;
const USUAL_ERRORS = 6;
/** How fast the size of the last few errors follows. */
const RECENT_GAIN = 0.15;
/** Forecasts lie at most this many usual errors above everything seen of late. */
const ABOVE_ERRORS = 4;
const LEAST_ERROR = 1e-6;
/** Intervals of later steps are at most this many times as wide as the next one's. */
const WIDER_MAX = 4;

/** Which experts there are. */
interface OnlineOptions {
  /** The weight that a row keeps each step, for each regression on all columns. */
  readonly full: readonly number[];
  /** The same, for regressions on a few columns, which learn quicker. */
  readonly short: readonly number[];
  /** Whether averages and the last value are experts too. */
  readonly simple: boolean;
}

const root = (figure: number): number => Math.sqrt(figure + ROOT_OFFSET);
function figureOf(scaled: number): number {
  const figure = scaled > 0 ? scaled * scaled - ROOT_OFFSET : 0;
  if (!(figure > 0)) return 0;
  return figure > LARGEST_FIGURE ? LARGEST_FIGURE : figure;
}

class OnlineModel implements FittedModel {
  private readonly view: OnlineView;
  private readonly regressions: readonly RecursiveLeastSquares[];
  private readonly hedge: Hedge;
  /** The experts' forecasts of the next step: on the root scale, and as figures. */
  private readonly scaled: number[];
  private readonly figures: number[];
  private readonly quantiles = startQuantiles();
  /** The usual size of one-step errors, on the root scale. */
  private usual = 1;
  /** The same of the last few. */
  private recent = 1;

  constructor(
    private readonly name: string,
    private readonly seasons: readonly number[],
    private readonly options: OnlineOptions,
  ) {
    this.view = new OnlineView(seasons);
    this.regressions = [
      ...options.full.map((keep) => new RecursiveLeastSquares(this.view.full.length, keep)),
      ...options.short.map((keep) => new RecursiveLeastSquares(this.view.short.length, keep)),
    ];
    const experts = this.regressions.length + (options.simple ? AVERAGE_GAINS.length + 1 : 0);
    this.hedge = new Hedge(experts);
    this.scaled = zeros(experts);
    this.figures = zeros(experts);
    this.look();
  }

  update(value: number): void {
    const { view } = this;
    const next = root(this.nextFigure());
    if (!Number.isFinite(value)) {
      view.miss(next);
      this.look();
      return;
    }
    const raw = root(Math.min(LARGEST_FIGURE, Math.max(0, value)));
    const taken = view.bounded(raw, this.usual);
    if (view.taken > 0) this.learn(taken, next);
    view.take(taken, raw);
    this.look();
  }

  predict(horizon: number, levels: readonly number[]): Forecast {
    const mean = this.ahead(horizon);
    const intervals = levels.map((level): Interval => {
      const low = quantileAt(this.quantiles, (1 - level) / 2) * this.usual;
      const high = quantileAt(this.quantiles, (1 + level) / 2) * this.usual;
      const edge = (error: number, step: number): number =>
        figureOf(root(mean[step]!) + error * Math.min(WIDER_MAX, (1 + step) ** 0.25));
      return {
        level,
        lower: mean.map((figure, step) => Math.min(figure, edge(low, step))),
        upper: mean.map((figure, step) => Math.max(figure, edge(high, step))),
      };
    });
    return { mean, intervals };
  }

  save(): ModelState {
    return {
      kind: this.name,
      seasons: Float64Array.from(this.seasons),
      view: this.view.save(),
      regressions: this.regressions.map((regression) => ({
        coefficients: Float64Array.from(regression.coefficients),
        inverse: Float64Array.from(regression.inverse),
      })),
      hedge: this.hedge.save(),
      quantiles: Float64Array.from(this.quantiles),
      usual: this.usual,
      recent: this.recent,
    };
  }

  /** @throws TidegateError TG_FORECAST_BAD_STATE. */
  load(state: ModelState): void {
    this.view.load(stateIn(state, 'view'));
    const saved = state['regressions'];
    this.regressions.forEach((regression, index) => {
      const own = stateIn({ own: Array.isArray(saved) ? (saved[index] as unknown) : undefined }, 'own');
      setFigures(regression.coefficients, figuresIn(own, 'coefficients', regression.columns));
      setFigures(regression.inverse, figuresIn(own, 'inverse', regression.inverse.length));
    });
    this.hedge.load(stateIn(state, 'hedge'));
    setFigures(this.quantiles, figuresIn(state, 'quantiles', QUANTILES));
    this.usual = numberIn(state, 'usual');
    this.recent = numberIn(state, 'recent');
    this.look();
  }

  private nextFigure(): number {
    return this.view.taken === 0 ? 0 : this.hedge.mix(this.figures);
  }

  /** Makes the experts' forecasts of the next step. */
  private look(): void {
    const { view, scaled, figures, regressions, options } = this;
    view.write(this.usual, this.recent);
    const { level, lags, averages } = view;
    const highest = Math.max(lags[0]!, lags[1]!, lags[2]!, level, averages[3]!) + ABOVE_ERRORS * this.usual;
    for (let expert = 0; expert < regressions.length; expert += 1) {
      const row = expert < options.full.length ? view.full : view.short;
      const forecast = level + regressions[expert]!.forecast(row);
      scaled[expert] = forecast > 0 ? Math.min(highest, forecast) : 0;
    }
    let expert = regressions.length;
    if (options.simple) {
      for (const average of averages) scaled[expert++] = average;
      scaled[expert++] = view.last;
    }
    for (let at = 0; at < expert; at += 1) figures[at] = figureOf(scaled[at]!);
  }

  private learn(value: number, next: number): void {
    const { view, regressions, options, scaled } = this;
    const most = LEARNT_ERRORS * this.usual;
    for (let expert = 0; expert < regressions.length; expert += 1) {
      const row = expert < options.full.length ? view.full : view.short;
      const error = value - scaled[expert]!;
      regressions[expert]!.learn(row, error > most ? most : error < -most ? -most : error);
    }
    this.hedge.learn(this.figures, figureOf(value));
    const error = value - next;
    followQuantiles(this.quantiles, error / this.usual);
    const gain = Math.max(USUAL_GAIN, 1 / view.taken);
    const size = Math.min(Math.abs(error), USUAL_ERRORS * this.usual);
    this.usual = Math.max(LEAST_ERROR, this.usual + gain * (size - this.usual));
    this.recent += Math.max(RECENT_GAIN, gain) * (size - this.recent);
  }

  /** The next step as mixed; later ones drift to the average level, with the season's rises. */
  private ahead(horizon: number): Float64Array {
    const { view } = this;
    const mixed = this.nextFigure();
    const out = new Float64Array(horizon);
    if (horizon > 1) {
      const next = root(mixed);
      const season = view.seasons[view.seasons.length - 1];
      const first = season?.at(view.steps) ?? NaN;
      for (let step = 0; step < horizon; step += 1) {
        const rise = (season?.at(view.steps + step) ?? NaN) - first;
        out[step] = figureOf(next + (Number.isNaN(rise) ? 0 : rise));
      }
    }
    if (view.taken > 0 || horizon === 1) out[0] = mixed;
    return out;
  }
}

function onlineKind(name: string, options: OnlineOptions): ModelKind {
  const seasonsOf = (seasons: readonly number[]): readonly number[] =>
    seasons.filter((season) => Number.isSafeInteger(season) && season >= 2).slice(0, 2);
  return {
    name,
    minPoints: () => 0,
    fit(values: Float64Array, context: SeriesContext) {
      const model = new OnlineModel(name, seasonsOf(context.seasons), options);
      for (const value of values) model.update(value);
      return model;
    },
    restore(state) {
      if (state['kind'] !== name) throw badState(`it is not of the kind ${name}`);
      const seasons = Array.from(figuresIn(state, 'seasons'));
      if (seasonsOf(seasons).length !== seasons.length) throw badState('its seasons are not season lengths');
      const model = new OnlineModel(name, seasons, options);
      model.load(state);
      return model;
    },
  };
}

/** The product's choice for the next step. */
export const ONLINE: ModelKind = onlineKind('online', {
  full: [0.998, 0.9995, 0.99995],
  short: [0.99, 0.997],
  simple: true,
});

/** One recursive ridge regression by itself. */
export const RECURSIVE_RIDGE: ModelKind = onlineKind('recursive-ridge', {
  full: [0.9995],
  short: [],
  simple: false,
});

/**
 * Makes a model of a recursion: values are made whole and put on a scale, forecasts are brought back, bounded, and given
 * intervals from the recursion's errors on values that it had not seen.
 */
import { TidegateError } from '../../core/errors';
import { LARGEST_FIGURE, isScaleName, scaleNamed, scaledValues, type Scale } from '../scale';
import { absurdAbove, wholeSeries } from '../gaps';
import { HorizonErrors } from './horizon-errors';
import type { FittedModel, Forecast, Interval, ModelKind, ModelState, SeriesContext } from './model';
import type { Method, Recursion } from './recursion';
import { badState, numberIn, stateIn } from './state';

/** The part of a series, at its end, that errors are read from. */
const UNSEEN_PART = 0.25;
/** How fast the usual size of errors follows. */
const SPREAD_GAIN = 0.01;
/** Intervals are at most this many times wider, or narrower, than those of the fit. */
const SPREAD_RATIO_MAX = 3;
/** No forecast is beyond this many times the highest figure seen. */
const PEAK_TIMES = 4;

/** A {@link ModelKind} of a {@link Method}. */
export function framedModel<P>(
  name: string,
  method: Method<P>,
  options: { readonly scale: Scale; readonly minPoints: number },
): ModelKind {
  return {
    name,
    minPoints: () => options.minPoints,
    fit(values, context) {
      if (values.length < options.minPoints) {
        throw new TidegateError(
          'TG_FORECAST_TOO_SHORT',
          `${values.length} values: the model ${name} needs ${options.minPoints}`,
        );
      }
      return fitFramed({ name, method, scale: options.scale }, values, context);
    },
    restore: (state) => restoreFramed(name, method, state),
  };
}

interface Frame<P> {
  readonly name: string;
  readonly method: Method<P>;
  readonly scale: Scale;
}

function fitFramed<P>(frame: Frame<P>, values: Float64Array, context: SeriesContext): FittedModel {
  const { name, method, scale } = frame;
  const scaled = scaledValues(wholeSeries(values, context.seasons), scale);
  const parameters = method.estimate(scaled, context);
  const seen = scaled.length - Math.max(1, Math.floor(scaled.length * UNSEEN_PART));
  const errors = HorizonErrors.of(method.run(scaled.slice(0, seen), context, parameters), scaled.slice(seen));
  return new FramedModel(name, scale, method.run(scaled, context, parameters), errors, {
    largest: absurdAbove(values),
    peak: scaled.reduce((peak, value) => Math.max(peak, value), 0),
    spread: errors.usual,
  });
}

function restoreFramed<P>(name: string, method: Method<P>, state: ModelState): FittedModel {
  if (state['kind'] !== name) throw badState(`it is not of the kind ${name}`);
  const scale = state['scale'];
  if (!isScaleName(scale)) throw badState('scale is not known');
  return new FramedModel(
    name,
    scaleNamed(scale),
    method.restore(stateIn(state, 'recursion')),
    HorizonErrors.restore(stateIn(state, 'errors')),
    { largest: numberIn(state, 'largest'), peak: numberIn(state, 'peak'), spread: numberIn(state, 'spread') },
  );
}

/** What a framed model has seen besides its recursion's state. */
interface Seen {
  /** The figure above which the next value is bounded. */
  readonly largest: number;
  /** The highest value, on the scale. */
  readonly peak: number;
  /** The usual size of one-step errors of late, on the scale. */
  readonly spread: number;
}

class FramedModel implements FittedModel {
  private largest: number;
  private peak: number;
  private spread: number;

  constructor(
    private readonly name: string,
    private readonly scale: Scale,
    private readonly recursion: Recursion,
    private readonly errors: HorizonErrors,
    seen: Seen,
  ) {
    this.largest = seen.largest;
    this.peak = seen.peak;
    this.spread = seen.spread;
  }

  update(value: number): void {
    if (!Number.isFinite(value)) {
      this.recursion.step(NaN);
      return;
    }
    const scaled = this.scale.forward(Math.min(value, this.largest));
    // What stays beyond the bound is no slip: the bound follows it.
    if (value > this.largest) this.largest = Math.min(LARGEST_FIGURE, this.largest * 10);
    if (scaled > this.peak) this.peak = scaled;
    const error = Math.abs(this.recursion.step(scaled));
    const limit = this.errors.usual * SPREAD_RATIO_MAX * 2;
    if (Number.isFinite(error)) this.spread += SPREAD_GAIN * (Math.min(error, limit) - this.spread);
  }

  predict(horizon: number, levels: readonly number[]): Forecast {
    const ahead = this.recursion.ahead(horizon);
    const highest = this.scale.forward(this.scale.inverse(this.peak) * PEAK_TIMES);
    const bounded = (scaled: number): number =>
      Number.isNaN(scaled) ? 0 : this.scale.inverse(Math.min(highest, scaled));
    const wider = Math.min(SPREAD_RATIO_MAX, Math.max(1 / SPREAD_RATIO_MAX, this.spread / this.errors.usual));
    const edge = (probability: number, within: (figure: number, mean: number) => number): Float64Array =>
      this.errors
        .quantiles(probability, horizon)
        .map((error, step) => within(bounded((ahead[step] ?? 0) + error * wider), bounded(ahead[step] ?? 0)));
    const intervals = levels.map((level): Interval => ({
      level,
      lower: edge((1 - level) / 2, Math.min),
      upper: edge((1 + level) / 2, Math.max),
    }));
    return { mean: ahead.map(bounded), intervals };
  }

  save(): ModelState {
    return {
      kind: this.name,
      scale: this.scale.name,
      recursion: this.recursion.save(),
      errors: this.errors.save(),
      largest: this.largest,
      peak: this.peak,
      spread: this.spread,
    };
  }
}

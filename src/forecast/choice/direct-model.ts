/** A fitted direct forecaster: one linear forecast for each scale and horizon, over the last values, which it keeps. */
import type { FittedModel, Forecast, Interval, ModelState } from '../model/model';
import { PhasePanel, panelColumns, panelReach, type PanelShape } from '../model/phase-panel';
import {
  badState,
  countIn,
  figuresIn,
  isFloat32Array,
  numberIn,
  singleFiguresIn,
  stateIn,
} from '../model/state';
import { wholeSeries } from '../gaps';
import { LARGEST_FIGURE, isScaleName, scaleNamed, scaledValues, type Scale } from '../scale';
import type { LinearForecast } from './horizon-fit';
import { SpreadTable } from './spread-table';

/** No forecast is beyond this many times the highest figure of late. */
const PEAK_TIMES = 4;
/** Part of the values kept that may be there in excess before the oldest are dropped. */
const SLACK = 0.125;

/** One scale's forecasts. */
export interface ScaleForecasts {
  readonly scale: Scale;
  /** The horizons fitted, steps, ascending. */
  readonly aheads: Float64Array;
  /** Each horizon's part that is the last value itself. */
  readonly naive: Float64Array;
  /** Each horizon's coefficients, one after the other. */
  readonly coefficients: Float32Array;
}

/** Puts fitted forecasts together. */
export function scaleForecasts(
  scale: Scale,
  aheads: readonly number[],
  linears: readonly LinearForecast[],
): ScaleForecasts {
  return {
    scale,
    aheads: Float64Array.from(aheads),
    naive: Float64Array.from(linears, (linear) => linear.naive),
    coefficients: Float32Array.from(linears.flatMap((linear) => [...linear.coefficients])),
  };
}

/** What a direct model is made of. */
export interface DirectParts {
  readonly kind: string;
  readonly shape: PanelShape;
  /** The last values, gaps as NaN; single precision, since ten thousand classes keep theirs. */
  readonly values: Float32Array;
  readonly scales: readonly ScaleForecasts[];
  readonly spread: SpreadTable;
}

/** See {@link DirectParts}. */
export class DirectModel implements FittedModel {
  private shape: PanelShape;
  private values: Float32Array;
  private count: number;
  private readonly keep: number;
  /** Without the values that it was made with, of which the oldest are dropped. */
  private readonly parts: Omit<DirectParts, 'values'>;

  constructor({ values, ...parts }: DirectParts) {
    this.parts = parts;
    this.shape = parts.shape;
    this.keep = panelReach(parts.shape);
    this.values = values;
    this.count = values.length;
    this.dropOld();
  }

  update(value: number): void {
    if (this.count === this.values.length) this.dropOld();
    this.values[this.count] = Number.isFinite(value) ? Math.min(LARGEST_FIGURE, Math.max(0, value)) : NaN;
    this.count += 1;
  }

  predict(horizon: number, levels: readonly number[]): Forecast {
    const known = Float64Array.from(this.values.subarray(0, this.count));
    const whole = wholeSeries(known, this.parts.shape.season > 0 ? [this.parts.shape.season] : []);
    const highest = Math.min(
      LARGEST_FIGURE,
      PEAK_TIMES * whole.reduce((peak, value) => Math.max(peak, value), 0),
    );
    const bounded = (figure: number): number => (figure > 0 ? Math.min(highest, figure) : 0);
    const mean = new Float64Array(horizon);
    for (const part of this.parts.scales) {
      const scaled = scaledValues(whole, part.scale);
      const ahead = aheadOf(part, scaled, this.shape, horizon);
      for (let step = 0; step < horizon; step += 1) {
        mean[step]! += bounded(part.scale.inverse(ahead[step]!)) / this.parts.scales.length;
      }
    }
    return { mean, intervals: levels.map((level) => this.intervalOf(mean, level, highest)) };
  }

  save(): ModelState {
    const { kind, scales, spread } = this.parts;
    return {
      kind,
      startMs: this.shape.startMs,
      stepMs: this.shape.stepMs,
      season: this.shape.season,
      longSeason: this.shape.longSeason,
      values: this.values.slice(0, this.count),
      scales: scales.map((part) => ({
        scale: part.scale.name,
        aheads: part.aheads.slice(),
        naive: part.naive.slice(),
        coefficients: part.coefficients.slice(),
      })),
      spread: spread.save(),
    };
  }

  private intervalOf(mean: Float64Array, level: number, highest: number): Interval {
    const { spread } = this.parts;
    const edge = (probability: number): Float64Array =>
      mean.map((figure, step) => {
        const error = spread.empty ? 0 : spread.quantile(probability, step + 1);
        const root = Math.sqrt(figure) + error;
        return root > 0 ? Math.min(highest, root * root) : 0;
      });
    const lower = edge((1 - level) / 2).map((figure, step) => Math.min(figure, mean[step]!));
    const upper = edge((1 + level) / 2).map((figure, step) => Math.max(figure, mean[step]!));
    return { level, lower, upper };
  }

  /** Makes room, dropping what rows no longer read. */
  private dropOld(): void {
    const drop = Math.max(0, this.count - this.keep);
    const kept = this.values.subarray(drop, this.count);
    const values = new Float32Array(kept.length + Math.ceil(this.keep * SLACK));
    values.set(kept);
    this.values = values;
    this.count = kept.length;
    this.shape = { ...this.shape, startMs: this.shape.startMs + drop * this.shape.stepMs };
  }
}

/** Reads a saved model. @throws TidegateError TG_FORECAST_BAD_STATE. */
export function restoreDirect(kind: string, state: ModelState): FittedModel {
  if (state['kind'] !== kind) throw badState(`it is not of the kind ${kind}`);
  const shape: PanelShape = {
    startMs: numberIn(state, 'startMs'),
    stepMs: countIn(state, 'stepMs', 1),
    season: countIn(state, 'season'),
    longSeason: countIn(state, 'longSeason'),
  };
  const values = state['values'];
  if (!isFloat32Array(values) || values.length === 0) throw badState('values are not there');
  const scales = state['scales'];
  if (!Array.isArray(scales) || scales.length === 0) throw badState('scales are not there');
  return new DirectModel({
    kind,
    shape,
    values: values.slice(),
    scales: scales.map((part: ModelState) => restoreScale(part, panelColumns(shape))),
    spread: SpreadTable.restore(stateIn(state, 'spread')),
  });
}

function restoreScale(state: ModelState, columns: number): ScaleForecasts {
  const scale = state['scale'];
  if (!isScaleName(scale)) throw badState('a scale is not known');
  const aheads = figuresIn(state, 'aheads');
  const naive = figuresIn(state, 'naive', aheads.length);
  const coefficients = singleFiguresIn(state, 'coefficients');
  if (aheads.length === 0 || coefficients.length !== aheads.length * columns) {
    throw badState('coefficients are not there');
  }
  return { scale: scaleNamed(scale), aheads, naive, coefficients };
}

/** Forecasts of steps 1 to `horizon` on the scale; between fitted horizons by the logarithm of time. */
function aheadOf(
  part: ScaleForecasts,
  scaled: Float64Array,
  shape: PanelShape,
  horizon: number,
): Float64Array {
  const panel = new PhasePanel(scaled, shape);
  const now = panel.points - 1;
  const last = scaled[now]!;
  const cells = new Float64Array(panel.columns);
  const { aheads, naive, coefficients } = part;
  const out = new Float64Array(horizon);
  let row = 0;
  for (let ahead = 1; ahead <= horizon; ahead += 1) {
    while (row + 1 < aheads.length && aheads[row + 1]! <= ahead) row += 1;
    const usual = panel.write(now, ahead, cells, 0);
    const forecast = (which: number): number => {
      const from = which * cells.length;
      let sum = usual;
      for (let column = 0; column < cells.length; column += 1)
        sum += coefficients[from + column]! * cells[column]!;
      return (1 - naive[which]!) * sum + naive[which]! * last;
    };
    const from = aheads[row]!;
    const near = forecast(row);
    const next = aheads[row + 1];
    out[ahead - 1] =
      next === undefined || ahead <= from
        ? near
        : near + ((forecast(row + 1) - near) * Math.log(ahead / from)) / Math.log(next / from);
  }
  return out;
}

/**
 * What the product forecasts a class with. The direct forecasts: on the log and the root scale, ridge regressions of
 * several penalties, usual phases with a fading level, and the naive forecasts are tried on blocks of the training
 * values that they were not solved from, and blended, horizon by horizon, by what did better there; intervals come from
 * the blend's errors in that trial. Two other families support them, unless they were worse than the naive forecasts.
 */
import { TidegateError } from '../../core/errors';
import { wholeSeries } from '../gaps';
import type { ModelKind, SeriesContext } from '../model/model';
import { MSTL } from '../model/mstl';
import { panelShape } from '../model/phase-panel';
import { THETA } from '../model/theta';
import { scaleNamed, type ScaleName } from '../scale';
import { fitDirect, rowStride, type FittedHorizon } from './direct-fit';
import { DirectModel, restoreDirect, scaleForecasts } from './direct-model';
import { supportedKind, type LeaderKind, type TriedModel } from './supported';
import { SpreadTable, type HorizonSample } from './spread-table';
import type { LeaderTrial } from './supporter-trial';

/** What a direct kind is made of. */
export interface DirectKindOptions {
  readonly scales: readonly ScaleName[];
  /** Penalties of its regressions, as parts of each column's sum of squares. */
  readonly penalties: readonly number[];
}

/** What came at the targets of a trial. */
interface TrialActual {
  readonly actual: Float64Array;
}

/** A kind that forecasts each horizon directly. */
export function directKind(name: string, options: DirectKindOptions): LeaderKind {
  const fitTried = (values: Float64Array, context: SeriesContext): TriedModel => {
    if (values.length === 0) {
      throw new TidegateError('TG_FORECAST_TOO_SHORT', `no values: the model ${name} needs one`);
    }
    return fitKind(name, options, values, context);
  };
  return {
    name,
    minPoints: () => 1,
    fitTried,
    fit: (values, context) => fitTried(values, context).model,
    restore: (state) => restoreDirect(name, state),
  };
}

/** The direct forecasts by themselves. */
export const DIRECT: LeaderKind = directKind('direct', {
  scales: ['log', 'sqrt'],
  penalties: [0.1, 0.3, 1, 3],
});

/** The product's choice: the direct forecasts, drawn to those of two other families. */
export const DEFAULT: ModelKind = supportedKind('default', DIRECT, [THETA, MSTL]);

/** The direct ridge regression by itself. */
export const RIDGE: ModelKind = directKind('ridge', { scales: ['log'], penalties: [0.3] });

function fitKind(
  kind: string,
  options: DirectKindOptions,
  values: Float64Array,
  context: SeriesContext,
): TriedModel {
  const shape = panelShape(context, values.length);
  const whole = wholeSeries(values, shape.season > 0 ? context.seasons : []);
  const fits = options.scales.map((scale) => ({
    scale: scaleNamed(scale),
    horizons: fitDirect(whole, context, { scale: scaleNamed(scale), penalties: options.penalties }),
  }));
  const trial = trialOf(fits.map((fit) => fit.horizons));
  const model = new DirectModel({
    kind,
    shape,
    values: Float32Array.from(values, (value) => (Number.isFinite(value) ? Math.max(0, value) : NaN)),
    scales: fits.map(({ scale, horizons }) =>
      scaleForecasts(
        scale,
        horizons.map(({ ahead }) => ahead),
        horizons.map(({ linear }) => linear),
      ),
    ),
    spread: SpreadTable.of(samplesOf(trial)),
  });
  return { model, trial, stride: rowStride(whole.length) };
}

/** What the scales' mean forecasts were in the trial. */
function trialOf(fits: readonly (readonly FittedHorizon[])[]): readonly (LeaderTrial & TrialActual)[] {
  return (fits[0] ?? []).map(({ ahead, actual, made }, row) => ({
    ahead,
    made,
    actual,
    forecasts: actual.map(
      (_, at) => fits.reduce((sum, horizons) => sum + horizons[row]!.forecasts[at]!, 0) / fits.length,
    ),
  }));
}

function samplesOf(trial: readonly (LeaderTrial & TrialActual)[]): readonly HorizonSample[] {
  return trial.map(({ ahead, made, forecasts, actual }) => {
    const span = (made[made.length - 1] ?? 0) - (made[0] ?? 0) + 1;
    return {
      ahead,
      errors: actual.map((value, at) => Math.sqrt(value) - Math.sqrt(forecasts[at]!)),
      independent: Math.max(1, span / ahead),
    };
  });
}

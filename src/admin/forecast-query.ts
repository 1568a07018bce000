/** Reads the query and bodies of the forecast API, with a bound on everything. */
import { TidegateError } from '../core/errors';
import { ACCURACY_MEASURES, type ForecastAsks } from '../core/forecast-desk';
import { HORIZONS, LEVELS } from '../core/forecasts';
import { COUNTS, RESOURCES, type ClassKind, type FigureName } from '../core/observation';
import type { RESOLUTIONS_MS } from '../core/series';
import { bad, bodyOf, instant, oneOf, pageOf, parametersOf, required, single } from './query';

const KINDS: readonly ClassKind[] = ['rule', 'key', 'service', 'tenant', 'signal'];
const FIGURES: readonly FigureName[] = [...COUNTS, ...RESOURCES, 'level'];
const RESOLUTIONS: Readonly<Record<string, (typeof RESOLUTIONS_MS)[number]>> = {
  '1s': 1_000,
  '10s': 10_000,
  '1m': 60_000,
  '10m': 600_000,
};

type Ask<N extends keyof ForecastAsks> = ForecastAsks[N]['ask'];

/** @throws TidegateError TG_ADMIN_BAD_REQUEST, as all of this file. */
export function readClassesQuery(url: string): Ask<'classes'> {
  const parameters = parametersOf(url, ['kind', 'search', 'offset', 'limit']);
  const kind = oneOf(parameters, 'kind', KINDS);
  const search = single(parameters, 'search');
  return {
    ...pageOf(parameters),
    ...(kind === undefined ? {} : { kind }),
    ...(search === undefined ? {} : { search }),
  };
}

/** Which steps of which series. */
export function readSeriesQuery(url: string): Ask<'series'> {
  const parameters = parametersOf(url, ['class', 'figure', 'resolution', 'from', 'to']);
  const fromMs = instant(parameters, 'from');
  const toMs = instant(parameters, 'to');
  return {
    classId: required(parameters, 'class'),
    figure: oneOf(parameters, 'figure', FIGURES) ?? 'hits',
    resolutionMs: RESOLUTIONS[oneOf(parameters, 'resolution', Object.keys(RESOLUTIONS)) ?? '1m'] ?? 60_000,
    ...(fromMs === undefined ? {} : { fromMs }),
    ...(toMs === undefined ? {} : { toMs }),
  };
}

/** Which forecast. */
export function readPredictionsQuery(url: string): Ask<'prediction'> {
  const parameters = parametersOf(url, ['class', 'figure', 'horizon', 'level']);
  const level = oneOf(parameters, 'level', LEVELS.map(String));
  return {
    classId: required(parameters, 'class'),
    figure: oneOf(parameters, 'figure', FIGURES) ?? 'hits',
    horizon: oneOf(parameters, 'horizon', HORIZONS) ?? '1h',
    level: Number(level ?? LEVELS[0]),
  };
}

/** A page, of one class or of all. */
export function readAccuracyQuery(url: string): Ask<'accuracy'> {
  const parameters = parametersOf(url, ['class', 'offset', 'limit']);
  const classId = single(parameters, 'class');
  return { ...pageOf(parameters), ...(classId === undefined ? {} : { classId }) };
}

/** Which measure of accuracy, of which class, over which time. */
export function readAccuracyHistoryQuery(url: string): Ask<'accuracyHistory'> {
  const parameters = parametersOf(url, ['class', 'horizon', 'measure', 'from', 'to']);
  const fromMs = instant(parameters, 'from');
  const toMs = instant(parameters, 'to');
  return {
    classId: required(parameters, 'class'),
    horizon: oneOf(parameters, 'horizon', HORIZONS) ?? '1h',
    measure: oneOf(parameters, 'measure', ACCURACY_MEASURES) ?? 'maeRatio',
    ...(fromMs === undefined ? {} : { fromMs }),
    ...(toMs === undefined ? {} : { toMs }),
  };
}

/** A page, of one class or of all, since an instant. */
export function readAnomaliesQuery(url: string): Ask<'anomalies'> {
  const parameters = parametersOf(url, ['class', 'since', 'offset', 'limit']);
  const classId = single(parameters, 'class');
  const sinceMs = instant(parameters, 'since');
  return {
    ...pageOf(parameters),
    ...(classId === undefined ? {} : { classId }),
    ...(sinceMs === undefined ? {} : { sinceMs }),
  };
}

/** The class whose models are asked for. */
export function readModelsQuery(url: string): Ask<'models'> {
  return { classId: required(parametersOf(url, ['class']), 'class') };
}

/** To which version a class's model is to go back. */
export function readRollbackBody(body: unknown): Ask<'rollback'> {
  const { class: classId, scale, version } = bodyOf(body, ['class', 'scale', 'version']);
  if (typeof classId !== 'string' || classId === '') throw bad("the body has no 'class'");
  if (scale !== 'fine' && scale !== 'coarse') throw bad("'scale' is neither fine nor coarse");
  if (typeof version !== 'number' || !Number.isSafeInteger(version) || version < 1)
    throw bad("'version' is not a whole number from 1", 'see /api/v1/models for the versions there are');
  return { classId, scale, version };
}

/** Which class is to be fitted anew; all of them when none is named. */
export function readRefitBody(body: unknown): Ask<'refit'> {
  const { class: classId } = bodyOf(body, ['class']);
  if (classId === undefined) return {};
  if (typeof classId !== 'string' || classId === '')
    throw new TidegateError('TG_ADMIN_BAD_REQUEST', "'class' is not a class's id");
  return { classId };
}

/** The models that can be named in a backtest. */
import { nearest } from '../../config/nearest';
import { TidegateError } from '../../core/errors';
import { MODEL_KINDS } from '../../forecast/choice/kinds';
import type { ModelKind } from '../../forecast/model/model';

/** What the product forecasts with: chosen at each origin from what is known then; one step ahead, {@link ONLINE_MODEL}. */
export const DEFAULT_MODEL = 'default';
/** What the product forecasts one step ahead with. */
export const ONLINE_MODEL = 'online';
/** Models that take a step in well under a millisecond: a whole series of them is a matter of seconds. */
const QUICK_MODELS = [
  'naive',
  'seasonal-naive',
  'recursive-ridge',
  'ets',
  'theta',
  'holt-winters',
  ONLINE_MODEL,
];

/** The names of all models, the default among them, in the order they are shown in. */
export function modelNames(): readonly string[] {
  return [...MODEL_KINDS.keys()];
}

/** The names of those that an online run takes when none are named. */
export function onlineModelNames(): readonly string[] {
  return modelNames().filter((name) => QUICK_MODELS.includes(name));
}

/** @throws TidegateError TG_FORECAST_UNKNOWN_MODEL, with the nearest name. */
export function modelNamed(name: string): ModelKind {
  const kind = MODEL_KINDS.get(name);
  if (kind !== undefined) return kind;
  const known = modelNames();
  const near = nearest(name, known);
  const hint = near === undefined ? '' : `; did you mean '${near}'?`;
  throw new TidegateError('TG_FORECAST_UNKNOWN_MODEL', `there is no model '${name}'${hint}`, {
    remedy: `the models are ${known.join(', ')}`,
  });
}

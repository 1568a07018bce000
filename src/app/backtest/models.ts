/** The models that can be named in a backtest. */
import { nearest } from '../../config/nearest';
import { TidegateError } from '../../core/errors';
import { MODEL_KINDS } from '../../forecast/choice/kinds';
import type { ModelKind } from '../../forecast/model/model';

/** What the product forecasts with: chosen at each origin from what is known then. */
export const DEFAULT_MODEL = 'default';

const ONLINE_MODELS = ['naive', 'seasonal-naive', 'recursive-ridge', 'ets', 'holt-winters', 'online'];

/** The names of all models, in the order they are shown in. */
export function modelNames(): readonly string[] {
  return [...MODEL_KINDS.keys()];
}

/** The models that take a step in well under a millisecond, so that running them over a whole series is a matter of seconds. */
export function onlineModelNames(): readonly string[] {
  const quick: ReadonlySet<string> = new Set(ONLINE_MODELS);
  return modelNames().filter((name) => quick.has(name));
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

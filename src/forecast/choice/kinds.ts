/** Every kind of model by its name: what backtests, settings and saved models name. */
import { DEFAULT, RIDGE } from './default';
import { arima } from '../model/arima';
import { NAIVE, SEASONAL_NAIVE } from '../model/naive';
import type { ModelKind } from '../model/model';

const KINDS: readonly ModelKind[] = [NAIVE, SEASONAL_NAIVE, RIDGE, arima, DEFAULT];

/** All kinds, the simplest first. */
export const MODEL_KINDS: ReadonlyMap<string, ModelKind> = new Map(KINDS.map((kind) => [kind.name, kind]));

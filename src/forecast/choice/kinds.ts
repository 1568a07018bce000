/** Every kind of model by its name: what backtests, settings and saved models name. */
import { DEFAULT, DIRECT, RIDGE } from './default';
import { medianEnsemble } from './median-ensemble';
import { ONLINE, RECURSIVE_RIDGE } from './online';
import { ARIMA } from '../model/arima';
import { ETS } from '../model/ets';
import { HOLT_WINTERS, HOLT_WINTERS_ADDITIVE, HOLT_WINTERS_MULTIPLICATIVE } from '../model/holt-winters';
import { MSTL } from '../model/mstl';
import { LSTM } from '../model/lstm';
import { NAIVE, SEASONAL_NAIVE } from '../model/naive';
import { PROPHET } from '../model/prophet';
import { THETA } from '../model/theta';
import type { ModelKind } from '../model/model';

/** What the models of different families agree on. */
const MEDIAN_ENSEMBLE: ModelKind = medianEnsemble('median-ensemble', [ETS, THETA, HOLT_WINTERS, MSTL, RIDGE]);

const KINDS: readonly ModelKind[] = [
  NAIVE,
  SEASONAL_NAIVE,
  ETS,
  THETA,
  HOLT_WINTERS,
  HOLT_WINTERS_ADDITIVE,
  HOLT_WINTERS_MULTIPLICATIVE,
  MSTL,
  PROPHET,
  RIDGE,
  RECURSIVE_RIDGE,
  ARIMA,
  LSTM,
  MEDIAN_ENSEMBLE,
  DIRECT,
  DEFAULT,
  ONLINE,
];

/** All kinds, the simplest first. */
export const MODEL_KINDS: ReadonlyMap<string, ModelKind> = new Map(KINDS.map((kind) => [kind.name, kind]));

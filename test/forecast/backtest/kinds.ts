/** Kinds of models for tests of backtests. */
import type { FittedModel, ModelKind, SeriesContext } from '../../../src/forecast/model/model';

/** Forecasts the last value, with bounds `reach` below and above it; tells what it was shown. */
export function spyKind(
  reach: (level: number) => number,
  shown: (values: Float64Array, context: SeriesContext) => void = () => undefined,
): ModelKind {
  return {
    name: 'spy',
    minPoints: () => 1,
    fit(values, context): FittedModel {
      shown(values, context);
      let last = values.at(-1) ?? 0;
      return {
        update: (value) => {
          last = value;
        },
        predict: (horizon, levels) => {
          const mean = new Float64Array(horizon).fill(last);
          return {
            mean,
            intervals: levels.map((level) => ({
              level,
              lower: mean.map((value) => Math.max(0, value - reach(level))),
              upper: mean.map((value) => value + reach(level)),
            })),
          };
        },
        save: () => ({}),
      };
    },
    restore: () => {
      throw new Error('it is not kept');
    },
  };
}

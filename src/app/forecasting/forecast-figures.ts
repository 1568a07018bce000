/** The forecasts of the busiest classes as figures for other systems. */
import type { ForecastFigures } from '../../core/forecasts';
import type { ForecastFigure } from '../../history/otlp-metrics';

/** Means and bounds of every class and horizon. */
export function* forecastFigures({ classes }: Pick<ForecastFigures, 'classes'>): Iterable<ForecastFigure> {
  for (const { id: classId, horizons } of classes) {
    for (const { horizon, ratePerS, levels } of horizons) {
      yield { classId, horizon, bound: 'mean', value: ratePerS };
      for (const { level, lower, upper } of levels) {
        const percent = Math.round(level * 100);
        yield { classId, horizon, bound: `lower${percent}`, value: lower };
        yield { classId, horizon, bound: `upper${percent}`, value: upper };
      }
    }
  }
}

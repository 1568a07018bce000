/** Answers asks where nothing is kept or forecast. */
import type { ForecastDesk } from '../../core/forecast-desk';
import { TidegateError } from '../../core/errors';

/** Refuses every ask with TG_FORECAST_OFF. */
export const deskOff: ForecastDesk = {
  ask: async () => {
    throw new TidegateError('TG_FORECAST_OFF', 'history and forecasts are off');
  },
};

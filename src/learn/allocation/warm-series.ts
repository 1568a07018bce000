/** Forecasters that have seen a service's train days up to some hour: where an episode may begin. Plain data, structured-cloneable. */
import { ONLINE } from '../../forecast/choice/online';
import type { ModelState } from '../../forecast/model/model';
import { seededRandom } from '../../forecast/numeric/random';
import { poisson } from '../../simulate/arrivals';
import { shapedPart } from '../../simulate/demand';
import { DAY_MINUTES, MINUTE_MS, partMinutes, type Scenario } from '../../simulate/scenario';

/** Between two beginnings, minutes. */
const EVERY_MINUTES = 60;
/** Minutes until a forecaster has learned enough to be of use; at most this part of what there is. */
const WARM_MINUTES = DAY_MINUTES;
const WARM_PART = 0.4;
const MINUTE_S = 60;

/** A service's train days. */
export interface WarmSeries {
  /** By the minute, over its own mean. */
  readonly shape: Float64Array;
  /** Minutes of it at which an episode may begin, and the forecaster at each, as of mean demand `meanPerS`. */
  readonly starts: readonly number[];
  readonly states: readonly ModelState[];
  readonly meanPerS: number;
}

/**
 * Warms a service's forecaster through its train days.
 * @param service its index. @returns undefined when the trace asks for nothing there.
 */
export function warmSeries(
  scenario: Pick<Scenario, 'trainDays' | 'testDays' | 'totalPerS' | 'services' | 'arrivals' | 'seed'>,
  service: number,
): WarmSeries | undefined {
  const row = scenario.services[service];
  const minutes = partMinutes(scenario, 'train');
  const shape = row === undefined || minutes < 1 ? undefined : shapedPart(row, 0, minutes);
  if (row === undefined || shape === undefined) return undefined;
  const meanPerS = row.share * scenario.totalPerS;
  const random = seededRandom(scenario.seed + service + 1);
  const seasons = [DAY_MINUTES, 7 * DAY_MINUTES].filter((season) => minutes >= season);
  const context = { startMs: 0, stepMs: MINUTE_MS, seasons, seed: scenario.seed };
  const model = ONLINE.fit(new Float64Array(0), context);
  const first = Math.floor(Math.min(WARM_MINUTES, minutes * WARM_PART) / EVERY_MINUTES) * EVERY_MINUTES;
  const starts: number[] = [];
  const states: ModelState[] = [];
  for (let minute = 0; minute < minutes; minute += 1) {
    if (minute >= first && minute % EVERY_MINUTES === 0) {
      starts.push(minute);
      states.push(model.save());
    }
    const mean = shape[minute]! * meanPerS * MINUTE_S;
    model.update(scenario.arrivals === 'even' ? mean : poisson(mean, random));
  }
  return { shape, starts, states, meanPerS };
}

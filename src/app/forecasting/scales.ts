/** The two scales that classes are forecast at, from the settings. */
import type { Settings } from '../../config/settings-shape';
import { parseDurationUs } from '../../core/duration';
import { HORIZON_STEPS } from '../../core/forecasts';
import type { ScaleOptions } from '../../forecast/forecast-track';
import type { ForecastScale } from '../../forecast/learning/fit-queue';
import type { Holiday, ModelKind } from '../../forecast/model/model';

/** What is settled by the settings. */
export type ForecastSettings = Settings['forecast'];

const DAY_MS = 86_400_000;
/** How much history each scale keeps, and so how long a season it can see twice. */
const KEPT_MS: Readonly<Record<ForecastScale, number>> = { fine: 3 * DAY_MS, coarse: 60 * DAY_MS };
const SEED = 1;
/** A model of its own is worth while from these spans on. */
const MILESTONES_MS: Readonly<Record<ForecastScale, readonly number[]>> = {
  fine: [DAY_MS / 4, 2 * DAY_MS],
  coarse: [DAY_MS / 4, DAY_MS, 2 * DAY_MS, 7 * DAY_MS, 14 * DAY_MS, 28 * DAY_MS],
};
/** After a drift a fit waits for as long, to have seen what is now usual. */
const DRIFT_SETTLE_MS: Readonly<Record<ForecastScale, number>> = { fine: 3_600_000, coarse: 14_400_000 };

/** @param kinds all kinds of model; `online` and `default` are among them. */
export function scalesOf(
  settings: ForecastSettings,
  kinds: ReadonlyMap<string, ModelKind>,
): Readonly<Record<ForecastScale, ScaleOptions>> {
  const scale = (name: ForecastScale, horizons: readonly number[], kind: string): ScaleOptions => {
    const { stepMs } = HORIZON_STEPS[name === 'fine' ? '1m' : '1h'];
    const steps = (spansMs: readonly number[]): readonly number[] => spansMs.map((span) => span / stepMs);
    return {
      stepMs,
      seasons: seasonsOf(settings, KEPT_MS[name]).map((season) => season / stepMs),
      horizons,
      starter: named(kinds, 'online'),
      kind: named(kinds, kind),
      kinds,
      milestones: steps(MILESTONES_MS[name]),
      driftSettle: DRIFT_SETTLE_MS[name] / stepMs,
      // Both scales flag: each gets half of the budget.
      falseAlarmsPerDay: settings.anomaliesPerDay / 2,
      adoptAfterMs: settings.learnAfterMs,
      seed: SEED,
      holidays: holidaysOf(settings),
    };
  };
  const hour = HORIZON_STEPS['1h'].steps;
  const day = HORIZON_STEPS['1d'].steps;
  return { fine: scale('fine', [1], 'online'), coarse: scale('coarse', [1, hour, day], 'default') };
}

/** Seasons that fit twice into what is kept, ms, ascending. */
function seasonsOf(settings: ForecastSettings, keptMs: number): readonly number[] {
  return settings.seasons
    .map((text) => (parseDurationUs(text) ?? 0) / 1_000)
    .filter((season) => season > 0 && 2 * season <= keptMs)
    .sort((a, b) => a - b);
}

function holidaysOf(settings: ForecastSettings): readonly Holiday[] {
  return settings.holidays.map(({ name, from, to }) => ({
    name,
    startMs: Date.parse(from),
    endMs: Date.parse(to) + DAY_MS,
  }));
}

function named(kinds: ReadonlyMap<string, ModelKind>, name: string): ModelKind {
  const kind = kinds.get(name) ?? kinds.get('naive');
  if (kind === undefined) throw new Error(`there is no model kind ${name}`);
  return kind;
}

/**
 * Whether a forecast crosses a threshold, without flapping: it begins with the first forecast over the threshold, and
 * ends when as many forecasts in a row stay under it as `CALM_FORECASTS`.
 */

/** Forecasts under the threshold that end an alert. */
export const CALM_FORECASTS = 3;

/** The state of one threshold. */
export interface ThresholdState {
  readonly active: boolean;
  /** When it began, Unix ms; null while it is not active. */
  readonly sinceMs: number | null;
  /** Forecasts under the threshold in a row, while active. */
  readonly calm: number;
}

/** A threshold that nothing has crossed. */
export const QUIET: ThresholdState = { active: false, sinceMs: null, calm: 0 };

/** What a look at a forecast gives. */
export interface ThresholdLook {
  readonly state: ThresholdState;
  readonly change: 'begins' | 'ends' | undefined;
  /** The highest of the values; null when there is none. */
  readonly peak: number | null;
  /** The index of the first value over the threshold; -1 when there is none. */
  readonly firstOver: number;
}

/**
 * Holds a forecast against a threshold.
 * @param values the forecast, step by step; those that are not finite are passed over. Without any the state stays.
 */
export function lookAt(
  values: readonly number[],
  above: number,
  nowMs: number,
  before: ThresholdState,
): ThresholdLook {
  const known = values.filter((value) => Number.isFinite(value));
  if (known.length === 0) return { state: before, change: undefined, peak: null, firstOver: -1 };
  const peak = known.reduce((highest, value) => Math.max(highest, value), -Infinity);
  const firstOver = values.findIndex((value) => value > above);
  if (firstOver >= 0) {
    const state = { active: true, sinceMs: before.sinceMs ?? nowMs, calm: 0 };
    return { state, change: before.active ? undefined : 'begins', peak, firstOver };
  }
  if (!before.active) return { state: QUIET, change: undefined, peak, firstOver };
  const calm = before.calm + 1;
  if (calm >= CALM_FORECASTS) return { state: QUIET, change: 'ends', peak, firstOver };
  return { state: { ...before, calm }, change: undefined, peak, firstOver };
}

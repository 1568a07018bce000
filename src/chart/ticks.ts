/** Where an axis is marked, and what stands there. */

/** One mark of an axis. */
export interface Tick {
  readonly at: number;
  readonly label: string;
}

const SECOND_MS = 1_000;
const MINUTE_MS = 60 * SECOND_MS;
const HOUR_MS = 60 * MINUTE_MS;
const DAY_MS = 24 * HOUR_MS;

/** Distances of marks on an axis of time, ms. */
const TIME_STEPS_MS: readonly number[] = [
  ...[1, 2, 5, 10, 15, 30].map((count) => count * SECOND_MS),
  ...[1, 2, 5, 10, 15, 30].map((count) => count * MINUTE_MS),
  ...[1, 2, 3, 6, 12].map((count) => count * HOUR_MS),
  ...[1, 2, 7, 14, 28, 91, 182, 364, 728, 1_820, 3_640].map((count) => count * DAY_MS),
];

/** Round figures from `low` to `high`, about `count` of them. */
export function linearTicks(low: number, high: number, count: number): readonly Tick[] {
  const span = high - low;
  if (!(span > 0) || !Number.isFinite(span)) return [{ at: low, label: shortFigure(low) }];
  const rough = span / Math.max(1, count);
  const magnitude = 10 ** Math.floor(Math.log10(rough));
  const step = ([1, 2, 5, 10].find((factor) => factor * magnitude >= rough) ?? 10) * magnitude;
  const first = Math.ceil(low / step - 1e-9);
  const last = Math.floor(high / step + 1e-9);
  return Array.from({ length: last - first + 1 }, (_, index) => {
    const at = (first + index) * step;
    return { at, label: shortFigure(at, step) };
  });
}

/** Round times of day, or dates, from `lowMs` to `highMs` (Unix time in UTC), at most `count` of them. */
export function timeTicks(lowMs: number, highMs: number, count: number): readonly Tick[] {
  const span = highMs - lowMs;
  const most = Math.max(1, count);
  const stepMs =
    TIME_STEPS_MS.find((step) => span / step <= most) ?? Math.ceil(span / most / DAY_MS) * DAY_MS;
  const first = Math.ceil(lowMs / stepMs);
  const last = Math.floor(highMs / stepMs);
  return Array.from({ length: Math.max(0, last - first + 1) }, (_, index) => {
    const at = (first + index) * stepMs;
    return { at, label: timeLabel(at, stepMs, span) };
  });
}

function timeLabel(atMs: number, stepMs: number, spanMs: number): string {
  const { year, month, day, hour, minute, second } = civilTime(atMs);
  const date = `${two(month)}-${two(day)}`;
  if (stepMs >= DAY_MS) return spanMs > 300 * DAY_MS ? `${year}-${date}` : date;
  const time = `${two(hour)}:${two(minute)}`;
  if (stepMs < MINUTE_MS) return `${time}:${two(second)}`;
  return hour === 0 && minute === 0 ? date : time;
}

/** A time's parts in UTC. */
export interface CivilTime {
  readonly year: number;
  readonly month: number;
  readonly day: number;
  readonly hour: number;
  readonly minute: number;
  readonly second: number;
}

/** The Gregorian date and time of a Unix time, UTC, by the days of 400-year eras (H. Hinnant, "chrono-compatible low-level date algorithms"). */
export function civilTime(atMs: number): CivilTime {
  const days = Math.floor(atMs / DAY_MS);
  const inDay = atMs - days * DAY_MS;
  const shifted = days + 719_468;
  const era = Math.floor(shifted / 146_097);
  const dayOfEra = shifted - era * 146_097;
  const yearOfEra = Math.floor(
    (dayOfEra -
      Math.floor(dayOfEra / 1_460) +
      Math.floor(dayOfEra / 36_524) -
      Math.floor(dayOfEra / 146_096)) /
      365,
  );
  const dayOfYear = dayOfEra - (365 * yearOfEra + Math.floor(yearOfEra / 4) - Math.floor(yearOfEra / 100));
  // Counted from March, so that the leap day is a year's last.
  const fromMarch = Math.floor((5 * dayOfYear + 2) / 153);
  const month = fromMarch < 10 ? fromMarch + 3 : fromMarch - 9;
  return {
    year: yearOfEra + era * 400 + (month <= 2 ? 1 : 0),
    month,
    day: dayOfYear - Math.floor((153 * fromMarch + 2) / 5) + 1,
    hour: Math.floor(inDay / HOUR_MS),
    minute: Math.floor((inDay % HOUR_MS) / MINUTE_MS),
    second: Math.floor((inDay % MINUTE_MS) / SECOND_MS),
  };
}

const UNITS: readonly (readonly [size: number, suffix: string])[] = [
  [1e12, 'T'],
  [1e9, 'G'],
  [1e6, 'M'],
  [1e3, 'k'],
];

/** `12 k`, `0.25`: a figure as short as its neighbours at the distance `step` allow. */
export function shortFigure(value: number, step = Math.abs(value) / 100): string {
  const [size, suffix] = UNITS.find(([least]) => Math.abs(value) >= least * 10) ?? [1, ''];
  const decimals = step > 0 ? Math.max(0, -Math.floor(Math.log10(step / size) + 1e-9)) : 0;
  const text = (value / size).toFixed(Math.min(decimals, 8));
  return suffix === '' ? text : `${text} ${suffix}`;
}

function two(value: number): string {
  return String(value).padStart(2, '0');
}

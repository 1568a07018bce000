/** What a member is asked for: seen, smoothed, and foreseen. */
import type { MemberForecast, MemberSeen } from '../../core/control';
import type { Outlook } from '../allocate/outlook';

/** Ticks whose mean and standard deviation count. */
const WINDOW_TICKS = 10;
/** Of the old value, each tick: it falls by half in about seven. */
const KEPT = 0.9;
/** Ticks without a word after which what was heard counts no more. */
const SILENT_TICKS = 10;
/**
 * The part of the denied calls that is taken to come again, and over how long, ms. Calls bear no name of their caller, so
 * who comes again cannot be told from who comes first: half is between callers that never retry and those that always do,
 * and a second is the order of gRPC's and Envoy's back-off.
 */
const RETRY_PART = 0.5;
const RETRY_MS = 1_000;
/** A forecast that is older, or from further ahead, is not used, ms. */
export const FORECAST_LIFE_MS = 300_000;
const CLOCK_SLACK_MS = 60_000;
/** A forecast over so many times what a member may ever get, or was ever asked of late, is absurd. */
const ABSURD_FACTOR = 10;
/** The standard normal deviate at the upper end of an 80 % interval. */
const UPPER_DEVIATE = 1.281_552;
/** No rate over it is believed. */
const MOST_PER_S = 1e12;

/** A member's demand after a tick. Rates are tokens a second. */
export interface Demand {
  /** Smoothed from what was seen; NaN while nothing is known. */
  readonly reactivePerS: number;
  /** Of the last ticks. */
  readonly meanPerS: number;
  readonly sdPerS: number;
  /** What was foreseen; null where it was not to be relied on. */
  readonly forecastPerS: number | null;
  /** The higher of both, so that no forecast throttles what is there. */
  readonly effectivePerS: number;
  /** What it may come to until the next allocation; undefined while nothing is known. */
  readonly outlook: Outlook | undefined;
}

/** What is kept of a member's demand for whoever takes over: smoothed, mean, standard deviation. */
export type SavedDemand = readonly [number, number, number];

/**
 * Follows one member. Demand that was seen is max(mean + sd of ten ticks, 0.9 old + 0.1 new): it rises at once and falls slowly.
 *
 * What was asked includes what was denied or had to wait. Callers that were denied ask again, so from what is asked the part
 * of the recent denials that is taken to be back is deducted, down to what was admitted and queued at least: with callers
 * that come again with probability p, asked = fresh + p x denied, whence fresh = asked - p x denied.
 */
export class MemberDemand {
  readonly #ring = new Float64Array(WINDOW_TICKS);
  #filled = 0;
  #next = 0;
  #smoothed = NaN;
  #deniedPerS = 0;
  #silent = SILENT_TICKS;
  #atMs = NaN;
  #view: Demand = {
    reactivePerS: NaN,
    meanPerS: NaN,
    sdPerS: 0,
    forecastPerS: null,
    effectivePerS: NaN,
    outlook: undefined,
  };

  /** Whether anything was heard of late. */
  get heard(): boolean {
    return this.#silent < SILENT_TICKS;
  }

  /** After the last tick. */
  get last(): Demand {
    return this.#view;
  }

  /**
   * Takes what was seen over a tick; undefined, NaN, negative and endless figures are no word of it.
   * @param mostPerS what the member may get at most: the scale by which forecasts are absurd.
   */
  tick(nowMs: number, seen: MemberSeen | undefined, mostPerS: number): Demand {
    const fresh = this.#freshPerS(nowMs, seen);
    if (Number.isNaN(fresh)) this.#silent = Math.min(SILENT_TICKS, this.#silent + 1);
    else this.#learn(fresh);
    const { mean, sd } = this.#spread();
    const reactive = this.heard ? Math.max(mean + sd, this.#smoothed) : NaN;
    const forecast = reliable(nowMs, seen?.forecast, ABSURD_FACTOR * Math.max(mostPerS, reactive || 0));
    const effective =
      forecast === null ? reactive : Math.max(Number.isNaN(reactive) ? 0 : reactive, forecast.upperPerS);
    this.#view = {
      reactivePerS: reactive,
      meanPerS: mean,
      sdPerS: sd,
      forecastPerS: forecast?.upperPerS ?? null,
      effectivePerS: effective,
      outlook: outlookOf(forecast, this.heard ? mean : NaN, sd),
    };
    return this.#view;
  }

  /** For {@link restore}; undefined while nothing is known. */
  save(): SavedDemand | undefined {
    const { mean, sd } = this.#spread();
    return this.heard ? [this.#smoothed, mean, sd] : undefined;
  }

  /** Goes on from another's figures; what is no rate is ignored. */
  restore([smoothed, mean, sd]: SavedDemand): void {
    if (![smoothed, mean, sd].every((value) => Number.isFinite(rate(value)))) return;
    this.#smoothed = smoothed;
    this.#ring.set([mean + sd, Math.max(0, mean - sd)]);
    this.#filled = 2;
    this.#next = 2;
    this.#silent = 0;
  }

  #freshPerS(nowMs: number, seen: MemberSeen | undefined): number {
    const told = rate(seen?.demandPerS);
    if (seen === undefined || Number.isNaN(told)) return NaN;
    const denied = rate(seen.deniedPerS) || 0;
    const queued = rate(seen.queuedPerS) || 0;
    const admitted = rate(seen.admittedPerS) || 0;
    const asked = Math.max(told, admitted + denied, queued);
    const fresh = Math.max(Math.min(asked, admitted + queued), asked - RETRY_PART * this.#deniedPerS);
    const sinceMs = nowMs - this.#atMs;
    const part = sinceMs > 0 ? 1 - Math.exp(-sinceMs / RETRY_MS) : 1;
    this.#deniedPerS += part * (denied - this.#deniedPerS);
    this.#atMs = nowMs;
    return fresh;
  }

  #learn(fresh: number): void {
    this.#smoothed = this.heard ? KEPT * this.#smoothed + (1 - KEPT) * fresh : fresh;
    if (!this.heard) this.#filled = this.#next = 0;
    this.#silent = 0;
    this.#ring[this.#next] = fresh;
    this.#next = (this.#next + 1) % WINDOW_TICKS;
    this.#filled = Math.min(WINDOW_TICKS, this.#filled + 1);
  }

  #spread(): { mean: number; sd: number } {
    const ring = this.#ring;
    const count = this.#filled;
    if (count === 0) return { mean: NaN, sd: 0 };
    let sum = 0;
    for (let i = 0; i < count; i += 1) sum += ring[i] ?? 0;
    const mean = sum / count;
    let squares = 0;
    for (let i = 0; i < count; i += 1) squares += ((ring[i] ?? 0) - mean) ** 2;
    return { mean, sd: Math.sqrt(squares / count) };
  }
}

/**
 * What demand may come to: as was foreseen, unless what is seen is beyond that by more than its own spread; then, and without
 * a forecast, as it is seen.
 */
function outlookOf(forecast: MemberForecast | null, meanPerS: number, sdPerS: number): Outlook | undefined {
  if (forecast !== null && !(meanPerS - sdPerS > forecast.upperPerS)) {
    const { meanPerS: likely, upperPerS } = forecast;
    return { meanPerS: likely, sdPerS: (upperPerS - likely) / UPPER_DEVIATE };
  }
  return Number.isNaN(meanPerS) ? undefined : { meanPerS, sdPerS };
}

/** The rate, or NaN where it is none. */
function rate(value: number | undefined): number {
  return value !== undefined && value >= 0 && value <= MOST_PER_S ? value : NaN;
}

/** The forecast where it may be relied on: of numbers, in time, of a class that behaves, and possible. */
function reliable(
  nowMs: number,
  forecast: MemberForecast | undefined,
  mostPerS: number,
): MemberForecast | null {
  if (forecast === undefined || forecast.anomalous) return null;
  const { madeAtMs, meanPerS, upperPerS } = forecast;
  const inTime = madeAtMs >= nowMs - FORECAST_LIFE_MS && madeAtMs <= nowMs + CLOCK_SLACK_MS;
  const possible = meanPerS >= 0 && upperPerS >= meanPerS && upperPerS <= mostPerS;
  return inTime && possible ? forecast : null;
}

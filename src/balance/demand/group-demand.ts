/** What a group of targets will be asked for: seen, continued by its trend, and forecast. */
import type { MemberForecast } from '../../core/control';
import { Elapsed } from '../../control/elapsed';
import { DampedTrend, trendReach } from './damped-trend';
import { PeakHold } from './peak-hold';

/** Demand is sampled once a step, as often as the figures of it change. */
const STEP_MS = 1_000;
/** Points of the path that is foreseen, now and the end of it among them. */
const PATH_POINTS = 33;
/** No rate over it is believed. */
const MOST_PER_S = 1e12;
/** A forecast that is older, or from further ahead, does not count, ms. */
const FORECAST_LIFE_MS = 300_000;
const CLOCK_SLACK_MS = 60_000;
/** Nor one over so many times the demand and what all buckets give. */
const ABSURD_FACTOR = 10;

/** The rate, tokens or calls a second, or NaN where it is none. */
export function rateOf(value: number | undefined): number {
  return value !== undefined && value >= 0 && value <= MOST_PER_S ? value : NaN;
}

/** The upper end of a target's forecast, a second; NaN where it is not to be relied on. */
export function forecastOf(nowMs: number, forecast: MemberForecast | undefined): number {
  if (forecast === undefined || forecast.anomalous) return NaN;
  const { madeAtMs, meanPerS, upperPerS } = forecast;
  const inTime = madeAtMs >= nowMs - FORECAST_LIFE_MS && madeAtMs <= nowMs + CLOCK_SLACK_MS;
  return inTime && meanPerS >= 0 && upperPerS >= meanPerS ? rateOf(upperPerS) : NaN;
}

/**
 * Follows the demand of one group. The greatest of the smoothed demand, its trend's end and the forecast counts, so that a bad
 * forecast never lowers what is there, and it is held for some seconds, so that noise moves nothing to and fro.
 */
export class GroupDemand {
  readonly #elapsed = new Elapsed(STEP_MS);
  #trend = new DampedTrend();
  #held = new PeakHold();
  #sinceMs = 0;
  /** Demand from now to the end of what is looked at, evenly spaced. */
  readonly path = new Float64Array(PATH_POINTS);
  readonly #reach = new Float64Array(PATH_POINTS);
  #stepped = false;
  /** What the path was made of beside the trend. */
  #forecast = 0;
  #aheadMs = NaN;
  #peak = 0;

  /** What is planned with, a second; NaN while nothing is known. */
  get foreseenPerS(): number {
    return this.#held.value;
  }

  /** Whether the last tick ended a step. */
  get stepped(): boolean {
    return this.#stepped;
  }

  /**
   * @param demandPerS of the whole group; NaN where it is not known.
   * @param forecastPerS the sum of the targets' forecasts; NaN for none.
   * @param scalePerS what all buckets give: by it a forecast is absurd.
   * @param aheadMs how far is looked.
   */
  tick(nowMs: number, demandPerS: number, forecastPerS: number, scalePerS: number, aheadMs: number): void {
    this.#sinceMs += this.#elapsed.look(nowMs);
    const first = Number.isNaN(this.#trend.level) && !Number.isNaN(demandPerS);
    this.#stepped = first || this.#sinceMs >= STEP_MS;
    if (this.#stepped) {
      this.#sinceMs = first ? 0 : this.#sinceMs - STEP_MS;
      this.#trend.add(demandPerS);
    }
    const level = this.#trend.level;
    if (Number.isNaN(level)) return;
    const believed = forecastPerS <= ABSURD_FACTOR * Math.max(level, scalePerS) ? forecastPerS : 0;
    if (this.#stepped || believed !== this.#forecast || aheadMs !== this.#aheadMs) {
      this.#foresee(level, believed, aheadMs);
    }
    if (this.#stepped) this.#held.step(this.#peak);
    else this.#held.look(this.#peak);
  }

  /** Forgets what was known. */
  reset(): void {
    if (Number.isNaN(this.#trend.level)) return;
    this.#trend = new DampedTrend();
    this.#held = new PeakHold();
    this.#sinceMs = 0;
  }

  #foresee(level: number, forecast: number, aheadMs: number): void {
    if (aheadMs !== this.#aheadMs) {
      for (let i = 0; i < PATH_POINTS; i += 1) {
        this.#reach[i] = trendReach((aheadMs * i) / (PATH_POINTS - 1) / STEP_MS);
      }
    }
    this.#forecast = forecast;
    this.#aheadMs = aheadMs;
    this.#peak = 0;
    const more = Math.max(0, forecast - level) / (PATH_POINTS - 1);
    for (let i = 0; i < PATH_POINTS; i += 1) {
      const byTrend = this.#trend.ahead(this.#reach[i] ?? 0);
      const point = more > 0 ? Math.max(byTrend, level + more * i) : byTrend;
      this.path[i] = point;
      this.#peak = Math.max(this.#peak, point);
    }
  }
}

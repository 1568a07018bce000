/**
 * Automatic orders of an ARIMA model by steps from a few starts to the neighbour with the least AICc, after Hyndman and
 * Khandakar ("Automatic time series forecasting: the forecast package for R", 2008). Unlike there, differences are at
 * most one of each kind and there is no drift: a slope of the logs that goes on for a day multiplies the demand.
 */
import { FREE_MAX, differenced } from '../numeric/lag-polynomial';
import { autoregression, levelWanders } from '../numeric/stationarity';
import { fitArma, type ArimaOrders, type FreeParameters } from './arima-fit';

/** A model: orders, parameters, and the mean that it returns to. */
export interface ArimaParameters {
  readonly orders: ArimaOrders;
  readonly free: FreeParameters;
  /** 0 when there are differences. */
  readonly mean: number;
}

/** The part of the variation that a season has to explain for it to be differenced (Wang, Smith and Hyndman, 2006). */
const SEASONAL_STRENGTH = 0.64;
/** Orders beyond these are not tried. */
const ORDER_MAX = 5;
const SEASONAL_ORDER_MAX = 2;
/** How many models are tried, and how many values, at the end, they are fitted to. */
const MODELS_MAX = 30;
const VALUES_MAX = 20_160;
/** Tolerances of a fit while searching, and of the last. */
const ROUGH = 1e-4;
const FINE = 1e-9;

interface Candidate {
  readonly orders: ArimaOrders;
  readonly free: FreeParameters;
  readonly aicc: number;
}

/**
 * The model with the least AICc that the search finds.
 * @param season steps of the season to model, 1 for none; used when the series holds it three times.
 */
export function automaticArima(series: Float64Array, season: number): ArimaParameters {
  const recent = series.subarray(Math.max(0, series.length - VALUES_MAX));
  const used = season > 1 && recent.length >= 3 * season ? season : 1;
  const seasonalD = used > 1 && seasonalStrength(recent, used) > SEASONAL_STRENGTH ? 1 : 0;
  const seasonless = seasonalD === 1 ? differenced(recent, used) : recent;
  const d = levelWanders(seasonless) ? 1 : 0;
  const changes = d === 1 ? differenced(seasonless, 1) : seasonless;
  const mean = d + seasonalD > 0 ? 0 : changes.reduce((sum, value) => sum + value, 0) / changes.length;
  const values = changes.map((value) => value - mean);
  const orders = { p: 0, d, q: 0, seasonalP: 0, seasonalD, seasonalQ: 0, season: used };
  const none = { ar: [], ma: [], seasonalAr: [], seasonalMa: [] };
  if (values.every((value) => Math.abs(value) < 1e-9)) return { orders, free: none, mean };
  const search = new OrderSearch(values, orders);
  const best = search.run();
  return { orders: best.orders, free: search.refined(best), mean };
}

class OrderSearch {
  private readonly tried = new Map<string, Candidate>();
  private readonly partials: readonly number[];
  /** The first error that counts: the same for all orders, so that their sums compare. */
  private readonly from: number;
  /** The most parameters: a few values must stand behind each. */
  private readonly parametersMax: number;

  constructor(
    private readonly values: Float64Array,
    private readonly base: ArimaOrders,
  ) {
    this.partials = autoregression(values, ORDER_MAX).partials;
    const longest = ORDER_MAX + (base.season > 1 ? base.season : 0);
    this.from = Math.min(longest, Math.floor(values.length / 4));
    this.parametersMax = Math.floor((values.length - this.from) / 5);
  }

  run(): Candidate {
    const { season } = this.base;
    const seasonal = season > 1 ? 1 : 0;
    let best = this.candidate(this.base, undefined);
    for (const [p, q, seasonalP, seasonalQ] of [
      [2, 2, seasonal, seasonal],
      [1, 0, seasonal, 0],
      [0, 1, 0, seasonal],
      [1, 1, seasonal, seasonal],
    ] as const) {
      best = better(best, this.tryOrders({ ...this.base, p, q, seasonalP, seasonalQ }));
    }
    for (;;) {
      let next = best;
      for (const orders of neighbours(best.orders)) {
        if (this.tried.size >= MODELS_MAX) return next;
        next = better(next, this.tryOrders(orders, best.free));
      }
      if (next === best) return best;
      best = next;
    }
  }

  refined({ orders, free }: Candidate): FreeParameters {
    return fitArma({ values: this.values, orders, from: this.from }, free, FINE).free;
  }

  /** @param near parameters of a model with nearly these orders, to start from. */
  private tryOrders(orders: ArimaOrders, near?: FreeParameters): Candidate | undefined {
    const key = keyOf(orders);
    if (this.tried.has(key) || parametersOf(orders) > this.parametersMax) return undefined;
    return this.candidate(orders, near);
  }

  private candidate(orders: ArimaOrders, near: FreeParameters | undefined): Candidate {
    const { p, q, seasonalP, seasonalQ } = orders;
    const ar = near?.ar ?? this.partials.map((partial) => Math.atanh(partial));
    const start = {
      ar: resized(ar, p),
      ma: resized(near?.ma ?? [], q),
      seasonalAr: resized(near?.seasonalAr ?? [], seasonalP),
      seasonalMa: resized(near?.seasonalMa ?? [], seasonalQ),
    };
    const { free, squares } = fitArma({ values: this.values, orders, from: this.from }, start, ROUGH);
    const count = this.values.length - this.from;
    const estimated = parametersOf(orders) + 1 + (orders.d + orders.seasonalD === 0 ? 1 : 0);
    const aicc =
      count * Math.log(squares / count + 1e-300) +
      2 * estimated +
      (2 * estimated * (estimated + 1)) / Math.max(1, count - estimated - 1);
    const candidate = { orders, free, aicc };
    this.tried.set(keyOf(orders), candidate);
    return candidate;
  }
}

function keyOf({ p, q, seasonalP, seasonalQ }: ArimaOrders): string {
  return [p, q, seasonalP, seasonalQ].join();
}

function parametersOf({ p, q, seasonalP, seasonalQ }: ArimaOrders): number {
  return p + q + seasonalP + seasonalQ;
}

/** Orders one step away, alone or both of a pair together. */
function neighbours(orders: ArimaOrders): readonly ArimaOrders[] {
  const { p, q, seasonalP, seasonalQ, season } = orders;
  const steps: readonly (readonly [number, number])[] = [
    [1, 0],
    [-1, 0],
    [0, 1],
    [0, -1],
    [1, 1],
    [-1, -1],
  ];
  const plain = steps.map(([dp, dq]) => ({ ...orders, p: p + dp, q: q + dq }));
  const seasonal = season === 1 ? [] : steps;
  return [
    ...seasonal.map(([dp, dq]) => ({ ...orders, seasonalP: seasonalP + dp, seasonalQ: seasonalQ + dq })),
    ...plain,
  ].filter(
    (next) =>
      Math.min(next.p, next.q, next.seasonalP, next.seasonalQ) >= 0 &&
      Math.max(next.p, next.q) <= ORDER_MAX &&
      Math.max(next.seasonalP, next.seasonalQ) <= SEASONAL_ORDER_MAX,
  );
}

function better(best: Candidate, other: Candidate | undefined): Candidate {
  return other !== undefined && other.aicc < best.aicc ? other : best;
}

function resized(free: readonly number[], length: number): readonly number[] {
  return Array.from({ length }, (_, at) => Math.min(FREE_MAX, Math.max(-FREE_MAX, free[at] ?? 0)));
}

/** How much of the variation around a moving mean is the season's: 1 - Var(rest) / Var(season + rest), at least 0. */
export function seasonalStrength(values: Float64Array, season: number): number {
  const half = season >> 1;
  const detrended = new Float64Array(values.length - season + 1);
  let sum = 0;
  for (let at = 0; at < season; at += 1) sum += values[at] ?? 0;
  for (let at = 0; at < detrended.length; at += 1) {
    detrended[at] = (values[at + half] ?? 0) - sum / season;
    sum += (values[at + season] ?? 0) - (values[at] ?? 0);
  }
  const means = new Float64Array(season);
  const counts = new Float64Array(season);
  detrended.forEach((value, at) => {
    const phase = at % season;
    counts[phase] = (counts[phase] ?? 0) + 1;
    means[phase] = (means[phase] ?? 0) + (value - (means[phase] ?? 0)) / (counts[phase] ?? 1);
  });
  const rest = detrended.map((value, at) => value - (means[at % season] ?? 0));
  const whole = variance(detrended);
  // A mean over few cycles explains part of any noise: the freedom it takes is counted.
  const freedom = detrended.length / Math.max(1, detrended.length - season);
  return whole <= 0 ? 0 : Math.max(0, 1 - (variance(rest) * freedom) / whole);
}

function variance(values: Float64Array): number {
  const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
  return values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / values.length;
}

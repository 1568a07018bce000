/**
 * What a direct regression sees of a series at a step: how far the last values lie from the usual ones of their phase,
 * what the target's phase usually holds, and what it held lately. Every figure at step t comes from values up to t
 * alone, so that rows of the past are what was known then.
 */
import { seenSeasons, type SeriesContext } from './model';

const DAY_MS = 86_400_000;
/** Seasons that a phase's usual value is the mean of. */
const SEASONS_AVERAGED = 7;
/** Neighbouring phases on each side that are averaged: one part in this many of a season. */
const SMOOTHING_PART = 72;
/** Steps that stand for a season where there is none. */
export const SEASONLESS_STEPS = 64;
/** Last values seen one by one. */
const LAGS = 4;
/** Seasons back that are seen one by one. */
const SEASONS_BACK = 3;

/** The shape of a panel: which seasons it has seen. */
export interface PanelShape {
  readonly startMs: number;
  readonly stepMs: number;
  /** The shortest season, steps; 0 for none. */
  readonly season: number;
  /** A longer season that is a multiple of it, steps; 0 for none. */
  readonly longSeason: number;
}

/** The shape for a series of `points` values. */
export function panelShape(context: SeriesContext, points: number): PanelShape {
  const seen = seenSeasons(context.seasons, points);
  const season = seen[0] ?? 0;
  const long = seen.filter((length) => length > season && length % season === 0).pop() ?? 0;
  return { startMs: context.startMs, stepMs: context.stepMs, season, longSeason: long };
}

/** Values back that rows of a shape read. */
export function panelReach(shape: PanelShape): number {
  if (shape.season === 0) return 4 * SEASONLESS_STEPS;
  return Math.max((SEASONS_AVERAGED + 2) * shape.season, shape.longSeason + 3 * shape.season);
}

/** The columns of a shape's rows. */
export function panelColumns(shape: PanelShape): number {
  const common = 1 + LAGS + 6 + 1;
  if (shape.season === 0) return common;
  return common + SEASONS_BACK + 1 + 4 + (shape.longSeason > 0 ? 6 : 0);
}

/** A series on a scale, and the rows that regressions on it read. */
export class PhasePanel {
  readonly points: number;
  readonly columns: number;
  private readonly sums: Float64Array;
  /** How far each value lay from what was usual of its phase one step before. */
  private readonly deviations: Float64Array;
  private readonly deviationSums: Float64Array;
  private readonly reach: number;
  private readonly season: number;
  private readonly firstPhase: number;

  /** @param values on a scale, without gaps. `shape.startMs` is that of the first. */
  constructor(
    private readonly values: Float64Array,
    readonly shape: PanelShape,
  ) {
    this.points = values.length;
    this.columns = panelColumns(shape);
    this.season = shape.season > 0 ? shape.season : SEASONLESS_STEPS;
    this.firstPhase = phaseAt(shape, this.season);
    this.reach = Math.round(shape.season / SMOOTHING_PART);
    this.sums = prefixSums(values);
    this.deviations = new Float64Array(values.length);
    for (let at = Math.max(1, shape.season); at < values.length; at += 1) {
      this.deviations[at] = values[at]! - this.usual(at, at - 1);
    }
    this.deviationSums = prefixSums(this.deviations);
  }

  /** The first step whose row is of use. */
  get firstRow(): number {
    return (this.shape.season > 0 ? this.shape.season : 1) + 2 * LAGS;
  }

  /** What is usual at step `target`, known at step `now`: the mean of its phase; the last values' where there is no season. */
  usual(target: number, now: number): number {
    const { season } = this.shape;
    if (season === 0) return meanOf(this.sums, now, SEASONLESS_STEPS);
    const first = Math.ceil((target - now) / season);
    let sum = 0;
    let count = 0;
    for (let back = first; back < first + SEASONS_AVERAGED; back += 1) {
      const at = target - back * season;
      if (at < 0) break;
      sum += this.near(at, now);
      count += 1;
    }
    return count > 0 ? sum / count : this.values[now]!;
  }

  /** The mean of the last `steps` deviations at step `now`. */
  deviation(now: number, steps: number): number {
    return meanOf(this.deviationSums, now, steps);
  }

  /** A past value with its neighbours, as far as known at step `now`. */
  near(at: number, now: number): number {
    const from = at - this.reach < 0 ? 0 : at - this.reach;
    const to = at + this.reach > now ? now : at + this.reach;
    return (this.sums[to + 1]! - this.sums[from]!) / (to - from + 1);
  }

  /** Writes the row of step `now` for a target `ahead` steps later. @returns what is usual at the target. */
  write(now: number, ahead: number, out: Float64Array, from: number): number {
    const { season } = this;
    const target = now + ahead;
    const usual = this.usual(target, now);
    let at = from;
    out[at++] = 1;
    for (let lag = 0; lag < LAGS; lag += 1) out[at++] = now >= lag ? this.deviations[now - lag]! : 0;
    out[at++] = this.deviation(now, 8);
    out[at++] = this.deviation(now, 16);
    out[at++] = this.deviation(now, Math.max(2, Math.round(season / 12)));
    out[at++] = this.deviation(now, Math.max(2, Math.round(season / 4)));
    out[at++] = this.deviation(now, season);
    out[at++] = this.deviation(now, 3 * season);
    out[at++] = usual - meanOf(this.sums, now, season);
    if (this.shape.season > 0) at = this.writeSeason(now, target, usual, out, at);
    if (this.shape.longSeason > 0) this.writeLongSeason(now, target, usual, out, at);
    return usual;
  }

  private writeSeason(now: number, target: number, usual: number, out: Float64Array, from: number): number {
    const { season } = this;
    const first = Math.ceil((target - now) / season);
    let at = from;
    for (let back = first; back < first + SEASONS_BACK; back += 1) {
      const past = target - back * season;
      out[at++] = past >= 0 ? this.near(past, now) - usual : 0;
    }
    const wide = Math.max(1, Math.round(season / 12));
    const past = target - first * season;
    const to = Math.min(now, past + wide);
    const since = Math.max(season, past - wide);
    out[at++] = past >= season && to > since ? meanOf(this.deviationSums, to, to - since + 1) : 0;
    const angle = (2 * Math.PI * ((this.firstPhase + target) % season)) / season;
    for (let wave = 1; wave <= 2; wave += 1) {
      out[at++] = Math.sin(wave * angle);
      out[at++] = Math.cos(wave * angle);
    }
    return at;
  }

  private writeLongSeason(now: number, target: number, usual: number, out: Float64Array, from: number): void {
    const { season } = this;
    const { longSeason, startMs, stepMs } = this.shape;
    const shift = Math.ceil((target - now) / longSeason) * longSeason;
    const steps = Math.max(2, Math.round(season / 24));
    let at = from;
    if (now - shift - season >= 0) {
      const before = this.near(target - shift, now);
      const rise = before - meanOf(this.sums, now - shift, steps);
      const usualNow = meanOf(this.sums, now, steps) - this.deviation(now, steps);
      out[at++] = before - usual;
      out[at++] = rise - (usual - usualNow);
    } else {
      out[at++] = 0;
      out[at++] = 0;
    }
    const first = Math.ceil((target - now) / season);
    let free = 0;
    let count = 0;
    for (let back = first; back < first + SEASONS_AVERAGED; back += 1) {
      const past = target - back * season;
      if (past < 0) break;
      free += weekend(startMs + past * stepMs);
      count += 1;
    }
    const mixed = count > 0 ? free / count : 0;
    const unlike = weekend(startMs + target * stepMs) - mixed;
    const angle = 2 * Math.PI * (((startMs + target * stepMs) / DAY_MS) % 1);
    out[at++] = unlike;
    out[at++] = unlike * Math.sin(angle);
    out[at++] = unlike * Math.cos(angle);
    out[at] = weekend(startMs + now * stepMs) - mixed;
  }
}

/** Where in a season the first value lies, counted from the epoch: the same after values are dropped from the front. */
function phaseAt(shape: PanelShape, season: number): number {
  return ((Math.round(shape.startMs / shape.stepMs) % season) + season) % season;
}

/** 1 on Saturdays and Sundays (UTC), else 0. The epoch began on a Thursday. */
function weekend(atMs: number): number {
  const weekday = (((Math.floor(atMs / DAY_MS) + 4) % 7) + 7) % 7;
  return weekday === 0 || weekday === 6 ? 1 : 0;
}

function prefixSums(values: Float64Array): Float64Array {
  const sums = new Float64Array(values.length + 1);
  for (let at = 0; at < values.length; at += 1) sums[at + 1] = sums[at]! + values[at]!;
  return sums;
}

/** The mean of the last `steps` figures at step `now`, fewer at the beginning. */
function meanOf(sums: Float64Array, now: number, steps: number): number {
  const from = now - steps + 1 < 0 ? 0 : now - steps + 1;
  return (sums[now + 1]! - sums[from]!) / (now + 1 - from);
}

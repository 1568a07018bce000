/** Begins to forecast a class: from where its forecasters stood, brought up to now, or from what history holds. */
import type { ClassInfo } from '../../core/observation';
import type { Logger } from '../../core/ports';
import type { ResolutionMs } from '../../core/series';
import type { ClassBook } from '../../forecast/class-book';
import type { ClassForecast } from '../../forecast/class-forecast';
import type { Past, ScaleOptions } from '../../forecast/forecast-track';
import type { ForecastScale } from '../../forecast/learning/fit-queue';
import type { History } from '../../history/history';
import type { ModelShelf } from './model-shelf';

/** What opening stands on. */
export interface OpenerParts {
  readonly book: ClassBook;
  readonly history: Pick<History, 'series'>;
  readonly shelf: ModelShelf;
  readonly scales: Readonly<Record<ForecastScale, ScaleOptions>>;
  readonly logger: Logger;
}

/** Steps of history that a forecaster is begun with or brought up to now by. */
const PAST_STEPS = 4_320;
const SCALES = ['fine', 'coarse'] as const;

/** See the file's head. */
export class ClassOpener {
  private refused = 0;

  constructor(private readonly parts: OpenerParts) {}

  /** Opens a class that is not open. @returns whether it is open now. */
  open(info: ClassInfo, nowMs: number): boolean {
    const { book, shelf, logger } = this.parts;
    if (book.has(info.id)) return true;
    const saved = shelf.tracks(info.id);
    if (saved === undefined) return this.openAnew(info, nowMs);
    if (!book.open(info, nowMs, { saved })) return this.refuse(info, logger);
    const forecast = book.of(info.id);
    if (forecast === undefined || !this.isNear(forecast, nowMs)) {
      book.close(info.id);
      return this.openAnew(info, nowMs);
    }
    this.catchUp(forecast, nowMs);
    return true;
  }

  /** Opens a class from history alone, as when its forecasters stand where the clock no longer is. */
  openAnew(info: ClassInfo, nowMs: number): boolean {
    const { book, logger } = this.parts;
    return book.open(info, nowMs, { past: this.pastOf(info, nowMs) }) || this.refuse(info, logger);
  }

  private refuse(info: ClassInfo, logger: Logger): boolean {
    this.refused += 1;
    if (this.refused === 1) logger.warn({ class: info.id }, 'there are too many classes to forecast');
    return false;
  }

  /** Whether forecasters can be brought up to now: they could be read, and are not ahead of the clock nor far behind it. */
  private isNear(forecast: ClassForecast, nowMs: number): boolean {
    return SCALES.every((scale) => {
      const nextAtMs = forecast.nextAtMs(scale);
      if (nextAtMs === undefined) return false;
      const behind = (this.lastEnded(scale, nowMs) - nextAtMs) / this.stepMs(scale);
      return behind >= -1 && behind <= PAST_STEPS;
    });
  }

  private pastOf(info: ClassInfo, nowMs: number): Partial<Record<ForecastScale, Past>> {
    const past: Partial<Record<ForecastScale, Past>> = {};
    for (const scale of SCALES) {
      const untilMs = this.lastEnded(scale, nowMs);
      const { startMs, values } = this.read(info, scale, untilMs - PAST_STEPS * this.stepMs(scale), untilMs);
      const first = values.findIndex((value) => Number.isFinite(value));
      if (first < 0) continue;
      past[scale] = { startMs: startMs + first * this.stepMs(scale), values: values.slice(first) };
    }
    return past;
  }

  /** Steps a forecaster through what came while it was not there. */
  private catchUp(forecast: ClassForecast, nowMs: number): void {
    for (const scale of SCALES) {
      const fromMs = forecast.nextAtMs(scale);
      if (fromMs === undefined) continue;
      const untilMs = this.lastEnded(scale, nowMs);
      const { startMs, values } = this.read(forecast.info, scale, fromMs, untilMs);
      values.forEach((value, index) =>
        forecast.step(scale, startMs + index * this.stepMs(scale), value, NaN),
      );
    }
  }

  private read(info: ClassInfo, scale: ForecastScale, fromMs: number, untilMs: number): Past {
    const figure = info.kind === 'signal' ? 'level' : 'hits';
    const step = this.stepMs(scale) as ResolutionMs;
    return this.parts.history.series(info.id, figure, step, fromMs, untilMs);
  }

  private stepMs(scale: ForecastScale): number {
    return this.parts.scales[scale].stepMs;
  }

  private lastEnded(scale: ForecastScale, nowMs: number): number {
    const step = this.stepMs(scale);
    return Math.floor(nowMs / step) * step;
  }
}

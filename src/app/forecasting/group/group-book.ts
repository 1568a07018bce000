/**
 * A book whose forecasts are there on every member of a group: the leader's own, else those that the leader shows, else
 * made on the spot from the history that all members keep.
 */
import type { HorizonName, Prediction } from '../../../core/forecasts';
import { ClassBook, type BookOptions, type StepSummary } from '../../../forecast/class-book';
import type { ForecastScale } from '../../../forecast/learning/fit-queue';

/** What a member knows beside its own forecasts. */
export interface OtherForecasts {
  /** What the leader shows. */
  readonly shown: (
    classId: string,
    horizon: HorizonName,
    level: number,
    nowMs: number,
  ) => Prediction | undefined;
  /** A forecast from history alone, of a class that this process does not follow. */
  readonly made: (
    classId: string,
    horizon: HorizonName,
    level: number,
    nowMs: number,
  ) => Prediction | undefined;
  /** Whether all members' counts of a span are known. */
  readonly knows: (fromMs: number, toMs: number) => boolean;
}

/** See the file's head. */
export class GroupBook extends ClassBook {
  constructor(
    private readonly bookOptions: BookOptions,
    private readonly others: OtherForecasts,
  ) {
    super(bookOptions);
  }

  /** Steps of which only a part of the counts is known teach nothing. */
  override step(scale: ForecastScale, atMs: number, valueOf: (id: string) => number): StepSummary {
    const { stepMs } = this.bookOptions.scales[scale];
    return super.step(scale, atMs, this.others.knows(atMs, atMs + stepMs) ? valueOf : () => NaN);
  }

  override predict(id: string, horizon: HorizonName, level: number, nowMs: number): Prediction | undefined {
    const own = super.predict(id, horizon, level, nowMs);
    if (own !== undefined && own.source !== 'none') return own;
    const { shown, made } = this.others;
    const other =
      shown(id, horizon, level, nowMs) ?? (this.has(id) ? undefined : made(id, horizon, level, nowMs));
    return other ?? own;
  }
}

/** Forecasts made on the spot from history, for whoever does not follow a class: nothing of them is kept. */
import type { HorizonName, Prediction } from '../../../core/forecasts';
import { ClassBook } from '../../../forecast/class-book';
import type { ScaleOptions } from '../../../forecast/forecast-track';
import type { ForecastScale } from '../../../forecast/learning/fit-queue';
import type { History } from '../../../history/history';
import { ClassOpener, type OpenerParts } from '../class-opener';

/** See the file's head. */
export class PassingForecasts {
  private readonly book: ClassBook;
  private readonly opener: ClassOpener;

  constructor(
    private readonly parts: Pick<OpenerParts, 'history' | 'shelf' | 'logger'> & {
      readonly classes: () => ReturnType<History['classes']>;
    },
    scales: Readonly<Record<ForecastScale, ScaleOptions>>,
  ) {
    this.book = new ClassBook({ scales, maxClasses: 1, maxDrifts: 0 });
    this.opener = new ClassOpener({ ...parts, book: this.book, scales });
  }

  /** Undefined for a class that history does not know. */
  predict(classId: string, horizon: HorizonName, level: number, nowMs: number): Prediction | undefined {
    const info = this.parts.classes().find(({ id }) => id === classId);
    if (info === undefined) return undefined;
    this.opener.open(info, nowMs);
    const made = this.book.predict(classId, horizon, level, nowMs);
    this.book.close(classId);
    if (made === undefined || made.source === 'none') return made;
    return { ...made, flags: [...made.flags, 'passing'] };
  }
}

/**
 * Forecasts made on the spot from history, for whoever does not follow a class. Making one takes a while, so that those of a
 * few classes are told again for a while; nothing of them is kept beyond.
 */
import type { HorizonName, Prediction } from '../../../core/forecasts';
import { ClassBook } from '../../../forecast/class-book';
import type { ScaleOptions } from '../../../forecast/forecast-track';
import type { ForecastScale } from '../../../forecast/learning/fit-queue';
import type { History } from '../../../history/history';
import { ClassOpener, type OpenerParts } from '../class-opener';

/** How long forecasts are told again, ms: what comes late of the last step is in those after. */
const TOLD_MS = 10_000;
/** Classes whose forecasts are told again. */
const MAX_MADE = 32;

/** See the file's head. */
export class PassingForecasts {
  private span = NaN;
  private readonly book: ClassBook;
  private readonly opener: ClassOpener;

  constructor(
    private readonly parts: Pick<OpenerParts, 'history' | 'shelf' | 'logger'> & {
      readonly classes: () => ReturnType<History['classes']>;
    },
    scales: Readonly<Record<ForecastScale, ScaleOptions>>,
  ) {
    this.book = new ClassBook({ scales, maxClasses: MAX_MADE, maxDrifts: 0 });
    this.opener = new ClassOpener({ ...parts, book: this.book, scales });
  }

  /** Undefined for a class that history does not know. */
  predict(classId: string, horizon: HorizonName, level: number, nowMs: number): Prediction | undefined {
    const info = this.parts.classes().find(({ id }) => id === classId);
    if (info === undefined) return undefined;
    this.makeRoom(classId, Math.floor(nowMs / TOLD_MS));
    this.opener.open(info, nowMs);
    const made = this.book.predict(classId, horizon, level, nowMs);
    if (made === undefined || made.source === 'none') return made;
    return { ...made, flags: [...made.flags, 'passing'] };
  }

  private makeRoom(classId: string, span: number): void {
    const { book } = this;
    if (span !== this.span) for (const id of [...book.ids()]) book.close(id);
    this.span = span;
    if (book.has(classId) || book.size < MAX_MADE) return;
    for (const oldest of book.ids()) return book.close(oldest);
  }
}

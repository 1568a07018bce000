/** The figures of metrics: the busiest classes with their forecasts, and totals of what happened. */
import {
  HORIZONS,
  LEVELS,
  type AnomalyView,
  type ClassFigures,
  type DriftView,
  type ForecastFigures,
  type HistoryView,
  type HorizonName,
  type Prediction,
} from '../../core/forecasts';
import type { ClassBook } from '../../forecast/class-book';
import type { History } from '../../history/history';

/** What figures are made of. */
export interface FiguresParts {
  readonly book: ClassBook;
  readonly history: History;
  /** Classes told of, at most. */
  readonly maxClasses: number;
  readonly leader: () => boolean;
}

/** What others know. */
export type OtherFigures = Pick<ForecastFigures, 'refits' | 'alerts' | 'replicas' | 'stepMs'>;

const MINUTE_MS = 60_000;

/** See the file's head. */
export class FiguresMaker {
  private readonly anomalies = new Map<string, { id: string; reason: string; count: number }>();
  private readonly drifts = new Map<string, { id: string; count: number }>();

  constructor(private readonly parts: FiguresParts) {}

  /** Counts an anomaly that began. */
  anomaly({ classId, reason }: AnomalyView): void {
    count(this.anomalies, `${reason} ${classId}`, { id: classId, reason, count: 0 }, this.parts.maxClasses);
  }

  /** Counts a drift. */
  drift({ classId }: DriftView): void {
    count(this.drifts, classId, { id: classId, count: 0 }, this.parts.maxClasses);
  }

  /** The figures of now. */
  make(nowMs: number, others: OtherFigures): ForecastFigures {
    const { book, history, leader } = this.parts;
    return {
      madeAtMs: nowMs,
      classes: this.busiest(nowMs).map(({ id, ratePerS }) => this.classFigures(id, ratePerS, nowMs)),
      anomalies: [...this.anomalies.values()],
      drifts: [...this.drifts.values()],
      ...others,
      tracked: book.size,
      waitingFits: book.waitingFits,
      history: historyView(history),
      leader: leader(),
    };
  }

  /** Hits a second of a class over the last full minute (a signal's mean); 0 when nothing is known. */
  ratePerS(id: string, nowMs: number): number {
    const figure = this.parts.book.of(id)?.figure ?? 'hits';
    const atMs = Math.floor(nowMs / MINUTE_MS) * MINUTE_MS - MINUTE_MS;
    const value = this.parts.history.value(id, figure, MINUTE_MS, atMs);
    if (!Number.isFinite(value)) return 0;
    return figure === 'level' ? value : value / 60;
  }

  /** The busiest classes, busiest first. */
  busiest(nowMs: number): readonly { id: string; ratePerS: number }[] {
    const all = [...this.parts.book.ids()].map((id) => ({ id, ratePerS: this.ratePerS(id, nowMs) }));
    all.sort((a, b) => b.ratePerS - a.ratePerS || (a.id < b.id ? -1 : 1));
    return all.slice(0, this.parts.maxClasses);
  }

  private classFigures(id: string, ratePerS: number, nowMs: number): ClassFigures {
    const { book } = this.parts;
    const minute = book.accuracy(id).find(({ horizon }) => horizon === '1m');
    return {
      id,
      ratePerS,
      horizons: HORIZONS.flatMap((horizon) => this.horizonFigures(id, horizon, nowMs)),
      maeRatio: minute?.maeRatio ?? null,
      coverage80: minute?.coverage80 ?? null,
      coverage95: minute?.coverage95 ?? null,
      anomalous: book.of(id)?.anomalous ?? false,
    };
  }

  private horizonFigures(id: string, horizon: HorizonName, nowMs: number): ClassFigures['horizons'] {
    const predictions = LEVELS.map((level) => this.parts.book.predict(id, horizon, level, nowMs));
    const ends = predictions.map((prediction: Prediction | undefined) => prediction?.steps.at(-1));
    const [first] = ends;
    if (first === undefined) return [];
    return [
      {
        horizon,
        ratePerS: first.mean,
        levels: LEVELS.flatMap((level, index) => {
          const end = ends[index];
          return end === undefined ? [] : [{ level, lower: end.lower, upper: end.upper }];
        }),
      },
    ];
  }
}

function historyView(history: History): HistoryView {
  const { path, persistent, error, classes, memoryBytes, fileBytes } = history.state();
  return {
    kind: path === undefined ? 'memory' : 'sqlite',
    degraded: path !== undefined && !persistent,
    error: error === undefined ? null : `${error.code}: ${error.message}`,
    classes,
    memoryBytes,
    diskBytes: fileBytes,
  };
}

/** Counts under a key, as long as there is room for it. */
function count<T extends { count: number }>(
  counts: Map<string, T>,
  key: string,
  fresh: T,
  max: number,
): void {
  const known = counts.get(key);
  if (known !== undefined) known.count += 1;
  else if (counts.size < max) counts.set(key, { ...fresh, count: 1 });
}

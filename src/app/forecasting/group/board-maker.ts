/** Makes the leader's board of what it forecasts, once a minute. */
import { HORIZONS, LEVELS, type AnomalyView, type ForecastFigures } from '../../../core/forecasts';
import type { ClassBook } from '../../../forecast/class-book';
import type { FiguresMaker } from '../figures';
import { packBoard, type ClassPredictions } from './board';

/** Anomalies, drifts and classes' accuracies that are told. */
const MAX_NEWS = 300;

/**
 * Packs a board of the busiest classes.
 * @param classesMax classes whose forecasts are told at most.
 */
export function makeBoard(
  parts: { readonly book: ClassBook; readonly figures: Pick<FiguresMaker, 'ratePerS'> },
  told: ForecastFigures,
  source: string,
  classesMax: number,
): Uint8Array {
  const { book, figures } = parts;
  const nowMs = told.madeAtMs;
  const rated = [...book.ids()].map((id) => ({ id, ratePerS: figures.ratePerS(id, nowMs) }));
  rated.sort((a, b) => b.ratePerS - a.ratePerS || (a.id < b.id ? -1 : 1));
  const busiest = rated.slice(0, classesMax).map(({ id }) => id);
  const anomalies = [...book.ids()]
    .flatMap((id): readonly AnomalyView[] => book.anomalies(id))
    .sort((a, b) => b.startMs - a.startMs)
    .slice(0, MAX_NEWS);
  const news = {
    source,
    madeAtMs: nowMs,
    alerts: told.alerts,
    replicas: told.replicas,
    anomalies,
    drifts: book.drifts().slice(-MAX_NEWS),
    accuracy: busiest.slice(0, MAX_NEWS).flatMap((id) => book.accuracy(id)),
  };
  return packBoard(news, predictionsOf(book, busiest, nowMs));
}

function* predictionsOf(book: ClassBook, ids: readonly string[], nowMs: number): Iterable<ClassPredictions> {
  for (const id of ids) {
    yield Object.fromEntries(
      HORIZONS.map((horizon) => [
        horizon,
        // What an earlier leader showed is not shown on.
        LEVELS.flatMap((level) => book.predict(id, horizon, level, nowMs) ?? []).filter(
          ({ source }) => source !== 'leader',
        ),
      ]),
    );
  }
}

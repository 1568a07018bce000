/** Steps of history as lines for InfluxDB: measurement `tidegate_class`, one point a class and step. */
import { COUNTS, type FigureName } from '../core/observation';
import type { ResolutionMs } from '../core/series';
import type { History } from './history';
import { influxLine } from './line-protocol';

/** The figures of all classes at one step that is over; classes without any are left out. */
export function* historyLines(
  history: Pick<History, 'classes' | 'value'>,
  stepMs: ResolutionMs,
  atMs: number,
): Iterable<string> {
  for (const { id, kind, service, tenant } of history.classes()) {
    const figures: readonly FigureName[] = kind === 'signal' ? ['level'] : COUNTS;
    const fields = Object.fromEntries(
      figures.map((figure) => [figure, history.value(id, figure, stepMs, atMs)]),
    );
    const line = influxLine('tidegate_class', { class: id, kind, service, tenant }, fields, atMs);
    if (line !== undefined) yield line;
  }
}

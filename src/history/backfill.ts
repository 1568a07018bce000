/** Fills what history has not seen from another system: any query of Prometheus or InfluxDB, mapped to a class. */
import { type ClassInfo, COUNTS, type CountName } from '../core/observation';
import type { ResolutionMs } from '../core/series';
import type { InfluxClient } from '../remote/influx-client';
import type { PrometheusClient, RangeSeries } from '../remote/prometheus-client';
import type { FilledStep } from '../series/series-store';
import type { History } from './history';

/** A query whose answer is a figure of a class. */
export interface BackfillQuery {
  readonly class: ClassInfo;
  /** A count, or `level` for a signal. Several queries may bring several counts of one class. */
  readonly figure: CountName | 'level';
  /**
   * PromQL, InfluxQL or Flux, with `$step` (such as `60s`) in it and for InfluxDB `$from` and `$to` (Unix ms). Several
   * series of an answer are added up; levels are averaged.
   */
  readonly query: string;
}

/** Where figures come from: by query, range and step; each point at the beginning of its step. */
export type FigureSource = (
  query: string,
  fromMs: number,
  toMs: number,
  stepMs: number,
) => Promise<readonly RangeSeries[]>;

/** Prometheus answers for the step that ends at a time: `increase(x[1m])` at 12:01 is what came since 12:00. */
export function prometheusSource(client: Pick<PrometheusClient, 'queryRange'>): FigureSource {
  return async (query, fromMs, toMs, stepMs) => {
    const asked = query.replaceAll('$step', `${stepMs / 1_000}s`);
    const series = await client.queryRange(asked, fromMs + stepMs, toMs, stepMs);
    return series.map(({ labels, points }) => ({
      labels,
      points: points.map(({ atMs, value }) => ({ atMs: atMs - stepMs, value })),
    }));
  };
}

/** InfluxDB answers for the step that begins at a time (`GROUP BY time($step)`, `aggregateWindow(..., timeSrc: "_start")`). */
export function influxSource(client: Pick<InfluxClient, 'query'>): FigureSource {
  return (query, fromMs, toMs, stepMs) =>
    client.query(
      query
        .replaceAll('$from', `${fromMs}`)
        .replaceAll('$to', `${toMs}`)
        .replaceAll('$step', `${stepMs / 1_000}s`),
    );
}

/** What a class's steps were filled with. */
export interface BackfillResult {
  readonly classId: string;
  /** Steps that the source had figures for. */
  readonly found: number;
  /** Those of them that history had not seen itself. */
  readonly filled: number;
}

type Cell = { sum: number; count: number };

function gather(
  series: readonly RangeSeries[],
  fromMs: number,
  toMs: number,
  stepMs: number,
): Map<number, Cell> {
  const cells = new Map<number, Cell>();
  for (const { points } of series) {
    for (const { atMs, value } of points) {
      const start = Math.floor(atMs / stepMs) * stepMs;
      if (start < fromMs || start >= toMs) continue;
      const cell = cells.get(start) ?? { sum: 0, count: 0 };
      cell.sum += value;
      cell.count += 1;
      cells.set(start, cell);
    }
  }
  return cells;
}

/** A step's columns from the counts that are known: what is not asked for follows from what is. */
function countRow(known: Partial<Record<CountName, number>>): readonly number[] | undefined {
  const { denied = 0, queued = 0 } = known;
  const arrivals = known.arrivals ?? known.hits ?? (known.admitted ?? 0) + denied;
  const admitted = known.admitted ?? Math.max(0, arrivals - denied - queued);
  const row = { arrivals, admitted, denied, queued, hits: known.hits ?? arrivals };
  const columns = COUNTS.map((name) => row[name]);
  return columns.every((value) => value >= 0 && Number.isFinite(value)) ? columns : undefined;
}

function rowsOf(figures: ReadonlyMap<CountName | 'level', Map<number, Cell>>): readonly FilledStep[] {
  const level = figures.get('level');
  if (level !== undefined) return [...level].map(([atMs, { sum, count }]) => ({ atMs, row: [sum, count] }));
  const times = new Set([...figures.values()].flatMap((cells) => [...cells.keys()]));
  return [...times].flatMap((atMs) => {
    const known: Partial<Record<CountName, number>> = {};
    for (const [figure, cells] of figures) {
      const cell = cells.get(atMs);
      if (cell !== undefined && figure !== 'level') known[figure] = cell.sum;
    }
    const row = countRow(known);
    return row === undefined ? [] : [{ atMs, row }];
  });
}

/**
 * Asks every query for the steps within [fromMs, toMs) and fills those that history has not seen, at this resolution and
 * the coarser ones. Nothing of a class is filled unless all its queries were answered.
 * @throws TidegateError TG_SOURCE_*; the classes before stay filled.
 */
export async function backfill(
  history: Pick<History, 'fill'>,
  source: FigureSource,
  queries: readonly BackfillQuery[],
  range: { readonly fromMs: number; readonly toMs: number; readonly stepMs: ResolutionMs },
  nowMs: () => number,
): Promise<readonly BackfillResult[]> {
  const { stepMs } = range;
  const fromMs = Math.ceil(range.fromMs / stepMs) * stepMs;
  const toMs = Math.floor(range.toMs / stepMs) * stepMs;
  const results: BackfillResult[] = [];
  for (const id of new Set(queries.map((query) => query.class.id))) {
    const figures = new Map<CountName | 'level', Map<number, Cell>>();
    const own = queries.filter((query) => query.class.id === id);
    for (const { figure, query } of own)
      if (toMs > fromMs)
        figures.set(figure, gather(await source(query, fromMs, toMs, stepMs), fromMs, toMs, stepMs));
    const rows = rowsOf(figures);
    const info = own[0]?.class;
    const filled = info === undefined || rows.length === 0 ? 0 : history.fill(info, stepMs, rows, nowMs());
    results.push({ classId: id, found: rows.length, filled });
  }
  return results;
}

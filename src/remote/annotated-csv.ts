/** InfluxDB's annotated CSV (docs.influxdata.com, "Annotated CSV"): tables one after the other, each with its header. */
import type { RangeSeries } from './prometheus-client';

/** Columns that are no labels. */
const PLAIN: ReadonlySet<string> = new Set(['', 'result', 'table', '_start', '_stop', '_time', '_value']);

/** Fields of one record, RFC 4180; `at` is where the next record begins. */
function readRecord(text: string, from: number): { fields: string[]; at: number } {
  const fields: string[] = [];
  let at = from;
  for (;;) {
    let field = '';
    if (text[at] === '"') {
      at += 1;
      while (at < text.length && (text[at] !== '"' || text[at + 1] === '"')) {
        if (text[at] === '"') at += 1;
        field += text[at];
        at += 1;
      }
      at += 1;
    } else {
      const end = /[,\r\n]/g;
      end.lastIndex = at;
      const next = end.exec(text)?.index ?? text.length;
      field = text.slice(at, next);
      at = next;
    }
    fields.push(field);
    if (text[at] === ',') {
      at += 1;
      continue;
    }
    if (text[at] === '\r') at += 1;
    if (text[at] === '\n') at += 1;
    // A stray character after a closing quote would otherwise stand still.
    else if (at < text.length && at === from) at += 1;
    return { fields, at };
  }
}

/** What an answer holds: the series; or the error that it is; neither when it is no such answer. */
export function readAnnotatedCsv(text: string): {
  readonly series?: readonly RangeSeries[];
  readonly error?: string;
} {
  const found = new Map<
    string,
    { labels: Record<string, string>; points: { atMs: number; value: number }[] }
  >();
  let header: readonly string[] | undefined;
  for (let at = 0; at < text.length;) {
    const record = readRecord(text, at);
    at = Math.max(record.at, at + 1);
    const { fields } = record;
    if (fields.length === 1 && fields[0] === '') {
      header = undefined;
      continue;
    }
    if (fields[0]?.startsWith('#') === true) {
      header = undefined;
      continue;
    }
    if (header === undefined) {
      header = fields;
      if (!header.includes('error') && !(header.includes('_time') && header.includes('_value'))) return {};
      continue;
    }
    if (!header.includes('_value')) return { error: fields[header.indexOf('error')] ?? 'refused' };
    const atMs = Date.parse(fields[header.indexOf('_time')] ?? '');
    const written = fields[header.indexOf('_value')] ?? '';
    const value = Number(written);
    if (written === '' || !Number.isFinite(value) || Number.isNaN(atMs)) continue;
    const labels = Object.fromEntries(
      header.map((name, index) => [name, fields[index] ?? ''] as const).filter(([name]) => !PLAIN.has(name)),
    );
    const key = JSON.stringify(labels);
    const series = found.get(key) ?? { labels, points: [] };
    series.points.push({ atMs, value });
    found.set(key, series);
  }
  return { series: [...found.values()] };
}

/** How figures, times and reasons stand in the cells of the page's tables: the same words from the server as in the browser. */

/** What a cell shows of its values. */
export type CellKind =
  /** One of a few words. */
  | 'text'
  /** What users, or callers, named: of any length, and of any characters. */
  | 'name'
  /** A sentence. */
  | 'said'
  | 'figure'
  /** The first value against the second. */
  | 'against'
  /** The first of two words for true, the second for false. */
  | 'word'
  /** Unix ms as a time of day, UTC. */
  | 'time'
  /** A decision's reason, and an override if there is one. */
  | 'reason'
  /** A pool's mode, and whose order it is if it is one. */
  | 'mode';

/**
 * The text of a cell, at most 300 characters. The page carries the source of this function as it stands, so it uses
 * nothing but its arguments and the language.
 */
export function cellText(kind: CellKind, values: readonly unknown[], words: readonly string[]): string {
  const [first, second] = values;
  const figure = (value: unknown): string => {
    if (typeof value !== 'number' || !Number.isFinite(value)) return '–';
    const scale = Math.abs(value) >= 100 ? 1 : Math.abs(value) >= 10 ? 10 : 100;
    return String(Math.round(value * scale) / scale);
  };
  const time = (value: unknown): string =>
    typeof value === 'number' && Math.abs(value) < 8e15 ? new Date(value).toISOString().slice(11, 19) : '–';
  const order = (value: unknown): string => {
    if (typeof value !== 'object' || value === null) return '';
    const { author, reason, untilMs } = value as { author?: unknown; reason?: unknown; untilMs?: unknown };
    const until = untilMs === undefined ? '' : ` until ${time(untilMs)}`;
    return `set${until} by ${String(author)}: ${String(reason)}`;
  };
  const reason = (value: unknown): string => {
    if (typeof value !== 'object' || value === null) return '';
    const { rule, clamps, reactivePerS, forecastPerS } = value as Readonly<Record<string, unknown>>;
    const cut = Array.isArray(clamps) && clamps.length > 0 ? `, cut by ${clamps.join(', ')}` : '';
    return `${String(rule)}${cut} (demand ${figure(reactivePerS)}, forecast ${figure(forecastPerS)})`;
  };
  const joined = (a: string, b: string): string => (b === '' ? a : `${a}; ${b}`);
  let text: string;
  if (kind === 'figure') text = figure(first);
  else if (kind === 'against') text = `${figure(first)} / ${figure(second)}`;
  else if (kind === 'word') text = words[first === true ? 0 : 1] ?? '';
  else if (kind === 'time') text = time(first);
  else if (kind === 'reason') text = joined(reason(first), order(second));
  else if (kind === 'mode') text = joined(String(first), order(second));
  else text = typeof first === 'string' ? first : figure(first);
  return text.length > 300 ? `${text.slice(0, 299)}…` : text;
}

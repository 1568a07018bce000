/** Reads the timestamps that series are exported with. Times without a zone are UTC. */

/** Figures from here on are milliseconds: as seconds they would lie beyond the year 5000. */
const MS_FROM = 1e11;
const US_FROM = 1e14;
const NS_FROM = 1e17;
/** The last time a Date can hold, ms. */
const LAST_MS = 8.64e15;

const UNIX = /^[+-]?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?$/;
const ISO =
  /^(\d{4})-(\d{2})-(\d{2})(?:[T ](\d{2}):(\d{2})(?::(\d{2})(?:[.,](\d{1,9}))?)?\s*(Z|UTC|[+-]\d{2}:?(?:\d{2})?)?)?$/i;

/**
 * A Unix time in seconds, milliseconds, microseconds or nanoseconds (told apart by size), or an ISO 8601 date or date and time.
 * @returns Unix time, ms; NaN when it is neither.
 */
export function readTimestamp(text: string): number {
  if (UNIX.test(text)) return unixMs(Number(text));
  const found = ISO.exec(text);
  if (found === null) return NaN;
  const [year, month, day, hour, minute, second] = found.slice(1, 7).map((part) => Number(part ?? 0));
  return isoMs(
    [year, month, day, hour, minute, second].map((part) => part ?? 0),
    found[7],
    found[8],
  );
}

function unixMs(figure: number): number {
  const size = Math.abs(figure);
  const ms = size < MS_FROM ? figure * 1e3 : size < US_FROM ? figure : figure / (size < NS_FROM ? 1e3 : 1e6);
  return Math.abs(ms) <= LAST_MS ? Math.round(ms) : NaN;
}

function isoMs(parts: readonly number[], fraction: string | undefined, zone: string | undefined): number {
  const [year = 0, month = 0, day = 0, hour = 0, minute = 0, second = 0] = parts;
  if (hour > 23 || minute > 59 || second > 59) return NaN;
  const at = Date.UTC(year, month - 1, day, hour, minute, second);
  // A day that the month does not have would be moved into the next one.
  const date = new Date(at);
  if (date.getUTCMonth() !== month - 1 || date.getUTCDate() !== day) return NaN;
  const ms = fraction === undefined ? 0 : Math.floor(Number(`0.${fraction}`) * 1e3);
  return at + ms - zoneMs(zone);
}

function zoneMs(zone: string | undefined): number {
  const found = /^([+-])(\d{2}):?(\d{2})?$/.exec(zone ?? '');
  if (found === null) return 0;
  const minutes = Number(found[2]) * 60 + Number(found[3] ?? 0);
  return (found[1] === '-' ? -1 : 1) * minutes * 60_000;
}

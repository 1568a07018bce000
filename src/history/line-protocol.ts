/** InfluxDB's line protocol: one line a point (docs.influxdata.com, "Line protocol"). */

const escaped = (text: string, special: RegExp): string =>
  // A line break would begin another line. A backslash before a special character, or at the end, is dropped: some
  // versions would take it and the one that escapes for one backslash, and what follows for a delimiter.
  text
    .replace(/[\r\n\t]+/g, ' ')
    .replace(/\\+(?=[,= ]|$)/g, '')
    .replace(special, '\\$&');

/** A point as a line; undefined when it has no finite field. */
export function influxLine(
  measurement: string,
  tags: Readonly<Record<string, string | undefined>>,
  fields: Readonly<Record<string, number>>,
  atMs: number,
): string | undefined {
  const values = Object.entries(fields).filter(([, value]) => Number.isFinite(value));
  if (values.length === 0) return undefined;
  const named = Object.entries(tags)
    .map(([name, value = '']) => [escaped(name, /[,= ]/g), escaped(value, /[,= ]/g)] as const)
    .filter(([, value]) => value !== '')
    .map(([name, value]) => `,${name}=${value}`);
  const written = values.map(([name, value]) => `${escaped(name, /[,= ]/g)}=${value}`).join(',');
  return `${escaped(measurement, /[, ]/g)}${named.join('')} ${written} ${Math.round(atMs)}`;
}

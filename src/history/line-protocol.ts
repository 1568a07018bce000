/** InfluxDB's line protocol: one line a point (docs.influxdata.com, "Line protocol"). */

const escaped = (text: string, special: RegExp): string =>
  // A line break would begin another line, and a trailing backslash would escape what follows.
  text
    .replace(/[\r\n\t]+/g, ' ')
    .replace(/\\+$/, '')
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
    .filter((tag): tag is [string, string] => tag[1] !== undefined && tag[1] !== '')
    .map(([name, value]) => `,${escaped(name, /[,= ]/g)}=${escaped(value, /[,= ]/g)}`)
    .filter((tag) => !tag.endsWith('='));
  const written = values.map(([name, value]) => `${escaped(name, /[,= ]/g)}=${value}`).join(',');
  return `${escaped(measurement, /[, ]/g)}${named.join('')} ${written} ${Math.round(atMs)}`;
}

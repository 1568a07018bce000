/** Metrics made of figures that are handed over as a whole: as text, a slice a turn of the event loop, for there may be thousands of lines. */
import { setImmediate as nextTurn } from 'node:timers/promises';
import { printable } from './metric-key';

/** Some 0.2 ms of work. */
const LINES_A_TURN = 1_000;
/** Longer label values are cut. */
const LABEL_MAX = 256;

/** One line: labels, and the value; null leaves it out. */
export type Line = readonly [labels: readonly (readonly [string, string])[], value: number | null];

/** A metric and how its lines come of figures. */
export interface MetricFamily<F> {
  readonly name: string;
  readonly type: 'gauge' | 'counter';
  readonly help: string;
  readonly lines: (figures: F) => Iterable<Line>;
}

/** The lines of the text format. Lets the event loop turn between slices. */
export async function renderFamilies<F>(families: readonly MetricFamily<F>[], figures: F): Promise<string> {
  const slices: string[] = [];
  for (const { name, type, help, lines } of families) {
    let slice = `# HELP ${name} ${help}\n# TYPE ${name} ${type}\n`;
    let count = 0;
    // Ids that look alike once printable would be one series twice, which a scrape refuses.
    const told = new Set<string>();
    for (const [labels, value] of lines(figures)) {
      if (value === null || !Number.isFinite(value)) continue;
      const series = name + braced(labels);
      if (told.has(series)) continue;
      told.add(series);
      slice += `${series} ${value}\n`;
      count += 1;
      if (count % LINES_A_TURN !== 0) continue;
      slices.push(slice);
      slice = '';
      await nextTurn();
    }
    slices.push(slice);
  }
  return slices.join('');
}

/** Labels as the text format writes them. */
function braced(labels: readonly (readonly [string, string])[]): string {
  if (labels.length === 0) return '';
  const pairs = labels.map(([name, value]) => {
    const escaped = printable(value.slice(0, LABEL_MAX)).replaceAll('\\', '\\\\').replaceAll('"', '\\"');
    return `${name}="${escaped}"`;
  });
  return `{${pairs.join(',')}}`;
}

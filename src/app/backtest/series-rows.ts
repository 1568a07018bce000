/** The rows of a series' file: `timestamp,value`, one line at a time, with every mistake told by its line. */
import { TidegateError } from '../../core/errors';
import { readTimestamp } from './timestamp';

/** What the lines of a file hold, in the file's order. */
export interface SeriesRows {
  readonly timesMs: readonly number[];
  /** NaN where a row says that it has no value. */
  readonly values: readonly number[];
  /** The line each row stands in, from 1. */
  readonly lines: readonly number[];
}

/** More rows than this are not read. */
export const ROWS_MAX = 5_000_000;
/** After so many mistakes the rest of a file is not looked at. */
export const MISTAKES_MAX = 20;
/** A larger figure is no count: sums of such would lose their units. */
const VALUE_MAX = 1e15;
/** So much of a cell is repeated in a message. */
const QUOTED_MAX = 40;

const TIME_NAMES: ReadonlySet<string> = new Set(['timestamp', 'time', 'ts', 'date', 'datetime']);
const VALUE_NAMES: ReadonlySet<string> = new Set(['value', 'count', 'requests', 'y']);
const MISSING: ReadonlySet<string> = new Set(['', 'nan', 'na', 'n/a', 'null', 'none', '-']);

interface Columns {
  readonly time: number;
  readonly value: number;
}

/** Takes lines in order and keeps their rows. */
export class RowReader {
  private readonly timesMs: number[] = [];
  private readonly values: number[] = [];
  private readonly lines: number[] = [];
  private readonly found: TidegateError[] = [];
  private columns: Columns | undefined;
  private hopeless = false;

  constructor(
    private readonly file: string,
    private readonly rowsMax = ROWS_MAX,
  ) {}

  /** What is wrong with the lines so far. */
  get mistakes(): readonly TidegateError[] {
    return this.found;
  }

  /** Whether there is no use in giving it more lines. */
  get done(): boolean {
    return this.hopeless || this.found.length >= MISTAKES_MAX;
  }

  rows(): SeriesRows {
    return { timesMs: this.timesMs, values: this.values, lines: this.lines };
  }

  /** Takes a line without its end; empty lines are passed over. @param line counted from 1. */
  take(text: string, line: number): void {
    const trimmed = text.replace(/^\ufeff/, '').trim();
    if (trimmed === '' || this.done) return;
    const cells = trimmed.split(',').map(bare);
    if (this.columns !== undefined) return this.row(cells, line, this.columns);
    // A file may begin with its first row at once.
    if (cells.length > 1 && Number.isFinite(readTimestamp(cells[0] ?? ''))) {
      this.columns = { time: 0, value: 1 };
      return this.row(cells, line, this.columns);
    }
    this.columns = columnsOf(cells);
    if (this.columns !== undefined) return;
    this.hopeless = true;
    this.mistake(
      line,
      `the columns are ${cells.slice(0, 5).map(quoted).join(', ')}, not timestamp and value`,
    );
  }

  private row(cells: readonly string[], line: number, { time, value }: Columns): void {
    const timeText = cells[time];
    const valueText = cells[value];
    if (timeText === undefined || valueText === undefined) {
      return this.mistake(line, `the row has ${cells.length} of the columns only`);
    }
    const timeMs = readTimestamp(timeText);
    if (!Number.isFinite(timeMs)) {
      const what = `the timestamp ${quoted(timeText)} is neither a Unix time nor an ISO 8601 date and time`;
      return this.mistake(line, what, 'write it as 1396310400 or 2014-04-01T00:00:00Z');
    }
    const figure = readValue(valueText);
    if (typeof figure === 'string') {
      return this.mistake(
        line,
        figure,
        'write a figure from 0 up, or leave the value empty where none is known',
      );
    }
    if (this.timesMs.length >= this.rowsMax) {
      this.hopeless = true;
      return this.mistake(
        line,
        `there are more than ${this.rowsMax} rows`,
        'give it coarser steps, or fewer',
      );
    }
    this.timesMs.push(timeMs);
    this.values.push(figure);
    this.lines.push(line);
  }

  private mistake(line: number, message: string, remedy?: string): void {
    const at = { file: this.file, line };
    this.found.push(
      new TidegateError('TG_SERIES_BAD_FILE', message, { at, ...(remedy === undefined ? {} : { remedy }) }),
    );
  }
}

function columnsOf(names: readonly string[]): Columns | undefined {
  const place = (known: ReadonlySet<string>): number =>
    names.findIndex((name) => known.has(name.toLowerCase()));
  const [time, value] = [place(TIME_NAMES), place(VALUE_NAMES)];
  return time < 0 || value < 0 ? undefined : { time, value };
}

/** The figure, NaN for a missing one, or what is wrong with it. */
function readValue(text: string): number | string {
  if (MISSING.has(text.toLowerCase())) return NaN;
  if (!/^[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?$/.test(text))
    return `the value ${quoted(text)} is not a figure`;
  const figure = Number(text);
  if (figure < 0) return `the value ${quoted(text)} is negative`;
  return figure > VALUE_MAX ? `the value ${quoted(text)} is larger than ${VALUE_MAX}` : figure + 0;
}

/** A cell without the quotes and blanks around it. */
function bare(cell: string): string {
  const trimmed = cell.trim();
  return /^".*"$/.test(trimmed) ? trimmed.slice(1, -1).trim() : trimmed;
}

function quoted(text: string): string {
  return `'${text.length > QUOTED_MAX ? `${text.slice(0, QUOTED_MAX)}...` : text}'`;
}

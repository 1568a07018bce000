/** The first view of the page's live tables, as the server renders it; the script brings them up to date. */
import type { ErrorCode } from '../core/error-catalogue';
import { TidegateError } from '../core/errors';
import { cellText } from './cell-text';
import type { AdminDeps } from './deps';
import { html, type Markup } from './html';
import {
  CONTROL_TABLES,
  DENIED_TABLE,
  MAX_ROWS,
  styleOf,
  TRAFFIC_TABLES,
  type LiveColumn,
  type LiveTable,
} from './live-tables';

/** How long the page waits for control before it shows itself without, ms. */
const PATIENCE_MS = 1_000;
const MAX_CLASSES = 50;
type Row = Readonly<Record<string, unknown>>;
type Rows = { readonly rows: readonly Row[]; readonly total: number } | { readonly error: string };

/** An answer, or in words why there is none in time. */
async function inTime<T>(asked: Promise<T>): Promise<T | string> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<string>((resolve) => {
    timer = setTimeout(() => resolve('there is no answer yet'), PATIENCE_MS);
  });
  try {
    return await Promise.race([asked, late]);
  } catch (thrown) {
    const { code, message } = TidegateError.from(thrown);
    return code === 'TG_INTERNAL' ? code : `${code}: ${message}`;
  } finally {
    clearTimeout(timer);
  }
}

const isOff = (answer: object | string, code: ErrorCode): boolean =>
  typeof answer === 'string' && answer.startsWith(`${code}:`);

const NO_POOLS = {
  pools: html`<section class="wide">
    <h2>Pools</h2>
    <p class="dim">No pool is configured: see pools.list and pools.members in the settings.</p>
  </section>`,
};

/** Renders the tables of control by name; nothing but a word where no pool is configured. */
export async function controlSections({
  control,
}: Pick<AdminDeps, 'control'>): Promise<{ readonly [N in keyof typeof CONTROL_TABLES]?: Markup }> {
  if (control === undefined) return NO_POOLS;
  const whole = { offset: 0, limit: MAX_ROWS };
  const asks = [
    ['pools', control.askControl('pools', {})],
    ['buckets', control.askControl('buckets', whole)],
    ['allocations', control.askControl('allocations', {})],
    ['loans', control.askControl('loans', whole)],
    ['decisions', control.askControl('decisions', whole)],
  ] as const;
  const answers = await Promise.all(
    asks.map(async ([name, asked]) => [name, await inTime<object>(asked)] as const),
  );
  if (answers.some(([, answer]) => isOff(answer, 'TG_CONTROL_OFF'))) return NO_POOLS;
  return Object.fromEntries(
    answers.map(([name, answer]) => {
      const table = CONTROL_TABLES[name];
      const rows = typeof answer === 'string' ? { error: answer } : rowsOf(table, answer);
      return [name, tableSection(table, rows)] as const;
    }),
  );
}

/** Renders how traffic is spread; nothing where no Envoy is served. */
export async function trafficSections({ mesh }: Pick<AdminDeps, 'mesh'>): Promise<readonly Markup[]> {
  const answer = await inTime<object>(mesh.askMesh('traffic', {}));
  if (isOff(answer, 'TG_MESH_OFF')) return [];
  return TRAFFIC_TABLES.map((table) =>
    tableSection(table, typeof answer === 'string' ? { error: answer } : rowsOf(table, answer)),
  );
}

/** Renders what is denied most. */
export function deniedSection(deps: Pick<AdminDeps, 'topDenied'>): Markup {
  return tableSection(DENIED_TABLE, rowsOf(DENIED_TABLE, { denied: deps.topDenied() }));
}

function rowsOf(table: LiveTable, answer: object): Rows {
  const { [table.list]: rows, total } = answer as Row;
  if (!Array.isArray(rows)) return { error: 'there is no answer yet' };
  return { rows: rows as readonly Row[], total: typeof total === 'number' ? total : rows.length };
}

function tableSection(table: LiveTable, answer: Rows): Markup {
  const rows = 'error' in answer ? [] : answer.rows.slice(0, MAX_ROWS);
  const left = 'error' in answer ? 0 : answer.total - rows.length;
  const more = left > 0 ? `and ${left} more: ${table.path.split('?')[0] ?? ''}` : '';
  const note = 'error' in answer ? answer.error : rows.length === 0 ? table.none : more;
  const id = `${table.id}-title`;
  return html`<section class="wide list" id="${table.id}" aria-labelledby="${id}" tabindex="0">
    <h2 id="${id}">${table.title}</h2>
    <table aria-labelledby="${id}">
      <thead>
        <tr>
          ${table.columns.map((column) => headOf(column))}
        </tr>
      </thead>
      <tbody>
        ${rows.map(
          (row) =>
            html`<tr>
              ${table.columns.map((column) => cellOf(column, row))}
            </tr>`,
        )}
      </tbody>
    </table>
    <p class="dim">${note}</p>
  </section>`;
}

const headOf = (column: LiveColumn): Markup =>
  html`<th scope="col" class="${styleOf(column)}">${column.title}</th>`;

function cellOf(column: LiveColumn, row: Row): Markup {
  const values = column.fields.map((field) => row[field]);
  const text = cellText(column.kind, values, column.words ?? []);
  const tone = column.tones?.[text] ?? '';
  return html`<td class="${`${styleOf(column)} ${tone}`.trim()}">${text}</td>`;
}

/** Renders the frame of the chart of forecast against actual; the script draws in it. */
export async function chartSection({ forecasts }: Pick<AdminDeps, 'forecasts'>): Promise<Markup> {
  const answer = await inTime(forecasts.ask('classes', { offset: 0, limit: MAX_CLASSES }));
  const classes = typeof answer === 'string' ? [] : answer.classes;
  return html`<section class="wide" id="forecast" aria-labelledby="forecast-title">
    <h2 id="forecast-title">Forecast against actual</h2>
    <label for="class">class</label>
    <select id="class">
      ${classes.map(({ id }) => html`<option value="${id}">${id.slice(0, 200)}</option>`)}
    </select>
    <div id="chart"></div>
    <p class="dim" id="chart-note">${typeof answer === 'string' ? answer : ''}</p>
    <noscript
      ><p class="dim">The chart needs scripts; see /api/v1/series and /api/v1/predictions.</p></noscript
    >
  </section>`;
}

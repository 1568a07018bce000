/** The frame of a report: one file that needs no network, for any screen, light or dark. */
import { html, Markup } from '../../../admin/html';
import { CHART_STYLE, swatchSvg } from '../../../chart/style';
import { plotSvg, type Plot } from '../../../chart/plot';
import { packageVersion } from '../../package-info';

const STYLE = `
:root { color-scheme: light dark; --ink: #1c2733; --dim: #5d6b7a; --line: #dde3ea; --card: #fff; --back: #f3f6f9;
  --good: #1a7f4b; --bad: #b3261e; --warn: #8a5a00; --wave: #0b6e99; --ours: #e8f3f8; }
@media (prefers-color-scheme: dark) { :root { --ink: #e3e9ef; --dim: #93a1b0; --line: #2b3743; --card: #18212a;
  --back: #10171e; --good: #4cc38a; --bad: #ff7b72; --warn: #e3b341; --wave: #58b7e0; --ours: #1c2f3a; } }
* { box-sizing: border-box; }
body { margin: 0; background: var(--back); color: var(--ink); font: 15px/1.5 system-ui, sans-serif; }
header, main, footer { max-width: 66rem; margin: 0 auto; padding: 1rem 1.25rem; }
header { padding-top: 1.75rem; padding-bottom: 0; }
h1 { margin: 0; font-size: 1.5rem; color: var(--wave); overflow-wrap: anywhere; }
h2 { margin: 0 0 .5rem; font-size: 1.1rem; }
h3 { margin: 1.25rem 0 .25rem; font-size: .95rem; }
p { margin: .25rem 0 .75rem; max-width: 46rem; }
section { background: var(--card); border: 1px solid var(--line); border-radius: .5rem; padding: 1rem 1.25rem; margin: 0 0 1rem; }
.dim { color: var(--dim); } .good { color: var(--good); } .bad { color: var(--bad); } .warn { color: var(--warn); }
.wide { overflow-x: auto; }
.wide .chart { min-width: 36rem; }
.tiles { display: grid; gap: 1rem; grid-template-columns: repeat(auto-fit, minmax(13rem, 1fr)); margin: 0 0 1rem; }
.tile { background: var(--card); border: 1px solid var(--line); border-radius: .5rem; padding: .75rem 1.25rem; }
.tile b { display: block; font-size: 1.75rem; line-height: 1.2; font-variant-numeric: tabular-nums; }
table { border-collapse: collapse; width: 100%; font-size: .875rem; }
caption { text-align: left; font-weight: 600; padding: 1rem 0 .25rem; }
th, td { text-align: right; padding: .3rem 0 .3rem 1rem; border-bottom: 1px solid var(--line); white-space: nowrap;
  font-variant-numeric: tabular-nums; }
th:first-child, td:first-child { text-align: left; padding-left: .5rem; }
td.text, th.text { text-align: left; white-space: normal; }
thead th { color: var(--dim); font-weight: 600; }
tbody tr:last-child > * { border-bottom: 0; }
tbody th { font-weight: 400; }
tr.ours { background: var(--ours); } tr.ours th { font-weight: 600; }
.bar { width: 7rem; height: .6rem; display: block; }
.bar rect { fill: var(--wave); fill-opacity: .75; }
ul.legend { display: flex; flex-wrap: wrap; gap: .25rem 1.25rem; list-style: none; margin: .25rem 0 .5rem; padding: 0; font-size: .85rem; }
ul.legend li { display: flex; gap: .4rem; align-items: center; }
details { margin: .25rem 0 .5rem; font-size: .875rem; } summary { cursor: pointer; color: var(--wave); }
footer { color: var(--dim); font-size: .85rem; }
@media (max-width: 40rem) { header, main, footer { padding-left: .6rem; padding-right: .6rem; } section { padding: .75rem; } }
@media print { body { background: none; } section { break-inside: avoid; } }
`;

// Byte for byte as it is, which the formatter of the template below would not leave it.
const STYLES = new Markup(`<style>${STYLE}${CHART_STYLE}</style>`);

/** Nothing is loaded from anywhere and nothing runs, even if something in the page asked for it. */
const POLICY = "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'";

/** A page. @param head what stands under its title. */
export function page(title: string, head: Markup, body: readonly Markup[]): string {
  return `${
    html`<!doctype html>
      <html lang="en">
        <head>
          <meta charset="utf-8" />
          <meta name="viewport" content="width=device-width, initial-scale=1" />
          <meta http-equiv="Content-Security-Policy" content="${POLICY}" />
          <meta name="generator" content="tidegate ${packageVersion()}" />
          <title>${title}</title>
          ${STYLES}
        </head>
        <body>
          <header>
            <h1>${title}</h1>
            ${head}
          </header>
          <main>${body}</main>
          <footer>Made by tidegate ${packageVersion()}. All times are UTC.</footer>
        </body>
      </html>`.text
  }\n`;
}

/** A chart with its legend. */
export function figureOf(plot: Plot): Markup {
  return html`<div class="wide">${new Markup(plotSvg(plot))}</div>
    <ul class="legend">
      ${plot.layers.map((layer) => html`<li>${new Markup(swatchSvg(layer))} ${layer.label}</li>`)}
    </ul>`;
}

/** A column of a table. */
export interface Column {
  readonly head: string;
  /** Prose stands to the left, figures to the right. */
  readonly text?: boolean;
}

/** A table; a row's first cell is its head. @param ours the rows that stand out. */
export function tableOf(
  caption: string,
  columns: readonly Column[],
  rows: readonly { readonly cells: readonly (string | Markup)[]; readonly ours?: boolean }[],
): Markup {
  const look = (column: Column | undefined): string => (column?.text === true ? 'text' : '');
  return html`<div class="wide">
    <table>
      <caption>
        ${caption}
      </caption>
      <thead>
        <tr>
          ${columns.map((column) => html`<th scope="col" class="${look(column)}">${column.head}</th>`)}
        </tr>
      </thead>
      <tbody>
        ${rows.map(
          ({ cells, ours }) =>
            html`<tr class="${ours === true ? 'ours' : ''}">
              ${cells.map((cell, at) =>
                at === 0
                  ? html`<th scope="row">${cell}</th>`
                  : html`<td class="${look(columns[at])}">${cell}</td>`,
              )}
            </tr>`,
        )}
      </tbody>
    </table>
  </div>`;
}

/** A table that is there to be opened: the figures of a chart. */
export function folded(summary: string, table: Markup): Markup {
  return html`<details>
    <summary>${summary}</summary>
    ${table}
  </details>`;
}

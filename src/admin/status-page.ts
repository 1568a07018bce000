/** The page at `/`: how the process is, at one look. Made here as a whole; a script then keeps it up to date. */
import type { AdminDeps, LimitsView, ProcessView, StoreView } from './deps';
import { errorBody } from './error-replies';
import { formatPosition } from '../core/errors';
import { html, Markup } from './html';
import { chartSection, controlSections, deniedSection, trafficSections } from './live-section';
import { PAGE_SCRIPT } from './page-script';
import { PAGE_STYLE } from './page-style';

const REFRESH_S = 5;
const MAX_RULES = 200;
const FIGURES = ['total_hits', 'within_limit', 'near_limit', 'over_limit', 'shadow_mode'] as const;
const LINKS = [
  '/metrics',
  '/stats',
  '/rlconfig',
  '/api/v1/config',
  '/api/v1/limits',
  '/api/v1/top',
  '/api/v1/store',
  '/api/v1/pools',
  '/api/v1/buckets',
  '/api/v1/overrides',
  '/api/v1/audit',
  '/api/v1/mesh',
  '/api/v1/traffic',
  '/api/v1/classes',
  '/api/v1/accuracy',
  '/api/v1/anomalies',
  '/api/v1/forecasting',
  '/api/v1/openapi.json',
];

// Byte for byte what its hash was taken of, hence not part of the template below, which is laid out by the formatter.
const STYLE = new Markup(`<style>${PAGE_STYLE}</style>`);
const SCRIPT = new Markup(`<script>${PAGE_SCRIPT}</script>`);

/**
 * Renders the page from what the API shows; what does not answer in a second is left to the script.
 * @param stateOnly leaves out what the script asks the API for itself.
 */
export async function renderStatusPage(deps: AdminDeps, stateOnly = false): Promise<string> {
  const { version, startedAt } = deps.process();
  const limits = deps.limitsStatus();
  const live = stateOnly ? html`` : await liveSections(deps);
  return html`<!doctype html>
    <html lang="en">
      <head>
        <meta charset="utf-8" />
        <meta name="viewport" content="width=device-width, initial-scale=1" />
        <noscript><meta http-equiv="refresh" content="${REFRESH_S}" /></noscript>
        <title>Tidegate</title>
        ${STYLE}
      </head>
      <body>
        <header>
          <h1>Tidegate</h1>
          ${badge(deps)} <span class="dim">version ${version}, started ${startedAt}</span>
          <span class="dim" id="news" role="status" aria-live="polite"></span>
        </header>
        <main>
          <div id="errors">${errorCard(limits)}</div>
          ${live}
          <div id="state">
            ${rulesCard(deps)} ${processCard(deps.process())} ${limitsCard(limits)} ${storeCard(deps.store())}
          </div>
        </main>
        ${stateOnly ? html`` : SCRIPT}
      </body>
    </html> `.text;
}

async function liveSections(deps: AdminDeps): Promise<Markup> {
  const [control, chart, traffic] = await Promise.all([
    controlSections(deps),
    chartSection(deps),
    trafficSections(deps),
  ]);
  const { pools = '', buckets = '', allocations = '', loans = '', decisions = '' } = control;
  return html`${pools} ${buckets} ${deniedSection(deps)} ${chart} ${traffic} ${allocations} ${loans}
  ${decisions}`;
}

function badge(deps: AdminDeps): Markup {
  const { ok, reason } = deps.health();
  return ok
    ? html`<span class="badge good" id="badge">serving</span>`
    : html`<span class="badge bad" id="badge">not serving: ${reason ?? 'not ready'}</span>`;
}

const row = (name: string, value: string | number | Markup): Markup =>
  html`<tr>
    <th scope="row">${name}</th>
    <td class="k">${value}</td>
  </tr>`;

function processCard({ addresses }: ProcessView): Markup {
  const links = LINKS.map((path) => html`<a href="${path}">${path}</a> `);
  return html`<section>
    <h2>Ports</h2>
    <table>
      ${Object.entries(addresses).map(([name, address]) => row(name, address))} ${row('see', html`${links}`)}
    </table>
  </section>`;
}

function limitsCard(limits: LimitsView): Markup {
  const { errors, failedAt } = limits;
  const last =
    errors.length > 0
      ? html`<span class="bad">rejected ${failedAt ?? ''}</span>`
      : html`<span class="good">good</span>`;
  return html`<section>
    <h2>Limits</h2>
    <table>
      ${row('version', limits.generation)} ${row('loaded', limits.loadedAt ?? 'never')}
      ${row('last load', last)} ${row('rules', limits.rules)} ${row('domains', limits.domains.join(', '))}
      ${row('files', limits.files.join(', '))}
    </table>
  </section>`;
}

function storeCard({ kind, ready, details }: StoreView): Markup {
  const state = ready
    ? html`<span class="good">ready</span>`
    : html`<span class="bad">cannot be asked</span>`;
  return html`<section>
    <h2>Store</h2>
    <table>
      ${row('kind', kind)} ${row('state', state)}
      ${Object.entries(details).map(([name, value]) => row(name, String(value)))}
    </table>
  </section>`;
}

function errorCard({ errors, warnings, failedAt, loadedAt }: LimitsView): Markup {
  if (errors.length + warnings.length === 0) return html``;
  const told = [...errors, ...warnings].map((error) => {
    const { code, at, message, remedy } = errorBody(error);
    return html`<pre class="${errors.includes(error) ? 'bad' : 'warn'}">
${code}: ${formatPosition(at ?? undefined)}${message}
  ${remedy}</pre>`;
  });
  const title =
    errors.length > 0
      ? `The last load was rejected at ${failedAt ?? '?'}; the limits of ${loadedAt ?? 'no load'} are in use`
      : 'Warnings of the last load';
  return html`<section class="wide">
    <h2>${title}</h2>
    ${told}
  </section>`;
}

function rulesCard(deps: AdminDeps): Markup {
  const rules = deps.rules();
  const lines = rules.slice(0, MAX_RULES).map((rule) => {
    const figures = deps.ruleFigures(rule.id);
    const counts = FIGURES.map((figure) => figures?.[figure] ?? 0);
    const modes = [rule.shadowMode ? 'shadow' : '', rule.quotaMode ? 'quota' : ''].filter(
      (mode) => mode !== '',
    );
    return html`<tr>
      <td class="k">${rule.id}</td>
      <td>${rule.unlimited ? 'unlimited' : `${rule.limit} per ${rule.window}`}</td>
      <td>${rule.unlimited ? '' : rule.algorithm} ${modes.join(', ')}</td>
      ${counts.map((count) => html`<td class="n">${count}</td>`)}
    </tr>`;
  });
  const more =
    rules.length > MAX_RULES
      ? html`<p class="dim">and ${rules.length - MAX_RULES} more: /api/v1/limits</p>`
      : html``;
  return html`<section class="wide">
    <h2>Rules</h2>
    <table>
      <tr>
        <th scope="col">rule</th>
        <th scope="col">limit</th>
        <th scope="col">how</th>
        ${FIGURES.map((figure) => html`<th scope="col" class="n">${figure.replaceAll('_', ' ')}</th>`)}
      </tr>
      ${lines}
    </table>
    ${more}
  </section>`;
}

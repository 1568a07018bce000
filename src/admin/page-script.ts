/**
 * The script of the page: it brings the tables up to date from the API, at once when an event tells of a change and else
 * every few seconds, and draws the chart. What it is told becomes text of elements, never markup. One script, allowed by
 * its hash in the page's content security policy; it is JavaScript for browsers and so stands here as text.
 */
import { cellText } from './cell-text';
import { CHART_SCRIPT } from './chart-script';
import { LIVE_TABLES, MAX_ROWS, styleOf } from './live-tables';

const TABLES = LIVE_TABLES.map((table) => ({
  ...table,
  columns: table.columns.map((column) => ({ ...column, words: column.words ?? [], style: styleOf(column) })),
}));

const LIVE_SCRIPT = `
const cellText = ${cellText.toString()};
const TABLES = ${JSON.stringify(TABLES)};
const MAX_ROWS = ${MAX_ROWS}, POLL_MS = 5000, SETTLE_MS = 400, PATIENCE_MS = 4000;
const byId = (id) => document.getElementById(id);
const make = (name, text, style) => {
  const element = document.createElement(name);
  if (text !== undefined) element.textContent = text;
  if (style) element.className = style;
  return element;
};

async function askJson(path) {
  const answer = await fetch(path, { signal: AbortSignal.timeout(PATIENCE_MS), cache: 'no-store' });
  const body = await answer.json();
  if (!answer.ok) throw new Error(body.code + ': ' + body.message);
  return body;
}

function rowOf(table, row) {
  const line = make('tr');
  for (const { kind, fields, words, tones, style } of table.columns) {
    const text = cellText(kind, fields.map((field) => row[field]), words);
    const tone = tones && Object.hasOwn(tones, text) ? ' ' + tones[text] : '';
    line.append(make('td', text, style + tone));
  }
  return line;
}

async function refresh(table) {
  const section = byId(table.id);
  if (!section) return;
  const note = section.querySelector('p');
  try {
    const answer = await askJson(table.path);
    const all = answer[table.list];
    const shown = all.slice(0, MAX_ROWS);
    const left = (answer.total ?? all.length) - shown.length;
    section.querySelector('tbody').replaceChildren(...shown.map((row) => rowOf(table, row)));
    note.textContent =
      shown.length === 0 ? table.none : left > 0 ? 'and ' + left + ' more: ' + table.path.split('?')[0] : '';
  } catch (error) {
    note.textContent = 'not up to date: ' + error.message;
  }
}

async function refreshState() {
  try {
    const answer = await fetch('/?part=state', { signal: AbortSignal.timeout(PATIENCE_MS), cache: 'no-store' });
    const page = new DOMParser().parseFromString(await answer.text(), 'text/html');
    for (const id of ['badge', 'errors', 'state']) {
      const fresh = page.getElementById(id);
      if (fresh) byId(id).replaceWith(document.adoptNode(fresh));
    }
  } catch {
    byId('badge').textContent = 'does not answer';
    byId('badge').className = 'badge bad';
  }
}

const waiting = new Set();
let working = false;
async function work() {
  if (working || document.hidden) return;
  working = true;
  const now = [...waiting];
  waiting.clear();
  await Promise.allSettled(now.map((job) => job()));
  working = false;
  if (waiting.size > 0) setTimeout(work, SETTLE_MS);
}
const jobs = new Map(TABLES.map((table) => [table, () => refresh(table)]));
function all() {
  for (const job of jobs.values()) waiting.add(job);
  waiting.add(refreshState).add(drawChart);
  void work();
}

function listen() {
  if (!byId('pools') && !byId('traffic')) return;
  const news = byId('news');
  const events = new EventSource('/api/v1/events');
  events.onopen = () => { news.textContent = 'live'; all(); };
  events.onerror = () => { news.textContent = 'no events; asking every ' + POLL_MS / 1000 + ' s'; };
  for (const kind of new Set(TABLES.flatMap(({ on }) => on))) {
    events.addEventListener(kind, ({ data }) => {
      if (kind !== 'decision' && kind !== 'loan') {
        const { atMs, pool } = JSON.parse(data);
        news.textContent = cellText('time', [atMs], []) + ' ' + kind + (kind === 'traffic' ? ' of group ' : ' of pool ') + pool + ' changed';
      }
      for (const [table, job] of jobs) if (table.on.includes(kind)) waiting.add(job);
      setTimeout(work, SETTLE_MS);
    });
  }
}
`;

const START_SCRIPT = `
byId('class').addEventListener('change', () => { waiting.add(drawChart); void work(); });
document.addEventListener('visibilitychange', () => { if (!document.hidden) all(); });
addEventListener('resize', () => { waiting.add(drawChart); setTimeout(work, SETTLE_MS); });
setInterval(all, POLL_MS);
listen();
all();
`;

/** The whole script. */
export const PAGE_SCRIPT = `'use strict';${LIVE_SCRIPT}${CHART_SCRIPT}${START_SCRIPT}`;

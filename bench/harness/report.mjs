/** The tables of a run, in Markdown. */
import { TIDEGATE } from './servers.mjs';
import { formatSpread, ratioOf, spreadOf } from './statistics.mjs';

const GENERATOR_BOUND = 0.9;
/** Above this the server did not have its core to itself: only ratios within the run mean anything. */
const SHARED_CORE = 0.1;

/**
 * @typedef {{ store: string, keys: string, server: string, round: number,
 *   throughput: import('./measure.mjs').Measurement, latency: import('./measure.mjs').Measurement }} Row
 */

/**
 * @param {Row[]} rows
 * @param {object} options
 * @returns {string}
 */
export function formatReport(rows, options) {
  const groups = groupRows(rows);
  const throughput = [
    '| store | keys | server | calls/s | tidegate / this | CPU s per million | tidegate / this | Redis CPU s per million | notes |',
    '|---|---|---|---|---|---|---|---|---|',
  ];
  const latency = [
    '| store | keys | server | p50 us | p90 us | p99 us | p99.9 us | CPU s per million | notes |',
    '|---|---|---|---|---|---|---|---|---|',
  ];
  for (const group of groups) {
    const ours = groups.find(
      (other) => other.server === TIDEGATE && other.store === group.store && other.keys === group.keys,
    );
    throughput.push(throughputLine(group, ours));
    latency.push(latencyLine(group));
  }
  return [
    `Throughput: ${options.connections} connections x ${options.streams} streams, server on one core, ${describe(options)}.`,
    '',
    ...throughput,
    '',
    `Latency: ${options.ratePerS} calls/s, counted from the time each was due, ${describe(options)}.`,
    '',
    ...latency,
  ].join('\n');
}

function describe({ rounds, seconds }) {
  return `median (min..max) of ${rounds} rounds of ${seconds} s`;
}

function groupRows(rows) {
  const groups = new Map();
  for (const row of rows) {
    const id = [row.store, row.keys, row.server].join(' ');
    const group = groups.get(id) ?? { store: row.store, keys: row.keys, server: row.server, rows: [] };
    group.rows.push(row);
    groups.set(id, group);
  }
  return [...groups.values()];
}

function throughputLine(group, ours) {
  const figures = group.rows.map((row) => row.throughput);
  return line([
    ...cellsOf(group),
    formatSpread(spreadOf(figures.map((figure) => figure.callsPerS)), thousands),
    formatSpread(oursOver(group, ours, 'callsPerS'), twoDigits),
    formatSpread(spreadOf(figures.map((figure) => figure.cpuPerMillionS)), oneDigit),
    formatSpread(oursOver(group, ours, 'cpuPerMillionS'), twoDigits),
    formatSpread(spreadOf(figures.map((figure) => figure.redisCpuPerMillionS)), oneDigit),
    notes(figures),
  ]);
}

function oursOver(group, ours, name) {
  if (ours === undefined || ours === group) return undefined;
  const figuresOf = (rows) => rows.map((row) => row.throughput[name]);
  return ratioOf(figuresOf(ours.rows), figuresOf(group.rows));
}

function latencyLine(group) {
  const figures = group.rows.map((row) => row.latency);
  const percentile = (name) => formatSpread(spreadOf(figures.map((figure) => figure.latencyUs[name])), whole);
  return line([
    ...cellsOf(group),
    ...['p50', 'p90', 'p99', 'p999'].map(percentile),
    formatSpread(spreadOf(figures.map((figure) => figure.cpuPerMillionS)), oneDigit),
    notes(figures),
  ]);
}

function notes(figures) {
  const sum = (name) => figures.reduce((total, figure) => total + figure[name], 0);
  const said = [];
  if (sum('failed') > 0) said.push(`${sum('failed')} failed`);
  if (sum('overLimit') > 0) said.push(`${sum('overLimit')} over limit`);
  if (figures.some((figure) => figure.generatorShare > GENERATOR_BOUND))
    said.push('bound by the load generator');
  const others = spreadOf(figures.map((figure) => figure.othersShare));
  if (others.median > SHARED_CORE)
    said.push(`others took ${whole(others.median * 100)} % of the server's core`);
  return said.join(', ');
}

const cellsOf = (group) => [group.store, group.keys, group.server];
const line = (cells) => `| ${cells.join(' | ')} |`;
const thousands = (figure) => `${(figure / 1_000).toFixed(1)} k`;
const oneDigit = (figure) => figure.toFixed(1);
const twoDigits = (figure) => figure.toFixed(2);
const whole = (figure) => figure.toFixed(0);

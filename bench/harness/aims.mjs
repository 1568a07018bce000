/** The tables of figures.mjs: the figures aimed at with what was found, and everything that was measured. */
import { formatSpread, ratioOf, spreadOf } from './statistics.mjs';

const calls = (row) => row.figures.callsPerS;
const cpu = (row) => row.figures.cpuPerMillionS;
const p99 = (row) => row.figures.latencyUs?.p99;
const commands = (row) => row.figures.commandsPerCall;
const cpuSaved = (row) => 1 / row.figures.cpuPerMillionS;

const HOT = ['hot', 'one hot key'];
const STEADY = ['hot', 'one hot key, 2,000/s'];
const ZIPF = ['zipf', '100 k keys, Zipf 1.1, 1,000/s each'];
const MEMORY = ['memory', 'one hot key'];

/** What is aimed at: a figure of ours over a peer's (or by itself), and the least or the most that it may be. */
const AIMS = [
  [...HOT, 'leased', 'reference', 'calls/s', calls, 'least', 12],
  [...HOT, 'leased', 'reference', 'calls a CPU second', cpuSaved, 'least', 12],
  [...HOT, 'leased', 'limitador', 'calls/s', calls, 'least', 2.5],
  [...HOT, 'leased', 'limitador', 'calls a CPU second', cpuSaved, 'least', 2.5],
  [...HOT, 'leased', 'framer', 'calls/s', calls, 'least', 0.5],
  [...HOT, 'leased', 'framer', 'calls a CPU second', cpuSaved, 'least', 0.5],
  [...ZIPF, 'leased', 'reference', 'calls/s', calls, 'least', 8],
  [...ZIPF, 'leased', 'reference', 'calls a CPU second', cpuSaved, 'least', 8],
  [...ZIPF, 'leased, own slots', 'reference', 'calls/s', calls, 'least', 8],
  [...ZIPF, 'leased, own slots', 'reference', 'calls a CPU second', cpuSaved, 'least', 8],
  ['exact-redis', '10 k keys', 'exact', 'reference', 'calls/s', calls, 'least', 5],
  ['exact-redis', '10 k keys', 'exact', 'reference', 'calls a CPU second', cpuSaved, 'least', 5],
  ['exact-cluster', '10 k keys', 'exact', 'reference', 'calls/s', calls, 'least', 3],
  ['exact-cluster', '10 k keys', 'exact', 'reference', 'calls a CPU second', cpuSaved, 'least', 3],
  ['exact-cluster', '10 k keys', 'exact, own slots', 'reference', 'calls/s', calls, 'least', 3],
  ['exact-cluster', '10 k keys', 'exact, own slots', 'reference', 'calls a CPU second', cpuSaved, 'least', 3],
  [...MEMORY, 'memory', 'limitador', 'calls/s', calls, 'least', 2.5],
  [...MEMORY, 'memory', 'limitador', 'calls a CPU second', cpuSaved, 'least', 2.5],
  ['memory', '100 k keys, Zipf 1.1', 'memory', 'limitador', 'calls/s', calls, 'least', 2.5],
  ['memory', '100 k keys, Zipf 1.1', 'memory', 'limitador', 'calls a CPU second', cpuSaved, 'least', 2.5],
  [...STEADY, 'leased', 'reference', 'p99', p99, 'most', 1 / 3],
  [...HOT, 'leased', 'reference', 'CPU', cpu, 'most', 1 / 12],
  [...HOT, 'leased', 'limitador', 'CPU', cpu, 'most', 1 / 3],
  [...HOT, 'leased', undefined, 'Redis commands a call', commands, 'most', 1 / 50],
  [
    'zipf',
    'one hot key of 1,000/s, 900/s asked',
    'leased',
    undefined,
    'Redis commands a call',
    commands,
    'most',
    1 / 50,
  ],
  [...HOT, 'leased', 'leased, no forecasts', 'CPU', cpu, 'most', 1.05],
  [...STEADY, 'leased', 'leased, no forecasts', 'CPU', cpu, 'most', 1.05],
  [...ZIPF, 'leased', 'leased, no forecasts', 'CPU', cpu, 'most', 1.05],
  ['memory', 'one hot key', 'memory', 'memory, no forecasts', 'CPU', cpu, 'most', 1.05],
  ['memory', '100 k keys, Zipf 1.1', 'memory', 'memory, no forecasts', 'CPU', cpu, 'most', 1.05],
  ['replay', 'replayed, 1 descriptor', 'leased', 'framer', 'calls a CPU second', cpuSaved, 'least', 0.5],
];

/** @param {{ group: string, load: string, server: string, round: number, figures: object }[]} rows in the order of rounds */
export function aimsTable(rows) {
  const lines = [];
  for (const [group, load, server, peer, what, figure, bound, aim] of AIMS) {
    const of = (name) =>
      rows.filter((row) => row.group === group && row.load === load && row.server === name);
    const ours = of(server).map(figure);
    const theirs = peer === undefined ? ours.map(() => 1) : of(peer).map(figure);
    if (ours.length === 0 || theirs.length === 0) continue;
    const spread = ratioOf(ours, theirs);
    if (spread === undefined) continue;
    const reached = bound === 'least' ? spread.median >= aim : spread.median <= aim;
    const cells = [
      ...[`${group}: ${load}`, `${server} / ${peer ?? 'calls'}`, what, `at ${bound} ${precise(aim)}`],
      ...[formatSpread(spread, precise), reached ? 'yes' : '**no**'],
    ];
    lines.push(`| ${cells.join(' | ')} |`);
  }
  return ['| case | of | what | aim | found | reached |', '|---|---|---|---|---|---|', ...lines].join('\n');
}

/** Everything that was measured. */
export function figuresTable(rows) {
  const groups = new Map();
  for (const row of rows) {
    const id = [row.group, row.load, row.server].join('\n');
    groups.set(id, [...(groups.get(id) ?? []), row]);
  }
  const lines = [...groups].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, found]) => line(found));
  return [
    '| store | load | server | calls/s | CPU us a call | core used | p50 us | p99 us | Redis commands a call | Redis CPU us a call | notes |',
    '|---|---|---|---|---|---|---|---|---|---|---|',
    ...lines,
  ].join('\n');
}

function line(found) {
  const [first] = found;
  const spread = (figure, format) =>
    formatSpread(spreadOf(found.map(({ figures }) => figure(figures))), format);
  const cells = [
    ...[first.store, first.load, first.server],
    spread(
      (figures) => figures.callsPerS / 1_000,
      (figure) => `${figure.toFixed(1)} k`,
    ),
    spread(
      (figures) => figures.cpuPerMillionS,
      (figure) => figure.toFixed(2),
    ),
    spread(coreUsed, (figure) => figure.toFixed(2)),
    spread(
      (figures) => figures.latencyUs?.p50,
      (figure) => figure.toFixed(0),
    ),
    spread(
      (figures) => figures.latencyUs?.p99,
      (figure) => figure.toFixed(0),
    ),
    spread((figures) => figures.commandsPerCall, precise),
    spread(
      (figures) => figures.redisCpuPerMillionS,
      (figure) => figure.toFixed(2),
    ),
    notes(found.map(({ figures }) => figures)),
  ];
  return `| ${cells.join(' | ')} |`;
}

const coreUsed = (figures) => (figures.callsPerS * figures.cpuPerMillionS) / 1e6;

function notes(figures) {
  const sum = (name) => figures.reduce((total, figure) => total + figure[name], 0);
  const median = (figure) => spreadOf(figures.map(figure))?.median ?? 0;
  const said = [];
  if (sum('failed') > 0) said.push(`${sum('failed')} failed`);
  const denied = median((figure) => figure.overLimit / (figure.ok + figure.overLimit));
  if (denied > 0) said.push(`${(denied * 100).toFixed(0)} % denied`);
  if (figures[0].latencyUs === undefined || figures[0].sendLagUs === undefined) {
    if (median(coreUsed) < 0.9 && median((figure) => figure.loadCoreShare) > 0.9)
      said.push("bound by the load generator's core");
  }
  const others = median((figure) => figure.othersShare);
  if (others > 0.1) said.push(`others took ${(others * 100).toFixed(0)} % of the server's core`);
  return said.join(', ');
}

/** Three digits that mean something, whatever the size. */
function precise(figure) {
  if (figure === 0) return '0';
  return Math.abs(figure) >= 100 ? figure.toFixed(0) : String(Number(figure.toPrecision(3)));
}

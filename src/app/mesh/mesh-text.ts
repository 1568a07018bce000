/** What `tidegate mesh status` prints: nodes with what they took, groups with their weights and why, differences. */
import type { MeshStatusView, MeshTypeView, TrafficGroupView, TrafficView } from '../../core/mesh-view';

/** Rows of a list that are printed; what is left out is counted. */
const MAX_ROWS = 50;
const MAX_CHANGES = 12;
const VERSION_DIGITS = 8;

/** Both views as text. `nowMs`: Unix time. */
export function meshText(mesh: MeshStatusView, traffic: TrafficView, nowMs: number): string {
  const lines = [
    ...streamLines(mesh),
    '',
    ...shouldHaveLines(mesh),
    '',
    `traffic: ${traffic.mode}`,
    ...traffic.groups.flatMap((group) => groupLines(group, nowMs)),
    ...section('sent otherwise than written', differenceLines(traffic)),
    ...section('last changes', changeLines(traffic, nowMs), MAX_CHANGES),
    ...section(
      'warnings',
      traffic.warnings.map((warning) => `  ${warning}`),
    ),
  ];
  return `${lines.map(plain).join('\n')}\n`;
}

function streamLines({ streams }: MeshStatusView): readonly string[] {
  if (streams.length === 0) return ['no Envoy is connected'];
  const rows = streams.flatMap(({ node, group, delta, blocked, types }) => {
    const name = node === undefined ? '(not named yet)' : node.id || '(no id)';
    const about = [name, group ?? '-', `${delta ? 'delta' : 'sotw'}${blocked ? ', does not read' : ''}`];
    if (types.length === 0) return [[...about, '-', '-', '-', '-']];
    return types.map((type, at) => [
      ...(at === 0 ? about : ['', '', '']),
      shortType(type.typeUrl),
      short(type.sentVersion),
      short(type.ackedVersion),
      standOf(type),
    ]);
  });
  return table(['NODE', 'GROUP', 'STREAM', 'TYPE', 'SENT', 'ACCEPTED', 'STATE'], rows);
}

function standOf({ rejection, pending, sentVersion, ackedVersion, names, wildcard }: MeshTypeView): string {
  const asked = wildcard ? 'all' : `${names} ${names === 1 ? 'name' : 'names'}`;
  if (rejection !== undefined) return `REFUSED ${short(rejection.version)}: ${rejection.message}`;
  if (pending) return `awaits its answer (${asked})`;
  if (sentVersion === undefined) return `nothing to send (${asked})`;
  return sentVersion === ackedVersion ? `ok (${asked})` : `not accepted (${asked})`;
}

function shouldHaveLines({ groups }: MeshStatusView): readonly string[] {
  const rows = groups.flatMap(({ group, types }) =>
    types.map(({ typeUrl, version, resources }, at) => [
      at === 0 ? group : '',
      shortType(typeUrl),
      short(version),
      String(resources),
    ]),
  );
  return rows.length === 0
    ? ['no resources are served']
    : table(['NODES', 'TYPE', 'VERSION', 'RESOURCES'], rows);
}

function groupLines(group: TrafficGroupView, nowMs: number): readonly string[] {
  const { name, nodes, state, why, classes, targets, changedAtMs } = group;
  const since = changedAtMs === null ? '' : `, changed ${agoText(nowMs - changedAtMs)} ago`;
  const configured = targets.reduce((sum, { weight }) => sum + weight, 0);
  const demand = classes
    .map(({ name: of, priority, demandPerS }) => `${of} (${priority}) ${perS(demandPerS)}`)
    .join(', ');
  const rows = targets.map(({ id, weight, backup, shares, reason, tokens }) => [
    `${id}${backup ? ' (backup)' : ''}`,
    percent(configured > 0 ? weight / configured : NaN),
    ...shares.map(percent),
    tokens === null ? '-' : amount(tokens),
    reason.effectivePerS === null ? 'any' : amount(reason.effectivePerS),
    reason.demandPerS === null ? '-' : amount(reason.demandPerS),
    reason.depletionMs === null ? '-' : `${amount(reason.depletionMs / 1_000)} s`,
    percent(reason.healthFactor),
    [reason.rule, ...reason.clamps].join(', '),
  ]);
  const heads = ['TARGET', 'CONFIGURED', ...classes.map((one) => one.name.toUpperCase())];
  return [
    '',
    `group ${name} (nodes ${nodes}): ${state}${why === '' ? '' : `, ${why}`}${since}`,
    `  demand: ${demand}`,
    ...table([...heads, 'TOKENS', 'CAN/S', 'DEMAND/S', 'DRY IN', 'HEALTH', 'WHY'], rows).map(
      (line) => `  ${line}`,
    ),
  ];
}

function differenceLines({ differences }: TrafficView): readonly string[] {
  return differences.map(
    ({ resource, path, from, to }) => `  ${resource}: ${path}: ${from === '' ? '(nothing)' : from} -> ${to}`,
  );
}

function changeLines({ changes }: TrafficView, nowMs: number): readonly string[] {
  return changes.map(
    ({ atMs, nodes, group, class: of, target, from, to, why }) =>
      `  ${agoText(nowMs - atMs)} ago  ${nodes} ${group}/${of} ${target}: ${percent(from)} -> ${percent(to)}  ${why}`,
  );
}

function section(title: string, lines: readonly string[], most = MAX_ROWS): readonly string[] {
  if (lines.length === 0) return [];
  const left = lines.length - most;
  return ['', title, ...lines.slice(0, most), ...(left > 0 ? [`  and ${left} more`] : [])];
}

function table(heads: readonly string[], rows: readonly (readonly string[])[]): readonly string[] {
  const shown = [heads, ...rows.slice(0, MAX_ROWS * 10)];
  const widths = heads.map((_, at) => Math.max(...shown.map((row) => (row[at] ?? '').length)));
  // The last column is text of any length, and needs no room after it.
  const lines = shown.map((row) =>
    row
      .map((cell, at) => (at === heads.length - 1 ? cell : cell.padEnd(widths[at] ?? 0)))
      .join('  ')
      .trimEnd(),
  );
  const left = rows.length + 1 - shown.length;
  return left > 0 ? [...lines, `and ${left} more`] : lines;
}

/** Nodes and refusals are others' text: no control characters reach a terminal. */
function plain(line: string): string {
  // eslint-disable-next-line no-control-regex
  return line.replace(/[\u0000-\u001f\u007f-\u009f]+/g, ' ');
}

function shortType(typeUrl: string): string {
  return typeUrl.slice(typeUrl.lastIndexOf('.') + 1);
}

function short(version: string | undefined): string {
  return version === undefined ? '-' : version.slice(0, VERSION_DIGITS);
}

function percent(part: number): string {
  return Number.isFinite(part) ? `${(part * 100).toFixed(1)}%` : '-';
}

function amount(value: number): string {
  return value >= 100 ? value.toFixed(0) : value.toFixed(1);
}

function perS(value: number | null): string {
  return value === null ? 'not known' : `${amount(value)}/s`;
}

function agoText(ms: number): string {
  const s = Math.max(0, ms) / 1_000;
  if (s < 120) return `${s.toFixed(1)} s`;
  return s < 7_200 ? `${(s / 60).toFixed(0)} min` : `${(s / 3_600).toFixed(0)} h`;
}

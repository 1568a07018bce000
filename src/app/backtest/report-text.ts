/** What a backtest prints: a table for each horizon, best first, and who won by how much. */
import type { BacktestPlan } from '../../forecast/backtest/rolling-origin';
import type { OnlinePlan } from '../../forecast/backtest/online';
import { spanText } from './span-text';
import type { ModelReport, HorizonFigures } from './model-report';
import { DEFAULT_MODEL } from './models';
import { timestampOf, type BacktestSubject } from './report-json';
import type { OnlineReport } from './run-backtest';
import type { OnlineResult } from './tasks';

/** The model that every other one has to beat. */
export const NAIVE_MODEL = 'naive';

/** The series and the protocol in words, one line each. */
export function subjectLines(subject: BacktestSubject): readonly string[] {
  const { file, series, warnings } = subject;
  const length = series.values.length;
  const span = `${minute(timestampOf(subject, 0))} to ${minute(timestampOf(subject, length - 1))} UTC`;
  return [
    `${file}: ${length} steps of ${spanText(series.stepMs)}, ${span}`,
    ...warnings.map((one) => `  ${one}`),
  ];
}

/** The protocol of a backtest in words. */
export function planLine({ train, seasons, origins, horizons }: BacktestPlan): string {
  const [first = 0, second] = origins;
  const every = second === undefined ? '' : ` every ${second - first}`;
  const known = seasons.length === 0 ? 'no season' : `seasons ${seasons.join(', ')}`;
  return `trained on ${train} steps, ${known}; ${origins.length} origin${origins.length === 1 ? '' : 's'} from ${first}${every}; horizons ${horizons.join(', ')}`;
}

/** The protocol of an online run in words. */
export function onlinePlanLine({ start, seasons }: OnlinePlan, length: number): string {
  const known = seasons.length === 0 ? 'no season' : `seasons ${seasons.join(', ')}`;
  return `one step ahead: fitted to the first ${start} steps, ${known}; ${length - start} steps forecast and told`;
}

/** The tables of all horizons. */
export function backtestTables(reports: readonly ModelReport[], plan: BacktestPlan, stepMs: number): string {
  return plan.horizons.map((_, index) => horizonTable(reports, index, stepMs)).join('\n');
}

function horizonTable(reports: readonly ModelReport[], index: number, stepMs: number): string {
  const rows = ranked(reports, index);
  const naive = rows.find(({ name }) => name === NAIVE_MODEL)?.figures.mase;
  const horizon = rows[0]?.figures.horizon ?? 0;
  const heads = [
    `${horizon} step${horizon === 1 ? '' : 's'} (${spanText(horizon * stepMs)})`,
    'mase',
    'mae',
    '80 %',
    '95 %',
    'fit ms',
    'to naive',
  ];
  const lines = rows.map(({ name, figures }) => [
    name,
    fixed(figures.mase, 3),
    significant(figures.mae),
    fixed(figures.coverage80, 3),
    fixed(figures.coverage95, 3),
    fixed(figures.fitMs, figures.fitMs < 10 ? 1 : 0),
    name === NAIVE_MODEL || naive === undefined ? '' : change(figures.mase / naive),
  ]);
  return `${table(heads, lines)}${verdict(rows, naive)}`;
}

interface RankedRow {
  readonly name: string;
  readonly figures: HorizonFigures;
}

/** Models by their error at a horizon, the best first; those without a figure last. */
export function ranked(reports: readonly ModelReport[], index: number): readonly RankedRow[] {
  const rows = reports.flatMap(({ name, figures }) => {
    const found = figures[index];
    return found === undefined ? [] : [{ name, figures: found }];
  });
  const key = (figures: HorizonFigures): number => {
    const figure = Number.isFinite(figures.mase) ? figures.mase : figures.mae;
    return Number.isFinite(figure) ? figure : Infinity;
  };
  return rows.sort((a, b) => key(a.figures) - key(b.figures) || (a.name < b.name ? -1 : 1));
}

/** One line: the best model, and how the default did beside it and beside naive. */
export function verdict(rows: readonly RankedRow[], naive: number | undefined): string {
  const best = rows.find(({ name }) => name !== DEFAULT_MODEL);
  const ours = rows.find(({ name }) => name === DEFAULT_MODEL);
  if (best === undefined || !Number.isFinite(best.figures.mase)) return '';
  const parts = [`best model: ${best.name}`];
  if (ours !== undefined) {
    parts.push(`${DEFAULT_MODEL}: ${comparison(ours.figures.mase / best.figures.mase)} it`);
    if (naive !== undefined) parts.push(`${comparison(ours.figures.mase / naive)} naive`);
  }
  return `  ${parts.join(', ')}\n`;
}

/** An online run that came to figures. */
export interface OnlineRow {
  readonly name: string;
  readonly result: OnlineResult;
}

/** Models by their error one step ahead, the best first; those that failed left out. */
export function onlineRows(reports: readonly OnlineReport[]): readonly OnlineRow[] {
  const key = ({ relMae, mae }: OnlineResult['score']): number =>
    [relMae, mae].find((figure) => Number.isFinite(figure)) ?? Infinity;
  return reports
    .flatMap(({ name, result }) => (result.kind === 'online' ? [{ name, result }] : []))
    .sort((a, b) => key(a.result.score) - key(b.result.score) || (a.name < b.name ? -1 : 1));
}

/** The table of an online run, the best first. */
export function onlineTable(reports: readonly OnlineReport[]): string {
  const heads = ['one step ahead', 'to naive', 'mae', '80 %', '95 %', 'steps', 'fit ms', 'us a step'];
  const rows = onlineRows(reports);
  const lines = rows.map(({ name, result: { score, fitMs, stepUs } }) => [
    name,
    fixed(score.relMae, 3),
    significant(score.mae),
    fixed(score.coverage80, 3),
    fixed(score.coverage95, 3),
    String(score.steps),
    fixed(fitMs, fitMs < 10 ? 1 : 0),
    fixed(stepUs, 1),
  ]);
  const ours = rows.find(({ name }) => name === DEFAULT_MODEL)?.result;
  if (ours === undefined) return table(heads, lines);
  const { anomalies, drifts, score } = ours;
  const told = `  ${DEFAULT_MODEL}: ${comparison(score.relMae)} naive; anomalies ${anomalies.length}, drifts ${drifts.length}\n`;
  return `${table(heads, lines)}${told}`;
}

/** What could not be scored, in lines. */
export function failureLines(reports: readonly ModelReport[], origins: number): readonly string[] {
  return reports.flatMap((report) =>
    report.failures.map(
      ({ code, message, count }) =>
        `${report.name}: left out at ${count} of ${origins} origins: ${code}: ${message}`,
    ),
  );
}

/** A table of text: the first column to the left, figures to the right. */
function table(heads: readonly string[], rows: readonly (readonly string[])[]): string {
  const widths = heads.map((head, column) =>
    Math.max(head.length, ...rows.map((row) => row[column]?.length ?? 0)),
  );
  const line = (cells: readonly string[]): string =>
    cells
      .map((cell, column) =>
        column === 0 ? cell.padEnd(widths[0] ?? 0) : cell.padStart(widths[column] ?? 0),
      )
      .join('  ')
      .trimEnd();
  return `${[line(heads), ...rows.map((row) => line(row))].join('\n')}\n`;
}

/** `12.3 % better than`, `as good as`, for a ratio of errors. */
export function comparison(ratio: number): string {
  if (!Number.isFinite(ratio)) return 'not comparable to';
  const percent = Math.abs(1 - ratio) * 100;
  if (percent < 0.05) return 'as good as';
  return `${percent.toFixed(1)} % ${ratio < 1 ? 'better' : 'worse'} than`;
}

function change(ratio: number): string {
  if (!Number.isFinite(ratio)) return '-';
  return `${ratio >= 1 ? '+' : '-'}${Math.abs((ratio - 1) * 100).toFixed(1)} %`;
}

/** A figure with so many decimals; `-` when there is none. */
export function fixed(figure: number, decimals: number): string {
  return Number.isFinite(figure) ? figure.toFixed(decimals) : '-';
}

/** A figure with four digits that count. */
export function significant(figure: number): string {
  if (!Number.isFinite(figure)) return '-';
  const decimals = figure === 0 ? 0 : Math.max(0, 3 - Math.floor(Math.log10(Math.abs(figure))));
  return figure.toFixed(Math.min(decimals, 6));
}

function minute(iso: string): string {
  return iso.slice(0, 16).replace('T', ' ');
}

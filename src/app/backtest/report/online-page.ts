/** The report of an online run: one step ahead over a whole series, with anomalies and drifts where they were flagged. */
import { html, type Markup } from '../../../admin/html';
import type { Layer, Plot } from '../../../chart/plot';
import type { OnlinePlan } from '../../../forecast/backtest/online';
import { SCORED_LEVELS } from '../../../forecast/backtest/rolling-origin';
import { DEFAULT_MODEL } from '../models';
import { timestampOf, type BacktestSubject } from '../report-json';
import {
  comparison,
  fixed,
  NAIVE_MODEL,
  onlinePlanLine,
  onlineRows,
  significant,
  subjectLines,
} from '../report-text';
import type { OnlineReport } from '../run-backtest';
import { spanText } from '../span-text';
import type { AnomalyFlag, DriftFlag, OnlineResult } from '../tasks';
import { coverageText } from './coverage-text';
import { figureOf, folded, page, tableOf } from './page';

/** Steps of the closer look. */
const CLOSE_STEPS = 400;
/** Closer looks, at most: at the anomalies that stand out most, and at the end. */
const CLOSE_MAX = 4;
/** Rows of a table, at most. */
const ROWS_MAX = 200;
const FIGURES_MAX = 24;

/** What was forecast: a model with its curves. */
interface Drawn {
  readonly name: string;
  readonly result: OnlineResult & { readonly curves: NonNullable<OnlineResult['curves']> };
}

/** The page as one file. */
export function onlinePage(
  subject: BacktestSubject,
  plan: OnlinePlan,
  reports: readonly OnlineReport[],
): string {
  const [line = '', ...warnings] = subjectLines(subject);
  const failed = reports.flatMap(({ name, result }) =>
    result.kind === 'failed' ? [`${name}: left out: ${result.code}: ${result.message}`] : [],
  );
  const head = html`<p>${line}</p>
    <p class="dim">${onlinePlanLine(plan, subject.series.values.length)}</p>
    ${[...warnings, ...failed].map((text) => html`<p class="warn">${text}</p>`)}`;
  const drawn = reports.flatMap(({ name, result }): Drawn[] =>
    result.kind === 'online' && result.curves !== undefined
      ? [{ name, result: { ...result, curves: result.curves } }]
      : [],
  )[0];
  const body = [scores(reports), ...(drawn === undefined ? [] : courses(subject, plan, drawn))];
  return page(`One step ahead over ${subject.file}`, head, body);
}

function scores(reports: readonly OnlineReport[]): Markup {
  const rows = onlineRows(reports);
  const ours = rows.find(({ name }) => name === DEFAULT_MODEL) ?? rows[0];
  const told =
    ours === undefined || ours.name === NAIVE_MODEL
      ? html``
      : html`<p>${ours.name} forecasts ${comparison(ours.result.score.relMae)} repeating the last value.</p>`;
  return html`<section>
    <h2>Errors and coverage</h2>
    ${told}
    ${tableOf(
      'One step ahead',
      ['model', 'error to naive', 'MAE', 'in 80 %', 'in 95 %', 'steps', 'fit, ms', 'us a step'].map(
        (column) => ({ head: column }),
      ),
      rows.map(({ name, result: { score, fitMs, stepUs } }) => ({
        ours: name === DEFAULT_MODEL,
        cells: [
          name,
          fixed(score.relMae, 3),
          significant(score.mae),
          coverageText(score.coverage80, 0.8),
          coverageText(score.coverage95, 0.95),
          String(score.steps),
          fixed(fitMs, fitMs < 10 ? 1 : 0),
          fixed(stepUs, 1),
        ],
      })),
    )}
  </section>`;
}

function courses(subject: BacktestSubject, plan: OnlinePlan, drawn: Drawn): readonly Markup[] {
  const { name, result } = drawn;
  const end = subject.series.values.length;
  const looks = closeLooks(result.anomalies, plan.start, end);
  return [
    html`<section>
      <h2>Forecast against actual: ${name}</h2>
      <p class="dim">
        Every step was forecast before its value was told. Anomalies are marked where they were highest.
      </p>
      <h3>All steps</h3>
      ${figureOf(coursePlot(subject, plan, drawn, { id: 'all', title: 'All steps', from: plan.start, to: end }))}
      ${looks.map(
        ({ title, from, to }, index) =>
          html`<h3>${title}: ${timeOf(subject, from)} to ${timeOf(subject, to - 1)}</h3>
            ${figureOf(coursePlot(subject, plan, drawn, { id: `close-${index}`, title, from, to }))}
            ${folded('Figures', courseTable(subject, plan, drawn, from, to))}`,
      )}
    </section>`,
    flagsSection(subject, result.anomalies, result.drifts),
  ];
}

interface Look {
  readonly title: string;
  readonly from: number;
  readonly to: number;
}

/** Windows around the highest anomalies, no two of them overlapping, and the last steps. */
function closeLooks(anomalies: readonly AnomalyFlag[], start: number, end: number): readonly Look[] {
  const width = Math.min(CLOSE_STEPS, end - start);
  const looks: Look[] = [{ title: 'The last steps', from: end - width, to: end }];
  for (const { peak, reason } of [...anomalies].sort((a, b) => b.score - a.score)) {
    if (looks.length >= CLOSE_MAX) break;
    const from = Math.min(end - width, Math.max(start, peak - Math.floor(width / 2)));
    const overlaps = looks.some((look) => from < look.to && look.from < from + width);
    if (!overlaps) looks.push({ title: `Anomaly (${reason})`, from, to: from + width });
  }
  return looks.sort((a, b) => a.from - b.from);
}

function coursePlot(
  subject: BacktestSubject,
  plan: OnlinePlan,
  { name, result: { curves, anomalies, drifts } }: Drawn,
  { id, title, from, to }: Look & { readonly id: string },
): Plot {
  const { series, offsetMs } = subject;
  const timeMs = (at: number): number => series.startMs + offsetMs + at * series.stepMs;
  const x = Float64Array.from({ length: to - from }, (_, at) => timeMs(from + at));
  const part = (curve: Float64Array | undefined): Float64Array =>
    (curve ?? new Float64Array()).slice(from - plan.start, to - plan.start);
  const bands = SCORED_LEVELS.map((level, index): Layer => ({
    kind: 'band',
    look: index === 0 ? 'band80' : 'band95',
    label: `${Math.round(level * 100)} % interval`,
    x,
    low: part(curves.lower[index]),
    high: part(curves.upper[index]),
  })).reverse();
  const marks = anomalies
    .filter(({ peak }) => peak >= from && peak < to)
    .map(({ peak, value, expected, score, reason }) => ({
      x: timeMs(peak),
      y: Number.isFinite(value) ? value : expected,
      text: `${timeOf(subject, peak)}: ${reason}, ${significant(value)} where ${significant(expected)} was expected, score ${fixed(score, 1)}`,
    }));
  const moments = drifts
    .filter(({ at }) => at >= from && at < to)
    .map(({ at, reason }) => ({ x: timeMs(at), text: `${timeOf(subject, at)}: drift, ${reason}` }));
  return {
    id,
    title: `${title}: actual values, forecasts of ${name}, intervals`,
    description: `${to - from} steps of actual values with one-step forecasts; ${marks.length} anomalies and ${moments.length} drifts are marked and stand in the tables below.`,
    xAxis: { label: 'time, UTC', time: true },
    yAxis: { label: `per ${spanText(series.stepMs)}`, low: 0 },
    layers: [
      ...bands,
      { kind: 'line', look: 'actual', label: 'actual', x, y: series.values.slice(from, to) },
      { kind: 'line', look: 'series1', label: 'forecast', x, y: part(curves.mean) },
      ...(moments.length === 0
        ? []
        : [{ kind: 'moments', look: 'alert', label: 'drift', points: moments } as const]),
      ...(marks.length === 0
        ? []
        : [{ kind: 'marks', look: 'alert', label: 'anomaly', points: marks } as const]),
    ],
  };
}

function courseTable(
  subject: BacktestSubject,
  plan: OnlinePlan,
  { result: { curves } }: Drawn,
  from: number,
  to: number,
): Markup {
  const every = Math.max(1, Math.ceil((to - from) / FIGURES_MAX));
  const steps = Array.from({ length: Math.ceil((to - from) / every) }, (_, row) => from + row * every);
  const bounds = SCORED_LEVELS.map((level) => ({ head: `${Math.round(level * 100)} %` }));
  return tableOf(
    every === 1 ? 'Every step' : `Every ${every} steps`,
    [{ head: 'time' }, { head: 'actual' }, { head: 'forecast' }, ...bounds],
    steps.map((at) => ({
      cells: [
        timeOf(subject, at),
        significant(subject.series.values[at] ?? NaN),
        significant(curves.mean[at - plan.start] ?? NaN),
        ...SCORED_LEVELS.map((_, level) => {
          const [low, high] = [curves.lower[level], curves.upper[level]].map(
            (curve) => curve?.[at - plan.start] ?? NaN,
          );
          return `${significant(low ?? NaN)} to ${significant(high ?? NaN)}`;
        }),
      ],
    })),
  );
}

function flagsSection(
  subject: BacktestSubject,
  anomalies: readonly AnomalyFlag[],
  drifts: readonly DriftFlag[],
): Markup {
  const days = (subject.series.values.length * subject.series.stepMs) / 86_400_000;
  const more = (count: number): Markup =>
    count > ROWS_MAX ? html`<p class="dim">and ${count - ROWS_MAX} more: see the JSON</p>` : html``;
  const anomalyRows = anomalies.slice(0, ROWS_MAX).map(({ at, end, value, expected, score, reason }) => ({
    cells: [
      timeOf(subject, at),
      end === undefined ? 'lasts' : timeOf(subject, end),
      reason,
      fixed(score, 2),
      significant(value),
      significant(expected),
    ],
  }));
  const driftRows = drifts.slice(0, ROWS_MAX).map(({ at, reason, score }) => ({
    cells: [timeOf(subject, at), reason, fixed(score, 2)],
  }));
  const anomalyColumns = [
    { head: 'from' },
    { head: 'to' },
    { head: 'reason', text: true },
    ...['score', 'value', 'expected'].map((column) => ({ head: column })),
  ];
  return html`<section>
    <h2>Anomalies and drifts</h2>
    <p>${anomalies.length} anomalies and ${drifts.length} drifts in ${fixed(days, 1)} days.</p>
    ${anomalies.length === 0 ? html`` : tableOf('Anomalies', anomalyColumns, anomalyRows)}
    ${more(anomalies.length)}
    ${drifts.length === 0 ? html`` : tableOf('Drifts', [{ head: 'at' }, { head: 'what changed', text: true }, { head: 'score' }], driftRows)}
    ${more(drifts.length)}
  </section>`;
}

function timeOf(subject: BacktestSubject, at: number): string {
  return timestampOf(subject, at).slice(0, 16).replace('T', ' ');
}

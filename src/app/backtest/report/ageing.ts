/** How forecasts age: error and coverage by step ahead. */
import { html, type Markup } from '../../../admin/html';
import type { Layer, Look, Plot } from '../../../chart/plot';
import { SCORED_LEVELS, type BacktestPlan } from '../../../forecast/backtest/rolling-origin';
import type { ModelReport } from '../model-report';
import { DEFAULT_MODEL } from '../models';
import type { BacktestSubject } from '../report-json';
import { fixed, NAIVE_MODEL, ranked, significant } from '../report-text';
import { spanText } from '../span-text';
import { figureOf, folded, tableOf } from './page';

/** More curves than this cannot be told apart. */
const CURVES_MAX = 6;
/** Rows of a folded table, at most. */
const ROWS_MAX = 16;
/** A curve is smoothed over this part of the steps: with some dozen origins a single step is mostly chance. */
const SMOOTHED_PART = 1 / 24;

/** Error by step, for the default, naive and the best of the others. */
export function ageingSection(
  subject: BacktestSubject,
  plan: BacktestPlan,
  reports: readonly ModelReport[],
): Markup {
  const shown = shownModels(reports, plan.horizons.length - 1);
  const width = smoothing(plan);
  const curves = shown.map((report) => smooth(report.curves.mae, width));
  const plot: Plot = {
    id: 'ageing',
    title: 'Error by step ahead',
    description:
      'The mean absolute error of each model by how far ahead it forecasts; the table below has figures.',
    xAxis: { label: 'steps ahead', time: false },
    yAxis: { label: 'mean absolute error', low: 0 },
    layers: shown.map(({ name }, index): Layer => {
      const y = curves[index] ?? new Float64Array();
      return { kind: 'line', look: `series${index + 1}` as Look, label: name, x: stepsOf(y), y };
    }),
  };
  const rows = sampled(plan.horizons.at(-1) ?? 1).map((step) => ({
    cells: [
      `${step + 1} (${spanText((step + 1) * subject.series.stepMs)})`,
      ...curves.map((curve) => significant(curve[step] ?? NaN)),
    ],
  }));
  const columns = [{ head: 'steps ahead' }, ...shown.map(({ name }) => ({ head: name }))];
  return html`<section>
    <h2>Error by step ahead</h2>
    <p class="dim">
      The mean absolute error over all origins${smoothedText(width)}; the best ${shown.length} models.
    </p>
    ${figureOf(plot)} ${folded('Figures', tableOf('Mean absolute error', columns, rows))}
  </section>`;
}

/** Coverage by step of one model. */
export function coverageSection(subject: BacktestSubject, plan: BacktestPlan, report: ModelReport): Markup {
  const width = smoothing(plan);
  const curves = report.curves.coverage.map((curve) => smooth(curve, width).map((part) => part * 100));
  const levels = SCORED_LEVELS.map((level) => Math.round(level * 100));
  const plot: Plot = {
    id: 'coverage',
    title: `Coverage by step ahead: ${report.name}`,
    description:
      'The part of actual values inside the 80 % and the 95 % interval by step ahead; the table below has figures.',
    xAxis: { label: 'steps ahead', time: false },
    yAxis: { label: 'inside, %', low: lowest(curves), high: 102 },
    layers: levels.flatMap((level, index): readonly Layer[] => {
      const y = curves[index] ?? new Float64Array();
      return [
        { kind: 'level', look: 'guide', label: `${level} % as it should be`, y: level },
        {
          kind: 'line',
          look: `series${index + 1}` as Look,
          label: `inside the ${level} % interval`,
          x: stepsOf(y),
          y,
        },
      ];
    }),
  };
  const rows = sampled(plan.horizons.at(-1) ?? 1).map((step) => ({
    cells: [
      `${step + 1} (${spanText((step + 1) * subject.series.stepMs)})`,
      ...curves.map((curve) => `${fixed(curve[step] ?? NaN, 1)} %`),
    ],
  }));
  const columns = [{ head: 'steps ahead' }, ...levels.map((level) => ({ head: `in ${level} %` }))];
  return html`<section>
    <h2>Coverage by step ahead: ${report.name}</h2>
    <p class="dim">The part of actual values inside the intervals over all origins${smoothedText(width)}.</p>
    ${figureOf(plot)} ${folded('Figures', tableOf('Coverage', columns, rows))}
  </section>`;
}

/** Where an axis of coverages begins, %: a round figure below all of them, so that what matters has room. */
function lowest(curves: readonly Float64Array[]): number {
  const known = curves.flatMap((curve) => [...curve]).filter((part) => Number.isFinite(part));
  return Math.max(0, Math.floor(Math.min(60, ...known) / 10) * 10);
}

/** The default and naive, where they ran, and the best others at the longest horizon. */
function shownModels(reports: readonly ModelReport[], index: number): readonly ModelReport[] {
  const order = ranked(reports, index).map(({ name }) => name);
  const always = [DEFAULT_MODEL, NAIVE_MODEL].filter((name) => order.includes(name));
  const others = order.filter((name) => !always.includes(name)).slice(0, CURVES_MAX - always.length);
  const first = always.includes(DEFAULT_MODEL) ? [DEFAULT_MODEL] : [];
  const names = [...first, ...others, ...always.filter((name) => name !== DEFAULT_MODEL)];
  return names.flatMap((name) => reports.find((report) => report.name === name) ?? []);
}

function smoothing({ horizons }: BacktestPlan): number {
  const width = Math.round((horizons.at(-1) ?? 1) * SMOOTHED_PART);
  return width < 2 ? 1 : width | 1;
}

function smoothedText(width: number): string {
  return width === 1 ? '' : `, each step with the ${(width - 1) / 2} before and after it`;
}

/** The mean of each step and its neighbours, those without a figure left out. */
export function smooth(curve: Float64Array, width: number): Float64Array {
  const reach = (width - 1) / 2;
  return curve.map((_, at) => {
    const near = curve
      .slice(Math.max(0, at - reach), at + reach + 1)
      .filter((value) => Number.isFinite(value));
    return near.reduce((sum, value) => sum + value, 0) / near.length;
  });
}

function stepsOf(curve: Float64Array): Float64Array {
  return curve.map((_, at) => at + 1);
}

/** Some steps of a horizon, its first and last among them. */
function sampled(horizon: number): readonly number[] {
  const count = Math.min(ROWS_MAX, horizon);
  const steps = Array.from({ length: count }, (_, row) =>
    Math.round((row * (horizon - 1)) / Math.max(1, count - 1)),
  );
  return [...new Set(steps)];
}

/** The report of a backtest: who forecast best, by how much, and what the forecasts looked like. */
import { html, Markup } from '../../../admin/html';
import { element } from '../../../chart/markup';
import type { BacktestPlan } from '../../../forecast/backtest/rolling-origin';
import type { HorizonFigures, ModelReport } from '../model-report';
import { DEFAULT_MODEL } from '../models';
import type { BacktestSubject } from '../report-json';
import {
  comparison,
  failureLines,
  fixed,
  NAIVE_MODEL,
  planLine,
  ranked,
  significant,
  subjectLines,
} from '../report-text';
import { spanText } from '../span-text';
import { coverageText } from './coverage-text';
import { ageingSection, coverageSection } from './ageing';
import { forecastSection } from './forecasts';
import { page, tableOf } from './page';

/** The page as one file. */
export function backtestPage(
  subject: BacktestSubject,
  plan: BacktestPlan,
  reports: readonly ModelReport[],
): string {
  const [line = '', ...warnings] = subjectLines(subject);
  const head = html`<p>${line}</p>
    <p class="dim">${planLine(plan)}</p>
    ${[...warnings, ...failureLines(reports, plan.origins.length)].map((text) => html`<p class="warn">${text}</p>`)}`;
  const shown = leadOf(reports);
  const body = [
    tiles(subject, plan, reports),
    html`<section>
      <h2>Errors and coverage</h2>
      <p class="dim">
        MASE is the mean absolute error, divided by that of repeating the value of one season before inside
        the training values; under 1 is better than that. Coverage is the part of actual values inside the
        interval; it should be near 80 % and 95 %. Each figure is a mean over the steps up to its horizon, and
        over all origins.
      </p>
      ${plan.horizons.map((_, index) => horizonTable(subject, reports, index))}
    </section>`,
    ...(shown === undefined ? [] : [forecastSection(subject, plan, shown)]),
    ...((plan.horizons.at(-1) ?? 1) < 2 ? [] : [ageingSection(subject, plan, reports)]),
    ...((plan.horizons.at(-1) ?? 1) < 2 || shown === undefined
      ? []
      : [coverageSection(subject, plan, shown)]),
  ];
  return page(`Backtest of ${subject.file}`, head, body);
}

/** The model whose forecasts are shown: the default, or else the best at the longest horizon. */
function leadOf(reports: readonly ModelReport[]): ModelReport | undefined {
  const scored = reports.filter(({ figures }) => figures.length > 0);
  const ours = scored.find(({ name }) => name === DEFAULT_MODEL);
  const best = ranked(scored, (scored[0]?.figures.length ?? 1) - 1)[0]?.name;
  return ours ?? scored.find(({ name }) => name === best);
}

function tiles({ series }: BacktestSubject, plan: BacktestPlan, reports: readonly ModelReport[]): Markup {
  return html`<div class="tiles">
    ${plan.horizons.map((horizon, index) => {
      const rows = ranked(reports, index);
      const shown = rows.find(({ name }) => name === DEFAULT_MODEL) ?? rows[0];
      const naive = rows.find(({ name }) => name === NAIVE_MODEL)?.figures.mase ?? NaN;
      const best = rows.find(({ name }) => name !== DEFAULT_MODEL);
      if (shown === undefined) return html``;
      const ratio = shown.figures.mase / naive;
      const look = ratio < 1 ? 'good' : ratio > 1 ? 'bad' : 'dim';
      return html`<div class="tile">
        <span class="dim">${spanText(horizon * series.stepMs)} ahead, MASE of ${shown.name}</span>
        <b>${fixed(shown.figures.mase, 3)}</b>
        <span class="${look}">${comparison(ratio)} naive</span><br />
        <span class="dim">best model: ${best?.name ?? 'none'} (${fixed(best?.figures.mase ?? NaN, 3)})</span>
      </div>`;
    })}
  </div>`;
}

function horizonTable({ series }: BacktestSubject, reports: readonly ModelReport[], index: number): Markup {
  const rows = ranked(reports, index);
  const largest = Math.max(
    ...rows.map(({ figures }) => figures.mase).filter((mase) => Number.isFinite(mase)),
    0,
  );
  const horizon = rows[0]?.figures.horizon ?? 0;
  const caption = `${horizon} step${horizon === 1 ? '' : 's'} ahead (${spanText(horizon * series.stepMs)})`;
  const columns = ['model', 'MASE', '', 'MAE', 'in 80 %', 'in 95 %', 'fit, ms', 'origins'].map((head) => ({
    head,
  }));
  const origins = new Map(reports.map((report) => [report.name, report.origins]));
  return tableOf(
    caption,
    columns,
    rows.map(({ name, figures }) => ({
      ours: name === DEFAULT_MODEL,
      cells: [
        name,
        fixed(figures.mase, 3),
        bar(figures, largest),
        significant(figures.mae),
        coverageText(figures.coverage80, 0.8),
        coverageText(figures.coverage95, 0.95),
        fixed(figures.fitMs, figures.fitMs < 10 ? 1 : 0),
        String(origins.get(name) ?? 0),
      ],
    })),
  );
}

function bar({ mase }: HorizonFigures, largest: number): Markup {
  const part = largest > 0 && Number.isFinite(mase) ? mase / largest : 0;
  const rect = element('rect', { x: 0, y: 0, height: 10, width: part * 100 });
  return new Markup(
    element(
      'svg',
      { class: 'bar', viewBox: '0 0 100 10', preserveAspectRatio: 'none', 'aria-hidden': 'true' },
      [rect],
    ),
  );
}

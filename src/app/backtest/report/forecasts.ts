/** Forecast against actual at a few origins. */
import { html, type Markup } from '../../../admin/html';
import type { Layer, Plot } from '../../../chart/plot';
import { SCORED_LEVELS, type BacktestPlan } from '../../../forecast/backtest/rolling-origin';
import type { DrawnForecast, ModelReport } from '../model-report';
import { timestampOf, type BacktestSubject } from '../report-json';
import { significant } from '../report-text';
import { figureOf, folded, tableOf } from './page';

/** Rows of a folded table, at most: a reader wants the shape, a program has the JSON. */
const ROWS_MAX = 24;
/** Steps of the past that are drawn before a forecast, at least. */
const PAST_MIN = 24;

/** The forecasts of one model at the origins that were kept. */
export function forecastSection(subject: BacktestSubject, plan: BacktestPlan, report: ModelReport): Markup {
  return html`<section>
    <h2>Forecast against actual: ${report.name}</h2>
    <p class="dim">Made at ${report.drawn.length} of the origins from the values before them alone.</p>
    ${report.drawn.map((drawn, index) => oneForecast(subject, plan, drawn, index))}
  </section>`;
}

function oneForecast(
  subject: BacktestSubject,
  plan: BacktestPlan,
  { origin, forecast }: DrawnForecast,
  index: number,
): Markup {
  const { series } = subject;
  const horizon = plan.horizons.at(-1) ?? 1;
  const from = Math.max(0, origin - Math.max(PAST_MIN, horizon));
  const timesOf = (first: number, count: number): Float64Array =>
    Float64Array.from(
      { length: count },
      (_, at) => series.startMs + subject.offsetMs + (first + at) * series.stepMs,
    );
  const ahead = timesOf(origin, horizon);
  const bands = [...forecast.intervals].reverse().map(({ level, lower, upper }): Layer => ({
    kind: 'band',
    look: level === SCORED_LEVELS[0] ? 'band80' : 'band95',
    label: `${Math.round(level * 100)} % interval`,
    x: ahead,
    low: lower,
    high: upper,
  }));
  const made = timestampOf(subject, origin).slice(0, 16).replace('T', ' ');
  const plot: Plot = {
    id: `forecast-${index}`,
    title: `Forecast made at ${made}`,
    description: `${horizon} steps forecast from ${made}, with intervals, against the actual values; the table below has figures.`,
    xAxis: { label: 'time, UTC', time: true },
    yAxis: { label: 'per step', low: 0 },
    layers: [
      ...bands,
      { kind: 'moments', look: 'guide', label: 'forecast made', points: [{ x: ahead[0] ?? 0, text: made }] },
      {
        kind: 'line',
        look: 'actual',
        label: 'actual',
        x: timesOf(from, origin + horizon - from),
        y: series.values.slice(from, origin + horizon),
      },
      { kind: 'line', look: 'series1', label: 'forecast', x: ahead, y: forecast.mean },
    ],
  };
  return html`<h3>Made at ${made}</h3>
    ${figureOf(plot)} ${folded('Figures', figures(subject, { origin, forecast }, horizon))}`;
}

function figures(subject: BacktestSubject, { origin, forecast }: DrawnForecast, horizon: number): Markup {
  const every = Math.max(1, Math.ceil(horizon / ROWS_MAX));
  const steps = Array.from({ length: Math.ceil(horizon / every) }, (_, row) => row * every);
  const bounds = forecast.intervals.map(({ level }) => ({ head: `${Math.round(level * 100)} %` }));
  return tableOf(
    every === 1 ? 'Every step' : `Every ${every}th step`,
    [{ head: 'time' }, { head: 'actual' }, { head: 'forecast' }, ...bounds],
    steps.map((step) => ({
      cells: [
        timestampOf(subject, origin + step)
          .slice(0, 16)
          .replace('T', ' '),
        significant(subject.series.values[origin + step] ?? NaN),
        significant(forecast.mean[step] ?? NaN),
        ...forecast.intervals.map(
          ({ lower, upper }) => `${significant(lower[step] ?? NaN)} to ${significant(upper[step] ?? NaN)}`,
        ),
      ],
    })),
  );
}

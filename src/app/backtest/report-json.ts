/** The JSON that a backtest writes. Figures that there are none of are null. */
import type { Series } from '../../core/series';
import type { OnlinePlan } from '../../forecast/backtest/online';
import type { BacktestPlan } from '../../forecast/backtest/rolling-origin';
import type { ModelReport } from './model-report';
import { DEFAULT_MODEL } from './models';
import type { OnlineReport } from './run-backtest';
import type { AnomalyFlag, DriftFlag } from './tasks';

/** What a backtest ran on. */
export interface BacktestSubject {
  /** The file's name without its folder. */
  readonly file: string;
  readonly series: Series;
  /** By how much the file's times are after the steps' begins, ms. */
  readonly offsetMs: number;
  readonly warnings: readonly string[];
}

/** `{models: {name: {h: figures}}, default: {h: figures}}`, and what it was measured on. */
export function backtestJson(
  subject: BacktestSubject,
  plan: BacktestPlan,
  reports: readonly ModelReport[],
): object {
  const models = reports.filter(({ name }) => name !== DEFAULT_MODEL);
  const ours = reports.find(({ name }) => name === DEFAULT_MODEL);
  return {
    ...about(subject),
    protocol: {
      train: plan.train,
      seasons: plan.seasons,
      scale_season: plan.scaleSeason,
      horizons: plan.horizons,
      origins: plan.origins,
      seed: plan.seed,
    },
    models: Object.fromEntries(models.map((report) => [report.name, figuresOf(report)])),
    default: ours === undefined ? {} : figuresOf(ours),
    origins: Object.fromEntries(reports.map(({ name, origins }) => [name, origins])),
    failures: Object.fromEntries(
      reports.filter(({ failures }) => failures.length > 0).map(({ name, failures }) => [name, failures]),
    ),
  };
}

function figuresOf({ figures }: ModelReport): object {
  return Object.fromEntries(
    figures.map(({ horizon, mase, mae, coverage80, coverage95, fitMs }) => [
      horizon,
      {
        mase: known(mase),
        mae: known(mae),
        coverage80: known(coverage80),
        coverage95: known(coverage95),
        fit_ms: known(fitMs),
      },
    ]),
  );
}

/** `{online: {name: figures}, default: figures, anomalies, drifts}`, and what it was measured on. */
export function onlineJson(
  subject: BacktestSubject,
  plan: OnlinePlan,
  reports: readonly OnlineReport[],
): object {
  const figures = reports.flatMap(({ name, result }) => {
    if (result.kind === 'failed') return [];
    const { relMae, mae, coverage80, coverage95, steps } = result.score;
    const row = {
      rel_mae: known(relMae),
      coverage80: known(coverage80),
      coverage95: known(coverage95),
      mae: known(mae),
      steps,
      fit_ms: known(result.fitMs),
      step_us: known(result.stepUs),
    };
    return [[name, row] as const];
  });
  const failures = reports.flatMap(({ name, result: { kind, ...rest } }) =>
    kind === 'failed' ? [[name, rest] as const] : [],
  );
  const ours = reports.find(({ name }) => name === DEFAULT_MODEL)?.result;
  return {
    ...about(subject),
    protocol: { start: plan.start, seasons: plan.seasons, seed: plan.seed },
    online: Object.fromEntries(figures),
    default: Object.fromEntries(figures)[DEFAULT_MODEL] ?? {},
    anomalies: ours?.kind === 'online' ? ours.anomalies.map((flag) => anomalyJson(subject, flag)) : [],
    drifts: ours?.kind === 'online' ? ours.drifts.map((flag) => driftJson(subject, flag)) : [],
    failures: Object.fromEntries(failures),
  };
}

function anomalyJson(subject: BacktestSubject, flag: AnomalyFlag): object {
  const { at, end, peak, value, expected, score, reason } = flag;
  return {
    timestamp: timestampOf(subject, at),
    end: end === undefined ? null : timestampOf(subject, end),
    peak: timestampOf(subject, peak),
    index: at,
    score: known(score),
    reason,
    value: known(value),
    expected: known(expected),
  };
}

function driftJson(subject: BacktestSubject, { at, score, reason }: DriftFlag): object {
  return { timestamp: timestampOf(subject, at), index: at, score: known(score), reason };
}

function about({ file, series, warnings, offsetMs }: BacktestSubject): object {
  const { values, stepMs } = series;
  const first = timestampOf({ series, offsetMs }, 0);
  const last = timestampOf({ series, offsetMs }, values.length - 1);
  return { file, series: { steps: values.length, step_ms: stepMs, first, last }, warnings };
}

/** The file's time of a step, in ISO 8601. */
export function timestampOf(
  { series, offsetMs }: Pick<BacktestSubject, 'series' | 'offsetMs'>,
  at: number,
): string {
  return new Date(series.startMs + offsetMs + at * series.stepMs).toISOString();
}

/** JSON has no NaN and no Infinity. */
function known(figure: number): number | null {
  return Number.isFinite(figure) ? figure : null;
}

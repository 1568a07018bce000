/**
 * Forecasts under the names that dashboards draw: what is coming, between which bounds, how good forecasts were, and
 * what was odd. The control path hands over its figures each minute; a scrape turns them into text, a slice a turn of
 * the event loop, for there are thousands of lines.
 */
import type { ForecastFigures } from '../core/forecasts';
import { renderFamilies, type Line, type MetricFamily } from './metric-family';

type Family = MetricFamily<ForecastFigures>;

const SINGLE: readonly (readonly [string, string])[] = [];
const one = (value: number | null): Line[] => [[SINGLE, value]];

const FAMILIES: readonly Family[] = [
  {
    name: 'tidegate_class_rate',
    type: 'gauge',
    help: 'Hits a second of a class over the last full minute.',
    lines: ({ classes }) => classes.map(({ id, ratePerS }): Line => [[['class', id]], ratePerS]),
  },
  {
    name: 'tidegate_forecast_rate',
    type: 'gauge',
    help: 'Hits a second of a class forecast for the end of the horizon.',
    lines: ({ classes }) =>
      classes.flatMap(({ id, horizons }) =>
        horizons.map(({ horizon, ratePerS }): Line => [
          [
            ['class', id],
            ['horizon', horizon],
          ],
          ratePerS,
        ]),
      ),
  },
  boundFamily('lower'),
  boundFamily('upper'),
  {
    name: 'tidegate_forecast_mae_ratio',
    type: 'gauge',
    help: "The mean absolute error of one-minute forecasts over the last day, as a part of the naive forecast's.",
    lines: ({ classes }) => classes.map(({ id, maeRatio }): Line => [[['class', id]], maeRatio]),
  },
  {
    name: 'tidegate_forecast_coverage',
    type: 'gauge',
    help: 'The part of values that lay inside the one-minute interval of a level, over the last day.',
    lines: ({ classes }) =>
      classes.flatMap(({ id, coverage80, coverage95 }): Line[] => [
        [coverageLabels(id, '0.8'), coverage80],
        [coverageLabels(id, '0.95'), coverage95],
      ]),
  },
  {
    name: 'tidegate_anomaly_active',
    type: 'gauge',
    help: 'Whether a class is unlike its forecasts now.',
    lines: ({ classes }) => classes.map(({ id, anomalous }): Line => [[['class', id]], anomalous ? 1 : 0]),
  },
  {
    name: 'tidegate_anomalies_total',
    type: 'counter',
    help: 'Anomalies of a class, by reason.',
    lines: ({ anomalies }) =>
      anomalies.map(({ id, reason, count }): Line => [
        [
          ['class', id],
          ['reason', reason],
        ],
        count,
      ]),
  },
  {
    name: 'tidegate_drifts_total',
    type: 'counter',
    help: 'Lasting changes of a class.',
    lines: ({ drifts }) => drifts.map(({ id, count }): Line => [[['class', id]], count]),
  },
  {
    name: 'tidegate_alert_active',
    type: 'gauge',
    help: 'Whether a forecast crosses the threshold of an alert.',
    lines: ({ alerts }) => alerts.map(({ name, active }): Line => [[['alert', name]], active ? 1 : 0]),
  },
  {
    name: 'tidegate_recommended_replicas',
    type: 'gauge',
    help: 'Replicas that a service will need within its horizon.',
    lines: ({ replicas }) =>
      replicas.map(({ service, recommended }): Line => [[['service', service]], recommended]),
  },
  {
    name: 'tidegate_model_fits_total',
    type: 'counter',
    help: 'Fits of models, by what became of them.',
    lines: ({ refits }) =>
      Object.entries(refits).map(([verdict, count]): Line => [[['verdict', verdict]], count]),
  },
  {
    name: 'tidegate_model_fits_waiting',
    type: 'gauge',
    help: 'Fits that wait for a thread.',
    lines: ({ waitingFits }) => one(waitingFits),
  },
  {
    name: 'tidegate_forecast_classes',
    type: 'gauge',
    help: 'Classes that are forecast.',
    lines: ({ tracked }) => one(tracked),
  },
  {
    name: 'tidegate_forecast_step_seconds',
    type: 'gauge',
    help: 'What the last step of all forecasts took of the control thread.',
    lines: ({ stepMs }) => one(stepMs / 1_000),
  },
  {
    name: 'tidegate_forecast_leader',
    type: 'gauge',
    help: 'Whether this process forecasts for its group.',
    lines: ({ leader }) => one(leader ? 1 : 0),
  },
  {
    name: 'tidegate_history_degraded',
    type: 'gauge',
    help: 'Whether history is kept in memory alone because its file cannot be used.',
    lines: ({ history }) => one(history.degraded ? 1 : 0),
  },
  {
    name: 'tidegate_history_memory_bytes',
    type: 'gauge',
    help: 'Memory that history takes.',
    lines: ({ history }) => one(history.memoryBytes),
  },
  {
    name: 'tidegate_history_disk_bytes',
    type: 'gauge',
    help: "The size of history's file.",
    lines: ({ history }) => one(history.diskBytes),
  },
];

function boundFamily(bound: 'lower' | 'upper'): Family {
  return {
    name: `tidegate_forecast_${bound}`,
    type: 'gauge',
    help: `The ${bound} end of the interval of a level around a forecast, hits a second.`,
    lines: ({ classes }) =>
      classes.flatMap(({ id, horizons }) =>
        horizons.flatMap(({ horizon, levels }) =>
          levels.map((ends): Line => [
            [
              ['class', id],
              ['horizon', horizon],
              ['level', String(ends.level)],
            ],
            ends[bound],
          ]),
        ),
      ),
  };
}

function coverageLabels(id: string, level: string): readonly (readonly [string, string])[] {
  return [
    ['class', id],
    ['level', level],
  ];
}

/** The control path's figures as metrics; nothing before the first are there. */
export class ForecastSeries {
  private figures: ForecastFigures | undefined;

  /** Takes the figures of the last minute. */
  take(figures: ForecastFigures): void {
    this.figures = figures;
  }

  metricNames(): string[] {
    return FAMILIES.map(({ name }) => name);
  }

  /** The lines of the text format. */
  async render(): Promise<string> {
    return this.figures === undefined ? '' : renderFamilies(FAMILIES, this.figures);
  }
}

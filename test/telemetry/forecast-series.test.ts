import type { ForecastFigures } from '../../src/core/forecasts';
import { ForecastSeries } from '../../src/telemetry/forecast-series';

const figures = (classes: readonly string[]): ForecastFigures => ({
  madeAtMs: 0,
  classes: classes.map((id) => ({
    id,
    ratePerS: 2,
    horizons: [{ horizon: '1h', ratePerS: 3, levels: [{ level: 0.8, lower: 1, upper: 5 }] }],
    maeRatio: null,
    coverage80: 0.79,
    coverage95: NaN,
    anomalous: true,
  })),
  anomalies: [{ id: 'd.k', reason: 'spike', count: 4 }],
  drifts: [],
  refits: { first: 1, won: 0, lost: 2, unproven: 0, failed: 0 },
  alerts: [],
  replicas: [
    { service: 'shop', recommended: 3, capacityPerReplica: 1, demandPerS: 2, why: '' },
    { service: 'cart', recommended: null, capacityPerReplica: null, demandPerS: null, why: '' },
  ],
  tracked: 1,
  waitingFits: 0,
  stepMs: 5,
  history: { kind: 'sqlite', degraded: true, error: 'full', classes: 1, memoryBytes: 2, diskBytes: 3 },
  leader: true,
});

async function linesOf(classes: readonly string[]): Promise<readonly string[]> {
  const series = new ForecastSeries();
  series.take(figures(classes));
  return (await series.render()).split('\n').filter((line) => line !== '' && !line.startsWith('#'));
}

describe('forecasts as metrics', () => {
  it('are not there before the first figures', async () => {
    expect(await new ForecastSeries().render()).toBe('');
  });

  it('tell what is coming, and leave out what is not known', async () => {
    const lines = await linesOf(['d.k']);
    expect(lines).toEqual(
      expect.arrayContaining([
        'tidegate_class_rate{class="d.k"} 2',
        'tidegate_forecast_rate{class="d.k",horizon="1h"} 3',
        'tidegate_forecast_lower{class="d.k",horizon="1h",level="0.8"} 1',
        'tidegate_forecast_upper{class="d.k",horizon="1h",level="0.8"} 5',
        'tidegate_forecast_coverage{class="d.k",level="0.8"} 0.79',
        'tidegate_anomaly_active{class="d.k"} 1',
        'tidegate_anomalies_total{class="d.k",reason="spike"} 4',
        'tidegate_recommended_replicas{service="shop"} 3',
        'tidegate_model_fits_total{verdict="lost"} 2',
        'tidegate_history_degraded 1',
        'tidegate_forecast_step_seconds 0.005',
      ]),
    );
    expect(lines.filter((line) => /mae_ratio|0\.95|cart/.test(line))).toEqual([]);
  });

  it('escape ids, cut them, and never tell one series twice', async () => {
    const lines = await linesOf(['a"\\\n', 'x'.repeat(300), `${'x'.repeat(256)}y`, '\ud800']);
    const rates = lines.filter((line) => line.startsWith('tidegate_class_rate'));
    expect(rates).toEqual([
      'tidegate_class_rate{class="a\\"\\\\ "} 2',
      `tidegate_class_rate{class="${'x'.repeat(256)}"} 2`,
      'tidegate_class_rate{class="\ufffd"} 2',
    ]);
  });

  it('come whole when there are many', async () => {
    const lines = await linesOf(Array.from({ length: 2_500 }, (_, index) => `d.k${index}`));
    expect(lines.filter((line) => line.startsWith('tidegate_class_rate'))).toHaveLength(2_500);
  });
});

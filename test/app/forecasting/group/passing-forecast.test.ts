/** Forecasts made on the spot: how often they are made. */
import { PassingForecasts } from '../../../../src/app/forecasting/group/passing-forecast';
import type { ModelShelf } from '../../../../src/app/forecasting/model-shelf';
import { scalesOf } from '../../../../src/app/forecasting/scales';
import { MODEL_KINDS } from '../../../../src/forecast/choice/kinds';
import { loaded } from '../../../config/load';
import { recordedLogger } from '../recorded-logger';

const NOW_MS = Date.UTC(2026, 0, 5);

it('once for a while for a class, whatever is asked of it; and of many classes nothing piles up', () => {
  const classes = Array.from({ length: 100 }, (_, at) => ({
    id: `c${at}`,
    kind: 'rule' as const,
    sinceMs: 0,
    lastMs: 0,
    ended: false,
  }));
  let reads = 0;
  const passing = new PassingForecasts(
    {
      history: {
        series: (_id, _figure, stepMs, _fromMs, toMs) => {
          reads += 1;
          return { startMs: toMs - 20 * stepMs, stepMs, values: new Float64Array(20).fill(60) };
        },
      },
      classes: () => classes,
      shelf: { tracks: () => undefined } as unknown as ModelShelf,
      logger: recordedLogger().logger,
    },
    scalesOf(loaded({}).settings.forecast, MODEL_KINDS),
  );
  const ask = (id: string, atMs: number) => passing.predict(id, '1m', 0.8, atMs);
  expect(ask('c0', NOW_MS)?.flags).toContain('passing');
  expect(passing.predict('c0', '1h', 0.95, NOW_MS + 9_000)).toBeDefined();
  expect(reads).toBe(2);
  ask('c0', NOW_MS + 10_000);
  expect(reads).toBe(4);
  for (const { id } of classes) expect(ask(id, NOW_MS + 11_000)).toBeDefined();
  expect(reads).toBe(2 + 2 * 100);
  expect(ask('none', NOW_MS)).toBeUndefined();
});

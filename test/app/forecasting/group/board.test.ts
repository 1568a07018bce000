/** The leader's board: what is packed is read as it was; what is no board is none. */
import fc from 'fast-check';
import {
  packBoard,
  readBoard,
  type BoardNews,
  type ClassPredictions,
} from '../../../../src/app/forecasting/group/board';
import { MAX_BOARD_BYTES } from '../../../../src/core/group';
import { HORIZON_STEPS, HORIZONS, LEVELS, type HorizonName } from '../../../../src/core/forecasts';

const NEWS: BoardNews = {
  source: 'a',
  madeAtMs: 1_800_000_000_000,
  alerts: [
    {
      name: 'peak',
      classId: 'shop.rule',
      horizon: '1h',
      abovePerS: 10,
      active: true,
      sinceMs: 1,
      valuePerS: 12,
      crossesAtMs: null,
    },
  ],
  replicas: [{ service: 'shop', recommended: 3, capacityPerReplica: 50, demandPerS: 120, why: 'set' }],
  anomalies: [
    {
      classId: 'shop.rule',
      startMs: 1,
      peakMs: 2,
      score: 5,
      reason: 'spike',
      actual: 4,
      expected: null,
    },
  ],
  drifts: [{ classId: 'shop.rule', atMs: 3, kind: 'level', score: 9 }],
  accuracy: [],
};

function predictionsOf(classId: string, mean: number): ClassPredictions {
  const of = (horizon: HorizonName) =>
    LEVELS.map((level) => ({
      classId,
      figure: 'hits' as const,
      horizon,
      level,
      madeAtMs: NEWS.madeAtMs,
      stepMs: HORIZON_STEPS[horizon].stepMs,
      model: 'online',
      version: 2,
      source: 'model' as const,
      warm: true,
      flags: ['anomaly'],
      steps: Array.from({ length: HORIZON_STEPS[horizon].steps }, (_, step) => ({
        atMs: NEWS.madeAtMs + step * HORIZON_STEPS[horizon].stepMs,
        mean: mean + step,
        lower: mean + step - level,
        upper: mean + step + level,
      })),
    }));
  return Object.fromEntries(HORIZONS.map((horizon) => [horizon, of(horizon)]));
}

test('what is packed is read as it was, with the leader as its source', () => {
  const board = readBoard(packBoard(NEWS, [predictionsOf('shop.rule', 4), predictionsOf('ü|x', 1)]));
  expect(board).toMatchObject({ ...NEWS, classes: 2 });
  const told = board?.predict('ü|x', '1d', 0.95);
  expect(told).toMatchObject({
    source: 'leader',
    model: 'online',
    version: 2,
    flags: ['anomaly'],
    level: 0.95,
  });
  expect(told?.steps).toHaveLength(144);
  expect(told?.steps[10]?.mean).toBeCloseTo(11, 4);
  expect(told?.steps[10]?.lower).toBeCloseTo(10.05, 4);
  expect(told?.steps[10]?.upper).toBeCloseTo(11.95, 4);
  expect(told?.steps[1]?.atMs).toBe(NEWS.madeAtMs + 600_000);
  expect(board?.predict('nobody', '1d', 0.95)).toBeUndefined();
  expect(board?.predict('shop.rule', '1d', 0.5)).toBeUndefined();
});

test('a forecast with a figure that is none is not told', () => {
  expect(readBoard(packBoard(NEWS, [predictionsOf('r', NaN)]))?.predict('r', '1h', 0.8)).toBeUndefined();
});

test('beyond its bound a board leaves out the last classes', () => {
  const classes = Array.from({ length: 3_000 }, (_, index) => predictionsOf(`class ${index}`, index));
  const bytes = packBoard(NEWS, classes);
  expect(bytes.length).toBeLessThanOrEqual(MAX_BOARD_BYTES);
  const board = readBoard(bytes);
  expect(board?.classes).toBeGreaterThan(1_000);
  expect(board?.predict('class 0', '1m', 0.8)).toBeDefined();
  expect(board?.predict('class 2999', '1m', 0.8)).toBeUndefined();
});

test('bytes that are no board are none, and do no harm', () => {
  const good = packBoard(NEWS, [predictionsOf('shop.rule', 4)]);
  fc.assert(
    fc.property(fc.nat(good.length - 1), fc.nat(255), fc.nat(good.length), (at, value, length) => {
      const bad = Uint8Array.from(good);
      bad[at] = value;
      for (const bytes of [bad, bad.subarray(0, length), new Uint8Array(length)]) {
        const steps = readBoard(bytes)?.predict('shop.rule', '1h', 0.8)?.steps ?? [];
        for (const { mean } of steps) expect(Number.isFinite(mean)).toBe(true);
      }
    }),
    { numRuns: 300 },
  );
  expect(readBoard(new Uint8Array(0))).toBeUndefined();
  expect(readBoard(Buffer.from('no board at all, but long enough'))).toBeUndefined();
});

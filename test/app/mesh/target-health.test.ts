/** Where the health of a target is taken from, and what is kept of it to be forecast. */
import { TargetHealths, type HealthPlace } from '../../../src/app/mesh/target-health';
import type { Prediction } from '../../../src/core/forecasts';
import type { SignalSample } from '../../../src/core/observation';
import type { TrafficSnapshot } from '../../../src/core/traffic-telemetry';

const PLACE: HealthPlace = {
  group: 'shop',
  id: 'a',
  cluster: 'a',
  endpoint: '',
  signals: 'shop/a',
};
const NAMES = { cpu: 'cpu', memory: '', errors: 'errors', latency: '', out: 'ejected' };
const NOW_MS = 1_000_000;

const told = {
  coveredMs: 10_000,
  clusters: [
    {
      cluster: 'a',
      ratePerS: 50,
      limitedPerS: 0,
      errorShare: 0.2,
      latencyP50Ms: 4,
      latencyP99Ms: 40,
      flags: {},
    },
  ],
  hosts: [],
  loads: [],
} as unknown as TrafficSnapshot;

function prediction(mean: number, changes: Partial<Prediction> = {}): Prediction {
  return {
    classId: '',
    figure: 'level',
    horizon: '1m',
    level: 0.8,
    madeAtMs: NOW_MS,
    stepMs: 60_000,
    model: 'm',
    version: 1,
    source: 'model',
    warm: true,
    flags: [],
    steps: [{ atMs: NOW_MS, mean, lower: mean, upper: mean }],
    ...changes,
  };
}

function healthsOf(
  levels: Readonly<Record<string, number>>,
  forecasts: Readonly<Record<string, Prediction>> = {},
) {
  const put: SignalSample[] = [];
  const healths = new TargetHealths({
    history: {
      series: (id: string) => ({ startMs: 0, stepMs: 10_000, values: [NaN, levels[id] ?? NaN, NaN] }),
    } as never,
    names: NAMES,
    predict: (id) => {
      const found = forecasts[id];
      if (found === undefined) throw new Error('not known');
      return found;
    },
    put: (sample) => void put.push(sample),
  });
  return { healths, put };
}

test('a signal that is pulled counts before what Envoys tell; what neither says is not known', () => {
  const { healths } = healthsOf({ 'signal:shop/a/errors': 0.01, 'signal:shop/a/cpu': 0.7 });
  expect(healths.of(PLACE, told, NOW_MS)?.now).toEqual({
    errorShare: 0.01,
    latencyP50Ms: 4,
    latencyP99Ms: 40,
    cpu: 0.7,
    memory: NaN,
    out: NaN,
  });
});

test('nothing said is nothing known, which is not health', () => {
  const { healths } = healthsOf({});
  expect(healths.of(PLACE, undefined, NOW_MS)).toBeUndefined();
});

test('what Envoys tell is kept to be forecast, what is pulled is not kept twice', () => {
  const { healths, put } = healthsOf({ 'signal:shop/a/errors': 0.01 });
  healths.of(PLACE, told, NOW_MS);
  expect(put).toEqual([{ classId: 'signal:shop/a/latencyP99Ms', atMs: NOW_MS, value: 40 }]);
  healths.of(PLACE, told, NOW_MS + 4_999);
  expect(put).toHaveLength(1);
  healths.of(PLACE, told, NOW_MS + 5_000);
  expect(put).toHaveLength(2);
});

test('a clock that steps back does not keep old figures for ever', () => {
  const { healths, put } = healthsOf({});
  healths.of(PLACE, told, NOW_MS);
  healths.of(PLACE, told, NOW_MS - 3_600_000);
  expect(new Set(put.map(({ atMs }) => atMs))).toEqual(new Set([NOW_MS, NOW_MS - 3_600_000]));
});

test.each([
  ['a forecast counts', prediction(0.4), 0.4],
  ['one that is not proven yet does not', prediction(0.4, { warm: false }), NaN],
  ['one that is stale does not', prediction(0.4, { flags: ['stale'] }), NaN],
  ['one in an anomaly does not', prediction(0.4, { flags: ['anomaly'] }), NaN],
  ['one that nobody made does not', prediction(0.4, { source: 'none' }), NaN],
])('%s', (_what, made, errorShare) => {
  const { healths } = healthsOf(
    { 'signal:shop/a/errors': 0.01 },
    { 'signal:shop/a/errors': made, 'signal:shop/a/cpu': prediction(0.5) },
  );
  expect(healths.of(PLACE, undefined, NOW_MS)?.ahead).toMatchObject({ errorShare, cpu: 0.5 });
});

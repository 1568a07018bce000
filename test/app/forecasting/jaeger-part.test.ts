/** Jaeger from the settings to samples, over HTTP. */
import { startSignals } from '../../../src/app/forecasting/signals-part';
import { systemClock } from '../../../src/app/system-clock';
import type { SignalSample } from '../../../src/core/observation';
import { loaded } from '../../config/load';
import { SERVER_TAGS, startJaegerServer } from '../../parts/jaeger-server';
import { until } from '../../parts/until';

const log = { debug: () => {}, info: () => {}, warn: () => {}, error: () => {} };

test('services of the settings are asked for, with the token, and become samples', async () => {
  const jaeger = await startJaegerServer();
  const span = (durationMs: number, status: number) => ({
    service: 'shop',
    endMs: Date.now() - 1_000,
    durationMs,
    tags: [...SERVER_TAGS, { key: 'http.status_code', value: status }],
  });
  jaeger.give([span(10, 200), span(40, 500)], [span(20, 200), span(30, 404)]);
  const samples: SignalSample[] = [];
  const { settings } = loaded({
    file: `observe: {jaeger: {url: '${jaeger.url}', token: abc, services: [shop], max_traces: 7}}`,
  });
  const signals = startSignals(settings, systemClock, log, (batch) => void samples.push(...batch.samples));
  try {
    await until('samples come', () => samples.length > 0);
    expect(samples.map(({ classId, value }) => [classId, value])).toEqual([
      ['signal:shop/jaeger/latency_p50_ms', 20],
      ['signal:shop/jaeger/latency_p99_ms', 40],
      ['signal:shop/jaeger/error_share', 0.25],
    ]);
    expect(jaeger.asked[0]?.authorization).toBe('Bearer abc');
    expect(jaeger.asked[0]?.url.searchParams.get('limit')).toBe('7');
  } finally {
    signals?.stop();
    await jaeger.stop();
  }
});

test.each([
  ['an URL', "observe: {jaeger: {url: 'http://127.0.0.1:1'}}"],
  ['services', 'observe: {jaeger: {services: [shop]}}'],
])('with %s alone nothing is asked', (_what, file) => {
  expect(startSignals(loaded({ file }).settings, systemClock, log, () => {})).toBeUndefined();
});

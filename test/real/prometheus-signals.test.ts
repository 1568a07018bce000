/** Signals of a real Prometheus. */
import type { Logger } from '../../src/core/ports';
import type { SignalSample } from '../../src/core/observation';
import { systemClock } from '../../src/app/system-clock';
import { Signals, type SignalQuery } from '../../src/observe/signals';
import { PrometheusClient } from '../../src/remote/prometheus-client';
import {
  startExposition,
  startPrometheus,
  type Exposition,
  type PrometheusServer,
} from '../parts/prometheus';
import { until } from '../parts/until';

const LOGGER: Logger = {
  debug: () => undefined,
  info: () => undefined,
  warn: () => undefined,
  error: () => undefined,
};

let exposition: Exposition;
let prometheus: PrometheusServer;

beforeAll(async () => {
  exposition = await startExposition();
  exposition.text = 'load{pod="a"} 0.25\nload{pod="b"} 0.5\nmade_total 10\nnone_of_it NaN\n';
  prometheus = await startPrometheus([exposition.address]);
});
afterAll(async () => {
  await prometheus.stop();
  await exposition.close();
});

function query(part: Partial<SignalQuery>): SignalQuery {
  return {
    name: 'load',
    service: 'shop',
    query: 'load',
    instanceLabel: 'pod',
    intervalMs: 200,
    unit: '',
    maxSeries: 10,
    ...part,
  };
}

function pull(queries: readonly SignalQuery[], url = prometheus.url) {
  const samples: SignalSample[] = [];
  const client = new PrometheusClient({ url, timeoutMs: 2_000, maxBytes: 1_000_000 });
  const signals = new Signals(queries, {
    source: client,
    clock: systemClock,
    take: (batch) => void samples.push(...batch.samples),
    logger: LOGGER,
    random: Math.random,
  });
  signals.start();
  const stop = (): void => {
    signals.stop();
    client.close();
  };
  return { signals, samples, stop };
}

test('each instance of each query has its values, in time', async () => {
  const { samples, stop } = pull([
    query({}),
    query({ name: 'sum', query: 'sum(load) * 2', instanceLabel: 'instance' }),
  ]);
  try {
    const beforeMs = Date.now();
    const of = (id: string): SignalSample[] => samples.filter(({ classId }) => classId === id);
    await until('values of all', () =>
      ['signal:shop/a/load', 'signal:shop/b/load', 'signal:shop/all/sum'].every((id) => of(id).length >= 3),
    );
    expect(of('signal:shop/a/load')[0]?.value).toBe(0.25);
    expect(of('signal:shop/b/load')[0]?.value).toBe(0.5);
    expect(of('signal:shop/all/sum')[0]?.value).toBe(1.5);
    const times = of('signal:shop/a/load').map(({ atMs }) => atMs);
    expect(times).toEqual([...new Set(times)].sort((a, b) => a - b));
    expect(Math.abs((times[0] ?? 0) - beforeMs)).toBeLessThan(20_000);
    exposition.text = exposition.text.replace('0.25', '0.75');
    await until('the change', () => of('signal:shop/a/load').at(-1)?.value === 0.75);
  } finally {
    stop();
  }
});

test('a query that Prometheus refuses and one without series fail and are empty beside one that goes on', async () => {
  const { signals, stop } = pull([
    query({ name: 'refused', query: 'load{' }),
    query({ name: 'none', query: 'no_such_series' }),
    query({ name: 'not_a_number', query: 'none_of_it' }),
    query({}),
  ]);
  try {
    await until('answers', () => signals.states().every(({ state }) => state !== 'waiting'));
    expect(signals.states().map(({ state, error }) => [state, error?.code])).toEqual([
      ['failing', 'TG_SOURCE_QUERY'],
      ['empty', undefined],
      ['empty', undefined],
      ['ok', undefined],
    ]);
  } finally {
    stop();
  }
});

test('a Prometheus that goes away is a failure with a code', async () => {
  const other = await startPrometheus([exposition.address]);
  const { signals, stop } = pull([query({})], other.url);
  try {
    await until('an answer', () => signals.states()[0]?.state === 'ok');
    await other.stop();
    await until('a failure', () => signals.states()[0]?.error?.code === 'TG_SOURCE_UNAVAILABLE');
    expect(signals.states()[0]?.failures).toBeGreaterThan(0);
  } finally {
    stop();
    await other.stop();
  }
});

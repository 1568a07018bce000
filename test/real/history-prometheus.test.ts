/** Backfill from a real Prometheus: what it kept becomes history, at the steps that it happened in. */
import type { ClassInfo } from '../../src/core/observation';
import { backfill, prometheusSource } from '../../src/history/backfill';
import { History } from '../../src/history/history';
import { PrometheusClient } from '../../src/remote/prometheus-client';
import { DEFAULT_RETENTION } from '../../src/series/levels';
import { type PrometheusServer, startPrometheus } from '../parts/prometheus';

const MINUTES = 30;
const BEGIN_S = 1_760_000_400;
const BEGIN_MS = BEGIN_S * 1_000;
const END_MS = BEGIN_MS + MINUTES * 60_000;
const info: ClassInfo = { id: 'r', kind: 'rule' };
let server: PrometheusServer;
let client: PrometheusClient;

/** A counter that grows by minute + 1 in every minute, in two series, and a gauge. */
function past(): string {
  const lines = ['# TYPE requests counter'];
  for (const path of ['a', 'b'])
    for (let minute = 0, total = 0; minute <= MINUTES; minute += 1, total += 60 * minute)
      lines.push(`requests_total{path="${path}"} ${total} ${BEGIN_S + minute * 60}`);
  lines.push('# TYPE cpu gauge');
  for (let minute = 0; minute <= MINUTES; minute += 1)
    lines.push(`cpu{instance="i"} ${minute / 100} ${BEGIN_S + minute * 60}`);
  return `${lines.join('\n')}\n# EOF\n`;
}
const history = () =>
  new History(
    {
      retention: DEFAULT_RETENTION,
      flushMs: 10_000,
      classesMax: 100,
      lateMs: 30_000,
      memoryMaxBytes: 1e8,
      fileMaxBytes: 1e9,
    },
    END_MS,
  );

beforeAll(async () => {
  server = await startPrometheus([], past());
  client = new PrometheusClient({ url: server.url, timeoutMs: 10_000, maxBytes: 10_000_000 });
});
afterAll(() => server.stop());

const range = { fromMs: BEGIN_MS, toMs: END_MS, stepMs: 60_000 } as const;

test('counts come into the steps that they happened in, summed over series; levels as they were', async () => {
  const into = history();
  const signal: ClassInfo = { id: 'signal:s/i/cpu', kind: 'signal' };
  const results = await backfill(
    into,
    prometheusSource(client),
    [
      { class: info, figure: 'arrivals', query: 'requests_total - (requests_total offset 1m)' },
      { class: info, figure: 'denied', query: '(requests_total - (requests_total offset 1m)) * 0.25' },
      { class: signal, figure: 'level', query: 'cpu' },
    ],
    range,
    () => END_MS,
  );
  expect(results).toEqual([
    { classId: 'r', found: MINUTES, filled: MINUTES },
    { classId: signal.id, found: MINUTES, filled: MINUTES },
  ]);
  const read = (figure: 'arrivals' | 'admitted' | 'denied' | 'hits') => [
    ...into.series('r', figure, 60_000, BEGIN_MS, BEGIN_MS + 3 * 60_000).values,
  ];
  expect(read('arrivals')).toEqual([120, 240, 360]);
  expect(read('denied')).toEqual([30, 60, 90]);
  expect(read('admitted')).toEqual([90, 180, 270]);
  expect(read('hits')).toEqual([120, 240, 360]);
  const levels = into.series(signal.id, 'level', 60_000, BEGIN_MS, BEGIN_MS + 2 * 60_000).values;
  expect([...levels]).toEqual([0.01, 0.02]);
  into.close(END_MS);
});

test('a range of more steps than it answers at once is asked in parts', async () => {
  const found = await client.queryRange('cpu', BEGIN_MS, BEGIN_MS + 11_999 * 150, 150);
  expect(found[0]?.points).toHaveLength(12_000);
});

test('a query that it does not take is a coded error with its words, and nothing is filled', async () => {
  const into = history();
  await expect(
    backfill(
      into,
      prometheusSource(client),
      [{ class: info, figure: 'arrivals', query: 'sum(' }],
      range,
      () => END_MS,
    ),
  ).rejects.toMatchObject({
    code: 'TG_SOURCE_QUERY',
    message: expect.stringContaining('parse error') as string,
  });
  expect(into.classes()).toEqual([]);
  into.close(END_MS);
});

/** @jest-environment ./test/telemetry/native-require-environment.mjs */
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { COUNTS } from '../../src/core/observation';
import { type ForecastFigure, OtlpMetrics } from '../../src/history/otlp-metrics';

// The real exporter, loaded by Node itself: it imports node:http dynamically.
const mockNativeRequire = (name: string): unknown =>
  (globalThis as unknown as { nativeRequire: NodeJS.Require }).nativeRequire(name);
jest.mock('@opentelemetry/exporter-metrics-otlp-http', () =>
  mockNativeRequire('@opentelemetry/exporter-metrics-otlp-http'),
);

interface Point {
  readonly attributes: readonly { key: string; value: { stringValue: string } }[];
  readonly asDouble?: number;
  readonly asInt?: number;
}
interface Metric {
  readonly name: string;
  readonly sum?: { readonly isMonotonic: boolean; readonly dataPoints: readonly Point[] };
  readonly gauge?: { readonly dataPoints: readonly Point[] };
}
interface Body {
  readonly resourceMetrics: readonly {
    readonly scopeMetrics: readonly { readonly metrics: readonly Metric[] }[];
  }[];
}

let server: Server;
let status = 200;
const bodies: Body[] = [];
const keys: unknown[] = [];

beforeEach(async () => {
  bodies.length = 0;
  status = 200;
  server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    keys.push(request.headers['x-api-key']);
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      bodies.push(JSON.parse(Buffer.concat(chunks).toString('utf8')) as Body);
      response.writeHead(status, { 'content-type': 'application/json' }).end('{}');
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
});
afterEach(() => {
  server.closeAllConnections();
  return new Promise((resolve) => server.close(resolve));
});

const start = (states: unknown[], forecasts: readonly ForecastFigure[] = [], classesMax = 100) =>
  OtlpMetrics.start(
    {
      endpoint: `http://127.0.0.1:${(server.address() as AddressInfo).port}/v1/metrics`,
      headers: { 'x-api-key': 'k3y' },
      intervalMs: 3_600_000,
      timeoutMs: 2_000,
      serviceName: 'tidegate',
      serviceVersion: '1',
      classesMax,
      onState: (error) => states.push(error?.code),
    },
    () => forecasts,
  );
const batch = (classes: readonly string[], arrivals: number) => ({
  source: 's',
  sequence: 1,
  atMs: 0,
  stepMs: 1_000,
  added: [],
  classes,
  counts: Float64Array.from(
    classes.flatMap(() => COUNTS.map((_, column) => (column === 0 ? arrivals : column))),
  ),
});
function points(name: string): Record<string, number> {
  const metrics = bodies
    .at(-1)
    ?.resourceMetrics.flatMap((one) => one.scopeMetrics.flatMap((scope) => scope.metrics));
  const metric = metrics?.find((one) => one.name === name);
  return Object.fromEntries(
    (metric?.sum ?? metric?.gauge)?.dataPoints.map((point) => [
      point.attributes.map(({ value }) => value.stringValue).join('/'),
      point.asDouble ?? point.asInt ?? NaN,
    ]) ?? [],
  );
}

test('counts are sent as sums that grow, forecasts as gauges, with the headers that were set', async () => {
  const states: unknown[] = [];
  const metrics = await start(states, [
    { classId: 'a', horizon: '1m', bound: 'mean', value: 12.5 },
    { classId: 'a', horizon: '1m', bound: 'upper95', value: 20 },
    { classId: 'b', horizon: '1m', bound: 'mean', value: NaN },
  ]);
  metrics.add(batch(['a', 'b'], 5));
  metrics.add(batch(['a'], 2));
  await metrics.flush();
  expect(points('tidegate.class.hits')).toMatchObject({
    'a/arrivals': 7,
    'a/hits': 8,
    'b/arrivals': 5,
    'b/denied': 2,
  });
  expect(points('tidegate.class.forecast')).toEqual({ 'a/1m/mean': 12.5, 'a/1m/upper95': 20 });
  expect(keys.at(-1)).toBe('k3y');
  metrics.add(batch(['a'], 1));
  await metrics.close();
  expect(points('tidegate.class.hits')).toMatchObject({ 'a/arrivals': 8 });
  expect(states).toEqual([]);
});

test('classes beyond the bound are counted together', async () => {
  const metrics = await start([], [], 2);
  metrics.add(batch(['a', 'b', 'c', 'd'], 5));
  await metrics.close();
  const sent = points('tidegate.class.hits');
  expect(Object.keys(sent)).toHaveLength(3 * COUNTS.length);
  expect(sent).toMatchObject({ 'a/arrivals': 5, 'b/arrivals': 5, 'other/arrivals': 10 });
});

test('a receiver that refuses is said once, and again when it takes them; nothing is lost', async () => {
  const states: unknown[] = [];
  const metrics = await start(states);
  status = 400;
  metrics.add(batch(['a'], 1));
  await metrics.flush();
  await metrics.flush();
  expect(states).toEqual(['TG_SOURCE_UNAVAILABLE']);
  status = 200;
  await metrics.flush();
  expect(states).toEqual(['TG_SOURCE_UNAVAILABLE', undefined]);
  expect(points('tidegate.class.hits')).toMatchObject({ 'a/arrivals': 1 });
  await metrics.close();
});

test('nobody listens: it ends all the same', async () => {
  const states: unknown[] = [];
  const metrics = await start(states);
  server.closeAllConnections();
  await new Promise((resolve) => server.close(resolve));
  metrics.add(batch(['a'], 1));
  await metrics.close();
  expect(states).toEqual(['TG_SOURCE_UNAVAILABLE']);
  server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
});

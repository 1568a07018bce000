/** From a request at a real Envoy to the forecast of its class, and what a killed process remembers. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { ForecastAsks } from '../../src/core/forecast-desk';
import type { ClassView, Prediction } from '../../src/core/forecasts';
import { startEnvoy, type RunningEnvoy } from '../parts/envoy';
import { askTier, edgeConfig } from '../parts/envoy-gateway';
import { demoLimits, tierRule, writeLimits, type LimitsFile } from '../parts/limits-file';
import { startTidegate, type TidegateProcess } from '../parts/tidegate-process';
import { until } from '../parts/until';
import { startUpstream, type Upstream } from '../parts/upstream';

let folder: string;
let limits: LimitsFile;
let upstream: Upstream;
let tidegate: TidegateProcess;
let envoy: RunningEnvoy | undefined;

/**
 * A minute of which less than half was seen says nothing, so a process that starts 31 s into one forecasts from the next:
 * 29 s, that minute, and what is waited for the last counts of it; the rest is for a machine that is busy.
 */
const FIRST_FORECAST_MS = 29_000 + 60_000 + 3_000 + 10_000;

const start = (): Promise<TidegateProcess> =>
  startTidegate({ limits: limits.path, env: { TIDEGATE_HISTORY_PATH: join(folder, 'history.db') } });

async function get<T>(path: string): Promise<T> {
  const response = await fetch(`http://${tidegate.admin}${path}`);
  if (!response.ok) throw new Error(`${path}: ${response.status} ${await response.text()}`);
  return (await response.json()) as T;
}

async function total(classId: string, figure: string): Promise<number> {
  const query = new URLSearchParams({ class: classId, figure, resolution: '1s' });
  const { values } = await get<ForecastAsks['series']['answer']>(`/api/v1/series?${query.toString()}`);
  return values.reduce<number>((sum, value) => sum + (value ?? 0), 0);
}

async function classOf(search: string): Promise<ClassView> {
  const { classes } = await get<ForecastAsks['classes']['answer']>(
    `/api/v1/classes?kind=rule&search=${search}`,
  );
  const [found] = classes;
  if (found === undefined) throw new Error(`no class is of ${search}`);
  return found;
}

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'tidegate-envoy-'));
  limits = await writeLimits(
    demoLimits(
      tierRule('small', '{unit: day, requests_per_unit: 3}'),
      tierRule('plenty', '{unit: day, requests_per_unit: 1000000}'),
    ),
  );
  upstream = await startUpstream();
  tidegate = await start();
  envoy = await startEnvoy(edgeConfig({ upstream: upstream.address, tidegates: [tidegate.data] }));
}, 60_000);

afterAll(async () => {
  await envoy?.stop();
  await tidegate?.stop();
  await upstream?.stop();
  await limits?.remove();
  rmSync(folder, { recursive: true, force: true });
});

test('what Envoy asks is counted, denials too, and forecast once a minute has been seen', async () => {
  if (envoy === undefined) throw new Error('no Envoy');
  for (let call = 0; call < 10; call += 1) await askTier(envoy, 'small');
  for (let call = 0; call < 5; call += 1) await askTier(envoy, 'plenty');
  const small = await until('the class', () => classOf('small'));
  await until('its counts', async () => (await total(small.id, 'arrivals')) === 10);
  expect(await total(small.id, 'admitted')).toBe(3);
  expect(await total(small.id, 'denied')).toBe(7);
  expect(small.parent).toMatch(/^service:/);
  await until('those of its service', async () => (await total(small.parent ?? '', 'arrivals')) >= 15);

  const predicted = (horizon: string): Promise<Prediction> =>
    get(`/api/v1/predictions?class=${encodeURIComponent(small.id)}&horizon=${horizon}`);
  const minute = await until(
    'a forecast',
    async () => {
      const prediction = await predicted('1m');
      return prediction.steps.length > 0 && prediction;
    },
    FIRST_FORECAST_MS,
  );
  expect(minute).toMatchObject({ classId: small.id, figure: 'hits', source: 'model', warm: false });
  expect(minute.flags).toContain('uncalibrated');
  const [step] = minute.steps;
  expect(step?.lower).toBeLessThanOrEqual(step?.mean ?? NaN);
  expect(step?.upper).toBeGreaterThanOrEqual(step?.mean ?? NaN);
  // Ten-minute steps have not closed yet: that is said, not guessed.
  expect((await predicted('1d')).source === 'none' || (await predicted('1d')).steps.length === 144).toBe(
    true,
  );
  await until('metrics', async () => {
    const text = await (await fetch(`http://${tidegate.admin}/metrics`)).text();
    return text.includes('tidegate_forecast') && text.includes(small.id.replaceAll('"', '\\"'));
  });
  const status = await get<ForecastAsks['status']['answer']>('/api/v1/forecasting');
  expect(status).toMatchObject({ leader: true, history: { kind: 'sqlite', degraded: false } });
  expect(status.hosts).toHaveLength(1);
}, 150_000);

test('a process that is killed under load has lost ten seconds of counts at most', async () => {
  const sent: { readonly atMs: number; readonly count: number }[] = [];
  let count = 0;
  let loading = true;
  const body = JSON.stringify({
    domain: 'demo',
    descriptors: [
      {
        entries: [
          { key: 'tier', value: 'plenty' },
          { key: 'remote_address', value: '10.0.0.1' },
        ],
      },
    ],
  });
  const plenty = await classOf('plenty');
  const before = await total(plenty.id, 'arrivals');
  const load = async (): Promise<void> => {
    while (loading) {
      try {
        const response = await fetch(`http://${tidegate.admin}/json`, { method: 'POST', body });
        if (response.status === 200) sent.push({ atMs: Date.now(), count: (count += 1) });
      } catch {
        return;
      }
    }
  };
  const loads = [load(), load()];
  const startedMs = Date.now();
  await until('thirteen seconds of load', () => Date.now() - startedMs > 13_000);
  const killedMs = Date.now();
  tidegate.child.signal('SIGKILL');
  await tidegate.child.exited;
  loading = false;
  await Promise.all(loads);
  tidegate = await start();
  // A flush each ten seconds, of what had come a second and a half before.
  const safe = sent.filter(({ atMs }) => atMs < killedMs - 11_500).at(-1)?.count ?? 0;
  expect(safe).toBeGreaterThan(10);
  const kept = await until('the history', async () => (await total(plenty.id, 'arrivals')) || undefined);
  expect(kept - before).toBeGreaterThanOrEqual(safe);
  expect(kept - before).toBeLessThanOrEqual(count);
  const { classes } = await get<ForecastAsks['classes']['answer']>('/api/v1/classes');
  expect(classes.map(({ id }) => id)).toContain(plenty.id);
}, 90_000);

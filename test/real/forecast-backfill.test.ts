/** A Tidegate that begins with what a real Prometheus knows of the past: it forecasts at once. */
import { type LimitsFile, writeLimits } from '../parts/limits-file';
import { startPrometheus, type PrometheusServer } from '../parts/prometheus';
import { startTidegate, type TidegateProcess } from '../parts/tidegate-process';
import { until } from '../parts/until';

const MINUTE_S = 60;
const HOURS = 30;
const PER_S = 12;

let prometheus: PrometheusServer;
let limits: LimitsFile;
let tidegate: TidegateProcess | undefined;

/** A counter that grew steadily until now. */
function past(): string {
  const lines = ['# TYPE requests counter'];
  const endS = Math.floor(Date.now() / 60_000) * MINUTE_S;
  for (let minute = HOURS * 60; minute >= 0; minute -= 1) {
    const atS = endS - minute * MINUTE_S;
    lines.push(`requests_total ${(HOURS * 60 - minute) * MINUTE_S * PER_S} ${atS}`);
  }
  return `${lines.join('\n')}\n# EOF\n`;
}

beforeAll(async () => {
  prometheus = await startPrometheus([], past());
  limits = await writeLimits(`domain: shop
descriptors:
  - key: path
    rate_limit: { unit: second, requests_per_unit: 1000000 }
`);
});
afterEach(async () => {
  await tidegate?.stop();
  tidegate = undefined;
});
afterAll(async () => {
  await prometheus.stop();
  await limits.remove();
});

interface Told {
  readonly source: string;
  readonly steps: readonly { readonly mean: number; readonly lower: number; readonly upper: number }[];
}

async function get<T>(path: string): Promise<T> {
  return (await (await fetch(`http://${tidegate?.admin}/api/v1/${path}`)).json()) as T;
}

const settings = (url: string, query: string) => ({
  TIDEGATE_OBSERVE_PROMETHEUS_URL: url,
  TIDEGATE_HISTORY_BACKFILL_SOURCE: 'prometheus',
  TIDEGATE_HISTORY_BACKFILL_QUERIES: JSON.stringify([
    { class: 'shop.path', kind: 'rule', figure: 'arrivals', query },
  ]),
});

test('what Prometheus knows becomes history, and is forecast from at once', async () => {
  tidegate = await startTidegate({
    limits: limits.path,
    env: settings(prometheus.url, 'requests_total - (requests_total offset $step)'),
  });
  for (const horizon of ['1m', '1h', '1d']) {
    const told = await until(`a forecast of ${horizon}`, async () => {
      const answer = await get<Partial<Told>>(`predictions?class=shop.path&horizon=${horizon}`);
      return answer.source === 'model' && (answer.steps?.length ?? 0) > 0 ? (answer as Told) : undefined;
    });
    for (const { mean, lower, upper } of told.steps) {
      expect(mean).toBeGreaterThan(0.8 * PER_S);
      expect(mean).toBeLessThan(1.2 * PER_S);
      expect(lower).toBeLessThanOrEqual(mean);
      expect(upper).toBeGreaterThanOrEqual(mean);
    }
  }
  expect(await get('forecasting')).toMatchObject({ external: [{ what: 'backfill', error: null }] });
});

test('a Prometheus that is not there is told once, shown, and does not keep anything else', async () => {
  tidegate = await startTidegate({
    limits: limits.path,
    env: settings('http://127.0.0.1:9', 'requests_total'),
  });
  await until('it is shown', async () => {
    const { external } = await get<{ external?: readonly { error: string | null }[] }>('forecasting');
    return external?.[0]?.error?.startsWith('TG_SOURCE_UNAVAILABLE') === true;
  });
  const lines = tidegate.logs().filter(({ msg }) => msg === 'backfill failed');
  expect(lines).toHaveLength(1);
});

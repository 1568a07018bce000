/** The dashboard and the alerts ask only for what is measured. */
import { readFileSync, readdirSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { parse } from 'yaml';
import type { ForecastFigures } from '../../src/core/forecasts';
import { Metrics } from '../../src/telemetry/metrics';

const deploy = resolve(__dirname, '../../deploy');
const read = (...path: string[]): string => readFileSync(join(deploy, ...path), 'utf8');

interface Panel {
  readonly id: number;
  readonly type: string;
  readonly title: string;
  readonly description?: string;
  readonly gridPos: { readonly x: number; readonly y: number; readonly w: number; readonly h: number };
  readonly targets?: readonly { readonly expr: string }[];
}
interface Dashboard {
  readonly panels: readonly Panel[];
  readonly templating: { readonly list: readonly { readonly name: string; readonly definition?: string }[] };
  readonly annotations: { readonly list: readonly { readonly expr: string }[] };
}
interface Rule {
  readonly alert: string;
  readonly expr: string;
  readonly labels: { readonly severity: string };
  readonly annotations: { readonly summary: string; readonly action: string };
}

const dashboards = readdirSync(join(deploy, 'grafana/dashboards')).map(
  (file) => JSON.parse(read('grafana/dashboards', file)) as Dashboard,
);
const rules = (parse(read('prometheus/alerts.yml')) as { groups: { rules: Rule[] }[] }).groups.flatMap(
  (group) => group.rules,
);

const FORECASTS: ForecastFigures = {
  madeAtMs: 0,
  classes: [
    {
      id: 'rule',
      ratePerS: 2,
      horizons: [{ horizon: '1m', ratePerS: 3, levels: [{ level: 0.8, lower: 1, upper: 5 }] }],
      maeRatio: 0.9,
      coverage80: 0.8,
      coverage95: 0.95,
      anomalous: true,
    },
  ],
  anomalies: [{ id: 'rule', reason: 'spike', count: 1 }],
  drifts: [{ id: 'rule', count: 1 }],
  refits: { first: 1, won: 0, lost: 0, unproven: 0, failed: 0 },
  alerts: [{ name: 'busy', active: true } as ForecastFigures['alerts'][number]],
  replicas: [{ service: 'shop', recommended: 3, capacityPerReplica: 1, demandPerS: 2, why: '' }],
  tracked: 1,
  waitingFits: 0,
  stepMs: 5,
  history: { kind: 'sqlite', degraded: false, error: 'none', classes: 1, memoryBytes: 2, diskBytes: 3 },
  leader: true,
};

/** The samples of a process in which everything has happened: name -> the names of its labels. */
async function measured(): Promise<Map<string, Set<string>>> {
  const metrics = new Metrics({ version: '1.2.3' }, { monotonicMs: () => 0 });
  metrics.observe({
    breakerState: () => 'open',
    lateRefunds: () => 1,
    memoryStore: () => ({ buckets: 1, forgotten: 1, evictedEarly: 1 }),
    limits: () => ({ version: 1, rules: 1, loadedAtMs: 1, lastErrorCode: 'TG_LIMITS_SYNTAX' }),
    openConnections: () => 1,
  });
  metrics.countersFor('domain.key1.key2').totalHits(1);
  metrics.domainNotFound('domain');
  metrics.denied('rule', 'key', 1);
  metrics.control.forecasts.take(FORECASTS);
  const samples = new Map<string, Set<string>>();
  for (const line of (await metrics.scrape()).body.split('\n')) {
    const [, name, labels = ''] = /^([a-z_][\w:]*)(\{.*\})? /i.exec(line) ?? [];
    if (name === undefined) continue;
    const names = samples.get(name) ?? new Set(['instance', 'job']);
    for (const [, label] of labels.matchAll(/(\w+)="/g)) if (label !== undefined) names.add(label);
    samples.set(name, names);
  }
  return samples;
}

const WORDS = new Set([
  'by',
  'without',
  'and',
  'or',
  'unless',
  'on',
  'ignoring',
  'offset',
  'bool',
  'inf',
  'nan',
]);

/** The metrics of a PromQL expression, each with the labels that its selector names. */
function metricsOf(expression: string): { name: string; labels: string[] }[] {
  const bare = expression
    .replace(/"[^"]*"/g, '""')
    .replace(/\[[^\]]*\]/g, '')
    .replace(/\b(by|without|on|ignoring|group_left|group_right)\s*\([^)]*\)/g, '')
    .replace(/label_values\((.*), *\w+\)/, '$1');
  return [...bare.matchAll(/(?<![\w$.])([a-zA-Z_:][\w:]*)\b(?!\s*\()(\{[^}]*\})?/g)]
    .map(([, name = '', selector = '']) => ({
      name,
      labels: [...selector.matchAll(/(\w+)\s*[=!]/g)].map(([, label = '']) => label),
    }))
    .filter(({ name }) => !WORDS.has(name.toLowerCase()));
}

const asked: (readonly [where: string, expression: string])[] = [
  ...dashboards.flatMap(({ panels, templating, annotations }) => [
    ...panels.flatMap(({ title, targets = [] }) => targets.map(({ expr }) => [title, expr] as const)),
    ...templating.list.flatMap(({ name, definition }) =>
      definition === undefined ? [] : [[`variable ${name}`, definition] as const],
    ),
    ...annotations.list.map(({ expr }) => ['annotation', expr] as const),
  ]),
  ...rules.map(({ alert, expr }) => [alert, expr] as const),
];

/** What Envoy 1.40 counts about rate limits and its clients. */
const ENVOY =
  /^envoy_(cluster_ratelimit_(ok|over_limit|error|failure_mode_allowed)|http_downstream_rq_(xx|time_bucket))$/;

describe('the dashboard and the alerts', () => {
  it.each(asked)('%s asks for what there is', async (_where, expression) => {
    const there = await measured();
    const found = metricsOf(expression);
    expect(found.length).toBeGreaterThan(0);
    for (const { name, labels } of found) {
      if (ENVOY.test(name) || name === 'up') continue;
      expect([name, there.has(name)]).toEqual([name, true]);
      for (const label of labels) expect([...(there.get(name) ?? [])]).toContain(label);
    }
  });

  it('finds the metrics of an expression, and would find one that is not there', () => {
    const expression =
      'histogram_quantile(0.9, sum by (le, x) (rate(a_bucket{i=~"$i",j!="k"}[5m]))) > 2 * b and c';
    expect(metricsOf(expression)).toEqual([
      { name: 'a_bucket', labels: ['i', 'j'] },
      { name: 'b', labels: [] },
      { name: 'c', labels: [] },
    ]);
  });

  it('explains every panel, and lays none over another', () => {
    for (const { panels } of dashboards) {
      expect(new Set(panels.map(({ id }) => id)).size).toBe(panels.length);
      const cells = new Set<string>();
      for (const { type, title, description, gridPos } of panels) {
        if (type !== 'row') expect([title, (description ?? '').length > 20]).toEqual([title, true]);
        expect(gridPos.x + gridPos.w).toBeLessThanOrEqual(24);
        for (let x = gridPos.x; x < gridPos.x + gridPos.w; x += 1) {
          for (let y = gridPos.y; y < gridPos.y + gridPos.h; y += 1) {
            expect([title, x, y, cells.has(`${x} ${y}`)]).toEqual([title, x, y, false]);
            cells.add(`${x} ${y}`);
          }
        }
      }
    }
  });

  it('says for every alert how bad it is and what to do', () => {
    expect(rules.length).toBeGreaterThan(5);
    for (const { alert, labels, annotations } of rules) {
      expect([alert, ['page', 'ticket'].includes(labels.severity)]).toEqual([alert, true]);
      expect([alert, annotations.summary.length > 20, annotations.action.length > 20]).toEqual([
        alert,
        true,
        true,
      ]);
    }
  });

  it('is provisioned from where it lies, with the data source it names', () => {
    const sources = parse(read('grafana/provisioning/datasources/prometheus.yaml')) as {
      datasources: { uid: string; url: string }[];
    };
    expect(sources.datasources).toEqual([
      expect.objectContaining({ uid: 'prometheus', url: 'http://prometheus:9090' }),
    ]);
    const providers = parse(read('grafana/provisioning/dashboards/tidegate.yaml')) as {
      providers: { options: { path: string } }[];
    };
    expect(providers.providers[0]?.options.path).toBe('/var/lib/grafana/dashboards');
  });
});

/** What the admin port is given in its tests: limits with hostile names, a load that failed, keys that were denied. */
import { TidegateError } from '../../src/core/errors';
import type { AdminDeps, LimitsView } from '../../src/admin/deps';
import { fakeForecasts } from './fake-forecasts';
import { fakeMesh } from './fake-mesh';
import type { RuleSummary } from '../../src/limiter/explanation';

export const rule = (id: string): RuleSummary => ({
  id,
  name: '',
  unlimited: false,
  limit: 3,
  window: '1m',
  unit: 'MINUTE',
  algorithm: 'token_bucket',
  capacity: 3,
  consistency: 'exact',
  onError: 'allow',
  priority: null,
  weight: 1,
  queue: null,
  shadowMode: true,
  quotaMode: false,
  replaces: [],
  at: 'limits.yaml:3:5',
});

export const limitsView: LimitsView = {
  generation: 4,
  loadedAt: '2026-01-02T03:04:05.000Z',
  files: ['limits.yaml'],
  rules: 2,
  domains: ['edge'],
  errors: [],
  warnings: [],
  failedAt: null,
};

export const failedView: LimitsView = {
  ...limitsView,
  failedAt: '2026-01-02T03:05:00.000Z',
  errors: [
    new TidegateError('TG_LIMITS_BAD_UNIT', "the unit is '<fortnight>'", {
      at: { file: 'limits.yaml', line: 7, column: 3, key: 'descriptors[0].rate_limit.unit' },
    }),
  ],
};

export function fakeDeps(changes: Partial<AdminDeps> = {}): AdminDeps {
  return {
    health: () => ({ ok: true }),
    decideJson: async (body) => ({ status: 200, body: { overallCode: 'OK', got: body } }),
    rlconfig: () => 'edge.k: unit=MINUTE requests_per_unit=3, shadow_mode: false, quota_mode: false\n',
    scrape: async () => ({ contentType: 'text/plain; version=0.0.4; charset=utf-8', body: 'up 1\n' }),
    stats: async () => [
      ['ratelimit.service.rate_limit.edge.k.over_limit', 7],
      ['ratelimit_server.ShouldRateLimit.total_requests', 9],
    ],
    ruleFigures: (id) => (id === 'edge.k' ? { over_limit: 7 } : undefined),
    process: () => ({
      version: '1.2.3',
      startedAt: '2026-01-02T03:04:00.000Z',
      addresses: { data: '127.0.0.1:8081' },
    }),
    limitsStatus: () => limitsView,
    settings: () => [{ path: 'admin.token', value: '<redacted>', source: 'environment' }],
    rules: () => [rule('edge.k'), rule('edge.<script>alert(1)</script>'), rule('other.k')],
    explain: (domain, descriptor) => ({
      domain,
      steps: descriptor.entries.map(({ key, value }) => ({ entry: `${key}=${value}`, met: 'the bare key' })),
      conclusion: 'no limit',
    }),
    topDenied: () => [{ rule: 'edge.k', key: '"><img src=x onerror=alert(1)>', count: 12.5, error: 0 }],
    mesh: fakeMesh,
    store: () => ({ kind: 'memory', ready: true, details: { buckets: 5 } }),
    forecasts: fakeForecasts(),
    reloadLimits: async () => true,
    ...changes,
  };
}

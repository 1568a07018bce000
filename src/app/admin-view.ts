/** What the admin port sees of the other parts. */
import type { AdminDeps, HealthView, ProcessView, SettingView } from '../admin/deps';
import { TidegateError } from '../core/errors';
import type { ControlDeskPort } from '../core/control-desk';
import type { ForecastDesk } from '../core/forecast-desk';
import { explain, summarizeRule } from '../limiter/explanation';
import type { LimitTable } from '../limiter/limit-table';
import type { Limiter } from '../limiter/limiter';
import { renderRlconfig } from '../limiter/rlconfig';
import type { Metrics } from '../telemetry/metrics';
import type { RequestBounds } from '../wire';
import { decideJson } from './json-endpoint';
import type { LimitsService } from './limits-service';
import type { RateLimitCalls } from './rls-handler';
import type { Stores } from './stores';

/** The parts that are looked at. */
export interface AdminParts {
  readonly calls: RateLimitCalls;
  readonly metrics: Metrics;
  /** Brings the metrics up to date with other processes. */
  readonly gather: () => Promise<void>;
  readonly limiter: Limiter;
  readonly limits: LimitsService;
  readonly stores: Stores;
  /** Bounds of a request, over HTTP as over gRPC. */
  readonly bounds: RequestBounds;
  readonly settings: readonly SettingView[];
  readonly forecasts: ForecastDesk;
  readonly mesh: AdminDeps['mesh'];
  readonly control: ControlDeskPort;
  readonly events: NonNullable<AdminDeps['events']>;
  readonly health: () => HealthView;
  readonly process: () => ProcessView;
}

/** Makes the admin port's dependencies. */
export function adminDeps(parts: AdminParts): AdminDeps {
  const { calls, metrics, limiter, limits, stores } = parts;
  const table = (): LimitTable => {
    if (limiter.currentTable === undefined) throw new TidegateError('TG_NO_LIMITS', 'no limits are loaded');
    return limiter.currentTable;
  };
  return {
    health: parts.health,
    decideJson: (body) => decideJson(calls, body, parts.bounds),
    rlconfig: () => (limiter.currentTable === undefined ? '' : renderRlconfig(limiter.currentTable)),
    scrape: async () => {
      await parts.gather();
      return metrics.scrape();
    },
    stats: async () => {
      await parts.gather();
      return metrics.stats();
    },
    ruleFigures: (id) => metrics.ruleFigures(id),
    process: parts.process,
    limitsStatus: () => limits.status,
    settings: () => parts.settings,
    rules: () => (limiter.currentTable?.rules ?? []).map(summarizeRule),
    explain: (domain, descriptor) => explain(table(), domain, descriptor),
    topDenied: () => metrics.topDenied(),
    store: () => stores.view(),
    forecasts: parts.forecasts,
    mesh: parts.mesh,
    control: parts.control,
    events: parts.events,
    reloadLimits: () => limits.load(),
  };
}

/** The configs of envoy/ put before a test's own Tidegates, and requests through them. */
import {
  envoyCluster,
  loadEnvoyConfig,
  placeEnvoyConfig,
  rateLimitFilter,
  type EnvoyConfig,
} from '../../scripts/parts/envoy-config.cjs';
import type { RunningEnvoy } from './envoy';

/** What a test decides about an Envoy; all else is as committed. */
export interface GatewayOptions {
  /** The upstream's `host:port`. */
  readonly upstream: string;
  /** The data ports of its Tidegates. */
  readonly tidegates: readonly string[];
  /**
   * Whether a request without a decision is refused, with 503. True unless set, so that no request that passes, and no
   * 429, can come from anything but a decision.
   */
  readonly failureModeDeny?: boolean;
}

/** The status of a request that got no decision. */
export const NO_DECISION = 503;

const ANY_PORT = '127.0.0.1:0';
/** Longer than any decision takes on a busy machine: a test must not depend on how busy it is. */
const DECISION_TIMEOUT = '10s';

function adapt(config: EnvoyConfig, listener: string, options: GatewayOptions): EnvoyConfig {
  const filter = rateLimitFilter(config, listener);
  filter.timeout = DECISION_TIMEOUT;
  filter.failure_mode_deny = options.failureModeDeny ?? true;
  const [check] = envoyCluster(config, 'tidegate').health_checks as Record<string, unknown>[];
  Object.assign(check ?? {}, { interval: '0.1s', no_traffic_interval: '0.1s', timeout: '5s' });
  return config;
}

/** envoy/edge.yaml: it sends (remote_address), (tier, remote_address) for x-tier, and (path, remote_address) for /login. */
export function edgeConfig(options: GatewayOptions): EnvoyConfig {
  const config = placeEnvoyConfig(loadEnvoyConfig('edge'), {
    admin: ANY_PORT,
    listeners: { edge: ANY_PORT, stats: ANY_PORT },
    clusters: { upstream: [options.upstream], tidegate: options.tidegates },
  });
  return adapt(config, 'edge', options);
}

/** envoy/sidecar.yaml: it sends (service) and (remote_address), the address taken from x-forwarded-for. */
export function sidecarConfig(options: GatewayOptions): EnvoyConfig {
  const config = placeEnvoyConfig(loadEnvoyConfig('sidecar'), {
    admin: ANY_PORT,
    listeners: { inbound: ANY_PORT },
    clusters: { app: [options.upstream], tidegate: options.tidegates },
  });
  return adapt(config, 'inbound', options);
}

/** A response's status and headers. */
export interface Answer {
  readonly status: number;
  readonly headers: Headers;
}

/** One request through an Envoy's listener. */
export async function ask(url: string, headers: Readonly<Record<string, string>> = {}): Promise<Answer> {
  const response = await fetch(url, { headers });
  await response.arrayBuffer();
  return { status: response.status, headers: response.headers };
}

/** A request at the edge with a tier. */
export function askTier(envoy: RunningEnvoy, tier: string, path = '/'): Promise<Answer> {
  return ask(`${envoy.url('edge')}${path}`, { 'x-tier': tier });
}

/** Several answers' statuses, one request after the other. */
export async function statusesInTurn(times: number, request: () => Promise<Answer>): Promise<number[]> {
  const statuses: number[] = [];
  for (let sent = 0; sent < times; sent += 1) statuses.push((await request()).status);
  return statuses;
}

/** How many answers had each status. */
export function countStatuses(answers: readonly Answer[]): Readonly<Record<number, number>> {
  const counts: Record<number, number> = {};
  for (const { status } of answers) counts[status] = (counts[status] ?? 0) + 1;
  return counts;
}

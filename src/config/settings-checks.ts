/** What no single setting can tell: settings that need, or exclude, each other. */
import { TidegateError } from '../core/errors';
import { nonsenseOf } from './forecast-checks';
import type { Layer, SettingsWarning } from './layer';
import { meshNonsenseOf } from './mesh-checks';
import { poolNonsenseOf } from './pools-checks';
import type { Settings } from './settings-shape';

/** What the checks find. */
export interface CheckResult {
  readonly errors: readonly TidegateError[];
  readonly warnings: readonly SettingsWarning[];
}

class Checks {
  readonly errors: TidegateError[] = [];
  readonly warnings: SettingsWarning[] = [];

  constructor(
    readonly settings: Settings,
    private readonly given: Layer,
  ) {}

  /** Adds a conflict, at the place where the setting `path` was given. */
  conflict(path: string, message: string, remedy: string): void {
    const at = this.given.get(path)?.at ?? { key: path };
    const name = at.key === path ? '' : `${path}: `;
    this.errors.push(new TidegateError('TG_SETTINGS_CONFLICT', `${name}${message}`, { at, remedy }));
  }

  warn(name: string, message: string): void {
    this.warnings.push({ name, message });
  }

  isGiven(path: string): boolean {
    return this.given.has(path);
  }
}

const LISTENERS = ['data', 'admin', 'control'] as const;

function isLoopback(host: string): boolean {
  return host === 'localhost' || host === '::1' || host === '[::1]' || /^127(\.\d+){3}$/.test(host);
}

function checkKeyPair(checks: Checks, path: string, tls: { cert: string; key: string }): void {
  if (tls.cert !== '' && tls.key === '')
    checks.conflict(`${path}.cert`, 'a certificate without its key', `set ${path}.key`);
  if (tls.key !== '' && tls.cert === '')
    checks.conflict(`${path}.key`, 'a key without its certificate', `set ${path}.cert`);
}

function checkListeners(checks: Checks): void {
  const { settings } = checks;
  const bound = new Map<string, string>();
  for (const name of LISTENERS) {
    const { host, port, tls } = settings[name];
    const path = `${name}.tls`;
    checkKeyPair(checks, path, tls);
    if (tls.clientCa !== '' && tls.cert === '')
      checks.conflict(
        `${path}.client_ca`,
        'client certificates are asked for only over TLS',
        `set ${path}.cert and ${path}.key`,
      );
    if (tls.clientSan.length > 0 && tls.clientCa === '')
      checks.conflict(
        `${path}.client_san`,
        'names are checked only on client certificates',
        `set ${path}.client_ca`,
      );
    if (name === 'data' && settings.data.uds !== '') continue;
    const other = bound.get(`${host}:${port}`);
    if (port !== 0 && other !== undefined)
      checks.conflict(
        `${name}.port`,
        `${other}.port takes ${host}:${port} already`,
        `change ${name}.port or ${other}.port`,
      );
    bound.set(`${host}:${port}`, name);
  }
}

function warnOfOpenPorts(checks: Checks): void {
  const { settings } = checks;
  for (const name of LISTENERS) {
    const { host } = settings[name];
    if (isLoopback(host) || (name === 'data' && settings.data.uds !== '')) continue;
    const path = `${name}.host`;
    if (!checks.isGiven(path))
      checks.warn(
        path,
        `listens on ${host}, as the reference does; set it to 127.0.0.1 when only this host should reach it`,
      );
    else if (name === 'admin' && settings.admin.token === '')
      checks.warn(
        path,
        `the admin port is open on ${host} without a token; set admin.token, or listen on 127.0.0.1`,
      );
  }
}

function checkStore(checks: Checks): void {
  const { store, compat } = checks.settings;
  checkKeyPair(checks, 'store.tls', store.tls);
  if (store.password !== '' && store.passwordFile !== '')
    checks.conflict('store.password_file', 'store.password is set too', 'keep one of them');
  if (store.lease.idleMs > store.lease.ttlMs)
    checks.conflict(
      'store.lease.idle',
      'a lease would end before it is given back',
      'make it at most store.lease.ttl',
    );
  if (store.kind === 'memory') {
    if (checks.isGiven('store.urls'))
      checks.warn(
        'store.urls',
        'not used, since store.kind is memory; set store.kind to redis, sentinel or cluster',
      );
    else if (compat === 'reference')
      checks.warn(
        'store.kind',
        'buckets are kept in this process and not shared, since no Redis is named; set REDIS_URL or store.kind and store.urls',
      );
    return;
  }
  if (store.urls.length === 0)
    checks.conflict('store.urls', `store.kind ${store.kind} needs an address`, 'name at least one');
  if (store.kind === 'redis' && store.urls.length > 1)
    checks.conflict(
      'store.urls',
      'store.kind redis takes one address',
      'keep one, or set store.kind to cluster or sentinel',
    );
  if (store.kind === 'sentinel' && store.sentinelName === '')
    checks.conflict('store.kind', 'sentinel needs the name of the master', 'set store.sentinel_name');
  if (store.kind === 'sentinel' && !checks.isGiven('store.urls'))
    checks.conflict('store.kind', 'sentinel needs the addresses of the Sentinels', 'set store.urls');
  if (store.kind === 'cluster' && store.database !== 0)
    checks.conflict('store.database', 'a Redis Cluster has only database 0', 'set it to 0');
  if (store.kind !== 'redis' && store.urls.some((url) => url.startsWith('/')))
    checks.conflict('store.urls', `store.kind ${store.kind} takes host:port only`, 'write host:port');
}

function checkBackfill(checks: Checks): void {
  const { history, observe } = checks.settings;
  const { source, queries } = history.backfill;
  const path = 'history.backfill.source';
  if (source === 'prometheus' && observe.prometheus.url === '')
    checks.conflict(path, 'there is no Prometheus to ask', 'set observe.prometheus.url');
  if (source === 'influx' && history.influx.url === '')
    checks.conflict(path, 'there is no InfluxDB to ask', 'set history.influx.url');
  for (const [index, { kind, figure }] of queries.entries()) {
    if ((kind === 'signal') === (figure === 'level')) continue;
    checks.conflict(
      'history.backfill.queries',
      `row ${index + 1}: ${kind} has no figure ${figure}`,
      'signals have a level, all other classes have counts',
    );
  }
}

/** Checks the settings against each other. `given` holds what was set explicitly, with its place. */
export function checkSettings(settings: Settings, given: Layer): CheckResult {
  const checks = new Checks(settings, given);
  checkListeners(checks);
  warnOfOpenPorts(checks);
  checkStore(checks);
  checkBackfill(checks);
  for (const { path, message, remedy } of [
    ...nonsenseOf(settings),
    ...poolNonsenseOf(settings),
    ...meshNonsenseOf(settings),
  ])
    checks.conflict(path, message, remedy);
  return checks;
}

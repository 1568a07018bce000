/** The stores by the settings: the one that decides, and the local one that answers when that one cannot. */
import { readFileSync } from 'node:fs';
import type { Settings } from '../config/settings-shape';
import type { StoreView } from '../admin/deps';
import type { MetricSources } from '../telemetry/state-metrics';
import type { Metrics } from '../telemetry/metrics';
import type { BucketStore } from '../core/buckets';
import type { Clock } from '../core/clock';
import { TidegateError } from '../core/errors';
import type { Logger } from '../core/ports';
import { MemoryStore } from '../store/memory/memory-store';
import type { RedisCredentials, RedisStoreOptions, RedisTls } from '../store/redis/options';
import { RedisStore } from '../store/redis/redis-store';

/** The stores of a process. */
export interface Stores {
  /** Decides. */
  readonly store: BucketStore;
  /** Answers for rules whose failure mode is `local`; the same as `store` where that is in memory. */
  readonly local: MemoryStore;
  /** For the metrics. */
  readonly sources: Pick<MetricSources, 'memoryStore' | 'breakerState'>;
  /** For the API. */
  view(): StoreView;
  close(): Promise<void>;
}

/** Builds the stores; a Redis store connects in the background. @throws TidegateError for settings that cannot be. */
export function createStores(settings: Settings, clock: Clock, logger: Logger, metrics: Metrics): Stores {
  const { kind } = settings.store;
  const local = new MemoryStore({ clock, maxBuckets: settings.store.memory.maxBuckets });
  const sources = { memoryStore: () => local.stats() };
  if (kind === 'memory') {
    const view = (): StoreView => ({ kind, ready: local.ready(), details: { ...local.stats() } });
    return { store: local, local, sources, view, close: () => local.close() };
  }
  const store = new RedisStore(redisOptions(settings, logger));
  void metrics;
  return {
    store,
    local,
    sources,
    view: () => ({ kind, ready: store.ready(), details: {} }),
    close: async () => {
      await store.close();
      await local.close();
    },
  };
}

function redisOptions(settings: Settings, logger: Logger): RedisStoreOptions {
  const { store } = settings;
  if (store.kind === 'memory')
    throw new TidegateError('TG_INTERNAL', 'the memory store has no Redis options');
  const tls = store.tls.enabled ? redisTls(settings) : undefined;
  return {
    kind: store.kind,
    urls: store.urls,
    credentials: () => credentialsOf(settings),
    sentinelName: store.sentinelName,
    sentinelUsername: store.sentinelUsername,
    sentinelPassword: store.sentinelPassword,
    keyPrefix: store.keyPrefix,
    connectTimeoutMs: store.connectTimeoutMs,
    expiryJitterS: store.expiryJitterMs / 1_000,
    logger,
    ...(tls === undefined ? {} : { tls, sentinelTls: tls }),
  };
}

/** Read at every connection, so that a password that was rotated is used from the next one on. */
function credentialsOf(settings: Settings): RedisCredentials {
  const { username, password, passwordFile } = settings.store;
  if (passwordFile === '') return { username, password };
  return { username, password: readSecret(passwordFile) };
}

function readSecret(path: string): string {
  try {
    return readFileSync(path, 'utf8').trim();
  } catch (cause) {
    throw new TidegateError('TG_SETTINGS_UNREADABLE', 'the password file cannot be read', {
      at: { file: path, key: 'store.password_file' },
      cause,
    });
  }
}

function redisTls(settings: Settings): RedisTls {
  const { ca, cert, key, skipHostnameVerification } = settings.store.tls;
  return {
    skipHostnameVerification,
    ...(ca === '' ? {} : { ca: readPem(ca, 'store.tls.ca') }),
    ...(cert === '' ? {} : { cert: readPem(cert, 'store.tls.cert') }),
    ...(key === '' ? {} : { key: readPem(key, 'store.tls.key') }),
  };
}

function readPem(path: string, key: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch (cause) {
    throw new TidegateError('TG_TLS', 'the file cannot be read', { at: { file: path, key }, cause });
  }
}

/** How Redis is reached, from the settings: for buckets, and for the group of sidecars. */
import { readFileSync } from 'node:fs';
import { readPasswordFile } from '../config/password-file';
import type { Settings } from '../config/settings-shape';
import { TidegateError } from '../core/errors';
import type { Logger } from '../core/ports';
import type { RedisCredentials, RedisStoreOptions, RedisTls } from '../store/redis/options';

/**
 * The options of a Redis client.
 * @throws TidegateError TG_INTERNAL for the memory store, TG_SETTINGS_CONFLICT, TG_TLS for a file that cannot be read.
 */
export function redisOptions(settings: Settings, logger: Logger): RedisStoreOptions {
  const { store } = settings;
  if (store.kind === 'memory')
    throw new TidegateError('TG_INTERNAL', 'the memory store has no Redis options');
  const tls = store.tls.enabled ? redisTls(settings) : undefined;
  return {
    kind: store.kind,
    urls: store.urls.map((url) => withDatabase(url, store.database)),
    credentials: () => credentialsOf(settings),
    sentinelName: store.sentinelName,
    sentinelUsername: store.sentinelUsername,
    sentinelPassword: store.sentinelPassword,
    keyPrefix: store.keyPrefix,
    slotTags: store.hashTags,
    waitReplicas: store.wait.replicas,
    waitTimeoutMs: store.wait.timeoutMs,
    connectTimeoutMs: store.connectTimeoutMs,
    patienceMs: store.deadlineMs,
    expiryJitterS: store.expiryJitterMs / 1_000,
    logger,
    ...(tls === undefined ? {} : { tls, sentinelTls: tls }),
  };
}

/** The database's number goes with the address; a Unix socket has only database 0 here. */
function withDatabase(address: string, database: number): string {
  if (database === 0) return address;
  if (address.startsWith('/')) {
    throw new TidegateError('TG_SETTINGS_CONFLICT', 'a Unix socket and a database other than 0', {
      at: { key: 'store.database' },
      remedy: 'reach Redis by host and port, or use database 0',
    });
  }
  return `redis://${address}/${database}`;
}

/** Read at every connection, so that a password that was rotated is used from the next one on. */
function credentialsOf(settings: Settings): RedisCredentials {
  const { username, password, passwordFile } = settings.store;
  if (passwordFile === '') return { username, password };
  return { username, password: readPasswordFile(passwordFile) };
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

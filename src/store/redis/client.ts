/**
 * Makes the driver's clients. Their one special trait: a command is written to one connection once. Nothing is queued
 * while there is no connection and nothing is sent again after one broke, since a take that is doubled is worse than
 * one that is lost.
 */
import { checkServerIdentity, type ConnectionOptions } from 'node:tls';
import Redis, { type RedisOptions } from 'ioredis';
import { type RedisAddress } from './address';
import type { RedisSettings, RedisTls } from './options';

const FIRST_RETRY_MS = 50;
const LAST_RETRY_MS = 1_000;
/** How long a server may take to end a connection that is closed. */
const DISCONNECT_MS = 200;

/** Connects to one server. The credentials are read anew before every attempt. */
export function connectServer(settings: RedisSettings, address: RedisAddress): Redis {
  const { path, host, port } = address;
  return connect(settings, {
    ...(path === '' ? { host, port } : { path }),
    ...(address.database === undefined ? {} : { db: address.database }),
  });
}

/** Connects to the primary that the Sentinels name, and again whenever they name another. */
export function connectBySentinel(settings: RedisSettings): Redis {
  const { username, password } = settings.sentinelCredentials;
  const database = settings.addresses[0]?.database;
  return connect(settings, {
    sentinels: settings.addresses.map(({ host, port }) => ({ host, port })),
    name: settings.sentinelName,
    role: 'master',
    failoverDetector: true,
    sentinelReconnectStrategy: () => LAST_RETRY_MS,
    sentinelCommandTimeout: settings.connectTimeoutMs,
    enableTLSForSentinelMode: settings.tls !== undefined,
    ...(username === '' ? {} : { sentinelUsername: username }),
    ...(password === '' ? {} : { sentinelPassword: password }),
    ...(settings.sentinelTls === undefined ? {} : { sentinelTLS: tlsOptions(settings.sentinelTls) }),
    ...(database === undefined ? {} : { db: database }),
  });
}

type OwnOptions = Omit<RedisOptions, 'replyMapping' | 'protocol'>;

function connect(settings: RedisSettings, where: OwnOptions): Redis {
  const client: Redis = new Redis({
    ...where,
    ...(settings.tls === undefined ? {} : { tls: tlsOptions(settings.tls) }),
    ...authOptions(settings),
    protocol: 2,
    lazyConnect: true,
    connectTimeout: settings.connectTimeoutMs,
    disconnectTimeout: DISCONNECT_MS,
    socketTimeout: settings.stallTimeoutMs,
    autoResendUnfulfilledCommands: false,
    enableOfflineQueue: false,
    maxRetriesPerRequest: 0,
    enableAutoPipelining: false,
    maxLoadingRetryTime: LAST_RETRY_MS,
    retryStrategy: (attempt) => {
      Object.assign(client.options, authOptions(settings));
      const delayMs = Math.min(LAST_RETRY_MS, FIRST_RETRY_MS * 2 ** Math.min(attempt - 1, 10));
      return Math.ceil(delayMs * (0.75 + Math.random() / 2));
    },
    // A primary that became a replica: find out who is primary now.
    reconnectOnError: (error) => settings.kind !== 'cluster' && error.message.startsWith('READONLY'),
  });
  return client;
}

function authOptions(settings: RedisSettings): { username?: string; password?: string } {
  const { username, password } = settings.credentials();
  return { ...(username === '' ? {} : { username }), ...(password === '' ? {} : { password }) };
}

function tlsOptions(tls: RedisTls): ConnectionOptions {
  return {
    ...(tls.ca === undefined ? {} : { ca: tls.ca }),
    ...(tls.cert === undefined ? {} : { cert: tls.cert }),
    ...(tls.key === undefined ? {} : { key: tls.key }),
    checkServerIdentity: tls.skipHostnameVerification === true ? () => undefined : checkServerIdentity,
  };
}
